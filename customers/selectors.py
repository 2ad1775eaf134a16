"""What a customer pays."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from customers.models import Customer, CustomerRate, PastMeterRate
from foundation import clock


@dataclass(frozen=True, slots=True)
class ContractRates:
    """The contract rate of one equipment at a moment, from two sides; None where there was none.

    ``valid``: the one whose date had come. ``known``: the same, of those that had been entered by then, which is
    what an app without network could show. They differ after a rate is entered with a date that is past.
    """

    valid: Decimal | None = None
    known: Decimal | None = None


def contract_rates(customer: Customer, equipment_ids: Iterable[int], at: datetime) -> dict[int, ContractRates]:
    """The contract rates in force at a moment, by equipment id; absent where there is none."""
    valid: dict[int, Decimal] = {}
    known: dict[int, Decimal] = {}
    for rate in CustomerRate.objects.filter(
        customer=customer, equipment_id__in=set(equipment_ids), valid_from__lte=clock.business_date(at)
    ).order_by("valid_from", "id"):
        valid[rate.equipment_id] = rate.rate
        if rate.created_at <= at:
            known[rate.equipment_id] = rate.rate
    return {pk: ContractRates(valid=valid[pk], known=known.get(pk)) for pk in valid}


def meter_rate_at(customer: Customer, moment: datetime) -> Decimal | None:
    """The price of a unit of the customer's meter at a moment; None without a meter."""
    if customer.meter_rate_at is None or moment >= customer.meter_rate_at:
        return customer.meter_rate
    past = PastMeterRate.objects.filter(customer=customer, until__gt=moment).order_by("until").first()
    return past.meter_rate if past else customer.meter_rate
