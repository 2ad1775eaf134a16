"""Why equipment is refused."""

from core.errors import Conflict


class EquipmentInactive(Conflict):
    """CYL-14 is not in use any more."""

    code = "equipment_inactive"
