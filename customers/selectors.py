"""What a customer pays."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, OuterRef, Q, Subquery

from customers.models import Customer, CustomerRate, MeterRate
from equipment.models import Equipment
from foundation import clock
from foundation.dated import Standing, in_force, standing


@dataclass(frozen=True, slots=True)
class ContractRates:
    """The contract rate of one equipment at a moment, from two sides; None where there was none.

    ``valid``: the one whose date had come. ``known``: the same, of those that had been entered by then, which is
    what an app without network could show. They differ after a rate is entered with a date that is past.
    ``pulled``: all that were known so from a pull on, by which an app still sold; of none where no pull is known.
    """

    valid: Decimal | None = None
    known: Decimal | None = None
    pulled: frozenset[Decimal | None] = frozenset((None,))


def contract_rates(
    customer: Customer, equipment_ids: Iterable[int], at: datetime, *, pulled_at: datetime | None = None
) -> dict[int, ContractRates]:
    """The contract rates in force at a moment, by equipment id; absent where there never was one.

    Of one date the latest counts; a rate of None ends the contract.
    """
    rates: dict[int, list[CustomerRate]] = {}
    for rate in CustomerRate.objects.filter(
        customer=customer, equipment_id__in=set(equipment_ids), valid_from__lte=clock.business_date(at)
    ).order_by("valid_from", "id"):
        rates.setdefault(rate.equipment_id, []).append(rate)
    return {
        pk: ContractRates(
            valid=found[-1].rate,
            known=_known(found, at),
            pulled=frozenset(
                _known(found, moment) for moment in _moments(pulled_at, (rate.created_at for rate in found), at)
            ),
        )
        for pk, found in rates.items()
    }


def contract_on(customer: Customer, equipment: Equipment, day: date) -> CustomerRate | None:
    """The row that counts on a Singapore date; of one date the latest."""
    begun = CustomerRate.objects.filter(customer=customer, equipment=equipment, valid_from__lte=day)
    return begun.order_by("-valid_from", "-id").first()


def contract_rates_of(customer: int | None = None) -> Callable[[int, int, date], Decimal | None]:
    """`ContractRates.valid` of many customers (None: all), equipment and dates: all rates are read at once."""
    rows = CustomerRate.objects.order_by("valid_from", "id")
    if customer is not None:
        rows = rows.filter(customer=customer)
    begun: dict[tuple[int, int], dict[date, Decimal | None]] = defaultdict(dict)
    for whose, equipment, valid_from, rate in rows.values_list("customer", "equipment", "valid_from", "rate"):
        begun[whose, equipment][valid_from] = rate
    days = {key: [*rates] for key, rates in begun.items()}

    def on(whose: int, equipment: int, day: date) -> Decimal | None:
        at = bisect_right(days.get((whose, equipment), ()), day)
        return begun[whose, equipment][days[whose, equipment][at - 1]] if at else None

    return on


def _known(rates: Iterable[CustomerRate], moment: datetime) -> Decimal | None:
    """The last of those that were entered by then."""
    known = [rate.rate for rate in rates if rate.created_at <= moment]
    return known[-1] if known else None


def _moments(pulled_at: datetime | None, changes: Iterable[datetime], at: datetime) -> Iterable[datetime]:
    """When an app that pulled then, or later, but before ``at``, could have known something else."""
    return () if pulled_at is None else (pulled_at, *(change for change in changes if pulled_at < change <= at))


def meter_rate_at(customer: Customer, moment: datetime) -> Decimal | None:
    """The price of a unit of the customer's meter at a moment; None without a meter."""
    row = in_force(MeterRate.objects.filter(customer=customer).order_by(), moment)
    return None if row is None else row.meter_rate


def meter_rates_in_force(customer: int | None = None) -> Callable[[int, datetime], Decimal | None]:
    """`meter_rate_at` of many customers (None: all) and moments: all rates are read at once."""
    rates = MeterRate.objects.order_by()
    rows: dict[int, list[MeterRate]] = defaultdict(list)
    for rate in rates if customer is None else rates.filter(customer=customer):
        rows[rate.customer_id].append(rate)

    def at(whose: int, moment: datetime) -> Decimal | None:
        row = in_force(rows.get(whose, ()), moment)
        return None if row is None else row.meter_rate

    return at


def meter_rates_of(customer: Customer) -> dict[int, Standing[MeterRate]]:
    """What became of each rate of a customer's meter, by the row's id."""
    return standing(MeterRate.objects.filter(customer=customer).order_by(), clock.now())


def to_be_taken_over(moment: datetime) -> list[int]:
    """Customers whose column may not say what counts now: a rate's date has come.

    The latest is looked for by its moment alone. Where that isn't the one that counts, the customer's own moment was
    the last change, and taking over finds nothing to do.
    """
    begun = MeterRate.objects.filter(Q(valid_from__isnull=True) | Q(valid_from__lte=moment), customer=OuterRef("pk"))
    latest = begun.order_by(F("valid_from").desc(nulls_last=True), "-pk").values("meter_rate")[:1]
    has_none = Q(latest__isnull=True)
    differs = Q(latest__lt=F("meter_rate")) | Q(latest__gt=F("meter_rate"))
    one_has_none = (has_none & Q(meter_rate__isnull=False)) | (~has_none & Q(meter_rate__isnull=True))
    return list(
        Customer.objects.annotate(latest=Subquery(latest))
        .filter(differs | one_has_none)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
