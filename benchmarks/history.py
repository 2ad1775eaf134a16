"""Years of sales in minutes: `python benchmarks/history.py --transactions 1000000`.

Fills an empty, migrated database (the one of the settings) and its MEDIA_ROOT through bulk inserts, consistent in
everything that `manage.py verify_books` checks: three lines, three movements, an invoice with its snapshot and a
(tiny) document, and the audit record of each sale; meter chains, numbers, counters, balances. Three sales of four are
paid in cash on the spot; the fourth is on credit and paid by bank five weeks later, so that the latest ones are open.
"""

import argparse
import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from itertools import batched
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models

from accounts.models import User
from audit.models import AuditLog
from core.access import Role
from core.clock import SINGAPORE
from core.money import to_cents
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from inventory.models import Condition, Inventory, Location, LocationKind, StockMovement
from invoices.documents import FOLDER
from invoices.models import Allocation, Invoice, Payment
from invoices.snapshot import InvoiceSnapshot, Line, MeterUsage, Party
from sequences.models import Sequence
from transactions.models import DepositBalance, RateSource, Transaction, TransactionItem

DAYS, VEHICLES, STOCK_ITEMS = 730, 40, 10
RATE, DEPOSIT, METER_RATE, GST = Decimal("28.50"), Decimal("60.00"), Decimal("2.1500"), Decimal("9.00")
PDF = b"%PDF-1.7 a stand-in of the history for benchmarks\n"
SHA256 = hashlib.sha256(PDF).hexdigest()
LAST_DAY = date(2026, 11, 20)
PAID_AFTER, TERMS = timedelta(days=35), 30
SUPPLIER = Party(name="HSH LPG Pte. Ltd.", address="18 Tuas Avenue 8", gst_registration_no="M90312345A")


