"""What of an app's own it has to know besides master data, and what a kept operation says."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Coalesce, Lag

from accounts.models import User
from accounts.selectors import vehicle_at
from accounts.services import TAKEN
from audit.models import AuditLog
from customers.models import Customer, CustomerRate
from deposits.models import DepositLot
from deposits.selectors import pieces_at_sites
from depots.models import Depot
from distribution.models import Distribution
from distribution.selectors import drafts
from distribution.services import OPERATION as DISTRIBUTION_CREATE
from equipment.models import Equipment
from fleet.models import normalised
from foundation import clock
from foundation.entities import entity_name
from foundation.money import ZERO
from foundation.observability.metrics import gauge
from foundation.remains import Told, UnderWay, tells_of
from inventory.models import Count, Inventory, LocationKind
from payments.models import CashCount, Payment
from payments.selectors import open_of_charges
from payments.services import CASH_COUNT, EXPENSE_CREATE
from payments.services import OPERATION as PAYMENT_CREATE
from sync.models import Device, Pull, SyncConflict
from transactions.services import OPERATION as TRANSACTION_CREATE
from transactions.usage import Metered, habits_of

_OF_METER = ("created_at", "meter_replaced_at")
PULLED_OF_CUSTOMER = (
    "id", "customer_code", "name", "phone", "address", "postal_code", "payment_type", "payment_terms_days",
    "meter_number", "meter_rate", "last_meter_reading", "version",
)  # fmt: skip
METER_OF_CUSTOMER = ("most_usage_per_day", "metered_since")
"""What is usual for a customer's meter, so that an app asks without a network; null without a meter."""
PULLED_OF_RATE = ("equipment", "rate", "valid_from")


LISTED = 100
"""At most so many missing numbers are told at once."""
FEW = 10
"""Of them in a sentence."""
SILENCE = timedelta(hours=24)
"""After which somebody asks what became of a device."""

RETRIED = "sync.conflict.retried"
DISTRIBUTION_CONFIRM = "distribution.confirm"
_WITHOUT_GOODS = (TAKEN, CASH_COUNT, EXPENSE_CREATE, PAYMENT_CREATE, DISTRIBUTION_CREATE, "withdrawn")
"""A load moves when it is confirmed."""


@gauge("hsh_sync_conflicts_open", "Operations refused from the field that nobody has settled.")
def open_conflicts() -> int:
    return SyncConflict.objects.filter(status=SyncConflict.Status.OPEN).count()


def customers_to_pull(chosen: QuerySet[Customer]) -> list[dict[str, Any]]:
    """What an app keeps of customers, with their ``rates``: those in force today and those that will be, by date.

    As dicts, for there are tens of thousands: a model of each, with its query for rates, costs ten times as much.
    """
    customers: list[dict[str, Any]] = list(chosen.values(*PULLED_OF_CUSTOMER, *_OF_METER))
    rates = CustomerRate.objects.filter(customer__in=[customer["id"] for customer in customers])
    rates_of = defaultdict(list)
    for rate in rates.order_by("-valid_from", "-pk").values("customer", *PULLED_OF_RATE):
        rates_of[rate.pop("customer")].append(rate)
    today = clock.business_date(clock.now())
    meters = {customer["id"]: [customer.pop(name) for name in _OF_METER] for customer in customers}
    metered = [customer["id"] for customer in customers if customer["meter_rate"] is not None]
    habits = habits_of([Metered(pk, *meters[pk]) for pk in metered])
    holdings = holdings_to_pull([customer["id"] for customer in customers])
    for customer in customers:
        customer["holdings"] = holdings[customer["id"]]
        habit = habits.get(customer["id"])
        customer["most_usage_per_day"] = habit.most_per_day if habit else None
        customer["metered_since"] = habit.since if habit else None
        customer["rates"] = _not_over(rates_of.get(customer["id"], ()), today)
    return customers


