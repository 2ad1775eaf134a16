"""The business commands that join stock and money, a module for each noun."""

from transactions.services.meters import NewMeter, replace_meter
from transactions.services.sales import (
    NUMBER_PREFIX,
    OPERATION,
    NewSale,
    create_customer_transaction_and_invoice,
)
from transactions.services.settlements import (
    SETTLEMENT_PREFIX,
    CountedLine,
    NewSettlement,
    count_day,
    reject_settlement,
    sign_off_settlement,
)
from transactions.services.voids import void_transaction

__all__ = [
    "NUMBER_PREFIX",
    "OPERATION",
    "SETTLEMENT_PREFIX",
    "CountedLine",
    "NewMeter",
    "NewSale",
    "NewSettlement",
    "count_day",
    "create_customer_transaction_and_invoice",
    "reject_settlement",
    "replace_meter",
    "sign_off_settlement",
    "void_transaction",
]
