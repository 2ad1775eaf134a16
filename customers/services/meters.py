"""Where a customer's meter stands: after the first one, no reading is written but here.

The caller holds the customer's lock, and its audit record covers the reading.
"""

from datetime import datetime
from decimal import Decimal

from customers.models import Customer
from foundation.changes import announce
from foundation.searching import search_columns


def move_meter(customer: Customer, reading: Decimal | None) -> None:
    """Say where the meter stands now. None: as before its first reading."""
    customer.last_meter_reading = reading
    _save(customer, "last_meter_reading")


def exchange_meter(customer: Customer, *, number: str, first_reading: Decimal, at: datetime) -> None:
    """Put another meter in the place of the customer's."""
    customer.meter_number = number
    customer.last_meter_reading = first_reading
    customer.meter_replaced_at = at
    _save(customer, "meter_number", "last_meter_reading", "meter_replaced_at")


def _save(customer: Customer, *changed: str) -> None:
    customer.version += 1
    customer.save(update_fields=[*changed, *search_columns(customer), "version", "updated_at"])
    announce(customer)
