"""Years of sales in minutes: `python -m benchmarks.history --transactions 1000000`.

Fills an empty, migrated database (the one of the settings) and its MEDIA_ROOT through bulk inserts, consistent in
everything that `manage.py verify_books` checks: three lines, three movements, an invoice with its snapshot and a
(tiny) document, and the audit record of each sale; meter chains, numbers, counters, balances. Three sales of four are
paid in cash on the spot; the fourth is on credit and paid by bank five weeks later, so that the latest ones are open.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from functools import cache, lru_cache
from itertools import batched, product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models
from django.db.transaction import atomic

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer, CustomerRate, MeterRate
from deposits.models import DepositLot, LotMovement
from depots.models import Depot
from equipment.models import Equipment, EquipmentPrice
from fleet.models import Assignment, Vehicle
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from foundation.money import to_cents
from inventory.models import Inventory, Location, LocationKind, StockMovement
from invoices.documents import FOLDER
from invoices.models import Invoice
from invoices.snapshot import InvoiceSnapshot, Line, MeterUsage, Party
from payments.models import Allocation, CashCount, Payment
from sequences.models import Sequence
from transactions.models import Transaction, TransactionItem

FULL, EMPTY = "FULL", "EMPTY"
DAYS, VEHICLES, STOCK_ITEMS = 730, 40, 10
RATE, DEPOSIT, METER_RATE, GST = Decimal("28.50"), Decimal("60.00"), Decimal("2.1500"), Decimal("9.00")
PDF = b"%PDF-1.7 a stand-in of the history for benchmarks\n"
SHA256 = hashlib.sha256(PDF).hexdigest()
LAST_DAY = date(2026, 11, 20)
PAID_AFTER, TERMS = timedelta(days=35), 30
SUPPLIER = Party(name="HSH LPG Pte. Ltd.", address="18 Tuas Avenue 8", gst_registration_no="M90312345A")


def plain(part: Any) -> dict[str, Any]:
    """A part of a snapshot, as its JSON has it."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(part).items()}


class Table:
    """Rows on their way into a table, made without a model's instance for each: a tenth of the time."""

    def __init__(self, model: type[models.Model]) -> None:
        self.fields = {field.attname: field for field in model._meta.concrete_fields if not field.generated}
        self.defaults = {
            name: None if field.primary_key else field.get_db_prep_save(field.get_default(), connection)
            for name, field in self.fields.items()
        }
        names = ", ".join(connection.ops.quote_name(str(field.column)) for field in self.fields.values())
        places = ", ".join(["%s"] * len(self.fields))
        self.sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({places})"
        self.rows: list[list[Any]] = []

    def add(self, values: dict[str, object]) -> None:
        row = self.defaults.copy()
        for name, value in values.items():
            row[name] = value if type(value) in (int, str, bool) else self.prepared(name, value)
        self.rows.append([*row.values()])

    def prepared(self, name: str, value: object) -> Any:
        if isinstance(value, dict):
            return json.dumps(value)
        return _prepared(self.fields[name], value)

    def flush(self) -> None:
        with connection.cursor() as cursor:
            if self.rows:
                cursor.executemany(self.sql, self.rows)
        self.rows.clear()


@lru_cache(maxsize=10_000)
def _prepared(field: Any, value: object) -> Any:
    """As the database takes it. The same dates and amounts come again and again."""
    return field.get_db_prep_save(value, connection)


