"""Where payments are found, and what they add up to."""

from decimal import Decimal

from django.db.models import F

from accounts.models import User
from customers.models import Customer
from foundation.money import sum_of
from payments.models import Payment

PAYMENT_NUMBERS = {"PAY": "pk", "": "reference"}
"""Which field holds the numbers of a prefix, see `customers.search`."""


def cash_in_bag(user: User) -> Decimal:
    """The cash that a user took and hasn't handed in."""
    bag = Payment.objects.filter(user=user, handed_in_at__isnull=True, method=Payment.Method.CASH)
    total: Decimal = bag.aggregate(total=sum_of("amount"))["total"]
    return total


def credit_of(customer: Customer) -> Decimal:
    """What a customer paid and nothing is settled with, yet."""
    unused = Payment.objects.filter(customer=customer, used_up_on__isnull=True)
    total: Decimal = unused.aggregate(total=sum_of(F("amount") - F("allocated_amount")))["total"]
    return total
