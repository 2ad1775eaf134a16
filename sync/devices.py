"""What each device says of itself, noted: that it spoke, how far it has counted, which of its numbers have come."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError

from accounts.models import User
from discrepancies.services import Code, note_discrepancy
from foundation import clock
from foundation.commands import TryAgain, command
from foundation.operations.idempotency import idempotent
from sync import locks
from sync.models import Device, Pull, ReceivedNumber
from sync.reading import WITH_DEVICES, Sent

PULLS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class DeviceSays:
    """What a push or a pull says of its device. ``last_number`` None: nothing of its numbers."""

    id: str
    last_number: int | None = None


@command
@idempotent
def hear_of(
    *,
    actor: User,
    said: DeviceSays,
    now: datetime,
    protocol: int = WITH_DEVICES,
    sent_at: datetime | None = None,
    pulled: bool = False,
) -> Device:
    """Note that the actor's device has spoken, and where it has ``pulled`` all that there is. Locks its row.

    ``sent_at`` is its clock's time now; None: it didn't say.
    """
    if not Device.objects.filter(user=actor, key=said.id).exists():
        _add(actor, said, now, protocol)
    device = locks.device(actor, said.id)
    device.heard_at, device.protocol = max(device.heard_at, now), protocol
    device.last_number = max(device.last_number, said.last_number or 0)
    if sent_at is not None:
        device.clock_offset_s = int((now.astimezone(UTC) - sent_at.astimezone(UTC)).total_seconds())
    device.save(update_fields=["heard_at", "protocol", "last_number", "clock_offset_s"])
    if pulled:
        Pull.objects.filter(device=device, at__lt=now - PULLS_KEPT).delete()
        Pull.objects.create(device=device, at=now)
    return device


@command
@idempotent
def note_numbers(
    *, actor: User, key: str, operations: Sequence[Sent], now: datetime, known: Device | None = None
) -> Device:
    """Note under which of their numbers these came, and which of those were used before. Locks the device.

    ``known`` is what was known of it before it spoke now.
    """
    locked = locks.device(actor, key)
    numbered = [(each, each.number) for each in operations if each.number is not None]
    came: dict[int, set[str]] = {}
    for number, key in locked.numbers.filter(number__in={number for _, number in numbered}).values_list(
        "number", "key"
    ):
        came.setdefault(number, set()).add(key)
    new, before = [], len(came)
    for each, number in numbered:
        key, others = _key(each), came.setdefault(number, set())
        if key in others:
            continue
        if reused := _reused(number, each, others, known):
            note_discrepancy(
                Code.NUMBER_REUSED,
                user=actor,
                about=locked,
                detail=reused,
                now=now,
                shown=number,
                operation=each.client_temp_id,
            )
        others.add(key)
        new.append(
            ReceivedNumber(device=locked, number=number, key=key, client_temp_id=each.client_temp_id, received_at=now)
        )
    if new:
        ReceivedNumber.objects.bulk_create(new)
        locked.received += len(came) - before
        locked.last_number = max(locked.last_number, *came)
        locked.save(update_fields=["received", "last_number"])
    return locked


def _reused(number: int, sent: Sent, others: Collection[str], known: Device | None) -> str:
    """How we know that a number was used for something else as well; empty: we don't."""
    if others:
        return f"Number {number} came before, for another operation."
    if known is None or number > known.last_number or sent.corrected_at is None:
        return ""
    # By then the device had recorded something under it, which has never come.
    if sent.corrected_at <= known.heard_at + settings.DEVICE_CLOCK_TOLERANCE:
        return ""
    return (
        f"By {clock.in_words(known.heard_at)} the device had recorded number {number}, and this is of "
        f"{clock.in_words(sent.corrected_at)}: what was recorded first has never come."
    )


def _add(actor: User, said: DeviceSays, now: datetime, protocol: int) -> None:
    try:
        Device.objects.create(user=actor, key=said.id, first_heard_at=now, heard_at=now, protocol=protocol)
    except IntegrityError as error:
        raise TryAgain from error


def _key(sent: Sent) -> str:
    return hashlib.sha256((sent.client_temp_id or sent.payload).encode("utf-8", "surrogatepass")).hexdigest()
