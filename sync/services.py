"""Operations from the field: each happens once, or is kept until somebody has decided about it."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from fleet.models import Assignment
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.grants import acting_for
from foundation.access.refusing import denied
from foundation.commands import ATTEMPTS, command, is_transient
from foundation.confirmations import said as confirmed
from foundation.entities import entity_name, model_of
from foundation.errors import Busy, Denied, DomainError, Invalid
from foundation.observability.context import current_origin
from foundation.operations import idempotency
from foundation.operations.contents import without_secrets
from foundation.operations.idempotency import Operation, idempotent, named
from foundation.operations.occurrence import Approval
from sync import locks
from sync.devices import DeviceSays, hear_of, note_numbers
from sync.errors import BelongsToAnother, ConflictSettled, Unreadable, UserDeactivated, UserNotAllowed
from sync.models import Device, SyncConflict
from sync.operations import Made, Refusal
from sync.reading import Push, Sent, as_json, client_temp_id_of, read
from sync.selectors import RETRIED
from transactions.selectors import sold_since
from transactions.services import OPERATION as TRANSACTION_CREATE

_log = logging.getLogger("hsh.sync")

CREATED, DUPLICATE, REJECTED = "created", "duplicate", "rejected"
MISTAKE = Refusal("server_error", "The server could not carry this out. It is kept.")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a push says beside its operations. Protocol 1 says nothing of its device."""

    protocol: int = 1
    sent_at: datetime | None = None
    device: DeviceSays | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one pushed operation. ``made`` is None where it was rejected, ``conflict`` set instead."""

    client_temp_id: str
    status: str
    made: Made | None = None
    conflict: SyncConflict | None = None

    @property
    def tried_again_until(self) -> datetime | None:
        return self.conflict.tried_again_until if self.conflict is not None and self.made is None else None

    @property
    def refusals(self) -> list[dict[str, object]]:
        return self.conflict.errors if self.conflict is not None and self.made is None else []


class _Overtaken(Exception):
    """Another push of the same operation was quicker: look again."""


def push(*, actor: User, operations: Sequence[object], said: Envelope = Envelope()) -> list[Result]:
    """Carry out operations in their order, each in a transaction of its own; safe to repeat, also at the same time.

    What is refused is kept as a SyncConflict, and refused again however often it is pushed; so is what the server
    makes a mistake with, and all that a deactivated user brings. Raises Busy where the server can't decide at the
    moment, and nothing else: what went before stands, and the same push again goes on from there.
    """
    now = clock.now()
    device = known = None
    if said.device is not None:
        known = Device.objects.filter(user=actor, key=said.device.id).first()
        device = hear_of(actor=actor, said=said.device, now=now, protocol=said.protocol, sent_at=said.sent_at)
    sent = [_read_or_keep(actor, operation, Push(said.protocol, now, said.sent_at)) for operation in operations]
    kept = _kept(actor, sent)
    results: list[Result] = []
    try:
        for each in sent:
            results.append(_push_one(actor, device, each, next(filter(each.is_kept_as, kept), None)))
            if isinstance(results[-1].made, Assignment):
                # What follows happens on the vehicle that was taken.
                actor = User.objects.get_queryset().get(pk=actor.pk)
    finally:
        if device is not None:
            # Only now: a number whose operation was neither recorded nor kept has not come.
            note_numbers(actor=actor, key=device.key, operations=sent[: len(results)], now=now, known=known)
    return results


@command
@idempotent
def retry_conflict(
    *,
    actor: User,
    conflict_id: int,
    approve_rates: bool = False,
    ignore_unknown_fields: bool = False,
    occurred_at: datetime | None = None,
    correct_site: bool = False,
    without_reading: bool = False,
    reason: str = "",
) -> SyncConflict:
    """Let a kept operation happen, as the user who pushed it and when it happened, however long ago that is.

    ``approve_rates`` takes the rates that it names, as far as the actor may; ``ignore_unknown_fields`` leaves out what
    it says beyond the fields that there are; ``occurred_at`` is another time than the one that was understood when it
    came; ``correct_site`` brings the customer's site to what comes back from it, for a ``reason``; ``without_reading``
    leaves out a meter reading that can't be recorded: the next one bills the usage. Locks the conflict, then what the
    operation's own command locks, which also names the errors. Raises Denied, ConflictSettled,
    Unreadable, BelongsToAnother, Invalid for a time that is still to come or a correction without its reason,
    UserDeactivated where it happened after that, UserNotAllowed where they lack the right now.
    """
    conflict = _lock_open(actor, conflict_id)
    _require_another(actor, conflict)
    sent = read(json.loads(conflict.payload), Push(conflict.protocol, conflict.received_at))
    if sent.run is None or (sent.refusals and not ignore_unknown_fields):
        raise Unreadable(sent.refusals[0].code, sent.refusals[0].detail, attr=sent.refusals[0].attr)
    if conflict.operation is None:
        raise BelongsToAnother("Its client_temp_id belongs to another operation, which happened or was kept itself.")
    if occurred_at is not None and occurred_at > clock.now():
        raise Invalid("It can't have happened in the future.", attr="occurred_at")
    if correct_site and not reason.strip():
        raise Invalid("Please say why more comes back than the books know.", attr="reason")
    approval = Approval(
        by=actor,
        rates=approve_rates,
        site_reason=reason.strip() if correct_site else "",
        without_reading=without_reading,
        another_time=occurred_at,
        sent=conflict.occurred_at,
    )
    made = _let_happen(conflict, sent, approval, occurred_at)
    pusher = conflict.user
    # Whoever names another time overrules the device's: what it said stands beside it.
    overruled = {"occurred_at": conflict.occurred_at, "corrected_at": conflict.corrected_at} if occurred_at else {}
    record(
        actor=actor,
        action=RETRIED,
        target=conflict,
        before={"status": SyncConflict.Status.OPEN, **overruled},
        after={
            "status": conflict.status,
            "for_user": pusher.username,
            "made": str(made),
            "rates_approved": approve_rates,
            "unknown_fields_ignored": bool(sent.refusals),
            **({"occurred_at": occurred_at} if occurred_at else {}),
            **({"site_corrected": True} if correct_site else {}),
            **({"reading_left_out": True} if without_reading else {}),
        },
        reason=reason,
    )
    return conflict


@command
def retry_by_itself(*, conflict_id: int) -> SyncConflict | None:
    """Try an operation again that waits for something, as its user's own; None where it waits no more.

    It came in time, so no limit of time applies again. Where somebody has sold to the same customer since, that may be
    the same sale, entered again: then it waits for a person. Locks as `retry_conflict`, which also names the errors.
    """
    conflict = locks.conflict(conflict_id)
    if conflict.status != SyncConflict.Status.OPEN or not conflict.waits_for or conflict.operation is None:
        return None
    sent = read(json.loads(conflict.payload), Push(conflict.protocol, conflict.received_at))
    if sent.run is not None and _was_sold_again(conflict, sent):
        conflict.waits_for = ""
        conflict.save(update_fields=["waits_for"])
        return None
    made = _let_happen(conflict, sent, Approval(by=None), None)
    record(
        actor=None,
        action=RETRIED,
        target=conflict,
        before={"status": SyncConflict.Status.OPEN},
        after={"status": conflict.status, "for_user": conflict.user.username, "made": str(made)},
        reason="retried automatically",
        depot_id=conflict.depot_id,
    )
    return conflict


@command
@idempotent
def withdraw_conflict(*, actor: User, conflict_id: int, reason: str) -> SyncConflict:
    """Its user says that it shall not happen: it isn't tried again by itself, and somebody else decides about it.

    Locks it. Raises Denied, ConflictSettled, Invalid without a reason.
    """
    conflict = _lock_open(actor, conflict_id)
    if conflict.user_id != actor.pk:
        raise Denied("Only who sent it can withdraw it; you can dismiss it.")
    if conflict.withdrawn_at is not None:
        raise ConflictSettled("You have withdrawn this already: a supervisor decides.")
    if not reason.strip():
        raise Invalid("Please say why it shall not happen.", attr="reason")
    conflict.waits_for, conflict.withdrawn_at, conflict.withdrawn_because = "", clock.now(), reason
    conflict.save(update_fields=["waits_for", "withdrawn_at", "withdrawn_because"])
    record(actor=actor, action="sync.conflict.withdrawn", target=conflict, reason=reason)
    return conflict


@command
def wait_for(*, conflict_id: int, name: str) -> None:
    """Note what an operation that was tried again waits for now; empty: for a person. Locks it."""
    conflict = locks.conflict(conflict_id)
    conflict.waits_for = name
    conflict.save(update_fields=["waits_for"])


def _was_sold_again(conflict: SyncConflict, sent: Sent) -> bool:
    happened_at = conflict.corrected_at or sent.occurred_at or conflict.received_at
    return sent.type == TRANSACTION_CREATE and sold_since(
        sent.content["customer"], happened_after=happened_at, recorded_after=conflict.received_at
    )


def _let_happen(conflict: SyncConflict, sent: Sent, approval: Approval, occurred_at: datetime | None) -> Made:
    """Carry a locked conflict's operation out, and settle it."""
    if sent.run is None or conflict.operation is None:
        raise RuntimeError("the caller has asked for both")
    idempotency.release(conflict.operation)
    pusher = conflict.user
    happened_at = occurred_at or conflict.corrected_at or sent.occurred_at
    if pusher.deactivated_at is not None and (happened_at or clock.now()) >= pusher.deactivated_at:
        raise UserDeactivated(
            f"{pusher} had been deactivated by then: say when it happened, "
            f"before {clock.in_words(pusher.deactivated_at)}.",
            attr="occurred_at",
        )
    # It happened while they worked here, and somebody else decides now.
    confirmed_then = confirmed(sent.confirmed, by=pusher, has_happened=True)
    with acting_for(pusher), confirmed_then, named(_operation(pusher, conflict.device, sent)):
        try:
            made = sent.run(pusher, approval, happened_at)
        except Denied as error:
            raise UserNotAllowed(f"It would happen as {pusher}'s, who may not now: {error.detail}") from error
    conflict.result_type, conflict.result_id = entity_name(made), made.pk
    _settle(conflict, SyncConflict.Status.RETRIED, approval.by)
    return made


