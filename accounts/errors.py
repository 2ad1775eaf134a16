"""Why a command on users or tokens is refused."""

from foundation.errors import Conflict, Invalid


class TokenRefused(Exception):
    """The token opens nothing (any more): unknown, ended, or its user changed. 401 at the edge."""


class TokenReused(TokenRefused):
    """A refresh token came again although its successor is long in use: one of the two senders stole it."""


class OwnAccount(Conflict):
    """Nobody can deactivate or demote themself: another administrator has to."""

    code = "own_account"


class DepotRequired(Invalid):
    """The role's sight is its depot, so without one it would see nothing."""

    code = "required"
