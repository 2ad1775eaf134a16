"""Stock in the office, a module for each group of pages."""

from inventory.admin.stock import DepotWorkAdmin, InventoryAdmin, LocationAdmin, ReorderLevelAdmin, StockMovementAdmin

__all__ = ["DepotWorkAdmin", "InventoryAdmin", "LocationAdmin", "ReorderLevelAdmin", "StockMovementAdmin"]
