"""Random days at a depot: whatever is asked for, in whatever order, the books hold."""

import os
import shutil
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pytest_django import Settings

from accounts.models import User
from distribution.services import (
    NewDistribution,
    NewItem,
    cancel_distribution,
    confirm_distribution,
    create_distribution,
)
from foundation.access.capabilities import Role
from foundation.errors import DomainError
from inventory.models import Condition, Inventory, StockMovement
from inventory.services import Entity, correct_inventory
from tests.factories import DepotFactory, DriverFactory, EquipmentFactory, MeteredCustomerFactory, UserFactory
from transactions.models import Transaction
from transactions.pricing import SaleItem
from transactions.services import NewSale, create_customer_transaction_and_invoice

EXAMPLES, STEPS = (int(number) for number in os.environ.get("LEDGER_MACHINE", "20x30").split("x"))

FULL, EMPTY, DAMAGED = Condition.FULL, Condition.EMPTY, Condition.DAMAGED
counts = st.integers(min_value=1, max_value=6)
which = st.integers(min_value=0, max_value=1)
conditions = st.sampled_from([FULL, EMPTY, DAMAGED])
Balances = dict[tuple[str, int, str], int]
Moves = list[tuple[str, str, str, str, int, int]]


class Ledger(RuleBasedStateMachine):
    """The commands, and beside them a model in plain Python of where every cylinder should be."""

    @initialize()
    def open(self) -> None:
        self.undo = transaction.atomic()
        self.undo.__enter__()
        depot = DepotFactory()
        self.depot = depot
        self.admin = UserFactory(role=Role.ADMIN)
        self.drivers: list[User] = [DriverFactory(depot=depot), DriverFactory(depot=depot, vehicle_no="")]
        self.equipment = [EquipmentFactory(), EquipmentFactory(deposit=None)]
        self.customers = [MeteredCustomerFactory(), MeteredCustomerFactory(last_meter_reading=None)]
        self.places = {
            "depot": f"DEPOT:{depot.pk}",
            "vehicle": f"VEHICLE:{self.drivers[0].vehicle_no}",
            **{str(n): f"CUSTOMER:{customer.pk}" for n, customer in enumerate(self.customers)},
        }
        self.expected: Balances = defaultdict(int)
        self.drafts: list[tuple[int, int, list[tuple[int, str, str, int]]]] = []
        self.sales = 0
        for item in range(2):
            self.count("depot", item, FULL, 30)

    def teardown(self) -> None:
        if hasattr(self, "undo"):
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def _move(self, moves: Moves, command: Any) -> bool:
        """Run a command whose moves are known; it has to succeed exactly if no real place runs short."""
        after = defaultdict(int, self.expected)
        for here, out_as, there, in_as, item, quantity in moves:
            after[here, item, out_as] -= quantity
            after[there, item, in_as] += quantity
        fits = all(quantity >= 0 for (place, _, _), quantity in after.items() if place not in ("FIELD", "OUTSIDE"))
        try:
            with transaction.atomic():
                command()
        except DomainError:
            assert not fits
            return False
        assert fits
        self.expected = after
        return True

    def _vehicle(self, driver: int) -> str:
        return "FIELD" if driver else self.places["vehicle"]

    @rule(
        place=st.sampled_from(["depot", "vehicle", "0", "1"]),
        item=which,
        condition=conditions,
        quantity=st.integers(0, 40),
    )
    def count(self, place: str, item: int, condition: Condition, quantity: int) -> None:
        if place in "01":
            condition = FULL
        entity = {"depot": Entity.DEPOT, "vehicle": Entity.VEHICLE}.get(place, Entity.CUSTOMER)
        key = self.places[place]
        difference = quantity - self.expected[key, item, condition]
        moves: Moves = [("OUTSIDE", condition, key, condition, item, difference)]
        assert self._move(
            moves,
            lambda: correct_inventory(
                actor=self.admin,
                entity=entity,
                entity_id=key.split(":")[1],
                equipment_id=self.equipment[item].pk,
                condition=condition,
                quantity=quantity,
                reason="Counted",
            ),
        )

    @rule(
        driver=which,
        items=st.lists(st.tuples(which, st.sampled_from(["OUT", "IN"]), conditions, counts), min_size=1, max_size=3),
    )
    def draft(self, driver: int, items: list[tuple[int, str, Condition, int]]) -> None:
        new = NewDistribution(
            depot=self.depot.pk,
            items=[
                NewItem(self.equipment[item].pk, direction, str(condition), quantity)
                for item, direction, condition, quantity in items
            ],
        )
        made = create_distribution(actor=self.drivers[driver], data=new).value
        self.drafts.append((made.pk, driver, [(i, d, str(c), q) for i, d, c, q in items]))

    @rule(pick=st.integers(0, 5))
    def confirm(self, pick: int) -> None:
        if not self.drafts:
            return
        pk, driver, items = self.drafts[pick % len(self.drafts)]
        depot, vehicle = self.places["depot"], self._vehicle(driver)
        moves = [(depot, c, vehicle, c, i, q) if d == "OUT" else (vehicle, c, depot, c, i, q) for i, d, c, q in items]
        if self._move(moves, lambda: confirm_distribution(actor=self.drivers[driver], distribution_id=pk)):
            self.drafts.remove((pk, driver, items))
            with pytest.raises(DomainError), transaction.atomic():
                confirm_distribution(actor=self.drivers[driver], distribution_id=pk)

    @rule(pick=st.integers(0, 5))
    def cancel(self, pick: int) -> None:
        if self.drafts:
            pk, driver, _ = self.drafts.pop(pick % len(self.drafts))
            cancel_distribution(actor=self.drivers[driver], distribution_id=pk)

    @rule(
        driver=which,
        customer=which,
        lines=st.lists(st.tuples(st.sampled_from(["SALE", "SWAP", "RETURN", "REFILL", "SERVICE", "DEPOSIT"]), which, counts), min_size=1, max_size=4),
        damaged=st.booleans(),
        usage=st.none() | st.decimals(min_value=0, max_value=50, places=2),
    )  # fmt: skip
    def sell(
        self, driver: int, customer: int, lines: list[tuple[str, int, int]], damaged: bool, usage: Decimal | None
    ) -> None:
        vehicle, site, comes_back = self._vehicle(driver), self.places[str(customer)], DAMAGED if damaged else EMPTY
        moves: Moves = []
        for kind, item, quantity in lines:
            if kind in ("SALE", "SWAP"):
                moves.append((vehicle, FULL, site, FULL, item, quantity))
            if kind == "SWAP":
                moves.append((site, FULL, vehicle, EMPTY, item, quantity))
            if kind == "RETURN":
                moves.append((site, FULL, vehicle, comes_back, item, quantity))
        who = self.customers[customer]
        who.refresh_from_db()
        reading = None if usage is None else (who.last_meter_reading or Decimal(100)) + usage
        items = [
            SaleItem(self.equipment[item].pk, kind, quantity, str(comes_back) if kind == "RETURN" else "")
            for kind, item, quantity in lines
        ]
        refund = sum(60 * quantity for kind, item, quantity in lines if kind == "RETURN" and item == 0)
        if refund:
            # Whether refunds exceed the rest is another rule's business: make the sale large enough.
            items.append(SaleItem(self.equipment[0].pk, "SERVICE", 20))
        if self._move(
            moves,
            lambda: create_customer_transaction_and_invoice(
                actor=self.drivers[driver], data=NewSale(customer=who.pk, items=items, current_meter=reading)
            ),
        ):
            self.sales += 1

    @invariant()
    def balances_are_where_the_model_says(self) -> None:
        if not hasattr(self, "expected"):
            return
        rows = Inventory.objects.values_list("location__key", "equipment_id", "condition", "quantity")
        index = {item.pk: n for n, item in enumerate(self.equipment)}
        there = {
            (key, index[equipment], condition): quantity for key, equipment, condition, quantity in rows if quantity
        }
        assert there == {key: quantity for key, quantity in self.expected.items() if quantity}
        moved: Balances = defaultdict(int)
        for end, sign in (("to", 1), ("from", -1)):
            names = (f"{end}_location__key", "equipment_id", f"{end}_condition")
            for key, equipment, condition, total in (
                StockMovement.objects.order_by().values_list(*names).annotate(total=Sum("quantity"))
            ):
                moved[key, index[equipment], condition] += sign * total
        assert {key: quantity for key, quantity in moved.items() if quantity} == there

    @invariant()
    def numbers_are_gapless(self) -> None:
        if hasattr(self, "sales"):
            numbers = Transaction.objects.order_by("id").values_list("transaction_number", flat=True)
            assert sorted(int(number[-6:]) for number in numbers) == list(range(1, self.sales + 1))


@pytest.mark.django_db
def test_whatever_is_asked_for_the_books_hold(stub_pdf: None, settings: Settings) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    class Verified(Ledger):
        def teardown(self) -> None:
            if hasattr(self, "undo"):
                call_command("verify_books", stdout=StringIO())
            super().teardown()
            shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)

    run_state_machine_as_test(Verified, settings=MACHINE)


MACHINE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
