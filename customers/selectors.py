"""What a customer pays."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q

from customers.models import Customer, CustomerRate, PastMeterRate
from equipment.models import Equipment
from foundation import clock


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
    if customer.meter_rate_at is None or moment >= customer.meter_rate_at:
        return customer.meter_rate
    past = PastMeterRate.objects.filter(customer=customer, until__gt=moment).order_by("until").first()
    return past.meter_rate if past else customer.meter_rate


def meter_rates_of(customer: int | None = None) -> Callable[[int, datetime], Decimal | None]:
    """`meter_rate_at` of many customers (None: all) and moments: all rates are read at once."""
    past = PastMeterRate.objects.order_by("until")
    customers = Customer.objects.filter(Q(meter_rate__isnull=False) | Q(meter_rate_at__isnull=False))
    if customer is not None:
        past, customers = past.filter(customer=customer), customers.filter(pk=customer)
    ended: dict[int, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for whose, until, rate in past.values_list("customer", "until", "meter_rate"):
        ended[whose].append((until, rate))
    rows = customers.values_list("pk", "meter_rate", "meter_rate_at")
    now: dict[int, tuple[Decimal | None, datetime | None]] = {pk: (rate, since) for pk, rate, since in rows}

    def at(whose: int, moment: datetime) -> Decimal | None:
        rate, since = now.get(whose, (None, None))
        if since is None or moment >= since:
            return rate
        later = ended.get(whose, [])
        index = bisect_right(later, moment, key=lambda each: each[0])
        return later[index][1] if index < len(later) else rate

    return at
