"""Stock in the office, a module for each group of pages."""

from inventory.admin.counts import CountAdmin
from inventory.admin.stock import DepotWorkAdmin, InventoryAdmin, LocationAdmin, ReorderLevelAdmin, StockMovementAdmin
from inventory.admin.vehicle_transfers import VehicleTransferAdmin

__all__ = [
    "CountAdmin",
    "DepotWorkAdmin",
    "InventoryAdmin",
    "LocationAdmin",
    "ReorderLevelAdmin",
    "StockMovementAdmin",
    "VehicleTransferAdmin",
]
