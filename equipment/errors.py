"""Why equipment is refused."""

from foundation.errors import Inactive


class EquipmentInactive(Inactive):
    """CYL-14 is inactive."""

    code = "equipment_inactive"
