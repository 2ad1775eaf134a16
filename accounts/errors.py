"""Why a user can't be changed."""

from core.errors import Conflict


class OwnAccount(Conflict):
    """You can't deactivate or demote yourself."""

    code = "own_account"
