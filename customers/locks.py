"""Row locks of customers."""

from accounts.models import User
from customers.models import Customer


def customer(customer_id: int) -> Customer:
    row: Customer = Customer.objects.select_for_update().get(pk=customer_id)
    return row


def visible_customer(user: User, customer_id: int) -> Customer | None:
    """The customer, locked; None where there is none that the user may see."""
    return Customer.objects.visible_to(user).select_for_update().filter(pk=customer_id).first()
