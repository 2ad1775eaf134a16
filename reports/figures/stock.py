"""Where the cylinders are, now or at an earlier moment: today's balances less what moved since."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, F, Value, When

from accounts.models import User
from equipment.models import Equipment
from fleet.selectors import numbers_of
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.infrastructure.expressions import added_up, by_value
from inventory.models import Inventory, Location, LocationKind, StockMovement
from reports.report import Column, Report, Row, count

CUSTOMERS = 0
"""All customers' sites together; the other keys are locations."""

STOCK_COLUMNS = (
    Column("place", "Place"),
    Column("kind", "Kind of place"),
    Column("sku", "SKU"),
    Column("name", "Equipment"),
    Column("condition", "Condition"),
    count("quantity", "Pieces"),
)
CONSERVATION_COLUMNS = (
    Column("sku", "SKU"),
    Column("name", "Equipment"),
    count("depots", "In depots"),
    count("vehicles", "On vehicles"),
    count("customers", "At customers"),
    count("field", "With drivers on foot"),
    count("outside", "Outside"),
    count("total", "Together"),
)


def stock(user: User, *, at: datetime | None = None) -> Report:
    """The pieces of each equipment in each condition, at each depot and vehicle, and at all customers together.

    ``at`` None: now. A reader of one depot sees that depot, and its vehicles where they may.
    """
    known = {item.pk: item for item in Equipment.objects.all()}
    places = _places(user, at)
    rows: list[Row] = [
        {
            "place": places[place][0],
            "kind": places[place][1],
            "sku": known[equipment].sku,
            "name": known[equipment].name,
            "condition": condition,
            "quantity": quantity,
        }
        for (place, equipment, condition), quantity in _position(at).items()
        if place in places and quantity
    ]
    rows.sort(key=lambda row: (str(row["place"]), str(row["sku"]), str(row["condition"])))
    return Report(name="stock", title="Stock", parameters={"at": at}, columns=STOCK_COLUMNS, rows=rows)


def conservation(*, at: datetime | None = None) -> Report:
    """Each equipment's pieces by kind of place. Together they are none: what came from outside is somewhere."""
    known = {item.pk: item for item in Equipment.objects.all()}
    kinds = {CUSTOMERS: LocationKind.CUSTOMER, **dict(Location.objects.values_list("pk", "kind"))}
    names = {
        LocationKind.DEPOT: "depots",
        LocationKind.VEHICLE: "vehicles",
        LocationKind.CUSTOMER: "customers",
        LocationKind.FIELD: "field",
        LocationKind.OUTSIDE: "outside",
    }
    pieces: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(names.values(), 0))
    for (place, equipment, _), quantity in _position(at).items():
        pieces[equipment][names[LocationKind(kinds[place])]] += quantity
    rows: list[Row] = [
        {"sku": known[pk].sku, "name": known[pk].name, **row, "total": sum(row.values())} for pk, row in pieces.items()
    ]
    rows.sort(key=lambda row: str(row["sku"]))
    return Report(
        name="conservation",
        title="Conservation of cylinders",
        parameters={"at": at},
        columns=CONSERVATION_COLUMNS,
        rows=rows,
    )


def _places(user: User, at: datetime | None) -> dict[int, tuple[str, str]]:
    """The places that a reader may see, with their names and kinds; the vehicles that were their depot's then."""
    visible = Location.objects.visible_to(user)
    if at is not None and user.scope(Capability.VIEW_VEHICLE_STOCK) is Scope.DEPOT and user.depot_id:
        then = Location.objects.filter(kind=LocationKind.VEHICLE, vehicle_no__in=numbers_of(user.depot_id, at))
        visible = visible.exclude(kind=LocationKind.VEHICLE) | then
    visible = visible.exclude(kind=LocationKind.CUSTOMER).select_related("depot")
    places = {place.pk: (str(place), place.kind) for place in visible}
    if user.scope(Capability.REPORT_STOCK) is Scope.ALL:
        places[CUSTOMERS] = ("customers", LocationKind.CUSTOMER.value)
    return places


def _position(at: datetime | None) -> dict[tuple[int, int, str], int]:
    """Pieces by place, equipment and condition."""
    position: dict[tuple[int, int, str], int] = defaultdict(int)
    _add(position, Inventory.objects.all(), "", 1)
    if at is not None:
        since = StockMovement.objects.filter(date__gte=clock.business_date(at), created_at__gt=at)
        _add(position, since, "to_", -1)
        _add(position, since, "from_", 1)
    return position


def _add(position: dict[tuple[int, int, str], int], rows: Any, end: str, sign: int) -> None:
    place = Case(
        When(**{f"{end}location__kind": LocationKind.CUSTOMER}, then=Value(CUSTOMERS)),
        default=F(f"{end}location_id"),
        output_field=BigIntegerField(),
    )
    grouped = (
        rows.order_by()
        .annotate(place=place, item=by_value("equipment_id"))
        .values_list("place", "item", f"{end}condition")
    )
    for *key, pieces in grouped.annotate(pieces=added_up("quantity")):
        position[tuple(key)] += sign * pieces
