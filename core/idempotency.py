"""Nothing happens twice: a client's own id of an operation, kept with what it made.

The claim is a row with a unique key, inserted first of all in the operation's own transaction. A second
one with the same key waits for it in the database, finds it committed, and answers its result; if the
first one rolled back, the second goes ahead.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models

from core import clock
from core.commands import TryAgain
from core.errors import Conflict
from core.models import ClientOperation

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class IdempotencyConflict(Conflict):
    """This client_temp_id was used for another operation already."""

    code = "idempotency_conflict"


def canonical_json(content: "DataclassInstance") -> str:
    """One text for one meaning: sorted keys, no spaces, ``28.5`` for 28.50, times in Singapore's offset."""
    return json.dumps(_canonical(asdict(content)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def find_earlier(
    *, user: models.Model, client_temp_id: str | None, type: str, content: "DataclassInstance"
) -> int | None:
    """The primary key of what the same operation made before; None when it is new or has no id.

    Raises IdempotencyConflict where the id was used for something else.
    """
    if client_temp_id is None:
        return None
    earlier = ClientOperation.objects.filter(key=_key(user, client_temp_id)).first()
    if earlier is None:
        return None
    if (earlier.type, earlier.content) != (type, canonical_json(content)):
        raise IdempotencyConflict("This client_temp_id was used for another operation already.", attr="client_temp_id")
    return earlier.result_id


def claim(
    *, user: models.Model, client_temp_id: str | None, type: str, content: "DataclassInstance"
) -> Callable[[models.Model], None]:
    """Claim a new operation's id; call what this returns with the operation's result.

    Waits for another transaction that claims the same id. Raises TryAgain where that one went through:
    the next attempt finds its result.
    """
    if client_temp_id is None:
        return lambda result: None
    operation = ClientOperation(
        key=_key(user, client_temp_id),
        user=user,
        client_temp_id=client_temp_id,
        type=type,
        content=canonical_json(content),
        created_at=clock.now(),
    )
    try:
        operation.save(force_insert=True)
    except IntegrityError as error:
        raise TryAgain from error

    def settle(result: models.Model) -> None:
        operation.result_id = result.pk
        operation.save(update_fields=["result_id"])

    return settle


def _key(user: models.Model, client_temp_id: str) -> str:
    return hashlib.sha256(f"{user.pk}:{client_temp_id}".encode()).hexdigest()


def _canonical(value: Any) -> Any:  # noqa: ANN401 -- walks any JSON-able value
    match value:
        case dict():
            return {key: _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case Decimal():
            return format(value.normalize(), "f")
        case datetime():
            return value.astimezone(clock.SINGAPORE).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
