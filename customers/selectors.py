"""What a customer pays."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from customers.models import Customer, CustomerRate


def contract_rates(customer: Customer, equipment_ids: Iterable[int], on: date) -> dict[int, Decimal]:
    """The contract rate in force on a Singapore date, by equipment id; absent where there is none."""
    rates = CustomerRate.objects.filter(
        customer=customer, equipment_id__in=set(equipment_ids), valid_from__lte=on
    ).order_by("valid_from")
    return {rate.equipment_id: rate.rate for rate in rates}
