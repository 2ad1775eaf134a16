"""Row locks of lots.

Whoever changes a customer's lots holds the customer's lock first: they are changed by one at a time.
"""

from collections.abc import Iterable

from deposits.models import DepositLot


def lots(lot_ids: Iterable[int]) -> dict[int, DepositLot]:
    """In primary-key order."""
    rows = DepositLot.objects.select_for_update().filter(pk__in=set(lot_ids)).order_by("pk")
    return {row.pk: row for row in rows}
