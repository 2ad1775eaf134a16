"""All that moves stock: the ledger itself, corrections, and the work of depots."""

from inventory.services.depot_work import (
    WORK_PREFIX,
    DepotCount,
    NewDepotWork,
    NewWorkItem,
    record_depot_work,
    take_stock,
)
from inventory.services.reorder_levels import (
    create_reorder_level,
    deactivate_reorder_level,
    update_reorder_level,
)
from inventory.services.stock import (
    Entity,
    Move,
    Place,
    SeenStock,
    StockHold,
    correct_inventory,
    customer_place,
    depot_place,
    hold_stock,
    locations,
    look_at_stock,
    post_movements,
    vehicle_place,
)
from inventory.services.vehicle_transfers import (
    TRANSFER_PREFIX,
    NewVehicleTransfer,
    transfer_between_vehicles,
)

__all__ = [
    "TRANSFER_PREFIX",
    "WORK_PREFIX",
    "DepotCount",
    "Entity",
    "Move",
    "NewDepotWork",
    "NewVehicleTransfer",
    "NewWorkItem",
    "Place",
    "SeenStock",
    "StockHold",
    "correct_inventory",
    "create_reorder_level",
    "customer_place",
    "deactivate_reorder_level",
    "depot_place",
    "hold_stock",
    "locations",
    "look_at_stock",
    "post_movements",
    "record_depot_work",
    "take_stock",
    "transfer_between_vehicles",
    "update_reorder_level",
    "vehicle_place",
]
