"""All that is written of money, a module for each noun.

A payment settles invoices in whole or in part by allocations; what it settles nothing of is the customer's credit.
What that makes of an invoice, `invoices.services` writes.
"""

from payments.services.allocations import Share, allocate_payment
from payments.services.payments import (
    NewPayment,
    hand_in_cash,
    pay_invoice,
    record_payment,
    require_room_in_bag,
    return_cash,
    take_on_the_spot,
)
from payments.services.reversals import reverse_payment, settle_void

__all__ = [
    "NewPayment",
    "Share",
    "allocate_payment",
    "hand_in_cash",
    "pay_invoice",
    "record_payment",
    "require_room_in_bag",
    "return_cash",
    "reverse_payment",
    "settle_void",
    "take_on_the_spot",
]
