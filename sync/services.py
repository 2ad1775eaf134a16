"""Operations from the field: each happens once, or is kept until somebody has decided about it."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from drf_standardized_errors.formatter import flatten_errors
from rest_framework.exceptions import ValidationError

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from distribution.models import Distribution
from foundation import clock
from foundation.access.grants import acting_for
from foundation.api.exceptions import shown
from foundation.api.fields import ClientTempIdField, MomentField
from foundation.api.inputs import NAMED_AT_MOST
from foundation.commands import ATTEMPTS, command, is_transient
from foundation.entities import entity_name, model_of
from foundation.errors import Busy, Denied, DomainError, Invalid
from foundation.observability.context import current_origin
from foundation.operations import idempotency
from foundation.operations.contents import mean_the_same, meaning
from foundation.operations.idempotency import Operation, idempotent, named
from foundation.operations.occurrence import Approval
from sync import locks
from sync.errors import BelongsToAnother, ConflictSettled, Unreadable, UserDeactivated
from sync.models import SyncConflict
from sync.operations import TYPES, Refusal, Run, read_operation, refusals_of
from transactions.models import Transaction

_log = logging.getLogger("hsh.sync")

CREATED, DUPLICATE, REJECTED = "created", "duplicate", "rejected"

PROTOCOL = 1
"""The newest version of the protocol that this server reads; docs/offline-protocol.md says what each one knows."""
PARTS = ("type", "client_temp_id", "occurred_at", "data")
MISTAKE = Refusal("server_error", "The server could not carry this out. It is kept.")

_CLIENT_TEMP_ID, _MOMENT = ClientTempIdField(), MomentField()
FIRST_YEAR = 1970
"""Where a device's clock begins when it has lost the time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation as it came. ``run`` is None where it is malformed, and ``refusals`` say why.

    With both, ``refusals`` name the fields that nobody knows, and ``run`` leaves them out: it must be asked for.
    ``client_temp_id`` is empty unless it is one. ``content`` is what is compared, ``known`` that without what nobody
    knows, ``payload`` all of it as JSON.
    """

    client_temp_id: str
    type: str
    payload: str
    occurred_at: datetime | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    run: Run | None = None
    refusals: Sequence[Refusal] = ()

    def key(self, user: User) -> str:
        """What makes it the same attempt again."""
        said = meaning(json.loads(self.payload)) if self.client_temp_id else self.payload
        text = json.dumps([user.pk, self.client_temp_id, said], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def is_kept_as(self, conflict: SyncConflict) -> bool:
        if conflict.client_temp_id != self.client_temp_id:
            return False
        return conflict.payload == self.payload or bool(
            self.client_temp_id and mean_the_same(conflict.payload, self.payload)
        )

    def operation(self, user: User, *, known: bool = False) -> Operation:
        """``known``: as an earlier release took it, which left out what nobody knows."""
        content = self.known if known else self.content
        return Operation(user=user, client_temp_id=self.client_temp_id, type=self.type, sent=content)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one pushed operation. ``made`` is None where it was rejected, ``conflict`` set instead."""

    client_temp_id: str
    status: str
    made: Transaction | Distribution | None = None
    conflict: SyncConflict | None = None

    @property
    def refusals(self) -> list[dict[str, object]]:
        return self.conflict.errors if self.conflict is not None and self.made is None else []


class _Overtaken(Exception):
    """Another push of the same operation was quicker: look again."""


def push(*, actor: User, operations: Sequence[object]) -> list[Result]:
    """Carry out operations in their order, each in a transaction of its own; safe to repeat, also at the same time.

    What is refused is kept as a SyncConflict, and refused again however often it is pushed; so is what the server
    makes a mistake with. Raises Busy where the server can't decide at the moment, and nothing else: what went before
    stands, and the same push again goes on from there.
    """
    sent = [_read_or_keep(actor, operation) for operation in operations]
    kept = _kept(actor, sent)
    return [_push_one(actor, each, next(filter(each.is_kept_as, kept), None)) for each in sent]


