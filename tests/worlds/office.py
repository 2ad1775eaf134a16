"""What a simulated world's records are to the project: which command says each, and what its books say afterwards."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from accounts.models import User
from distribution.services import NewDistribution, NewItem, confirm_distribution, create_distribution
from foundation import clock
from foundation.access.capabilities import Role
from foundation.money import to_cents
from foundation.operations.idempotency import Operation, named
from inventory import services as stock
from inventory.errors import InsufficientStock
from inventory.models import VIRTUAL_KINDS, Condition, Inventory, StockMovement
from inventory.models import Count as StockCount
from payments.models import CashCount
from payments.selectors import cash_expected, cash_in_bag
from payments.services import reject_cash_count, sign_off_cash_count
from sync.devices import DeviceSays
from sync.services import Envelope, push, retry_conflict
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, UserFactory, VehicleFactory
from tests.simulator.rule import Books, Count, Goods, Movement, Origin, Stock
from tests.simulator.worlds import CASH, CUSTOMERS, DEPOSIT, DEPOT, OUTSIDE, PRICE, SIZES, USERS, VEHICLES, bag
from tests.types import Json
from transactions.planning import NewSale
from transactions.pricing import SaleItem
from transactions.services import create_customer_transaction_and_invoice, void_transaction

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
        self._made: dict[str, Any] = {}
        self._kept: dict[str, int] = {}

    def device_of(self, origin: Origin) -> Origin:
        """As the project tells devices apart: by user and id."""
        return (
            Origin(f"{self.users[origin.user].pk}:{origin.device}", origin.user, origin.number)
            if origin.number
            else origin
        )

    # What is told it.

    def record(self, movement: Movement) -> None:
        """Raises InsufficientStock."""
        ends = {end: pieces for end, pieces in movement.ends.items() if end[1] != CASH}
        sources = {end: -pieces for end, pieces in ends.items() if pieces < 0}
        [(source, _), *_], [(target, _), *_] = sources, [end for end, pieces in ends.items() if pieces > 0]
        with self._named(movement) as actor:
            if source == OUTSIDE:
                self._work("GOODS_IN", sources, movement, actor)
            elif source == target == DEPOT:
                self._work("REFILL", sources, movement, actor)
            elif source in VEHICLES and target in VEHICLES and source != target:
                items = self._items(sources)
                stock.transfer_between_vehicles(
                    actor=actor,
                    data=stock.NewVehicleTransfer(
                        self.vehicles[source], self.vehicles[target], items, occurred_at=moment(movement.at)
                    ),
                )
            elif DEPOT in (source, target):
                self._distribute(source, target, sources, movement, actor)
            else:
                self._sell(source, target, sources, movement, actor)

    def _work(self, kind: str, sources: dict[Stock, int], movement: Movement, actor: User) -> None:
        data = stock.NewDepotWork(
            kind, self.depot.pk, self._items(sources), movement.name, occurred_at=moment(movement.at)
        )
        stock.record_depot_work(actor=actor, data=data)

    def _distribute(self, source: str, target: str, sources: dict[Stock, int], movement: Movement, actor: User) -> None:
        out = source == DEPOT
        vehicle = self.vehicles[target if out else source]
        lines = self._items(sources)
        draft = f"draft of {movement.name}"
        if movement.origin.number:
            items = [
                {
                    "equipment": each.equipment,
                    "direction": "OUT" if out else "IN",
                    "condition": each.condition,
                    "quantity": each.quantity,
                }
                for each in lines
            ]
            data = {"depot": self.depot.pk, "vehicle": vehicle, "items": items}
            if draft not in self._made:
                self._push(movement, "distribution.create", data, name=draft)
            self._push(movement, "distribution.confirm", {"distribution": draft})
            return
        if draft not in self._made:
            new_items = [
                NewItem(each.equipment, "OUT" if out else "IN", each.condition, each.quantity) for each in lines
            ]
            new = NewDistribution(self.depot.pk, new_items, occurred_at=moment(movement.at), vehicle=vehicle)
            with named(None):
                self._made[draft] = create_distribution(actor=actor, data=new).pk
        confirm_distribution(actor=actor, distribution_id=self._made[draft], occurred_at=moment(movement.at))

    def _sell(self, source: str, target: str, sources: dict[Stock, int], movement: Movement, actor: User) -> None:
        if source in CUSTOMERS:
            kind, vehicle, customer = "RETURN", target, source
        elif target in CUSTOMERS:
            kind, vehicle, customer = "SALE", source, target
        else:
            # What is swapped stays as many at the customer's, whoever that is.
            kind, vehicle, customer = "SWAP", source, CUSTOMERS[0]
        is_paid = any(item == CASH for _, item in movement.ends)
        lines = self._items(sources)
        if movement.origin.number:
            data = {
                "customer": self.customers[customer],
                "vehicle": self.vehicles[vehicle],
                "items": [{"equipment": each.equipment, "type": kind, "quantity": each.quantity} for each in lines],
                "payment_received": is_paid,
            }
            self._push(movement, "transaction.create", data)
            return
        sale = NewSale(
            customer=self.customers[customer],
            items=[SaleItem(each.equipment, kind, each.quantity) for each in lines],
            payment_received=is_paid,
            occurred_at=moment(movement.at),
            vehicle=self.vehicles[vehicle],
        )
        self._made[movement.name] = create_customer_transaction_and_invoice(actor=actor, data=sale).pk

    def _push(self, what: Movement | Count, kind: str, data: Json, *, name: str = "") -> None:
        """By the phone's clock, which is wrong; if it is refused, it is kept, and the next time tried again.

        ``name``: of a part that has no number of its own.
        """
        if kept := self._kept.get(what.name):
            with named(None):
                self._made[what.name] = retry_conflict(actor=self.staff, conflict_id=kept).result_id
            return
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
        with named(None):
            [result] = push(
                actor=user, operations=[operation], said=Envelope(2, now + timedelta(seconds=ahead), device)
            )
        if result.made is not None:
            self._made[name or what.name] = result.made.pk
            return
        assert result.conflict is not None
        assert result.conflict.code == InsufficientStock.code, result.refusals
        self._kept[what.name] = result.conflict.pk
        raise InsufficientStock(str(result.refusals[0]["detail"]))

    def void(self, undoing: Movement, goods: str) -> None:
        """Now. Raises InsufficientStock."""
        assert undoing.undoes is not None
        with self._named(undoing) as actor:
            void_transaction(
                actor=actor, transaction_id=self._made[undoing.undoes.name], reason=undoing.name, goods=goods
            )

    def count(self, count: Count) -> None:
        """Counted by whoever took it, to be decided."""
        if count.takes_all:
            self._push(count, "cash_count", {"cash": str(dollars(count.found.get(CASH, 0)))})
            return
        lines = [(*self._key(item), quantity) for item, quantity in count.found.items()]
        data = {
            "vehicle": self.vehicles[count.place],
            "counts": [
                {"equipment": equipment, "condition": condition, "quantity": quantity}
                for equipment, condition, quantity in lines
            ],
        }
        self._push(count, "vehicle_count", data)

    def sign(self, count: Count) -> None:
        """Raises EarlierCountOpen, CountContradicted."""
        decide = sign_off_cash_count if count.takes_all else stock.sign_off_count
        decide(actor=self.staff, count_id=self._made[count.name])

    def reject(self, count: Count) -> None:
        decide = reject_cash_count if count.takes_all else stock.reject_count
        decide(actor=self.staff, count_id=self._made[count.name], remarks="Again, please.")

    def take_stock(self, count: Count) -> None:
        """At the depot, of any moment. Raises CountContradicted."""
        items = [stock.NewWorkItem(*self._key(item), quantity) for item, quantity in count.found.items()]
        with self._named(count) as actor:
            work = stock.take_stock(
                actor=actor, data=stock.DepotCount(self.depot.pk, items, count.name, counted_at=moment(count.at))
            )
        self._made[count.name] = work.count_id

    def correct(self, count: Count) -> None:
        """At a customer's, now. Raises CountContradicted."""
        [(item, quantity)] = count.found.items()
        equipment, condition = self._key(item)
        with self._named(count) as actor:
            stock.correct_inventory(
                actor=actor,
                entity=stock.Entity.CUSTOMER,
                entity_id=str(self.customers[count.place]),
                equipment_id=equipment,
                condition=Condition(condition),
                quantity=quantity,
                reason=count.name,
            )
        self._made[count.name] = StockCount.objects.latest("pk").pk

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

    def _items(self, sources: dict[Stock, int]) -> list[stock.NewWorkItem]:
        return [stock.NewWorkItem(*self._key(item), pieces) for (_, item), pieces in sources.items()]

    def _key(self, item: str) -> tuple[int, str]:
        condition, _, size = item.partition(" ")
        return self.sizes[size].pk, condition.upper()

    # What it says.

    def books(self, signed: list[Count]) -> Books:
        """Of all places but OUTSIDE, and of these counts."""
        items = {
            (row.pk, condition.upper()): f"{condition} {size}"
            for size, row in self.sizes.items()
            for condition in ("full", "empty")
        }
        places = {f"CUSTOMER:{pk}": name for name, pk in self.customers.items()}
        places |= {f"VEHICLE:{number}": name for name, number in self.vehicles.items()}
        places[f"DEPOT:{self.depot.pk}"] = DEPOT
        balances = {
            (places[key], items[equipment, condition]): quantity
            for key, equipment, condition, quantity in Inventory.objects.exclude(location__kind__in=VIRTUAL_KINDS)
            .exclude(quantity=0)
            .values_list("location__key", "equipment", "condition", "quantity")
        }
        for name, user in self.users.items():
            if cents := int(cash_in_bag(user) * 100):
                balances[bag(name), CASH] = cents
        names = {self._made[count.name]: count.name for count in signed if not count.takes_all}
        adjustments: dict[tuple[str, Stock], int] = defaultdict(int)
        for end, sign in (("to", 1), ("from", -1)):
            for pk, key, equipment, condition, quantity in (
                StockMovement.objects.filter(count__in=names)
                .exclude(**{f"{end}_location__kind__in": VIRTUAL_KINDS})
                .values_list("count", f"{end}_location__key", "equipment", f"{end}_condition", "quantity")
            ):
                adjustments[names[pk], (places[key], items[equipment, condition])] += sign * quantity
        for count in signed:
            if count.takes_all:
                row = CashCount.objects.get(pk=self._made[count.name])
                adjustments[count.name, (count.place, CASH)] = int((row.cash - cash_expected(row)) * 100)
        return Books(balances, {key: quantity for key, quantity in adjustments.items() if quantity})


GOODS = {Goods.NEVER_LEFT: "never_left", Goods.CAME_BACK: "came_back", None: "gone"}