class History:
    def __init__(self, transactions: int, customers: int) -> None:
        self.sales = transactions
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
        self.vehicles = [
            Location.objects.create(kind=LocationKind.VEHICLE, key=f"VEHICLE:{d.vehicle_no}", vehicle_no=d.vehicle_no)
            for d in self.drivers
        ]
        self.sites = Location.objects.bulk_create(
            (Location(kind=LocationKind.CUSTOMER, key=f"CUSTOMER:{c.pk}", customer=c) for c in self.customers),
            batch_size=2_000,
        )
        self.site_ids = dict(Location.objects.filter(customer__isnull=False).values_list("customer_id", "pk"))
        self.admin, self.outside = admin, Location.objects.get(kind=LocationKind.OUTSIDE)
        self.readings: dict[int, Decimal] = {}
        self.deposits: dict[tuple[int, int], int] = defaultdict(int)
        self.openings: list[StockMovement] = []

    def pk(self, model: type[models.Model]) -> int:
        number = self.next[model]
        self.next[model] += 1
        return number

    def move(
        self, equipment: int, quantity: int, source: tuple[int, str], target: tuple[int, str], **of: Any
    ) -> StockMovement:
        self.balances[source[0], equipment, source[1]] -= quantity
        self.balances[target[0], equipment, target[1]] += quantity
        return StockMovement(
            pk=self.pk(StockMovement),
            equipment_id=equipment,
            quantity=quantity,
            from_location_id=source[0],
            from_condition=source[1],
            to_location_id=target[0],
            to_condition=target[1],
            occurred_at=self.moment,
            created_at=self.moment,
            date=self.moment.date(),
            **of,
        )

    def opening(self) -> None:
        """Each vehicle is counted once, with more than it will ever sell."""
        world = (self.outside.pk, str(Condition.FULL))
        for vehicle in self.vehicles:
            for item in self.equipment:
                self.openings.append(
                    self.move(
                        item.pk,
                        1_000_000,
                        world,
                        (vehicle.pk, str(Condition.FULL)),
                        user=self.admin,
                        kind=StockMovement.Kind.CORRECTION,
                        cause_type="inventory.inventory",
                        cause_id=0,
                    )
                )

    def evidence(self, action: str, target: str, pk: int, user: User, after: dict[str, Any]) -> AuditLog:
        return AuditLog(
            pk=self.pk(AuditLog),
            at=self.moment,
            date=self.moment.date(),
            action=action,
            entity_type=target,
            entity_id=pk,
            user=user,
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
            folder = Path(settings.MEDIA_ROOT) / FOLDER / f"{day:%Y/%m/%d}"
            folder.mkdir(parents=True, exist_ok=True)
            self.moment = datetime.combine(day, clock_time(10), SINGAPORE)
            sales = [self.sale(day, n) for n in range(1, count + 1)]
            for rows in zip(*sales, strict=True):
                flat = [row for group in rows for row in group]
                if flat:
                    type(flat[0])._base_manager.bulk_create(flat, batch_size=2_000)
            Sequence.objects.bulk_create(
                Sequence(prefix=prefix, date=day, last_number=count) for prefix in ("TRX", "INV")
            )
            if number % 73 == 0:
                print(f"{number} days …", flush=True)
        self.close()

    def sale(self, day: date, number: int) -> tuple[list[Any], ...]:
        pk = self.pk(Transaction)
        customer = self.customers[(pk * 7919) % len(self.customers)]
        seat = pk % VEHICLES
        driver, vehicle = self.drivers[seat], self.vehicles[seat].pk
        is_credit = pk % 4 == 0
        paid_on = day + PAID_AFTER if is_credit else day
        is_paid = paid_on <= LAST_DAY
        paid_at = datetime.combine(paid_on, self.moment.timetz()) if is_paid else None
        first, second = self.equipment[pk % STOCK_ITEMS], self.equipment[(pk + 3) % STOCK_ITEMS]
        usage, meter = self.meter(customer)
        lines = (("SALE", first, RATE, True), ("SWAP", second, RATE, True), ("DEPOSIT", first, DEPOSIT, False))
        items_amount = sum((rate for _, _, rate, _ in lines), Decimal(0))
        usage_amount = meter.amount if meter else Decimal("0.00")
        taxable = usage_amount + RATE + RATE
        subtotal, gst = items_amount + usage_amount, to_cents(taxable * GST / 100)
        stamp = f"{day:%Y%m%d}-{number:06d}"
        path = f"{FOLDER}/{day:%Y/%m/%d}/INV-{stamp}-{pk:016x}.pdf"
        (Path(settings.MEDIA_ROOT) / path).write_bytes(PDF)
        snapshot = InvoiceSnapshot(
            kind="TAX_INVOICE",
            number=f"INV-{stamp}",
            transaction_number=f"TRX-{stamp}",
            issued_at=self.moment,
            occurred_at=self.moment,
            due_on=day + timedelta(days=TERMS) if is_credit else day,
            supplier=SUPPLIER,
            customer=Party(name=customer.name),
            customer_code=customer.customer_code,
            lines=tuple(Line(item.name, item.sku, kind, "", 1, rate, rate, taxed) for kind, item, rate, taxed in lines),
            meter=meter,
            subtotal=subtotal,
            taxable_amount=taxable,
            gst_rate=GST,
            gst_amount=gst,
            total_amount=subtotal + gst,
            payment_type="CREDIT" if is_credit else "CASH",
            payment_terms_days=TERMS if is_credit else 0,
            payment_received=not is_credit,
            served_by=driver.username,
            vehicle_no=driver.vehicle_no,
            remarks="",
        )
        invoice = Invoice(
            pk=pk,
            invoice_number=snapshot.number,
            kind="TAX_INVOICE",
            customer=customer,
            user=driver,
            status="paid" if is_paid else "generated",
            subtotal=subtotal,
            taxable_amount=taxable,
            gst_rate=GST,
            gst_amount=gst,
            total_amount=subtotal + gst,
            snapshot=snapshot.to_json(),
            pdf_path=path,
            pdf_sha256=SHA256,
            generated_at=self.moment,
            date=day,
            due_on=snapshot.due_on,
            paid_at=paid_at,
            settled_amount=subtotal + gst if is_paid else 0,
            settled_on=paid_on if is_paid else None,
        )
        sale = Transaction(
            pk=pk,
            transaction_number=snapshot.transaction_number,
            invoice_id=pk,
            customer=customer,
            customer_name=customer.name,
            user=driver,
            vehicle_no=driver.vehicle_no,
            meter_number=meter.meter_number if meter else "",
            last_meter_reading=meter.last_reading if meter else None,
            current_meter_reading=meter.current_reading if meter else None,
            meter_rate=meter.rate if meter else None,
            usage=usage,
            usage_amount=usage_amount,
            items_amount=items_amount,
            total_amount=subtotal,
            payment_type=snapshot.payment_type,
            payment_received=not is_credit,
            occurred_at=self.moment,
            created_at=self.moment,
            date=day,
        )
        items = [
            TransactionItem(
                pk=self.pk(TransactionItem),
                transaction_id=pk,
                equipment=item,
                equipment_name=item.name,
                type=kind,
                quantity=1,
                rate=rate,
                rate_source=RateSource.DEFAULT,
                amount=rate,
                taxable=taxed,
            )
            for kind, item, rate, taxed in lines
        ]
        full, empty, site = str(Condition.FULL), str(Condition.EMPTY), self.site_ids[customer.pk]
        of = {"cause_type": "transactions.transaction", "cause_id": pk, "user": driver}
        kind = StockMovement.Kind
        moves = [
            self.move(first.pk, 1, (vehicle, full), (site, full), kind=kind.SALE, **of),
            self.move(second.pk, 1, (vehicle, full), (site, full), kind=kind.SWAP_OUT, **of),
            self.move(second.pk, 1, (site, full), (vehicle, empty), kind=kind.SWAP_IN, **of),
        ]
        after = {"transaction_number": snapshot.transaction_number, "total_amount": str(subtotal + gst)}
        record = self.evidence("transactions.sale.recorded", "transactions.transaction", pk, driver, after)
        self.deposits[customer.pk, first.pk] += 1
        payments, allocations, records = [], [], [record]
        if paid_at:
            payments = [
                Payment(
                    pk=self.pk(Payment),
                    customer=customer,
                    method="BANK_TRANSFER" if is_credit else "CASH",
                    amount=subtotal + gst,
                    received_on=paid_on,
                    user=self.admin if is_credit else driver,
                    is_on_the_spot=not is_credit,
                    created_at=paid_at,
                    date=paid_on,
                    allocated_amount=subtotal + gst,
                    used_up_on=paid_on,
                    handed_in_at=None if is_credit else self.moment + timedelta(hours=9),
                )
            ]
            allocations = [
                Allocation(
                    pk=self.pk(Allocation),
                    payment_id=payments[0].pk,
                    invoice_id=pk,
                    amount=subtotal + gst,
                    date=paid_on,
                    user=payments[0].user,
                    created_at=paid_at,
                )
            ]
            if is_credit:
                records.append(
                    self.evidence("invoices.payment.recorded", "invoices.payment", payments[0].pk, self.admin, {})
                )
        return [invoice], [sale], items, moves, payments, allocations, records

    def meter(self, customer: Customer) -> tuple[Decimal, MeterUsage | None]:
        if customer.meter_rate is None:
            return Decimal("0.00"), None
        last = self.readings.get(customer.pk, Decimal("1000.00"))
        current = self.readings[customer.pk] = last + Decimal("5.25")
        usage = current - last
        return usage, MeterUsage(customer.meter_number, last, current, usage, METER_RATE, to_cents(usage * METER_RATE))

    def close(self) -> None:
        Inventory.objects.bulk_create(
            (
                Inventory(
                    location_id=location,
                    equipment_id=item,
                    condition=condition,
                    quantity=quantity,
                    may_be_negative=location == self.outside.pk,
                    updated_at=self.moment,
                )
                for (location, item, condition), quantity in self.balances.items()
            ),
            batch_size=2_000,
        )
        balances = dict(
            Inventory.objects.filter(location__kind=LocationKind.VEHICLE, condition=Condition.FULL).values_list(
                "location_id", "pk"
            )
        )
        for movement in self.openings:
            movement.cause_id = balances[movement.to_location_id]
        StockMovement.objects.bulk_create(self.openings, batch_size=2_000)
        AuditLog.objects.bulk_create(
            [
                self.evidence("inventory.balance.corrected", "inventory.inventory", pk, self.admin, {})
                for pk in balances.values()
            ],
            batch_size=2_000,
        )
        DepositBalance.objects.bulk_create(
            (
                DepositBalance(customer_id=customer, equipment_id=item, quantity=count, amount=count * DEPOSIT)
                for (customer, item), count in self.deposits.items()
            ),
            batch_size=2_000,
        )
        for group in batched(self.readings.items(), 2_000, strict=False):
            customers = [self.customers[pk - 1] for pk, _ in group]
            for customer in customers:
                customer.last_meter_reading = self.readings[customer.pk]
            Customer.objects.bulk_update(customers, ["last_meter_reading"])
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [*self.next]):
                cursor.execute(statement)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--transactions", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=5_000)
    sent = parser.parse_args()
    settings.DEBUG = False  # else Django keeps and formats every statement
    if Transaction.objects.exists() or Customer.objects.exists():
        sys.exit("This database has sales or customers already: the history needs an empty one.")
    began = time.monotonic()
    History(sent.transactions, sent.customers).write()
    print(f"{sent.transactions:,} transactions in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
