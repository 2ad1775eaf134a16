"""The business commands that join stock and money, a module for each noun."""

from transactions.crediting import CreditLine
from transactions.planning import NewSale
from transactions.services.billing_again import NewBill, bill_again
from transactions.services.credits import NewCredit, credit_invoice
from transactions.services.meters import NewMeter, replace_meter
from transactions.services.sales import (
    NUMBER_PREFIX,
    OPERATION,
    create_customer_transaction_and_invoice,
)
from transactions.services.voids import Goods, NewVoid, void_transaction

__all__ = [
    "NUMBER_PREFIX",
    "OPERATION",
    "CreditLine",
    "Goods",
    "NewBill",
    "NewCredit",
    "NewMeter",
    "NewSale",
    "NewVoid",
    "bill_again",
    "create_customer_transaction_and_invoice",
    "credit_invoice",
    "replace_meter",
    "void_transaction",
]
