"""What an app may push: each kind of operation, from its JSON to the command that carries it out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from drf_standardized_errors.formatter import flatten_errors
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.models import User
from distribution.models import Distribution
from distribution.serializers import DistributionIn
from distribution.services import OPERATION as DISTRIBUTION_CREATE
from distribution.services import confirm_distribution, create_distribution
from foundation.access.capabilities import Capability
from foundation.api.fields import ClientTempIdField, IdField, MomentField, TextField
from foundation.api.inputs import IGNORE_UNKNOWN, Input
from foundation.commands import command
from foundation.errors import Denied, UnknownReference
from foundation.operations import idempotency
from foundation.operations.idempotency import Recorded
from foundation.operations.occurrence import Approval
from sync.errors import DependencyRejected
from transactions.models import Transaction
from transactions.serializers import SaleIn
from transactions.services import OPERATION as TRANSACTION_CREATE
from transactions.services import create_customer_transaction_and_invoice

DISTRIBUTION_CONFIRM = "distribution.confirm"

Made = Recorded[Transaction] | Recorded[Distribution]
Run = Callable[[User, Approval | None, bool], Made]
"""Carries an operation out: ``(actor, approval, unnamed)``; unnamed ones leave their client_temp_id out."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error, as the API tells it."""

    code: str
    detail: str
    attr: str | None = None


def refusals_of(error: ValidationError) -> list[Refusal]:
    return [Refusal(each.code, each.detail, each.attr) for each in flatten_errors(error.detail)]


@dataclass(frozen=True, slots=True)
class Readable:
    """A well-formed operation. ``content`` is canonical: the same text for the same operation, however spelt.

    ``unknown`` are the refusals of fields that nobody knows; ``content`` and ``run`` are without them.
    """

    content: str
    run: Run
    unknown: tuple[Refusal, ...] = ()


_NAME, _ID = TextField(max_length=64, trim_whitespace=False), IdField()


class DistributionReferenceField(serializers.Field[Any, Any, Any, Any]):
    """A distribution's id, or the client_temp_id of the operation that makes it."""

    def to_internal_value(self, data: object) -> int | str:
        reference: int | str = (_NAME if isinstance(data, str) else _ID).run_validation(data)
        return reference


class ConfirmIn(Input):
    distribution = DistributionReferenceField()
    occurred_at = MomentField(required=False, allow_null=True, default=None)
    client_temp_id = ClientTempIdField()


@dataclass(frozen=True, slots=True)
class _Confirmation:
    """The content of a distribution.confirm, as it was sent."""

    distribution: int | str
    occurred_at: datetime | None


def _sale(serializer: SaleIn) -> Readable:
    sale = serializer.command()

    def run(actor: User, approval: Approval | None, unnamed: bool) -> Made:
        _require(actor, Capability.RECORD_SALE)
        wanted = replace(sale, client_temp_id=None) if unnamed else sale
        return create_customer_transaction_and_invoice(actor=actor, data=wanted, approval=approval)

    return Readable(idempotency.canonical_json(replace(sale, client_temp_id=None)), run)


def _distribution(serializer: DistributionIn) -> Readable:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, unnamed: bool) -> Made:
        _require(actor, Capability.CHANGE_DISTRIBUTIONS)
        wanted = replace(new, client_temp_id=None) if unnamed else new
        return create_distribution(actor=actor, data=wanted, approval=approval)

    return Readable(idempotency.canonical_json(replace(new, client_temp_id=None)), run)


def _confirmation(serializer: ConfirmIn) -> Readable:
    sent = serializer.validated_data
    content = _Confirmation(sent["distribution"], sent["occurred_at"])

    def run(actor: User, approval: Approval | None, unnamed: bool) -> Made:
        _require(actor, Capability.CHANGE_DISTRIBUTIONS)
        return _confirm(actor=actor, content=content, client_temp_id=None if unnamed else sent["client_temp_id"])

    return Readable(idempotency.canonical_json(content), run)


@command
def _confirm(*, actor: User, content: _Confirmation, client_temp_id: str | None) -> Made:
    """Confirm a load, once for each client_temp_id. Locks as `confirm_distribution`, which also names the errors."""

    def confirm() -> Recorded[Distribution]:
        pk = _distribution_behind(actor, content.distribution)
        return Recorded(confirm_distribution(actor=actor, distribution_id=pk, occurred_at=content.occurred_at))

    operation = idempotency.Operation(
        user=actor, client_temp_id=client_temp_id, type=DISTRIBUTION_CONFIRM, content=content
    )
    return operation.once(Distribution, confirm)


def _distribution_behind(actor: User, reference: int | str) -> int:
    """The id of a distribution that the actor may see. Raises DependencyRejected, UnknownReference."""
    pk: int | None
    if isinstance(reference, str):
        earlier = idempotency.find(actor, reference)
        if earlier is not None and earlier.refusal is not None:
            raise DependencyRejected(f'The operation "{reference}" was refused.', attr="distribution")
        pk = earlier.result_id if earlier is not None and earlier.type == DISTRIBUTION_CREATE else None
    else:
        pk = reference
    if pk is None or not Distribution.objects.visible_to(actor).filter(pk=pk).exists():
        raise UnknownReference(reference, attr="distribution")
    return pk


def _require(actor: User, capability: Capability) -> None:
    if not actor.can(capability):
        raise Denied


_KINDS: dict[str, tuple[type[serializers.Serializer[Any]], Callable[[Any], Readable]]] = {
    TRANSACTION_CREATE: (SaleIn, _sale),
    DISTRIBUTION_CREATE: (DistributionIn, _distribution),
    DISTRIBUTION_CONFIRM: (ConfirmIn, _confirmation),
}
TYPES = tuple(_KINDS)


def read_operation(type: str, data: dict[str, object], *, client_temp_id: object, occurred_at: object) -> Readable:
    """A known kind's operation. Raises DRF's ValidationError where its data is malformed."""
    serializer_class, readable = _KINDS[type]
    sent = {**data, "client_temp_id": client_temp_id, "occurred_at": occurred_at}
    serializer = serializer_class(data=sent)
    if serializer.is_valid():
        return readable(serializer)
    # What is wrong but for its unknown fields is malformed.
    lenient = serializer_class(data=sent, context={IGNORE_UNKNOWN: True})
    lenient.is_valid(raise_exception=True)
    return replace(readable(lenient), unknown=tuple(refusals_of(ValidationError(serializer.errors))))
