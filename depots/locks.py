"""Row locks of the depots app."""

from depots.models import Depot


def depot(pk: int) -> Depot:
    return Depot.objects.select_for_update().get(pk=pk)
