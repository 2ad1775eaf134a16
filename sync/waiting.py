"""What was refused for want of stock is tried again by the server, once there is some."""

import logging
from collections.abc import Collection
from contextvars import ContextVar

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from foundation import clock
from foundation.errors import Busy, DomainError
from inventory.services import device_name, is_device, when_stock_is_gained
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
            found = list(_waiting_for(names).values_list("pk", flat=True))
            names.clear()
            for pk in found:
                _try(pk, names)
    finally:
        _names.reset(token)


def _waiting_for(names: Collection[str]) -> QuerySet[SyncConflict]:
    """What came today: on another day whoever sent it has long since reckoned that it was refused."""
    waits = Q(waits_for__in=names)
    if any(map(is_device, names)):
        # A count of its device was signed off: it may stand behind that now.
        named = Concat(Value(device_name("")), Cast("user_id", CharField()), Value(":"), "device__key")
        counted = SyncConflict.objects.alias(name=named).filter(name__in=names).exclude(waits_for="")
        waits |= Q(pk__in=list(counted.filter(status=SyncConflict.Status.OPEN).values_list("pk", flat=True)))
    moment = Coalesce("corrected_at", "occurred_at", "received_at")
    return SyncConflict.objects.filter(
        waits, status=SyncConflict.Status.OPEN, date=clock.business_date(clock.now())
    ).order_by(moment, "device__key", "number", "client_temp_id")


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