@command
@idempotent
def retry_conflict(
    *, actor: User, conflict_id: int, approve_rates: bool = False, ignore_unknown_fields: bool = False
) -> SyncConflict:
    """Let a kept operation happen, as the user who pushed it and when it happened, however long ago that is.

    ``approve_rates`` takes the rates that it names, as far as the actor may; ``ignore_unknown_fields`` leaves out what
    it says beyond the fields that there are. Locks the conflict, then what the operation's own command locks, which
    also names the errors. Raises Denied, ConflictSettled, Unreadable,
    BelongsToAnother, UserDeactivated where it happened after that.
    """
    conflict = _lock_open(actor, conflict_id)
    sent = read(json.loads(conflict.payload))
    if sent.run is None or (sent.refusals and not ignore_unknown_fields):
        raise Unreadable(sent.refusals[0].code, sent.refusals[0].detail, attr=sent.refusals[0].attr)
    if conflict.operation is None:
        raise BelongsToAnother("Its client_temp_id belongs to another operation, which happened or was kept itself.")
    idempotency.release(conflict.operation)
    pusher = conflict.user
    if pusher.deactivated_at is not None and (sent.occurred_at or clock.now()) >= pusher.deactivated_at:
        raise UserDeactivated(f"{pusher} had been deactivated before that.", attr="occurred_at")
    # It happened while they worked here, and it is the actor who decides now.
    with acting_for(pusher), named(sent.operation(pusher)):
        made = sent.run(pusher, Approval(by=actor, rates=approve_rates))
    conflict.result_type, conflict.result_id = entity_name(made), made.pk
    _settle(conflict, SyncConflict.Status.RETRIED, actor)
    record(
        actor=actor,
        action="sync.conflict.retried",
        target=conflict,
        before={"status": SyncConflict.Status.OPEN},
        after={
            "status": conflict.status,
            "for_user": pusher.username,
            "made": str(made),
            "rates_approved": approve_rates,
            "unknown_fields_ignored": bool(sent.refusals),
        },
    )
    return conflict


@command
@idempotent
def dismiss_conflict(*, actor: User, conflict_id: int, reason: str) -> SyncConflict:
    """Decide that a kept operation shall not happen. Locks it. Raises Denied, ConflictSettled, Invalid."""
    conflict = _lock_open(actor, conflict_id)
    if not reason.strip():
        raise Invalid("Dismissing needs its reason.", attr="reason")
    conflict.reason = reason
    _settle(conflict, SyncConflict.Status.DISMISSED, actor)
    record(
        actor=actor,
        action="sync.conflict.dismissed",
        target=conflict,
        before={"status": SyncConflict.Status.OPEN},
        after={"status": conflict.status, "code": conflict.code, "for_user": conflict.user.username},
        reason=reason,
    )
    return conflict


def read(operation: object) -> Sent:
    """Understand an operation, or say why not."""
    payload = json.dumps(operation, sort_keys=True, separators=(",", ":"))
    if not isinstance(operation, dict):
        return Sent("", "", payload, refusals=[Refusal("invalid", "An operation is a JSON object.")])
    client_temp_id, refusals = _client_temp_id(operation.get("client_temp_id"))
    kind, data = operation.get("type"), operation.get("data")
    moment = operation.get("occurred_at")
    content: Mapping[str, Any] = operation
    known: Mapping[str, Any] = {}
    run = None
    if not isinstance(kind, str) or kind not in TYPES:
        refusals.append(Refusal("unknown_type", f"Known types are {', '.join(TYPES)}.", "type"))
        kind = ""
    elif not isinstance(data, dict):
        refusals.append(Refusal("invalid", "The data of an operation is a JSON object.", "data"))
    elif not refusals:
        content = {name: value for name, value in data.items() if name != "client_temp_id"} | {"occurred_at": moment}
        try:
            readable = read_operation(kind, content)
        except ValidationError as error:
            refusals += refusals_of(error)
        else:
            known, run, refusals = readable.known, readable.run, [*_unknown(operation, data), *readable.unknown]
    return Sent(client_temp_id, kind, payload, _moment(moment), content, known, run, refusals)


def _unknown(operation: dict[str, Any], data: dict[str, Any]) -> list[Refusal]:
    """What stands beside the parts of an operation; or within its data and differs from what the operation says."""
    names = [name for name in operation if name not in PARTS]
    names += [name for name in ("client_temp_id", "occurred_at") if name in data and data[name] != operation.get(name)]
    return [Refusal("unknown_field", "An operation has no such field.", shown(name)) for name in names[:NAMED_AT_MOST]]


def _client_temp_id(value: object) -> tuple[str, list[Refusal]]:
    try:
        text = _CLIENT_TEMP_ID.run_validation(value)
    except ValidationError as error:
        return "", [Refusal(each.code, each.detail, "client_temp_id") for each in flatten_errors(error.detail)]
    if text is None:
        return "", [Refusal("required", "Every operation needs its client_temp_id.", "client_temp_id")]
    return text, []


def _moment(value: object) -> datetime | None:
    try:
        moment: datetime | None = _MOMENT.run_validation(value)
    except ValidationError:
        return None
    # A time long before there were such devices is no clock's; and its offset would be one that no format knows.
    return moment if moment and moment.year >= FIRST_YEAR else None


def _read_or_keep(actor: User, operation: object) -> Sent:
    """What can't even be read because of a mistake of ours is kept as well."""
    try:
        return read(operation)
    except Exception:
        _log_mistake("reading an operation", actor)
        payload = json.dumps(operation, sort_keys=True, separators=(",", ":"))
        content = operation if isinstance(operation, dict) else {}
        return Sent(_client_temp_id(content.get("client_temp_id"))[0], "", payload, content=content, refusals=[MISTAKE])


