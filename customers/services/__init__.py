"""All that is written of customers, a module for each noun."""

from customers.services.customers import (
    CODE_PREFIX,
    create_customer,
    deactivate_customer,
    set_contract_rate,
    update_customer,
)
from customers.services.meter_rates import set_meter_rate, take_over_meter_rate
from customers.services.meters import exchange_meter, move_meter

__all__ = [
    "CODE_PREFIX",
    "create_customer",
    "deactivate_customer",
    "exchange_meter",
    "move_meter",
    "set_contract_rate",
    "set_meter_rate",
    "take_over_meter_rate",
    "update_customer",
]
