"""All that is written of money, a module for each noun.

A payment settles invoices in whole or in part by allocations; what it settles nothing of is the customer's credit.
What that makes of an invoice, `invoices.services` writes.
"""

from payments.services.allocations import Share, allocate_payment
from payments.services.banking import bank_payment, unbank_payment
from payments.services.cash import (
    CASH_COUNT,
    CASH_COUNT_PREFIX,
    NewCashCount,
    record_cash_count,
    reject_cash_count,
    sign_off_cash_count,
)
from payments.services.expenses import EXPENSE_CREATE, NewExpense, record_expense, reverse_expense
from payments.services.goodwill import refund_goodwill
from payments.services.payments import (
    OPERATION,
    NewPayment,
    may_refund_by,
    pay_invoice,
    record_payment,
    require_cash_in_the_field,
    require_room_in_bag,
    set_off,
    settle_on_the_spot,
    take_on_the_spot,
)
from payments.services.payouts import CreditShare, NewPayout, credit_to_pay_out, pay_out, set_off_credit
from payments.services.releasing import Released, release, settle_again
from payments.services.reversals import bounce_cheque, reverse_payment, settle_credit, settle_void

__all__ = [
    "CASH_COUNT",
    "CASH_COUNT_PREFIX",
    "EXPENSE_CREATE",
    "OPERATION",
    "CreditShare",
    "NewCashCount",
    "NewExpense",
    "NewPayment",
    "NewPayout",
    "Released",
    "Share",
    "allocate_payment",
    "bank_payment",
    "bounce_cheque",
    "credit_to_pay_out",
    "may_refund_by",
    "pay_invoice",
    "pay_out",
    "record_cash_count",
    "record_expense",
    "record_payment",
    "refund_goodwill",
    "reject_cash_count",
    "release",
    "require_cash_in_the_field",
    "require_room_in_bag",
    "reverse_expense",
    "reverse_payment",
    "set_off",
    "set_off_credit",
    "settle_again",
    "settle_credit",
    "settle_on_the_spot",
    "settle_void",
    "sign_off_cash_count",
    "take_on_the_spot",
    "unbank_payment",
]
