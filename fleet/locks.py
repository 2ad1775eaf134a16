"""Row locks of the fleet."""

from fleet.models import Vehicle


def vehicle(pk: int) -> Vehicle:
    row: Vehicle = Vehicle.objects.select_for_update().get(pk=pk)
    return row