def _log_mistake(what: str, actor: User) -> None:
    """The traceback of the exception that is being handled."""
    _log.exception("%s of user %s failed (request %s)", what, actor.pk, current_origin().request_id)


def _kept(actor: User, sent: Sequence[Sent]) -> list[SyncConflict]:
    """What was kept of a user's operations with these ids."""
    ids = {each.client_temp_id for each in sent}
    return list(SyncConflict.objects.filter(user=actor, client_temp_id__in=ids))


def _push_one(actor: User, sent: Sent, kept: SyncConflict | None) -> Result:
    for _ in range(ATTEMPTS):
        try:
            return _answer(kept, sent) if kept is not None else _push_once(actor, sent)
        except _Overtaken:
            kept = next(filter(sent.is_kept_as, _kept(actor, [sent])), None)
    raise Busy("The same operation is being pushed by several clients. Please try again.")


def _push_once(actor: User, sent: Sent) -> Result:
    refusals = sent.refusals
    if sent.run is not None and (not refusals or _happened(actor, sent)):
        operation = sent.operation(actor, known=bool(refusals))
        try:
            with named(operation):
                made = sent.run(actor, None)
        except idempotency.RefusedBefore as error:
            return _answer(SyncConflict.objects.get(operation=error.operation), sent)
        except Busy:
            raise
        except DomainError as error:
            refusals = [Refusal(error.code, error.detail, error.attr)]
        except Exception as error:
            if is_transient(error):
                raise
            # A mistake of ours, or what the database refuses for good, at the one place where it would cost the sales
            # behind it: it is logged, and the operation is kept until the mistake is mended.
            _log_mistake(f"operation {sent.type}", actor)
            refusals = [MISTAKE]
        else:
            return Result(sent.client_temp_id, DUPLICATE if operation.is_replayed else CREATED, made=made)
    return _answer(_keep(actor=actor, sent=sent, refusals=refusals), sent)


def _happened(actor: User, sent: Sent) -> bool:
    """Did it happen before, when an earlier release left out the fields that nobody knows?"""
    earlier = idempotency.find(actor, sent.client_temp_id)
    return (
        earlier is not None and earlier.result_id is not None and sent.operation(actor, known=True).is_same_as(earlier)
    )


@command
def _keep(*, actor: User, sent: Sent, refusals: Sequence[Refusal]) -> SyncConflict:
    """Keep a refused operation, and take its client_temp_id so that nothing else can happen under it.

    The id is left to the operation that it belongs to already. Raises _Overtaken where that is the same one.
    """
    errors, now, operation = [asdict(refusal) for refusal in refusals], clock.now(), None
    depot_id = depot_at(actor, sent.occurred_at or now)
    earlier = idempotency.find(actor, sent.client_temp_id) if sent.client_temp_id else None
    if earlier is not None and sent.operation(actor).is_same_as(earlier):
        raise _Overtaken
    try:
        if sent.client_temp_id and earlier is None:
            operation = idempotency.keep_refusal(sent.operation(actor), errors)
        conflict = SyncConflict.objects.create(
            key=sent.key(actor),
            operation=operation,
            first=earlier,
            user=actor,
            depot_id=depot_id,
            client_temp_id=sent.client_temp_id,
            type=sent.type,
            payload=sent.payload,
            errors=errors,
            code=refusals[0].code,
            occurred_at=sent.occurred_at,
            received_at=now,
            date=clock.business_date(now),
            request_id=current_origin().request_id,
        )
    except IntegrityError as error:
        raise _Overtaken from error
    record(
        actor=actor,
        action="sync.conflict.kept",
        target=conflict,
        after={"type": sent.type, "client_temp_id": sent.client_temp_id, "code": conflict.code},
        depot_id=depot_id,
    )
    return conflict


def _answer(conflict: SyncConflict, sent: Sent) -> Result:
    """What a kept operation is answered with: its refusal, or what it made when it was retried."""
    if conflict.status != SyncConflict.Status.RETRIED:
        return Result(sent.client_temp_id, REJECTED, conflict=conflict)
    made: Any = model_of(conflict.result_type).objects.get(pk=conflict.result_id)
    return Result(sent.client_temp_id, DUPLICATE, made=made, conflict=conflict)


def _lock_open(actor: User, conflict_id: int) -> SyncConflict:
    conflict = locks.conflict(conflict_id)
    if not SyncConflict.objects.visible_to(actor).filter(pk=conflict_id).exists():
        raise Denied
    if conflict.status != SyncConflict.Status.OPEN:
        raise ConflictSettled(f"This conflict was {conflict.get_status_display().split(':')[0].lower()} already.")
    return conflict


def _settle(conflict: SyncConflict, status: SyncConflict.Status, actor: User) -> None:
    conflict.status, conflict.settled_at, conflict.settled_by = status, clock.now(), actor
    conflict.save(update_fields=["status", "settled_at", "settled_by", "reason", "result_type", "result_id"])