@command
@idempotent
def dismiss_conflict(*, actor: User, conflict_id: int, reason: str) -> SyncConflict:
    """Decide that a kept operation shall not happen. Locks it. Raises Denied, ConflictSettled, Invalid."""
    conflict = _lock_open(actor, conflict_id)
    _require_another(actor, conflict)
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


def _read_or_keep(actor: User, operation: object, push: Push) -> Sent:
    """What can't even be read because of a mistake of ours is kept as well."""
    try:
        return read(operation, push)
    except Exception:
        _log_mistake("reading an operation", actor)
        content = operation if isinstance(operation, dict) else {}
        name = client_temp_id_of(content.get("client_temp_id"))[0]
        return Sent(name, "", as_json(without_secrets(operation)), push.protocol, content=content, refusals=[MISTAKE])


def _log_mistake(what: str, actor: User) -> None:
    """The traceback of the exception that is being handled."""
    _log.exception("%s of user %s failed (request %s)", what, actor.pk, current_origin().request_id)


def _kept(actor: User, sent: Sequence[Sent]) -> list[SyncConflict]:
    """What was kept of a user's operations with these ids."""
    ids = {each.client_temp_id for each in sent}
    return list(SyncConflict.objects.filter(user=actor, client_temp_id__in=ids))


def _push_one(actor: User, device: Device | None, sent: Sent, kept: SyncConflict | None) -> Result:
    for _ in range(ATTEMPTS):
        try:
            return _answer(kept, sent) if kept is not None else _push_once(actor, device, sent)
        except _Overtaken:
            kept = next(filter(sent.is_kept_as, _kept(actor, [sent])), None)
    raise Busy("The same operation is being pushed by several clients. Please try again.")


