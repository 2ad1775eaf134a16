"""The business commands that join stock and money, a module for each noun."""

from transactions.planning import NewSale
from transactions.services.meters import NewMeter, replace_meter
from transactions.services.sales import (
    NUMBER_PREFIX,
    OPERATION,
    create_customer_transaction_and_invoice,
)
from transactions.services.voids import Goods, void_transaction

__all__ = [
    "NUMBER_PREFIX",
    "OPERATION",
    "Goods",
    "NewMeter",
    "NewSale",
    "create_customer_transaction_and_invoice",
    "replace_meter",
    "void_transaction",
]
