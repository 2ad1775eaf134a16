"""Row locks of settlements."""

from settlements.models import Settlement


def settlement(settlement_id: int) -> Settlement:
    row: Settlement = Settlement.objects.select_for_update().get(pk=settlement_id)
    return row