def _operation(user: User, device: Device | None, sent: Sent, *, known: bool = False) -> Operation:
    """``known``: as an earlier release took it, which left out what nobody knows."""
    return Operation(
        user=user,
        client_temp_id=sent.client_temp_id,
        type=sent.type,
        sent=sent.known if known else sent.content,
        device=device.key if device else "",
        number=sent.number,
    )


def _push_once(actor: User, device: Device | None, sent: Sent) -> Result:
    refusals, waits_for = sent.refusals, ""
    if not actor.is_active:
        earlier = _made_before(actor, sent)
        if earlier is not None:
            return Result(sent.client_temp_id, DUPLICATE, made=earlier)
        refusals = refusals or [Refusal(UserDeactivated.code, "The user was deactivated. It is kept for a supervisor.")]
    elif sent.run is not None and (not refusals or _happened(actor, device, sent)):
        operation = _operation(actor, device, sent, known=bool(refusals))
        try:
            with named(operation), confirmed(sent.confirmed, by=actor, has_happened=True):
                made = sent.run(actor, None, sent.corrected_at)
        except idempotency.RefusedBefore as error:
            return _answer(SyncConflict.objects.get(operation=error.operation), sent)
        except Busy:
            raise
        except DomainError as error:
            refusals, waits_for = [Refusal(**each) for each in error.told], getattr(error, "waits_for", "")
        except Exception as error:
            if is_transient(error):
                raise
            # A mistake of ours, or what the database refuses for good, at the one place where it would cost the sales
            # behind it: it is logged, and the operation is kept until the mistake is mended.
            _log_mistake(f"operation {sent.type}", actor)
            refusals = [MISTAKE]
        else:
            return Result(sent.client_temp_id, DUPLICATE if operation.is_replayed else CREATED, made=made)
    kept = _keep(actor=actor, device=device, sent=sent, refusals=refusals, waits_for=waits_for)
    return _answer(kept, sent)


