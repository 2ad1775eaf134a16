"""What customers hold: at the site, on loan, and against which deposits."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from customers.models import Customer
from deposits.held import Held, Lot
from deposits.models import DepositLot
from equipment.models import Equipment
from foundation.money import ZERO, shown, sum_of, to_cents
from foundation.remains import tells_of
from inventory.models import Inventory, LocationKind


@dataclass(frozen=True, slots=True)
class Holding:
    """What a customer holds of one equipment."""

    equipment: Equipment
    at_site: int
    on_loan: int
    lots: list[DepositLot]

    @property
    def pieces(self) -> int:
        """Against deposits."""
        return sum(lot.pieces for lot in self.lots)

    @property
    def amount(self) -> Decimal:
        return sum((lot.amount for lot in self.lots), ZERO)


def held_by(customer_id: int, at_site: Mapping[int, int]) -> dict[int, Held]:
    """A customer's lots of these equipments, with so many pieces of each at the site."""
    lots: dict[int, list[Lot]] = defaultdict(list)
    rows = DepositLot.objects.filter(customer=customer_id, equipment__in=at_site).standing().oldest_first()
    for row in rows:
        lots[row.equipment_id].append(Lot(row.pk, row.pieces, row.amount))
    return {pk: Held(pieces, tuple(lots[pk])) for pk, pieces in at_site.items()}


def holdings_of(customer: Customer) -> list[Holding]:
    """All that a customer holds, by SKU."""
    at_site = dict(pieces_at_sites([customer.pk]).get(customer.pk, {}))
    lots: dict[int, list[DepositLot]] = defaultdict(list)
    for lot in DepositLot.objects.filter(customer=customer).standing().oldest_first():
        lots[lot.equipment_id].append(lot)
    equipment = Equipment.objects.filter(pk__in={*at_site, *lots}).order_by("sku")
    return [
        Holding(
            row,
            at_site.get(row.pk, 0),
            max(0, at_site.get(row.pk, 0) - sum(lot.pieces for lot in lots[row.pk])),
            lots[row.pk],
        )
        for row in equipment
    ]


def pieces_at_sites(customer_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """What stands at customers' sites, by customer and equipment; nothing is left out but zeros."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    rows = Inventory.objects.filter(location__kind=LocationKind.CUSTOMER, location__customer__in=customer_ids)
    counted = rows.order_by().values_list("location__customer", "equipment").annotate(pieces=Sum("quantity"))
    for customer, equipment, pieces in counted:
        if pieces:
            found[customer][equipment] = pieces
    return found


def beyond_holdings(lots: QuerySet[DepositLot]) -> QuerySet[DepositLot]:
    """Those of which more is held than stands at the site: no break, for a deposit may come before its cylinder."""
    same = DepositLot.objects.filter(customer=OuterRef("customer"), equipment=OuterRef("equipment")).order_by()
    there = Inventory.objects.filter(
        location__kind=LocationKind.CUSTOMER, location__customer=OuterRef("customer"), equipment=OuterRef("equipment")
    ).order_by()
    held = Subquery(same.values("customer").annotate(sum=Sum("pieces")).values("sum"))
    at_site = Subquery(there.values("equipment").annotate(sum=Sum("quantity")).values("sum"))
    return lots.filter(pieces__gt=0).annotate(held=held, at_site=Coalesce(at_site, 0)).filter(held__gt=F("at_site"))


@tells_of(Customer)
def deposits_of(customer: Customer) -> Iterable[str]:
    """What a customer holds against deposits."""
    lots = DepositLot.objects.filter(customer=customer).standing().order_by("equipment__sku")
    held = lots.values_list("equipment__sku").annotate(pieces=Sum("pieces"), sum=sum_of("amount"))
    return [f"deposit of S$ {shown(to_cents(amount))} for {pieces} {sku}" for sku, pieces, amount in held]


@tells_of(Equipment)
def deposits_on(equipment: Equipment) -> Iterable[str]:
    """How many customers hold an equipment against deposits."""
    lots = DepositLot.objects.filter(equipment=equipment).standing()
    customers = lots.values("customer").distinct().count()
    return [f"deposits of {customers} customer{'' if customers == 1 else 's'}"] if customers else []
