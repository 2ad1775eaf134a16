"""Row locks of the equipment app."""

from equipment.models import Equipment


def equipment(pk: int) -> Equipment:
    row: Equipment = Equipment.objects.select_for_update().get(pk=pk)
    return row
