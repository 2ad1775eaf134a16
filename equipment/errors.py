"""Why equipment is refused."""

from foundation.errors import Conflict


class EquipmentInactive(Conflict):
    """CYL-14 is not in use any more."""

    code = "equipment_inactive"
