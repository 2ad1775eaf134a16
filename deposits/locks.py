"""Row locks of lots.

Whoever changes a customer's lots holds the customer's lock first: they are changed by one at a time.
"""

from collections.abc import Iterable

from django.db.models import Model

from deposits.models import DepositLot, LotMovement
from foundation.entities import entity_name


def lots(lot_ids: Iterable[int]) -> dict[int, DepositLot]:
    """In primary-key order."""
    rows = DepositLot.objects.select_for_update().filter(pk__in=set(lot_ids)).order_by("pk")
    return {row.pk: row for row in rows}


def lots_changed_by(row: Model) -> dict[int, DepositLot]:
    """In primary-key order."""
    changed = LotMovement.objects.filter(cause_type=entity_name(row), cause_id=row.pk)
    return lots(changed.values_list("lot", flat=True))
