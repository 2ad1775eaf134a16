"""What of an app's own it has to know besides master data, and what a kept operation says."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Coalesce, Lag

from accounts.models import User
from customers.models import Customer, CustomerRate
from depots.models import Depot
from distribution.models import Distribution
from distribution.selectors import drafts
from equipment.models import Equipment
from foundation import clock
from foundation.observability.metrics import gauge
from foundation.remains import tells_of
from inventory.models import Count, Inventory, LocationKind
from payments.models import CashCount
from sync.models import Device, Pull, SyncConflict

PULLED_OF_CUSTOMER = (
    "id", "customer_code", "name", "phone", "address", "postal_code", "payment_type", "payment_terms_days",
    "meter_number", "meter_rate", "last_meter_reading", "version",
)  # fmt: skip
PULLED_OF_RATE = ("equipment", "rate", "valid_from")


LISTED = 100
"""At most so many missing numbers are told at once."""
FEW = 10
"""Of them in a sentence."""
SILENCE = timedelta(hours=24)
"""After which somebody asks what became of a device."""


@gauge("hsh_sync_conflicts_open", "Operations refused from the field that nobody has settled.")
def open_conflicts() -> int:
    return SyncConflict.objects.filter(status=SyncConflict.Status.OPEN).count()


def customers_to_pull(chosen: QuerySet[Customer]) -> list[dict[str, Any]]:
    """What an app keeps of customers, with their ``rates``: those in force today and those that will be, by date.

    As dicts, for there are tens of thousands: a model of each, with its query for rates, costs ten times as much.
    """
    customers: list[dict[str, Any]] = list(chosen.values(*PULLED_OF_CUSTOMER))
    rates = CustomerRate.objects.filter(customer__in=[customer["id"] for customer in customers])
    rates_of = defaultdict(list)
    for rate in rates.order_by("-valid_from", "-pk").values("customer", *PULLED_OF_RATE):
        rates_of[rate.pop("customer")].append(rate)
    today = clock.business_date(clock.now())
    for customer in customers:
        customer["rates"] = _not_over(rates_of.get(customer["id"], ()), today)
    return customers


def _not_over(latest_first: Iterable[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    chosen: list[dict[str, Any]] = []
    begun: set[int] = set()
    for rate in latest_first:
        if rate["valid_from"] <= today:
            if rate["equipment"] in begun:
                continue
            begun.add(rate["equipment"])
        chosen.append(rate)
    return chosen[::-1]


def own_stock(user: User) -> QuerySet[Inventory]:
    """The balances of the user's vehicle; none for a user without one."""
    stock = Inventory.objects.filter(location__kind=LocationKind.VEHICLE, location__vehicle_no=user.vehicle_no or None)
    return stock.order_by("equipment_id", "condition")


def own_drafts(user: User) -> QuerySet[Distribution]:
    return drafts(user=user).select_related("depot", "user").prefetch_related("items__equipment")


@tells_of(User)
def kept_of(user: User) -> Iterable[str]:
    """How many operations of a user wait for a decision, and which ones never came."""
    kept = SyncConflict.objects.filter(user=user, status=SyncConflict.Status.OPEN).count()
    return [*_waiting(kept), *_missing({user.pk})]


@tells_of(Customer)
def kept_for(customer: Customer) -> Iterable[str]:
    """How many operations that name a customer wait for a decision."""
    still = SyncConflict.objects.filter(status=SyncConflict.Status.OPEN, payload__contains='"customer":')
    return _waiting(sum(_names(conflict, customer.pk) for conflict in still))


def _names(conflict: SyncConflict, customer: int) -> bool:
    sent = json.loads(conflict.payload)
    data = sent.get("data") if isinstance(sent, dict) else None
    return isinstance(data, dict) and data.get("customer") == customer


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
def goods_under_way(count: Count) -> Iterable[str]:
    """What may still come of the vehicle that was counted: from the counter, and from who drives it now."""
    drivers = User.objects.get_queryset().filter(vehicle_no=count.location.vehicle_no).exclude(vehicle_no="")
    return _under_way({count.user_id, *drivers.values_list("pk", flat=True)})


@tells_of(CashCount)
def cash_under_way(count: CashCount) -> Iterable[str]:
    """What may still come from who counted."""
    return _under_way({count.user_id})


def _under_way(users: Collection[int]) -> Iterator[str]:
    """What these users' devices recorded and the books don't have: refused and kept, or never arrived."""
    kept = SyncConflict.objects.filter(user__in=users, status=SyncConflict.Status.OPEN)
    for conflict in kept.select_related("user").order_by("pk")[:LISTED]:
        yield f"{conflict.type or 'an operation'} of {conflict.user.username} was refused and is kept ({conflict.code})"
    yield from _missing(users)


def _missing(users: Collection[int]) -> Iterator[str]:
    for device in Device.objects.with_gaps().filter(user__in=users).select_related("user").order_by("pk"):
        numbers = ", ".join(map(str, missing_numbers(device)[:FEW]))
        yield f"operations of {device.user.username} have not come from their device: {numbers}"


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
            rate = f" at {item['rate']}" if item.get("rate") is not None else ""
            lines.append(f"{what} {item.get('quantity', '?')} × {_name(Equipment, item.get('equipment'))}{rate}")
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
