"""What a push says, understood: its version decides which fields there are, its clock when things happened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_standardized_errors.formatter import flatten_errors
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from foundation.api.confirm import FIELD as CONFIRM
from foundation.api.confirm import read_confirmed
from foundation.api.exceptions import shown
from foundation.api.fields import ClientTempIdField, MomentField, StrictIntegerField
from foundation.api.inputs import NAMED_AT_MOST
from foundation.confirmations import Said, as_value
from foundation.operations.contents import mean_the_same, meaning, without_secrets
from sync.models import MAX_NUMBER, SyncConflict
from sync.operations import MAY_CONFIRM, Refusal, Run, read_operation, refusals_of, types_of

PROTOCOL = 2
"""The newest version of the protocol that this server reads; docs/offline-protocol.md says what each one knows."""
WITH_DEVICES = 2
"""The first version that says which device speaks, and by which clock."""
PARTS = ("type", "client_temp_id", "occurred_at", "data")
PARTS_OF_DEVICE = ("number", "clock_offset_s")
"""What a device says about an operation: no part of what makes two of them the same."""
MAX_OFFSET = 10**11
"""Seconds: some 3,000 years, for a clock that has lost the time."""
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a device's clock begins when it has lost the time."""

_CLIENT_TEMP_ID, _MOMENT = ClientTempIdField(), MomentField()
_OF_DEVICE: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "number": StrictIntegerField(allow_null=True, min_value=1, max_value=MAX_NUMBER),
    "clock_offset_s": StrictIntegerField(allow_null=True, min_value=-MAX_OFFSET, max_value=MAX_OFFSET),
}


@dataclass(frozen=True, slots=True)
class Push:
    """What a push says of itself. Of a device's clock: the server had ``received_at`` when it said ``sent_at``."""

    protocol: int
    received_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation as it came. ``run`` is None where it is malformed, and ``refusals`` say why.

    With both, ``refusals`` name the fields that nobody knows, and ``run`` leaves them out: it must be asked for.
    ``client_temp_id`` is empty unless it is one. ``content`` is what is compared, ``known`` that without what nobody
    knows, ``payload`` all of it as JSON, ``confirmed`` what its user confirmed at the door.
    ``occurred_at`` is the device's, ``corrected_at`` the server's idea of it.
    """

    client_temp_id: str
    type: str
    payload: str
    protocol: int
    occurred_at: datetime | None = None
    corrected_at: datetime | None = None
    number: int | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    run: Run | None = None
    refusals: Sequence[Refusal] = ()
    confirmed: Sequence[Said] = ()

    def said(self) -> Any:
        """What makes it the same attempt again."""
        return meaning(_without_device(json.loads(self.payload))) if self.client_temp_id else self.payload

    def is_kept_as(self, conflict: SyncConflict) -> bool:
        if conflict.client_temp_id != self.client_temp_id:
            return False
        return conflict.payload == self.payload or bool(
            self.client_temp_id and mean_the_same(_plain(conflict.payload), _plain(self.payload))
        )

    @property
    def stored_at(self) -> datetime | None:
        """The device's time, where a database can keep it."""
        return self.occurred_at if self.occurred_at and self.occurred_at >= FIRST else None


def as_json(operation: object) -> str:
    return json.dumps(operation, sort_keys=True, separators=(",", ":"))


def read(operation: object, push: Push) -> Sent:
    """Understand an operation, or say why not. Secrets that an app sends by mistake go no further than here."""
    operation = without_secrets(operation)
    payload = as_json(operation)
    if not isinstance(operation, dict):
        return Sent("", "", payload, push.protocol, refusals=[Refusal("invalid", "An operation is a JSON object.")])
    name, refusals = client_temp_id_of(operation.get("client_temp_id"))
    of_device, malformed = _of_device(operation, push)
    refusals += malformed
    kind, data, moment = operation.get("type"), operation.get("data"), operation.get("occurred_at")
    occurred_at = _moment(moment)
    corrected_at = corrected(occurred_at, of_device.get("clock_offset_s"), push)
    content: Mapping[str, Any] = operation
    known: Mapping[str, Any] = {}
    confirmed: Sequence[Said] = ()
    run = None
    if not isinstance(kind, str) or kind not in types_of(push.protocol):
        refusals.append(Refusal("unknown_type", f"Known types are {', '.join(types_of(push.protocol))}.", "type"))
        kind = ""
    elif not isinstance(data, dict):
        refusals.append(Refusal("invalid", "The data of an operation is a JSON object.", "data"))
    elif not refusals:
        content = {part: value for part, value in data.items() if part != "client_temp_id"} | {"occurred_at": moment}
        sent = {
            part: value for part, value in content.items() if part != CONFIRM or kind not in MAY_CONFIRM[push.protocol]
        }
        try:
            readable = read_operation(kind, sent, push.protocol)
        except ValidationError as error:
            refusals += refusals_of(error)
        else:
            known, run = readable.known, readable.run
            confirmed = _confirmed(content[CONFIRM], occurred_at, corrected_at) if len(sent) < len(content) else ()
            refusals = [*_unknown(operation, data, push.protocol), *readable.unknown]
    return Sent(
        client_temp_id=name,
        type=kind,
        payload=payload,
        protocol=push.protocol,
        occurred_at=occurred_at,
        corrected_at=corrected_at,
        number=of_device.get("number"),
        content=content,
        known=known,
        run=run,
        refusals=refusals,
        confirmed=confirmed,
    )


