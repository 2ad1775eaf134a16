"""All that moves stock: the ledger itself, corrections, and the work of depots."""

from inventory.services.corrections import Entity, correct_inventory
from inventory.services.counting import compared_lines, lines_by_now, lines_seen_by, may_compare
from inventory.services.counts import (
    COUNT_PREFIX,
    VEHICLE_COUNT,
    CountedLine,
    NewVehicleCount,
    record_vehicle_count,
    reject_count,
    sign_off_count,
)
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
    Move,
    Place,
    SeenStock,
    StockHold,
    customer_place,
    depot_place,
    device_name,
    hold_stock,
    is_device,
    locations,
    look_at_stock,
    post_movements,
    vehicle_place,
    when_stock_is_gained,
)
from inventory.services.vehicle_transfers import (
    TRANSFER_PREFIX,
    NewVehicleTransfer,
    transfer_between_vehicles,
)

__all__ = [
    "COUNT_PREFIX",
    "TRANSFER_PREFIX",
    "VEHICLE_COUNT",
    "WORK_PREFIX",
    "CountedLine",
    "DepotCount",
    "Entity",
    "Move",
    "NewDepotWork",
    "NewVehicleCount",
    "NewVehicleTransfer",
    "NewWorkItem",
    "Place",
    "SeenStock",
    "StockHold",
    "compared_lines",
    "correct_inventory",
    "create_reorder_level",
    "customer_place",
    "deactivate_reorder_level",
    "depot_place",
    "device_name",
    "hold_stock",
    "is_device",
    "lines_by_now",
    "lines_seen_by",
    "locations",
    "look_at_stock",
    "may_compare",
    "post_movements",
    "record_depot_work",
    "record_vehicle_count",
    "reject_count",
    "sign_off_count",
    "take_stock",
    "transfer_between_vehicles",
    "update_reorder_level",
    "vehicle_place",
    "when_stock_is_gained",
]