def _happened(actor: User, device: Device | None, sent: Sent) -> bool:
    """Did it happen before, when an earlier release left out the fields that nobody knows?"""
    earlier = idempotency.find(actor, sent.client_temp_id)
    return (
        earlier is not None
        and earlier.result_id is not None
        and _operation(actor, device, sent, known=True).is_same_as(earlier)
    )


def _made_before(actor: User, sent: Sent) -> Any:
    """What the same operation made; None where it didn't happen."""
    earlier = idempotency.find(actor, sent.client_temp_id)
    if earlier is None or earlier.result_id is None or not _operation(actor, None, sent).is_same_as(earlier):
        return None
    return idempotency.result_of(earlier)


@command
def _keep(
    *, actor: User, device: Device | None, sent: Sent, refusals: Sequence[Refusal], waits_for: str
) -> SyncConflict:
    """Keep a refused operation, and take its client_temp_id so that nothing else can happen under it.

    The id is left to the operation that it belongs to already. Raises _Overtaken where that is the same one.
    """
    errors, now, operation = [refusal.told for refusal in refusals], clock.now(), None
    depot_id = depot_at(actor, sent.corrected_at or now)
    earlier = idempotency.find(actor, sent.client_temp_id) if sent.client_temp_id else None
    if earlier is not None and _operation(actor, device, sent).is_same_as(earlier):
        raise _Overtaken
    try:
        if sent.client_temp_id and earlier is None:
            operation = idempotency.keep_refusal(_operation(actor, device, sent), errors)
        conflict = SyncConflict.objects.create(
            key=_key(actor, sent),
            operation=operation,
            first=earlier,
            user=actor,
            depot_id=depot_id,
            client_temp_id=sent.client_temp_id,
            protocol=sent.protocol,
            device=device,
            number=sent.number,
            type=sent.type,
            payload=sent.payload,
            errors=errors,
            code=refusals[0].code,
            waits_for=waits_for,
            occurred_at=sent.stored_at,
            corrected_at=sent.corrected_at if device else None,
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


def _key(user: User, sent: Sent) -> str:
    """What makes it the same attempt again."""
    text = json.dumps([user.pk, sent.client_temp_id, sent.said()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _answer(conflict: SyncConflict, sent: Sent) -> Result:
    """What a kept operation is answered with: its refusal, or what it made when it was retried."""
    if conflict.status != SyncConflict.Status.RETRIED:
        return Result(sent.client_temp_id, REJECTED, conflict=conflict)
    made: Any = model_of(conflict.result_type).objects.get(pk=conflict.result_id)
    return Result(sent.client_temp_id, DUPLICATE, made=made, conflict=conflict)


def _lock_open(actor: User, conflict_id: int) -> SyncConflict:
    conflict = locks.conflict(conflict_id)
    if not SyncConflict.objects.visible_to(actor).filter(pk=conflict_id).exists():
        raise denied(actor, Capability.SETTLE_CONFLICTS)
    if conflict.status != SyncConflict.Status.OPEN:
        raise ConflictSettled(f"This conflict was {conflict.get_status_display().split(':')[0].lower()} already.")
    return conflict


def _require_another(actor: User, conflict: SyncConflict) -> None:
    if conflict.user_id == actor.pk:
        raise Denied("Somebody else has to decide about what you sent yourself.")


def _settle(conflict: SyncConflict, status: SyncConflict.Status, actor: User | None) -> None:
    conflict.status, conflict.settled_at, conflict.settled_by = status, clock.now(), actor
    conflict.save(update_fields=["status", "settled_at", "settled_by", "reason", "result_type", "result_id"])