def _confirmed(sent: object, occurred_at: datetime | None, corrected_at: datetime | None) -> list[Said]:
    """What was confirmed at the door, of its time by the server's clock; what can't be read confirms nothing."""
    try:
        confirmed = read_confirmed(sent)
    except ValidationError:
        return []
    return [
        replace(each, value=as_value(corrected_at))
        if each.attr == "occurred_at" and corrected_at and _moment(each.value) == occurred_at
        else each
        for each in confirmed
    ]


def corrected(occurred_at: datetime | None, clock_offset_s: int | None, push: Push) -> datetime | None:
    """When it happened by the server's clock: never after it was received. Protocol 1 says nothing of clocks."""
    if occurred_at is None or push.sent_at is None:
        return occurred_at
    # In UTC: within one zone Python reckons by the wall, and Singapore's clocks were put forward in 1982.
    received_at = push.received_at.astimezone(UTC)
    offset = timedelta(seconds=clock_offset_s or 0)
    if clock_offset_s is None:
        offset = received_at - push.sent_at.astimezone(UTC)
    try:
        return max(FIRST, min(occurred_at.astimezone(UTC) + offset, received_at))
    except OverflowError:
        return received_at if offset > timedelta(0) else FIRST


def client_temp_id_of(value: object) -> tuple[str, list[Refusal]]:
    try:
        text = _CLIENT_TEMP_ID.run_validation(value)
    except ValidationError as error:
        return "", _refusals(error, "client_temp_id")
    if text is None:
        return "", [Refusal("required", "Every operation needs its client_temp_id.", "client_temp_id")]
    return text, []


def _refusals(error: ValidationError, attr: str) -> list[Refusal]:
    return [Refusal(each.code, each.detail, attr) for each in flatten_errors(error.detail)]


def _of_device(operation: dict[str, Any], push: Push) -> tuple[dict[str, Any], list[Refusal]]:
    """Number and clock, each where it can be read. Both may be missing: of what was recorded by an older app."""
    said: dict[str, Any] = {}
    refusals: list[Refusal] = []
    for name in PARTS_OF_DEVICE if push.protocol >= WITH_DEVICES else ():
        try:
            said[name] = _OF_DEVICE[name].run_validation(operation.get(name))
        except ValidationError as error:
            refusals += _refusals(error, name)
    return said, refusals


def _unknown(operation: dict[str, Any], data: dict[str, Any], protocol: int) -> list[Refusal]:
    """What stands beside the parts of an operation; or within its data and differs from what the operation says."""
    parts = (*PARTS, *PARTS_OF_DEVICE) if protocol >= WITH_DEVICES else PARTS
    names = [name for name in operation if name not in parts]
    names += [name for name in ("client_temp_id", "occurred_at") if name in data and data[name] != operation.get(name)]
    return [Refusal("unknown_field", "An operation has no such field.", shown(name)) for name in names[:NAMED_AT_MOST]]


def _moment(value: object) -> datetime | None:
    try:
        moment: datetime | None = _MOMENT.run_validation(value)
    except ValidationError:
        return None
    return moment


def _without_device(operation: Any) -> Any:
    if not isinstance(operation, dict):
        return operation
    return {name: value for name, value in operation.items() if name not in PARTS_OF_DEVICE}


def _plain(payload: str) -> str:
    """Likewise what an earlier release kept."""
    return as_json(_without_device(without_secrets(json.loads(payload))))
