"""What was refused for want of stock is tried again by the server, once there is some."""

import logging
from contextvars import ContextVar

from django.db.models.functions import Coalesce

from foundation.errors import Busy, DomainError
from inventory.services import when_stock_is_gained
from sync import services
from sync.models import SyncConflict

_log = logging.getLogger("hsh.sync")
_names: ContextVar[set[str] | None] = ContextVar("names", default=None)
"""What was gained and isn't looked at yet, while somebody is at it."""


@when_stock_is_gained
def try_waiting(gained: frozenset[str]) -> None:
    """Try what waits for one of these, in the operations' total order, each in a transaction of its own.

    What happens by it may add to other balances: these come next, in the same loop. Each round but the last lets
    something happen, so it ends.
    """
    names = _names.get()
    if names is not None:
        names |= gained
        return
    names = {*gained}
    token = _names.set(names)
    try:
        while names:
            waiting = SyncConflict.objects.filter(waits_for__in=names, status=SyncConflict.Status.OPEN)
            moment = Coalesce("corrected_at", "occurred_at", "received_at")
            found = list(
                waiting.order_by(moment, "device__key", "number", "client_temp_id").values_list("pk", flat=True)
            )
            names.clear()
            for pk in found:
                _try(pk, names)
    finally:
        _names.reset(token)


def _try(pk: int, names: set[str]) -> None:
    """A failure leaves it open: for what it lacks now, or for a person."""
    try:
        done = services.retry_by_itself(conflict_id=pk)
    except Busy:
        return
    except DomainError as error:
        services.wait_for(conflict_id=pk, name=getattr(error, "waits_for", ""))
    except Exception:
        _log.exception("conflict %s could not be tried again", pk)
    else:
        if done is not None and done.operation is not None:
            names.add(done.operation.key)