class History:
    def __init__(self, transactions: int, customers: int, *, with_documents: bool = True) -> None:
        self.sales, self.with_documents = transactions, with_documents
        self.next: dict[type[models.Model], int] = defaultdict(lambda: 1)
        self.balances: dict[tuple[int, int, str], int] = defaultdict(int)
        now = self.moment = datetime.combine(LAST_DAY - timedelta(days=DAYS), clock_time(8), SINGAPORE)
        self.depot = Depot.objects.create(code="HISTORY", name="History")
        self.equipment = Equipment.objects.bulk_create(
            Equipment(
                pk=n, sku=f"H-{n}", name=f"Cylinder {n}", equipment_type="CYLINDER", default_rate=RATE, deposit=DEPOSIT
            )
            for n in range(1, STOCK_ITEMS + 1)
        )
        EquipmentPrice.objects.bulk_create(
            EquipmentPrice(equipment=equipment, kind=kind, amount=getattr(equipment, kind.column), created_at=now)
            for equipment in self.equipment
            for kind in EquipmentPrice.Kind
        )
        admin = User(username="historian", role=Role.ADMIN)
        self.drivers = [
            User(username=f"h{n}", role=Role.DRIVER, depot=self.depot, vehicle_no=f"H{n}") for n in range(VEHICLES)
        ]
        for user in (admin, *self.drivers):
            user.set_unusable_password()
            user.save()
        self.customers = Customer.objects.bulk_create(
            (
                Customer(
                    pk=n,
                    customer_code=f"H{n}",
                    name=f"Customer {n}",
                    created_at=now,
                    updated_at=now,
                    **({"meter_number": f"M{n}", "meter_rate": METER_RATE} if n % 5 == 0 else {}),
                )
                for n in range(1, customers + 1)
            ),
            batch_size=2_000,
        )
        MeterRate.objects.bulk_create(
            (
                MeterRate(customer=customer, meter_rate=METER_RATE, created_at=now)
                for customer in self.customers
                if customer.has_meter
            ),
            batch_size=2_000,
        )
        CustomerRate.objects.bulk_create(
            (
                CustomerRate(customer=customer, equipment=equipment, rate=RATE, valid_from=now.date(), created_at=now)
                for customer in self.customers[::3]
                for equipment in self.equipment[:2]
            ),
            batch_size=2_000,
        )
        for driver in self.drivers:
            vehicle = Vehicle.objects.create(number=driver.vehicle_no, depot=self.depot)
            Assignment.objects.create(user=driver, depot=self.depot, vehicle=vehicle, created_at=now, date=now.date())
        self.vehicles = [
            Location.objects.create(kind=LocationKind.VEHICLE, key=f"VEHICLE:{d.vehicle_no}", vehicle_no=d.vehicle_no)
            for d in self.drivers
        ]
        # One each: what it holds matters to nobody here, only that no bag holds a history.
        self.bags = {
            driver.pk: CashCount.objects.create(
                count_number=f"BAG-{driver.pk}", depot=self.depot, user=driver, cash=0,
                status=CashCount.Status.SIGNED_OFF, occurred_at=now, ordered_at=now, created_at=now, date=now.date(),
            )
            for driver in self.drivers
        }  # fmt: skip
        self.sites = Location.objects.bulk_create(
            (Location(kind=LocationKind.CUSTOMER, key=f"CUSTOMER:{c.pk}", customer=c) for c in self.customers),
            batch_size=2_000,
        )
        self.site_ids = dict(Location.objects.filter(customer__isnull=False).values_list("customer_id", "pk"))
        self.admin, self.outside = admin, Location.objects.get(kind=LocationKind.OUTSIDE)
        self.readings: dict[int, Decimal] = {}
        self.vehicle_balances: dict[tuple[int, int, str], int] = {}
        self.party, self.folder = plain(Party(name="")), ""
        written = (
            Invoice, Transaction, TransactionItem, DepositLot, LotMovement, StockMovement, Payment, Allocation, AuditLog,
            Sequence, Inventory,
        )  # fmt: skip
        self.tables: dict[type[models.Model], Table] = {model: Table(model) for model in written}

    def pk(self, model: type[models.Model]) -> int:
        number = self.next[model]
        self.next[model] += 1
        return number

    def add(self, model: type[models.Model], **values: object) -> None:
        self.tables[model].add(values)

    def move(
        self, equipment: int, quantity: int, source: tuple[int, str], target: tuple[int, str], **of: object
    ) -> None:
        self.balances[source[0], equipment, source[1]] -= quantity
        self.balances[target[0], equipment, target[1]] += quantity
        self.add(
            StockMovement,
            id=self.pk(StockMovement),
            equipment_id=equipment,
            quantity=quantity,
            from_location_id=source[0],
            from_condition=source[1],
            to_location_id=target[0],
            to_condition=target[1],
            depot_id=self.depot.pk,
            occurred_at=self.moment,
            ordered_at=self.moment,
            created_at=self.moment,
            date=self.moment.date(),
            **of,
        )

    def opening(self) -> None:
        """Each vehicle is counted once, with more than it will ever sell, and each bag."""
        for number, (vehicle, item) in enumerate(product(self.vehicles, self.equipment), 1):
            self.move(
                item.pk, 1_000_000, (self.outside.pk, FULL), (vehicle.pk, FULL), user_id=self.admin.pk,
                kind="CORRECTION", cause_type="inventory.inventory", cause_id=number,
            )  # fmt: skip
            self.evidence("inventory.balance.corrected", "inventory.inventory", number, self.admin, {})
            self.vehicle_balances[vehicle.pk, item.pk, FULL] = number
        for driver in self.drivers:
            bag = self.bags[driver.pk].pk
            self.evidence("payments.cash_count.recorded", CashCount.entity, bag, driver, {})
            self.evidence("payments.cash_count.signed_off", CashCount.entity, bag, self.admin, {})

    def evidence(self, action: str, target: str, pk: int, user: User, after: dict[str, object]) -> None:
        self.add(
            AuditLog,
            id=self.pk(AuditLog),
            at=self.moment,
            date=self.moment.date(),
            action=action,
            entity_type=target,
            entity_id=pk,
            user_id=user.pk,
            depot_id=user.depot_id,
            after=after,
            request_id="history",
        )

    def days(self) -> Iterator[tuple[date, int]]:
        for number in range(DAYS):
            count = self.sales * (number + 1) // DAYS - self.sales * number // DAYS
            if count:
                yield LAST_DAY - timedelta(days=DAYS - number), count

    def write(self) -> None:
        self.opening()
        for number, (day, count) in enumerate(self.days(), 1):
            self.folder = f"{FOLDER}/{day:%Y/%m/%d}"
            (Path(settings.MEDIA_ROOT) / self.folder).mkdir(parents=True, exist_ok=True)
            self.moment = datetime.combine(day, clock_time(10), SINGAPORE)
            for n in range(1, count + 1):
                self.sale(day, n)
            for prefix in ("TRX", "INV"):
                self.add(Sequence, id=self.pk(Sequence), prefix=prefix, date=day, last_number=count)
            for table in self.tables.values():
                table.flush()
            if number % 73 == 0:
                print(f"{number} days …", flush=True)
        self.close()

    def sale(self, day: date, number: int) -> None:
        pk = self.pk(Transaction)
        customer = self.customers[(pk * 7919) % len(self.customers)]
        seat = pk % VEHICLES
        driver, vehicle = self.drivers[seat], self.vehicles[seat].pk
        is_credit = pk % 4 == 0
        paid_on = day + PAID_AFTER if is_credit else day
        is_paid = paid_on <= LAST_DAY
        paid_at = self.moment + PAID_AFTER if is_credit else self.moment
        first, second = self.equipment[pk % STOCK_ITEMS], self.equipment[(pk + 3) % STOCK_ITEMS]
        usage, meter = self.meter(customer)
        lines = (("SALE", first, RATE, True), ("SWAP", second, RATE, True), ("DEPOSIT", first, DEPOSIT, False))
        items_amount = RATE + RATE + DEPOSIT
        usage_amount = meter.amount if meter else Decimal("0.00")
        taxable = usage_amount + RATE + RATE
        subtotal, gst = items_amount + usage_amount, to_cents(taxable * GST / 100)
        total = subtotal + gst
        stamp = f"{day:%Y%m%d}-{number:06d}"
        path = f"{self.folder}/INV-{stamp}-{pk:016x}.pdf"
        if self.with_documents:
            with open(f"{settings.MEDIA_ROOT}/{path}", "wb") as document:
                document.write(PDF)
        due_on = day + timedelta(days=TERMS) if is_credit else day
        snapshot = self.snapshots(is_credit, self.moment) | {
            "number": f"INV-{stamp}",
            "transaction_number": f"TRX-{stamp}",
            "customer": {**self.party, "name": customer.name},
            "customer_code": customer.customer_code,
            "lines": [self.line(item, kind, rate, taxed) for kind, item, rate, taxed in lines],
            "meter": plain(meter) if meter else None,
            "subtotal": str(subtotal),
            "taxable_amount": str(taxable),
            "gst_amount": str(gst),
            "total_amount": str(total),
            "served_by": driver.username,
            "vehicle_no": driver.vehicle_no,
        }
        self.add(
            Invoice,
            id=pk,
            invoice_number=snapshot["number"],
            kind="TAX_INVOICE",
            customer_id=customer.pk,
            user_id=driver.pk,
            depot_id=driver.depot_id,
            status="paid" if is_paid else "generated",
            subtotal=subtotal,
            taxable_amount=taxable,
            gst_rate=GST,
            gst_amount=gst,
            total_amount=total,
            snapshot=snapshot,
            pdf_path=path,
            pdf_sha256=SHA256,
            generated_at=self.moment,
            date=day,
            due_on=due_on,
            paid_at=paid_at if is_paid else None,
            settled_amount=total if is_paid else 0,
            settled_on=paid_on if is_paid else None,
        )
        self.add(
            Transaction,
            id=pk,
            transaction_number=snapshot["transaction_number"],
            invoice_id=pk,
            customer_id=customer.pk,
            customer_name=customer.name,
            user_id=driver.pk,
            depot_id=driver.depot_id,
            vehicle_no=driver.vehicle_no,
            meter_number=meter.meter_number if meter else "",
            last_meter_reading=meter.last_reading if meter else None,
            current_meter_reading=meter.current_reading if meter else None,
            meter_rate=meter.rate if meter else None,
            usage=usage,
            usage_amount=usage_amount,
            items_amount=items_amount,
            total_amount=subtotal,
            payment_type=snapshot["payment_type"],
            payment_received=not is_credit,
            occurred_at=self.moment,
            created_at=self.moment,
            date=day,
        )
        for kind, item, rate, taxed in lines:
            self.add(
                TransactionItem,
                id=self.pk(TransactionItem),
                transaction_id=pk,
                equipment_id=item.pk,
                equipment_name=item.name,
                type=kind,
                quantity=1,
                rate=rate,
                rate_source="DEFAULT",
                amount=rate,
                taxable=taxed,
            )
        site = self.site_ids[customer.pk]
        of = {"cause_type": "transactions.transaction", "cause_id": pk, "user_id": driver.pk}
        self.move(first.pk, 1, (vehicle, FULL), (site, FULL), kind="SALE", **of)
        self.move(second.pk, 1, (vehicle, FULL), (site, FULL), kind="SWAP_OUT", **of)
        self.move(second.pk, 1, (site, FULL), (vehicle, EMPTY), kind="SWAP_IN", **of)
        after = {"transaction_number": snapshot["transaction_number"], "total_amount": str(total)}
        self.evidence("transactions.sale.recorded", "transactions.transaction", pk, driver, after)
        self.charge(pk, customer.pk, first.pk, str(snapshot["number"]))
        if is_paid:
            payer, payment = self.admin if is_credit else driver, self.pk(Payment)
            self.add(
                Payment,
                id=payment,
                customer_id=customer.pk,
                method="BANK_TRANSFER" if is_credit else "CASH",
                amount=total,
                received_on=paid_on,
                user_id=payer.pk,
                depot_id=payer.depot_id,
                is_on_the_spot=not is_credit,
                ordered_at=paid_at,
                created_at=paid_at,
                date=paid_on,
                allocated_amount=total,
                used_up_on=paid_on,
                cash_count_id=None if is_credit else self.bags[driver.pk].pk,
            )
            self.add(
                Allocation,
                id=self.pk(Allocation),
                payment_id=payment,
                invoice_id=pk,
                amount=total,
                date=paid_on,
                user_id=payer.pk,
                created_at=paid_at,
            )
            if is_credit:
                self.evidence("invoices.payment.recorded", "invoices.payment", payment, self.admin, {})

    def charge(self, sale: int, customer: int, equipment: int, document_number: str) -> None:
        """The deposit of one piece."""
        lot = self.pk(DepositLot)
        of: dict[str, Any] = {
            "pieces": 1,
            "amount": DEPOSIT,
            "cause_type": "transactions.transaction",
            "cause_id": sale,
            "document_number": document_number,
        }
        self.add(DepositLot, id=lot, customer_id=customer, equipment_id=equipment, occurred_at=self.moment, **of)
        self.add(
            LotMovement,
            id=self.pk(LotMovement),
            lot_id=lot,
            kind="CHARGED",
            created_at=self.moment,
            date=self.moment.date(),
            **of,
        )

    @cache  # noqa: B019 -- there is one history
    def snapshots(self, is_credit: bool, moment: datetime) -> dict[str, Any]:
        """What the invoices of a day have in common, on credit or not."""
        zero = Decimal("0.00")
        return InvoiceSnapshot(
            kind="TAX_INVOICE",
            number="",
            transaction_number="",
            issued_at=moment,
            occurred_at=moment,
            due_on=moment.date() + timedelta(days=TERMS) if is_credit else moment.date(),
            supplier=SUPPLIER,
            customer=Party(name=""),
            customer_code="",
            lines=(),
            meter=None,
            subtotal=zero,
            taxable_amount=zero,
            gst_rate=GST,
            gst_amount=zero,
            total_amount=zero,
            payment_type="CREDIT" if is_credit else "CASH",
            payment_terms_days=TERMS if is_credit else 0,
            payment_received=not is_credit,
            served_by="",
            vehicle_no="",
            remarks="",
        ).to_json()

    @cache  # noqa: B019 -- there is one history
    def line(self, item: Equipment, kind: str, rate: Decimal, taxed: bool) -> dict[str, Any]:
        return plain(Line(item.name, item.sku, kind, "", 1, rate, rate, taxed))

    def meter(self, customer: Customer) -> tuple[Decimal, MeterUsage | None]:
        if customer.meter_rate is None:
            return Decimal("0.00"), None
        last = self.readings.get(customer.pk, Decimal("1000.00"))
        current = self.readings[customer.pk] = last + Decimal("5.25")
        usage = current - last
        return usage, MeterUsage(customer.meter_number, last, current, usage, METER_RATE, to_cents(usage * METER_RATE))

    def close(self) -> None:
        # The vehicles' first: their movements name the keys.
        inventory = sorted(self.balances.items(), key=lambda row: self.vehicle_balances.get(row[0], sys.maxsize))
        for number, ((location, item, condition), quantity) in enumerate(inventory, 1):
            self.add(
                Inventory,
                id=number,
                location_id=location,
                equipment_id=item,
                condition=condition,
                quantity=quantity,
                may_be_negative=location == self.outside.pk,
                updated_at=self.moment,
            )
        self.tables[Inventory].flush()
        for group in batched(self.readings.items(), 2_000, strict=False):
            customers = [self.customers[pk - 1] for pk, _ in group]
            for customer in customers:
                customer.last_meter_reading = self.readings[customer.pk]
            Customer.objects.bulk_update(customers, ["last_meter_reading"])
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [*self.next]):
                cursor.execute(statement)


@contextmanager
def as_fast_as_it_goes() -> Iterator[None]:
    """What a power cut would leave is of no use anyway."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
        else:
            cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
    yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--transactions", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--without-documents", action="store_true", help="a third faster; but verify_books misses them")
    sent = parser.parse_args()
    settings.DEBUG = False  # else Django keeps and formats every statement
    if Transaction.objects.exists() or Customer.objects.exists():
        sys.exit("This database has sales or customers already: the history needs an empty one.")
    began = time.monotonic()
    with as_fast_as_it_goes(), atomic():
        History(sent.transactions, sent.customers, with_documents=not sent.without_documents).write()
    print(f"{sent.transactions:,} transactions in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
