"""Row locks of discrepancies."""

from discrepancies.models import Discrepancy


def discrepancy(pk: int) -> Discrepancy:
    row: Discrepancy = Discrepancy.objects.select_for_update().get(pk=pk)
    return row
