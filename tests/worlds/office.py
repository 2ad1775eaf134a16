"""What a simulated world's records are to the project: which command says each, and what its books say afterwards."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from accounts.models import User
from distribution.serializers import DistributionIn
from distribution.services import confirm_distribution, create_distribution
from foundation import clock
from foundation.access.capabilities import Role
from foundation.money import to_cents
from foundation.operations.idempotency import Operation, named
from inventory import services as stock
from inventory.errors import InsufficientStock
from inventory.models import VIRTUAL_KINDS, Condition, Inventory, StockMovement
from payments.models import CashCount, Payment
from payments.selectors import cash_expected, cash_in_bag
from payments.services import reject_cash_count, reverse_payment, sign_off_cash_count
from sync import waiting  # noqa: F401 -- what waits registers itself
from sync.devices import DeviceSays
from sync.models import SyncConflict
from sync.services import Envelope, push, retry_conflict
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, UserFactory, VehicleFactory
from tests.simulator.rule import Books, Count, Goods, Movement, Origin, Stock
from tests.simulator.worlds import CASH, CUSTOMERS, DEPOSIT, DEPOT, OUTSIDE, PRICE, SIZES, USERS, VEHICLES, bag
from tests.types import Json
from transactions.serializers import SaleIn
from transactions.services import NewVoid, create_customer_transaction_and_invoice, void_transaction

Pieces = Mapping[str, int]
"""Of each item."""
START = datetime(2026, 3, 2, tzinfo=UTC)
GST = Decimal("1.09")


def moment(at: int) -> datetime:
    return START + timedelta(microseconds=at)


def dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100


class Office:
    """One depot, its vehicles, its customers and its people, in the running test's transaction.

    Whoever drives may also void and pass on what isn't on their own vehicle, as in the worlds: they are supervisors.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.depot = DepotFactory()
        self.staff = UserFactory(role=Role.ADMIN, depot=self.depot)
        self.vehicles = {name: VehicleFactory(depot=self.depot).number for name in VEHICLES}
        self.customers = {name: CustomerFactory().pk for name in CUSTOMERS}
        price = to_cents(dollars(PRICE) / GST)
        self.sizes = {size: EquipmentFactory(default_rate=price, deposit=dollars(DEPOSIT)) for size in SIZES}
        self.users: dict[str, User] = {
            name: UserFactory(role=Role.SUPERVISOR, depot=self.depot, vehicle_no=self.vehicles[vehicle])
            for name, vehicle in USERS.items()
        }
        self._sizes = {row.pk: size for size, row in self.sizes.items()}
        self._places = {f"CUSTOMER:{pk}": name for name, pk in self.customers.items()}
        self._places |= {f"VEHICLE:{number}": name for name, number in self.vehicles.items()}
        self._places[f"DEPOT:{self.depot.pk}"] = DEPOT
        self._made: dict[str, Any] = {}
        self._kept: dict[str, int] = {}

    def device_of(self, origin: Origin) -> Origin:
        """As the project tells devices apart: by user and id."""
        return replace(origin, device=f"{self.users[origin.user].pk}:{origin.device}") if origin.number else origin

    def is_pushed(self, movement: Movement) -> bool:
        """What a phone has no operation for, the office records for it."""
        places = {place for (place, item) in movement.ends if item != CASH}
        return bool(movement.origin.number) and places != set(VEHICLES)

    def has(self, what: str) -> bool:
        """Has it happened by itself?"""
        kept = SyncConflict.objects.filter(pk=self._kept[what], status=SyncConflict.Status.RETRIED).first()
        if kept is not None:
            self._made[what] = kept.result_id
        return kept is not None

    def decide(self, what: str) -> None:
        """Let a kept operation happen."""
        retry_conflict(actor=self.staff, conflict_id=self._kept[what])

    # What it is told.

    def record(self, movement: Movement) -> None:
        """Raises InsufficientStock."""
        ends = {end: pieces for end, pieces in movement.ends.items() if end[1] != CASH}
        [source, *_], [target, *_] = (
            [place for (place, _), pieces in ends.items() if pieces * sign > 0] for sign in (-1, 1)
        )
        taken = {item: -pieces for (_, item), pieces in ends.items() if pieces < 0}
        if source == OUTSIDE or source == target == DEPOT:
            self._work("REFILL" if source == target else "GOODS_IN", taken, movement)
        elif DEPOT in (source, target):
            self._load(source, target, taken, movement)
        elif source in VEHICLES and target in VEHICLES and source != target:
            self._pass_on(source, target, taken, movement)
        else:
            self._sell(source, target, taken, movement)

    def _work(self, kind: str, taken: Pieces, movement: Movement) -> None:
        items = self._items(taken)
        work = stock.NewDepotWork(kind, self.depot.pk, items, "Work", occurred_at=moment(movement.at))
        with self._named(movement) as actor:
            stock.record_depot_work(actor=actor, data=work)

    def _pass_on(self, source: str, target: str, taken: Pieces, movement: Movement) -> None:
        ends = self.vehicles[source], self.vehicles[target]
        transfer = stock.NewVehicleTransfer(*ends, self._items(taken), occurred_at=moment(movement.at))
        with self._named(movement) as actor:
            stock.transfer_between_vehicles(actor=actor, data=transfer)

    def _load(self, source: str, target: str, taken: Pieces, movement: Movement) -> None:
        """Drafted once, and confirmed."""
        out, draft = source == DEPOT, f"draft of {movement.name}"
        items = [asdict(item) | {"direction": "OUT" if out else "IN"} for item in self._items(taken)]
        said: Json = {"depot": self.depot.pk, "vehicle": self.vehicles[target if out else source], "items": items}
        if movement.origin.number:
            if draft not in self._made:
                self._push(movement, "distribution.create", said, name=draft)
            self._push(movement, "distribution.confirm", {"distribution": draft})
            return
        at = moment(movement.at)
        if draft not in self._made:
            self._made[draft] = create_distribution(actor=self.staff, data=_read(DistributionIn, said, at)).pk
        with self._named(movement) as actor:
            confirm_distribution(actor=actor, distribution_id=self._made[draft], occurred_at=at)

    def _sell(self, source: str, target: str, taken: Pieces, movement: Movement) -> None:
        """What is swapped stays as many at the customer's, whoever that is."""
        customer = next((place for place in (source, target) if place in CUSTOMERS), CUSTOMERS[0])
        kind = {source: "RETURN", target: "SALE"}.get(customer, "SWAP")
        said: Json = {
            "customer": self.customers[customer],
            "vehicle": self.vehicles[target if kind == "RETURN" else source],
            "items": [
                {"equipment": item.equipment, "type": kind, "quantity": item.quantity} for item in self._items(taken)
            ],
            "payment_received": any(item == CASH for _, item in movement.ends),
        }
        if movement.origin.number:
            self._push(movement, "transaction.create", said)
            return
        with self._named(movement) as actor:
            sale = _read(SaleIn, said, moment(movement.at))
            self._made[movement.name] = create_customer_transaction_and_invoice(actor=actor, data=sale).pk

    def _push(self, what: Movement | Count, kind: str, data: Json, *, name: str = "") -> None:
        """By the phone's clock, which is wrong. What is refused is kept, and tried again by the server.

        ``name``: of a part that has no number of its own.
        """
        user, now = self.users[what.origin.user], clock.now()
        ahead = self.chance.randrange(-100_000, 100_000)
        operation: Json = {
            "type": kind,
            "client_temp_id": name or what.name,
            "number": None if name else what.origin.number,
            "occurred_at": (moment(what.at) + timedelta(seconds=ahead)).isoformat(),
            "clock_offset_s": self.chance.choice([None, -ahead]),
            "data": data,
        }
        device = DeviceSays(what.origin.device, what.origin.number)
        said = Envelope(2, now + timedelta(seconds=ahead), device)
        [result] = push(actor=user, operations=[operation], said=said)
        if result.made is not None:
            self._made[name or what.name] = result.made.pk
            return
        assert result.conflict is not None
        assert result.conflict.code == InsufficientStock.code, result.refusals
        self._kept[what.name] = result.conflict.pk
        raise InsufficientStock(str(result.refusals[0]["detail"]))

    def void(self, undoing: Movement, goods: str) -> None:
        """Now. Raises InsufficientStock. What never left was never paid for either."""
        assert undoing.undoes is not None
        sale = self._made[undoing.undoes.name]
        with self._named(undoing) as actor:
            void_transaction(actor=actor, data=NewVoid(sale, undoing.name, goods))
        if goods == Goods.NEVER_LEFT.value:
            for payment in Payment.objects.filter(allocations__invoice__transaction=sale).distinct():
                reverse_payment(actor=self.staff, payment_id=payment.pk, reason=undoing.name)

    def count(self, count: Count) -> None:
        """Counted by whoever took it, to be decided."""
        if count.takes_all:
            self._push(count, "cash_count", {"cash": str(dollars(count.found.get(CASH, 0)))})
            return
        lines = [asdict(item) for item in self._items(count.found)]
        self._push(count, "vehicle_count", {"vehicle": self.vehicles[count.place], "counts": lines})

    def sign(self, count: Count) -> None:
        """Raises EarlierCountOpen, CountContradicted."""
        decide = sign_off_cash_count if count.takes_all else stock.sign_off_count
        decide(actor=self.staff, count_id=self._made[count.name])

    def reject(self, count: Count) -> None:
        decide = reject_cash_count if count.takes_all else stock.reject_count
        decide(actor=self.staff, count_id=self._made[count.name], remarks="Again, please.")

    def take_stock(self, count: Count) -> None:
        """At the depot, of any moment. Raises CountContradicted."""
        counted = stock.DepotCount(self.depot.pk, self._items(count.found), count.name, counted_at=moment(count.at))
        with self._named(count) as actor:
            self._made[count.name] = stock.take_stock(actor=actor, data=counted).count_id

    def correct(self, count: Count) -> None:
        """At a customer's, now. Raises CountContradicted."""
        [item] = self._items(count.found)
        with self._named(count) as actor:
            balance = stock.correct_inventory(
                actor=actor,
                entity=stock.Entity.CUSTOMER,
                entity_id=str(self.customers[count.place]),
                equipment_id=item.equipment,
                condition=Condition(item.condition),
                quantity=item.quantity,
                reason="Counted",
            )
        self._made[count.name] = balance.location.counts.latest("pk").pk

    @contextmanager
    def _named(self, what: Movement | Count) -> Iterator[User]:
        actor = self.users.get(what.origin.user, self.staff)
        operation = Operation(
            user=actor,
            client_temp_id=what.name,
            type="world",
            sent={},
            device=what.origin.device,
            number=what.origin.number or None,
        )
        with named(operation):
            yield actor

    def _items(self, pieces: Pieces) -> list[stock.NewWorkItem]:
        found = []
        for item, quantity in pieces.items():
            condition, _, size = item.partition(" ")
            found.append(stock.NewWorkItem(self.sizes[size].pk, condition.upper(), quantity))
        return found

    # What it says.

    def books(self, signed: list[Count]) -> Books:
        """Of all places but OUTSIDE, and of these counts."""
        balances = {
            self._stock(place, equipment, condition): pieces
            for place, equipment, condition, pieces in Inventory.objects.exclude(location__kind__in=VIRTUAL_KINDS)
            .exclude(quantity=0)
            .values_list("location__key", "equipment", "condition", "quantity")
        }
        balances |= {
            (bag(name), CASH): cents for name, user in self.users.items() if (cents := _cents(cash_in_bag(user)))
        }
        goods = {self._made[count.name]: count.name for count in signed if not count.takes_all}
        adjustments: dict[tuple[str, Stock], int] = defaultdict(int)
        for end, sign in (("to", 1), ("from", -1)):
            rows = StockMovement.objects.filter(count__in=goods).exclude(**{f"{end}_location__kind__in": VIRTUAL_KINDS})
            said = rows.values_list("count", f"{end}_location__key", "equipment", f"{end}_condition", "quantity")
            for pk, place, equipment, condition, pieces in said:
                adjustments[goods[pk], self._stock(place, equipment, condition)] += sign * pieces
        for count in signed:
            if count.takes_all:
                row = CashCount.objects.get(pk=self._made[count.name])
                adjustments[count.name, (count.place, CASH)] = _cents(row.cash - cash_expected(row))
        return Books(balances, {key: quantity for key, quantity in adjustments.items() if quantity})

    def _stock(self, place: str, equipment: int, condition: str) -> Stock:
        return self._places[place], f"{condition.lower()} {self._sizes[equipment]}"


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _read(serializer_class: Any, said: Json, at: datetime) -> Any:
    """As the office's own screens send it."""
    serializer = serializer_class(data={**said, "occurred_at": at.isoformat()})
    serializer.is_valid(raise_exception=True)
    return serializer.command()
