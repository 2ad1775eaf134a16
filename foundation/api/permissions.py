"""May this user's role do this at all? Asked of the table in `foundation.access.capabilities`."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from foundation.access.capabilities import Capability
from foundation.access.refusing import lacking


class HasCapability(BasePermission):
    """Grants what the view's ``capability`` names, for the action or for all of them.

    A view sets ``capability`` to a Capability, or to a dict from action name to Capability, or to several of which any
    will do: then the service asks on which rows. What a view doesn't name is refused: a forgotten entry is closed, not
    open. Logged-in users need ``Capability.…`` for everything; views for any logged-in user say IsAuthenticated
    themselves.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        user = request.user
        if not user.is_authenticated:
            return False
        if request.method == "OPTIONS":
            return True
        needed = getattr(view, "capability", None)
        if isinstance(needed, dict):
            action = getattr(view, "action", None)
            # No action: the method isn't one of the view's, which is a 405, not a 403.
            if action is None:
                return True
            needed = needed.get(action)
        any_of = needed if isinstance(needed, tuple) else (needed,)
        if not any_of or not all(isinstance(each, Capability) for each in any_of):
            return False
        # Django REST framework says it with the 403.
        self.message = lacking(user, any_of[-1])
        return any(user.can(each) for each in any_of)
