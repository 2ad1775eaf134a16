"""Why stock can't move, and a count not stand."""

from foundation.confirmations import Question
from foundation.errors import Conflict


class InsufficientStock(Conflict):
    """Only 3 FULL of CYL-14 at vehicle GBK1234A; 5 asked."""

    code = "insufficient_stock"
    waits_for = ""
    """The name of the balance that doesn't suffice (`inventory.services.stock.balance_name`)."""


class CountDecided(Conflict):
    """This count was signed off or rejected already."""

    code = "count_decided"


class EarlierCountOpen(Conflict):
    """An earlier count of the same vehicle or bag is still to be decided."""

    code = "earlier_count_open"


class CountContradicted(Conflict):
    """More left after the count than was counted: count again."""

    code = "count_contradicted"


class GoodsInUnlikely(Question):
    """Many more came in than usual."""

    code = "goods_in_unlikely"


class ReferenceRepeated(Question):
    """The same cheque, delivery note or payment reference was recorded before."""

    code = "reference_repeated"
