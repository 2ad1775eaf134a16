"""Writing evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from types import EllipsisType
from typing import Any

from django.db import IntegrityError, connection, models, transaction

from audit.models import AuditLog, Confirmation
from foundation import clock
from foundation.changes import announce_if_told
from foundation.confirmations import Answer
from foundation.entities import entity_name
from foundation.errors import Duplicate
from foundation.observability.context import current_origin
from foundation.searching import search_columns


def record(
    *,
    actor: Any,
    action: str,
    target: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, object] | None = None,
    reason: str = "",
    depot_id: int | EllipsisType | None = ...,
    answers: Sequence[Answer] = (),
) -> AuditLog:
    """Leave the one line of evidence of a command, in the command's own transaction.

    ``depot_id`` is where it happened, None at none; left out, where the actor works now.
    ``answers`` are what the command asked: they are kept beside ``target``, too.
    ``before`` and ``after`` name the changed fields; decimals, dates and models become plain JSON. The
    address and the request id are the current request's. Raises RuntimeError outside a transaction:
    evidence that could outlive a rollback, or be lost without one, is none.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record needs the transaction of what it records")
    now, origin = clock.now(), current_origin()
    depot_id = getattr(actor, "depot_id", None) if depot_id is ... else depot_id
    if answers:
        after = {**(after or {}), "asked": [_told(answer) for answer in answers]}
        _keep(answers, actor, target, depot_id, now)
    return AuditLog.objects.create(
        at=now,
        date=clock.business_date(now),
        action=action,
        entity_type=entity_name(target),
        entity_id=target.pk,
        user=actor,
        depot_id=depot_id,
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        ip_address=origin.ip_address,
        request_id=origin.request_id,
    )


def _told(answer: Answer) -> dict[str, object]:
    asked, by = answer.question, answer.by
    return {
        "code": asked.code,
        "attr": asked.attr,
        "value": asked.value,
        "confirmed_by": by.username if by is not None else None,
    }


def _keep(answers: Iterable[Answer], actor: Any, target: models.Model, depot_id: int | None, now: datetime) -> None:
    Confirmation.objects.bulk_create(
        Confirmation(
            code=question.code,
            attr=question.attr or "",
            value=question.value,
            detail=question.detail[:500],
            entity_type=entity_name(target),
            entity_id=target.pk,
            about=str(target)[:150],
            user=actor,
            confirmed_by=by,
            depot_id=depot_id,
            at=now,
            date=clock.business_date(now),
        )
        for question, by in ((answer.question, answer.by) for answer in answers)
    )


def create_recorded[M: models.Model](
    *, actor: models.Model, action: str, new: M, hidden: Iterable[str] = (), answers: Sequence[Answer] = ()
) -> M:
    """Insert a row of master data with its evidence: all that it says but the ``hidden`` fields; tell apps of it.

    Runs in the caller's transaction. Raises Duplicate where a unique value is taken.
    """
    with _refusing_duplicates():
        new.save(force_insert=True)
    unsaid = {*hidden, *search_columns(new)}
    fields = [field.name for field in new._meta.concrete_fields if field.name not in unsaid]
    after = {name: getattr(new, name) for name in fields}
    record(actor=actor, action=action, target=new, after=after, answers=answers)
    announce_if_told(new)
    return new


def update_recorded[M: models.Model](
    *,
    actor: models.Model | None,
    action: str,
    target: M,
    changes: Mapping[str, object],
    reason: str = "",
    answers: Sequence[Answer] = (),
) -> bool:
    """Write the changed fields of a locked row, with before and after; nothing where nothing changes. Tell apps.

    Runs in the caller's transaction. Answers whether anything changed. Raises Duplicate.
    """
    before = {name: getattr(target, name) for name, value in changes.items() if getattr(target, name) != value}
    if not before:
        return False
    after = {name: changes[name] for name in before}
    for name, value in after.items():
        setattr(target, name, value)
    with _refusing_duplicates():
        target.save(update_fields=[*after, *search_columns(target)])
    record(actor=actor, action=action, target=target, before=before, after=after, reason=reason, answers=answers)
    announce_if_told(target)
    return True


@contextmanager
def _refusing_duplicates() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "unique" not in str(error).lower() and "duplicate" not in str(error).lower():
            raise
        raise Duplicate("This value is taken already.") from error


def _plain(value: object) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case models.Model():
            return value.pk
        case _:
            return value
