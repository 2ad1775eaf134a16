"""Row locks of the depots app."""

from depots.models import Depot


def depot(pk: int) -> Depot:
    row: Depot = Depot.objects.select_for_update().get(pk=pk)
    return row
