"""Row locks of the equipment app."""

from equipment.models import Equipment


def equipment(pk: int) -> Equipment:
    return Equipment.objects.select_for_update().get(pk=pk)
