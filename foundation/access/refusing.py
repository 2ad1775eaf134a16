"""Whom a right is denied, in words: which role lacks which right, or on which rows alone it holds."""

from typing import Any

from foundation.access.capabilities import IN_WORDS, Capability, Role, Scope
from foundation.errors import Denied

_ROWS = {Scope.DEPOT: "of the own depot only", Scope.OWN: "of one's own only"}


def lacking(user: Any, capability: Capability) -> str:
    """Why a user may not use a capability here, for a sentence that stands by itself."""
    role, words, scope = Role(user.role).label, IN_WORDS[capability], user.scope(capability)
    if scope is None:
        return f"The role {role} may not {words}."
    return f"The role {role} may {words} {_ROWS[scope]}." if scope in _ROWS else f"You may not {words} here."


def denied(user: Any, capability: Capability) -> Denied:
    """To be raised where a user's role lacks a capability, or holds it on other rows than these."""
    return Denied(lacking(user, capability))
