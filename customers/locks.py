"""Row locks of customers."""

from collections.abc import Iterable

from accounts.models import User
from customers.models import Customer


def customer(customer_id: int) -> Customer:
    row: Customer = Customer.objects.select_for_update().get(pk=customer_id)
    return row


def customers(customer_ids: Iterable[int]) -> list[Customer]:
    """Those that there are, locked in primary-key order."""
    return list(Customer.objects.select_for_update().filter(pk__in=set(customer_ids)).order_by("pk"))


def visible_customer(user: User, customer_id: int) -> Customer | None:
    """The customer, locked; None where there is none that the user may see."""
    return Customer.objects.visible_to(user).select_for_update().filter(pk=customer_id).first()
