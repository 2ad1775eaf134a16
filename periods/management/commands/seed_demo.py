"""``manage.py seed_demo``: a business to look at, made the way a real one makes its books: by the commands."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services import create_user
from customers.models import Customer
from customers.services import CODE_PREFIX, create_customer, set_contract_rate
from depots.models import Depot
from depots.services import create_depot
from distribution.services import NUMBER_PREFIX as DISTRIBUTION_PREFIX
from distribution.services import NewDistribution, NewItem, confirm_distribution, create_distribution
from equipment.errors import RateFromPast
from equipment.models import Equipment
from equipment.services import create_equipment
from fleet.services import create_vehicle
from foundation import clock
from foundation.access.capabilities import Role
from foundation.commands import command
from foundation.confirmations import Said, said
from foundation.money import to_cents
from inventory.models import Condition, DepotWork, Inventory
from inventory.services import (
    TRANSFER_PREFIX,
    WORK_PREFIX,
    CountedLine,
    Entity,
    NewDepotWork,
    NewVehicleTransfer,
    NewWorkItem,
    correct_inventory,
    record_depot_work,
    transfer_between_vehicles,
)
from invoices.models import Invoice
from invoices.services import NUMBER_PREFIX as INVOICE_PREFIX
from payments.selectors import cash_in_bag
from payments.services import NewExpense, NewPayment, record_expense, record_payment
from periods import demo
from periods.services import NewPeriod, NewReturn, close_period, file_return
from sequences.services import print_tickets
from settlements.services import NUMBER_PREFIX as SETTLEMENT_PREFIX
from settlements.services import NewSettlement, count_day
from transactions.models import Transaction
from transactions.pricing import SaleItem, Type
from transactions.services import (
    NUMBER_PREFIX,
    NewSale,
    NewVoid,
    create_customer_transaction_and_invoice,
    void_transaction,
)

OPENING = "Opening balance"


class Command(BaseCommand):
    help = "Loads demo data into an empty database. Refuses to run without DEBUG: its passwords are no secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there is data already")
        parser.add_argument("--logins", action="store_true", help="only print the demo log-ins")

    def handle(self, *args: object, **options: object) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo data is for development: DEBUG is off.")
        if options["logins"]:
            self._print_logins()
            return
        if _has_data():
            if not options["if_empty"]:
                raise CommandError("The database isn't empty: nothing was changed.")
            self.stdout.write("The database has data already: no demo data loaded.")
            return
        own = (CODE_PREFIX, DISTRIBUTION_PREFIX, NUMBER_PREFIX, SETTLEMENT_PREFIX, TRANSFER_PREFIX, WORK_PREFIX)
        for prefix in (*own, *INVOICE_PREFIX.values()):
            print_tickets(prefix=prefix, day=clock.business_date(clock.now()), beyond=0)
        # All of it or nothing: what goes wrong half-way leaves an empty database, and no PDF.
        command(_open_and_trade)()
        self.stdout.write(
            f"Demo data: {Depot.objects.count()} depots, {Equipment.objects.count()} stock items, "
            f"{Customer.objects.count()} customers, {User.objects.count()} users, "
            f"{Transaction.objects.filter(reverses=None).count()} sales."
        )

    def _print_logins(self) -> None:
        self.stdout.write(f"  Demo log-ins, all with the password {demo.PASSWORD}")
        for username, *_, role, depot, vehicle in demo.USERS:
            place = " · ".join(part for part in (depot, vehicle) if part)
            self.stdout.write(f"    {username:<12}{Role(role).label:<15}{place}".rstrip())
        self.stdout.write("")


def _has_data() -> bool:
    return any(model.objects.exists() for model in (User, Depot, Equipment, Customer))


def _open_and_trade() -> None:
    business = _Business()
    business.open()
    business.trade()
    business.follow_up()
    business.close()


class _Business:
    """Deterministic: the same run makes the same business, but for its dates."""

    def __init__(self) -> None:
        self.chance = random.Random(20260120)  # noqa: S311 -- no secret
        self.now = clock.now()
        # A machine that takes only younger sales gets the same days, closer together.
        self.pace = min(settings.OCCURRED_AT_MAX_AGE / (2 * demo.LOADED_BEFORE_NOW), 1.0)
        self.users: dict[str, User] = {}
        self.depots: dict[str, Depot] = {}
        self.equipment: dict[str, Equipment] = {}
        self.customers: list[tuple[demo.DemoCustomer, Customer, Equipment]] = []

    def open(self) -> None:
        """Users, master data, rates, and the stock that the books begin with."""
        first, *others = demo.USERS
        self._add_user(None, *first)
        admin = self.users["admin"]
        for code, name, address in demo.DEPOTS:
            self.depots[code] = create_depot(actor=admin, values={"code": code, "name": name, "address": address})
        for user in others:
            self._add_user(admin, *user)
        number, home = demo.SPARE_VEHICLE
        create_vehicle(actor=admin, values={"number": number, "depot": self.depots[home].pk})
        for sku, name, kind, weight, rate, deposit in demo.EQUIPMENT:
            self.equipment[sku] = create_equipment(
                actor=admin,
                values={
                    "sku": sku,
                    "name": name,
                    "equipment_type": kind,
                    "weight_kg": weight and Decimal(weight),
                    "default_rate": rate and Decimal(rate),
                    "deposit": deposit and Decimal(deposit),
                },
            )
        for code, stock in demo.STOCK.items():
            for sku, quantity in stock.items():
                self._count(Entity.DEPOT, str(self.depots[code].pk), self.equipment[sku], quantity)
        for customer in demo.CUSTOMERS:
            self._add_customer(customer)

    def trade(self) -> None:
        """The loads of the morning and the sales of the last days."""
        for username, (depot, load) in demo.LOADS.items():
            driver = self.users[username]
            items = [NewItem(self.equipment[sku].pk, "OUT", Condition.FULL, count) for sku, count in load.items()]
            new = NewDistribution(
                depot=self.depots[depot].pk,
                items=items,
                remarks="Morning load",
                occurred_at=self._moment(timedelta()),
            )
            made = create_distribution(actor=driver, data=new)
            confirm_distribution(actor=driver, distribution_id=made.pk)
        waiting = [NewItem(self.equipment["CYL-14-POL"].pk, "OUT", Condition.FULL, 12)]
        create_distribution(
            actor=self.users["driver2"],
            data=NewDistribution(depot=self.depots["HSH KB"].pk, items=waiting, remarks="Second load, to be confirmed"),
        )
        for turn in range(demo.SALES):
            self._sell(turn)

    def follow_up(self) -> None:
        """What comes after the sales: payments, a void, depot work, a transfer, an expense, a day-end to sign off."""
        admin, supervisor = self.users["admin"], self.users["supervisor"]
        owed = Invoice.objects.filter(settled_on=None, total_amount__gt=0).order_by("pk")
        for invoice, (method, share, reference) in zip(owed, demo.PAYMENTS, strict=False):
            amount = to_cents(invoice.total_amount * share)
            new = NewPayment(customer=invoice.customer_id, method=method, amount=amount, reference=reference)
            record_payment(actor=admin, data=new)
        mistaken = Transaction.objects.filter(user=self.users["driver2"], meter_number="").latest("pk")
        void_transaction(actor=supervisor, data=NewVoid(mistaken.pk, "Entered for the wrong stall"))
        bought = NewWorkItem(self.equipment["CYL-14-POL"].pk, Condition.FULL, 40)
        depot = self.depots["HSH KB"].pk
        work = NewDepotWork(DepotWork.Kind.GOODS_IN, depot, [bought], "Delivery of the supplier", reference="DO-20317")
        record_depot_work(actor=self.users["depot"], data=work)
        giver = self.users["driver2"]
        full = Inventory.objects.filter(location__vehicle_no=giver.vehicle_no, condition=Condition.FULL, quantity__gt=1)
        item = NewWorkItem(full.order_by("pk")[0].equipment_id, Condition.FULL, 1)
        given = NewVehicleTransfer(giver.vehicle_no, demo.SPARE_VEHICLE[0], [item], "For the stall at the back")
        transfer_between_vehicles(actor=giver, data=given)
        driver = self.users["driver1"]
        found = Inventory.objects.filter(location__vehicle_no=driver.vehicle_no, quantity__gt=0).order_by("pk")
        counts = [CountedLine(row.equipment_id, row.condition, row.quantity) for row in found]
        # One cylinder fewer than the books have: there is something to sign off.
        counts[0] = replace(counts[0], quantity=counts[0].quantity - 1)
        record_expense(actor=driver, data=NewExpense(Decimal("6.40"), "Parking at Kaki Bukit", "R-20117"))
        count_day(actor=driver, data=NewSettlement(cash_in_bag(driver), counts, "Lane 3 was flooded"))

    def close(self) -> None:
        """The books of last year, and its last GST return."""
        admin = self.users["admin"]
        close_period(actor=admin, data=NewPeriod(date(2025, 12, 31)))
        last_quarter = NewReturn("F5", date(2025, 10, 1), date(2025, 12, 31), "GST-2025-Q4")
        file_return(actor=admin, data=last_quarter)

    def _add_user(
        self, actor: User | None, username: str, first: str, last: str, role: Role, depot: str | None, vehicle: str
    ) -> None:
        values = {
            "username": username,
            "first_name": first,
            "last_name": last,
            "email": f"{username}@hsh.example",
            "role": role,
            "employee_id": f"E{1001 + len(self.users)}",
            "depot": self.depots[depot].pk if depot else None,
            "vehicle_no": vehicle,
        }
        if actor is None:
            # Somebody has to be the first, whom nobody could have added.
            self.users[username] = User.objects.create_superuser(
                username, demo.PASSWORD, first_name=first, last_name=last, email=values["email"], employee_id="E1001"
            )
        else:
            self.users[username] = create_user(actor=actor, values=values, password=demo.PASSWORD)

    def _add_customer(self, customer: demo.DemoCustomer) -> None:
        admin = self.users["admin"]
        rate, reading = customer.meter or (None, None)
        made = create_customer(
            actor=admin,
            values={
                "name": customer.name,
                "email": f"accounts{len(self.customers) + 1}@customer.example",
                "phone": f"+65 6{self.chance.randrange(100, 999)} {self.chance.randrange(1000, 9999)}",
                "address": customer.address,
                "postal_code": customer.postal_code,
                "uen": customer.uen,
                "gst_registration_no": customer.gst_registration_no,
                "payment_type": customer.payment_type,
                "payment_terms_days": customer.days or 0,
                "email_invoices": customer.days == demo.MAILED_WITH_DAYS,
                "meter_number": f"M-{self.chance.randrange(100_000, 999_999)}" if customer.meter else "",
                "meter_rate": rate and Decimal(rate),
                "last_meter_reading": reading and Decimal(reading),
            },
        )
        today = clock.business_date(self.now)
        for sku, price in customer.contract:
            for days, amount in (
                (-demo.RATES_FROM_DAYS_AGO, Decimal(price)),
                (demo.RISE_IN_DAYS, Decimal(price) + demo.RISE),
            ):
                valid_from = today + timedelta(days=days)
                # The demo's business is older than its books.
                with said([Said(RateFromPast.code, "valid_from", valid_from.isoformat())], by=admin):
                    set_contract_rate(
                        actor=admin,
                        customer_id=made.pk,
                        equipment_id=self.equipment[sku].pk,
                        rate=amount,
                        valid_from=valid_from,
                    )
        usual = customer.contract[0][0] if customer.contract else self.chance.choice(("CYL-12.7-POL", "CYL-14-POL"))
        self._count(Entity.CUSTOMER, str(made.pk), self.equipment[usual], demo.AT_CUSTOMERS)
        self.customers.append((customer, made, self.equipment[usual]))

    def _count(self, entity: Entity, entity_id: str, equipment: Equipment, quantity: int) -> None:
        correct_inventory(
            actor=self.users["admin"],
            entity=entity,
            entity_id=entity_id,
            equipment_id=equipment.pk,
            condition=Condition.FULL,
            quantity=quantity,
            reason=OPENING,
        )

    def _moment(self, after_loading: timedelta) -> datetime:
        return self.now - self.pace * (demo.LOADED_BEFORE_NOW - after_loading)

    def _sell(self, turn: int) -> None:
        """One visit: mostly swaps, now and then a first cylinder with its deposit, a return, a meter to read."""
        about, customer, usual = self.customers[turn % len(self.customers)]
        drivers = [self.users[name] for name, (_, load) in demo.LOADS.items() if usual.sku in load]
        items = [SaleItem(usual.pk, Type.SWAP, 2 if turn % 9 == 5 else self.chance.randint(1, 2))]
        if turn % 7 == 3:
            items += [SaleItem(usual.pk, Type.SALE, 1), SaleItem(usual.pk, Type.DEPOSIT, 1)]
        if turn % 9 == 5:
            items.append(SaleItem(usual.pk, Type.RETURN, 1, Condition.DAMAGED if turn % 2 else Condition.EMPTY))
        if turn % 11 == 6:
            items.append(SaleItem(self.equipment["REG-HP"].pk, Type.SERVICE, 1, rate=Decimal("35.00")))
        reading = None
        if about.meter:
            reading = Decimal(about.meter[1]) + Decimal(self.chance.randrange(1_000, 40_000) // 10) / 100
        create_customer_transaction_and_invoice(
            actor=self.chance.choice(drivers),
            data=NewSale(
                customer=customer.pk,
                items=items,
                current_meter=reading,
                payment_received=about.days is None,
                remarks="Please ring the bell at the back door." if turn % 6 == 1 else "",
                occurred_at=self._moment(demo.FIRST_SALE_AFTER + turn * demo.SALES_APART),
            ),
        )
