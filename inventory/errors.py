"""Why stock can't move."""

from foundation.errors import Conflict


class InsufficientStock(Conflict):
    """Only 3 FULL of CYL-14 at vehicle GBK1234A; 5 asked."""

    code = "insufficient_stock"