def holdings_to_pull(customer_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """What customers hold: pieces at the site, and the deposits of them, the oldest first, each with what is still open
    of the invoice that charged it: a refund is set off against that first.
    """
    at_sites = pieces_at_sites(customer_ids)
    lots: dict[int, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    rows = list(DepositLot.objects.filter(customer__in=customer_ids).standing().oldest_first())
    charged_by = open_of_charges(row.pk for row in rows)
    for row in rows:
        charges = charged_by.get(row.pk, [])
        lot = {
            "pieces": row.pieces,
            "amount": row.amount,
            "invoice": charges[0].invoice if charges else None,
            "open_amount": sum((charge.amount for charge in charges), ZERO),
        }
        lots[row.customer_id][row.equipment_id].append(lot)
    return {
        pk: [
            {"equipment": equipment, "at_site": at_sites[pk].get(equipment, 0), "lots": lots[pk][equipment]}
            for equipment in sorted({*at_sites[pk], *lots[pk]})
        ]
        for pk in customer_ids
    }


def _not_over(latest_first: Iterable[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """Those that count today or will. What is superseded isn't told, nor that a contract has ended."""
    chosen: list[dict[str, Any]] = []
    begun: set[int] = set()
    dated: set[tuple[int, date]] = set()
    for rate in latest_first:
        key = rate["equipment"], rate["valid_from"]
        if rate["equipment"] in begun or key in dated:
            continue
        dated.add(key)
        if rate["valid_from"] <= today:
            begun.add(rate["equipment"])
            if rate["rate"] is None:
                continue
        chosen.append(rate)
    return chosen[::-1]


def own_stock(user: User) -> QuerySet[Inventory]:
    """The balances of the user's vehicle; none for a user without one."""
    stock = Inventory.objects.filter(location__kind=LocationKind.VEHICLE, location__vehicle_no=user.vehicle_no or None)
    return stock.order_by("equipment_id", "condition")


def own_drafts(user: User) -> QuerySet[Distribution]:
    return drafts(user=user).select_related("depot", "user").prefetch_related("items__equipment")


@tells_of(User)
def kept_of(user: User) -> Iterable[Told]:
    """How many operations of a user wait for a decision, and which ones never came."""
    kept = SyncConflict.objects.filter(user=user, status=SyncConflict.Status.OPEN).count()
    return [*_waiting(kept), *_missing({user.pk})]


@tells_of(Customer)
def kept_for(customer: Customer) -> Iterable[str]:
    """How many operations that name a customer wait for a decision."""
    still = SyncConflict.objects.filter(status=SyncConflict.Status.OPEN, payload__contains='"customer":')
    return _waiting(sum(_names(conflict, customer.pk) for conflict in still))


def _names(conflict: SyncConflict, customer: int) -> bool:
    return _data_of(conflict).get("customer") == customer


def _waiting(count: int) -> list[str]:
    return [f"{count} operation{'' if count == 1 else 's'} refused from the field to be decided"] if count else []


def missing_numbers(device: Device) -> list[int]:
    """The numbers up to the device's last that never came: the first `LISTED`, in order."""
    if device.is_complete:
        return []
    # MariaDB's LAG takes no default.
    before = Coalesce(Window(Lag("number"), order_by=F("number").asc()), 0)
    gaps = device.numbers.annotate(before=before).filter(number__gt=F("before") + 1).order_by("number")
    last = device.numbers.order_by("-number").values_list("number", flat=True).first() or 0
    within = _within(gaps.values_list("before", "number")[:LISTED])
    return list(islice(chain(within, range(last + 1, device.last_number + 1)), LISTED))


def _within(gaps: Iterable[tuple[int, int]]) -> Iterator[int]:
    for before, number in gaps:
        yield from range(before + 1, number)


def pulled_before(user: User, key: str, moment: datetime) -> datetime | None:
    """When a device last had all that there was to know before a moment; None: we don't know."""
    pull = Pull.objects.filter(device__user=user, device__key=key, at__lte=moment).order_by("-at").first()
    return pull.at if pull else None


@tells_of(Count)
def goods_under_way(count: Count) -> Iterator[UnderWay]:
    """What may still come of the vehicle, or of the depot, that was counted, from before the count."""
    number = count.location.vehicle_no
    if count.location.depot_id:
        yield from _loads_under_way(count)
    if not number:
        return
    for conflict in _kept_before(count):
        if number in _vehicles_of(conflict):
            yield _kept_in_words(conflict)
    drivers = User.objects.get_queryset().filter(Q(vehicle_no=number) | Q(assignments__vehicle__number=number))
    yield from _missing({count.user_id, *drivers.values_list("pk", flat=True)}, count)


def _loads_under_way(count: Count) -> Iterator[UnderWay]:
    """At a depot: what may have left or come already, and isn't confirmed."""
    drafts = Distribution.objects.filter(depot=count.location.depot_id, status=Distribution.Status.DRAFT)
    for draft in drafts.filter(occurred_at__lte=count.ordered_at).select_related("user").order_by("pk"):
        when = clock.in_words(draft.occurred_at)
        yield UnderWay(
            f"{draft} of {draft.user.username}, {when}, is neither confirmed nor cancelled",
            user=draft.user_id,
            entity=entity_name(draft),
            entity_id=draft.pk,
            occurred_at=draft.occurred_at,
        )
    for conflict in _kept_before(count).filter(type=DISTRIBUTION_CONFIRM, depot=count.location.depot_id):
        yield _kept_in_words(conflict)


@tells_of(CashCount)
def cash_under_way(count: CashCount) -> Iterator[UnderWay]:
    """What may still come of the counter's cash, from before the count."""
    for conflict in _kept_before(count).filter(user=count.user_id):
        if _may_be_cash(conflict):
            yield _kept_in_words(conflict)
    yield from _missing({count.user_id}, count)


def _kept_before(count: Count | CashCount) -> QuerySet[Any]:
    """What was refused and may still happen before a count, by its ``moment``.

    Not what the count's device numbered above it, nor what shares its id with another operation: it never happens.
    """
    still = SyncConflict.objects.filter(status=SyncConflict.Status.OPEN, operation__isnull=False)
    kept = still.annotate(moment=Coalesce("corrected_at", "occurred_at", "received_at")).filter(
        moment__lte=count.ordered_at
    )
    if count.device and count.device_number is not None:
        user, _, key = count.device.partition(":")
        kept = kept.exclude(user=int(user), device__key=key, number__gt=count.device_number)
    found: QuerySet[Any] = kept.select_related("user").order_by("moment", "pk")
    return found


def _vehicles_of(conflict: Any) -> set[str]:
    """The vehicles whose goods a kept operation may still move: the one that it names, else its user's then."""
    data = _data_of(conflict)
    if conflict.type in _WITHOUT_GOODS or (conflict.type == TRANSACTION_CREATE and not data.get("items")):
        return set()
    named = data.get("vehicle")
    if isinstance(named, str):
        return {normalised(named)}
    if conflict.type == DISTRIBUTION_CONFIRM:
        return _vehicles_of_load(conflict, data.get("distribution"))
    return {_driven(conflict)}


def _vehicles_of_load(conflict: Any, reference: object) -> set[str]:
    """``reference`` as a confirmation names a load, which may be kept itself."""
    loads = Distribution.objects.filter(user=conflict.user_id)
    if isinstance(reference, str):
        made = SyncConflict.objects.filter(user=conflict.user_id, client_temp_id=reference, type=DISTRIBUTION_CREATE)
        loads = loads.filter(client_temp_id=reference)
        named = {_data_of(kept).get("vehicle") for kept in made}
    else:
        loads, named = loads.filter(pk__in=[reference] if isinstance(reference, int) else ()), set()
    return {
        *loads.values_list("vehicle_no", flat=True),
        *(normalised(each) for each in named if isinstance(each, str)),
    } or {_driven(conflict)}


def _driven(conflict: Any) -> str:
    return vehicle_at(conflict.user, conflict.moment)


def _may_be_cash(conflict: SyncConflict) -> bool:
    """Paid on the spot, a payment in cash, an expense, another count of the bag, or what nobody could read."""
    if conflict.type == TRANSACTION_CREATE:
        return any(_data_of(conflict).get(name) for name in ("payment_received", "tender"))
    if conflict.type == PAYMENT_CREATE:
        return _data_of(conflict).get("method") == Payment.Method.CASH
    return conflict.type in (CASH_COUNT, EXPENSE_CREATE, "")


def _data_of(conflict: SyncConflict) -> Mapping[str, Any]:
    sent = json.loads(conflict.payload)
    data = sent.get("data") if isinstance(sent, dict) else None
    return data if isinstance(data, dict) else {}


def _kept_in_words(conflict: Any) -> UnderWay:
    what, who, when = conflict.type or "an operation", conflict.user.username, clock.in_words(conflict.moment)
    return UnderWay(
        f"{what} of {who}, {when}, was refused and is kept ({conflict.code})",
        user=conflict.user_id,
        entity=entity_name(conflict),
        entity_id=conflict.pk,
        code=conflict.code,
        occurred_at=conflict.moment,
    )


def _missing(users: Collection[int], count: Count | CashCount | None = None) -> Iterator[UnderWay]:
    """What these users' devices recorded and never sent; of a count's own device only what it numbered below that."""
    for device in Device.objects.with_gaps().filter(user__in=users).select_related("user").order_by("pk"):
        missing = missing_numbers(device)
        if count is not None and count.device == f"{device.user_id}:{device.key}" and count.device_number is not None:
            missing = [number for number in missing if number < count.device_number]
        if missing:
            numbers, heard = ", ".join(map(str, missing[:FEW])), clock.in_words(device.heard_at)
            yield UnderWay(
                f"operations of {device.user.username} have not come from their device, last heard {heard}: {numbers}",
                user=device.user_id,
                entity=entity_name(device),
                entity_id=device.pk,
            )


def another_time_of(conflict: SyncConflict) -> datetime | None:
    """When an operation happened by whoever let it happen, where they named another time. By its audit record."""
    if conflict.status != SyncConflict.Status.RETRIED:
        return None
    records = AuditLog.objects.filter(entity_type=entity_name(conflict), entity_id=conflict.pk, action=RETRIED)
    named = [record.after["occurred_at"] for record in records if record.after and "occurred_at" in record.after]
    return datetime.fromisoformat(named[0]) if named else None


def as_sent(conflict: SyncConflict) -> Any:
    """A kept operation as people and programs can read it: half a pair of surrogates, which no encoding has, is U+FFFD.

    It is what a phone sends that cuts an emoji in two.
    """
    text = json.dumps(json.loads(conflict.payload), ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def described(operation: object) -> list[str]:
    """A kept operation in words, as far as it can be understood: whose, what, how many."""
    data = operation.get("data") if isinstance(operation, dict) else None
    if not isinstance(data, dict):
        return []
    lines = [_name(Customer, data.get("customer")), _name(Depot, data.get("depot"))]
    items = data.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            what = item.get("type") or item.get("direction") or ""
            reason = f" ({item['reason']})" if item.get("reason") else ""
            rate = f" at {item['rate']}" if item.get("rate") is not None else ""
            back = _name(Equipment, item.get("returned_equipment"))
            pieces = f"{item.get('quantity', '?')} × {_name(Equipment, item.get('equipment'))}"
            lines.append(f"{what}{reason} {pieces}{rate}{f', for {back}' if back else ''}")
    if data.get("current_meter") is not None:
        lines.append(f"Meter at {data['current_meter']}")
    if data.get("distribution") is not None:
        lines.append(f"Load {data['distribution']}")
    return [line for line in lines if line]


def _name(model: Any, pk: object) -> str:
    if pk is None:
        return ""
    known = model.objects.filter(pk=pk).first() if isinstance(pk, int) and 0 < pk < 2**63 else None
    return str(known or pk)
