"""What an app may push: each kind of operation, from its JSON to the command that carries it out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from drf_standardized_errors.formatter import flatten_errors
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.models import User
from accounts.services import TAKEN, NewTaking, take_vehicle
from audit.services import record
from distribution.models import Distribution
from distribution.serializers import DistributionIn
from distribution.services import OPERATION as DISTRIBUTION_CREATE
from distribution.services import confirm_distribution, create_distribution
from fleet.models import Assignment
from fleet.serializers import VehicleNoField
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.api.fields import IdField, MomentField, TextField
from foundation.api.inputs import IGNORE_UNKNOWN, Input, known_part
from foundation.commands import command
from foundation.errors import UnknownReference
from foundation.operations import idempotency
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval
from inventory.models import Count
from inventory.serializers import VehicleCountIn
from inventory.services import VEHICLE_COUNT, record_vehicle_count
from payments.models import CashCount, CashExpense, Payment
from payments.serializers import CashCountIn, ExpenseIn, PushedPaymentIn
from payments.services import CASH_COUNT, EXPENSE_CREATE, record_cash_count, record_expense, record_payment
from payments.services import OPERATION as PAYMENT_CREATE
from sync.errors import DependencyRejected
from sync.models import Device
from sync.selectors import DISTRIBUTION_CONFIRM, pulled_before
from transactions.models import Transaction
from transactions.planning import Seen
from transactions.serializers import PushedSaleIn, SaleIn
from transactions.services import OPERATION as TRANSACTION_CREATE
from transactions.services import create_customer_transaction_and_invoice

WITHDRAWN = "withdrawn"

Made = Transaction | Distribution | Assignment | Count | CashCount | CashExpense | Payment | Device
Run = Callable[[User, Approval | None, datetime | None], Made]
"""Carries an operation out: ``(actor, approval, when it happened)``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error, as the API tells it."""

    code: str
    detail: str
    attr: str | None = None
    value: str | None = None
    confirmable: bool = False

    @property
    def told(self) -> dict[str, object]:
        """Of a question with its value."""
        return {name: it for name, it in asdict(self).items() if name in _ALWAYS or it}


_ALWAYS = ("code", "detail", "attr")


def refusals_of(error: ValidationError) -> list[Refusal]:
    return [Refusal(each.code, each.detail, each.attr) for each in flatten_errors(error.detail)]


@dataclass(frozen=True, slots=True)
class Readable:
    """A well-formed operation. ``unknown`` are the refusals of fields that nobody knows; ``known`` is its data without
    them, and so is ``run``.
    """

    run: Run
    known: dict[str, Any]
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


class TakenIn(Input):
    vehicle = VehicleNoField(help_text="The number of the vehicle that the user drives from then on.")
    occurred_at = MomentField(required=False, allow_null=True, default=None)


class WithdrawnIn(Input):
    """It says nothing: what had its number never happened."""

    occurred_at = MomentField(required=False, allow_null=True, default=None)


def _sale(serializer: SaleIn) -> Run:
    sale = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.RECORD_SALE)
        data = replace(sale, occurred_at=occurred_at, seen=_seen(actor, sale.seen, occurred_at))
        return create_customer_transaction_and_invoice(actor=actor, data=data, approval=approval)

    return run


def _seen(actor: User, seen: Seen | None, occurred_at: datetime | None) -> Seen | None:
    """With the moment of the device's last pull before the sale."""
    operation = idempotency.current_operation()
    if seen is None or operation is None:
        return seen
    return replace(seen, pulled_at=pulled_before(actor, operation.device, occurred_at or clock.now()))


def _distribution(serializer: DistributionIn) -> Run:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.CHANGE_DISTRIBUTIONS)
        return create_distribution(actor=actor, data=replace(new, occurred_at=occurred_at), approval=approval)

    return run


def _confirmation(serializer: ConfirmIn) -> Run:
    distribution = serializer.validated_data["distribution"]

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.CHANGE_DISTRIBUTIONS)
        return _confirm(actor=actor, distribution=distribution, occurred_at=occurred_at, approval=approval)

    return run


def _taking(serializer: TakenIn) -> Run:
    vehicle = serializer.validated_data["vehicle"]

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.TAKE_VEHICLE)
        return take_vehicle(actor=actor, data=NewTaking(vehicle, occurred_at), approval=approval)

    return run


def _vehicle_count(serializer: VehicleCountIn) -> Run:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.SETTLE_DAY)
        return record_vehicle_count(actor=actor, data=replace(new, occurred_at=occurred_at), approval=approval)

    return run


def _cash_count(serializer: CashCountIn) -> Run:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.HAND_IN_CASH)
        return record_cash_count(actor=actor, data=replace(new, occurred_at=occurred_at), approval=approval)

    return run


def _expense(serializer: ExpenseIn) -> Run:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        return record_expense(actor=actor, data=replace(new, occurred_at=occurred_at), approval=approval)

    return run


def _payment(serializer: PushedPaymentIn) -> Run:
    new = serializer.command()

    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        _require(actor, Capability.RECORD_PAYMENT)
        data = replace(new, occurred_at=occurred_at, has_happened=True)
        return record_payment(actor=actor, data=data, approval=approval)

    return run


def _withdrawal(serializer: WithdrawnIn) -> Run:
    def run(actor: User, approval: Approval | None, occurred_at: datetime | None) -> Made:
        return _withdraw(actor=actor)

    return run


@command
@idempotent
def _withdraw(*, actor: User) -> Device:
    """Nothing happens, once: the device that says so is all that there is to answer."""
    operation = idempotency.current_operation()
    found: Device = Device.objects.get(user=actor, key=operation.device if operation else "")
    record(
        actor=actor,
        action="sync.operation.withdrawn",
        target=found,
        after={"number": operation.number if operation else None, "client_temp_id": client_temp_id()},
    )
    return found


@command
@idempotent
def _confirm(
    *, actor: User, distribution: int | str, occurred_at: datetime | None, approval: Approval | None
) -> Distribution:
    """Confirm a load, named by its id or its client's; without its own time it happens as `confirm_distribution` says.

    Locks as `confirm_distribution`, which also names the errors.
    """
    pk = _distribution_behind(actor, distribution)
    return confirm_distribution(actor=actor, distribution_id=pk, occurred_at=occurred_at, approval=approval)


def _distribution_behind(actor: User, reference: int | str) -> int:
    """The id of a distribution that the actor may see. Raises DependencyRejected, UnknownReference."""
    pk: int | None
    if isinstance(reference, str):
        earlier = idempotency.find(actor, reference)
        if earlier is not None and earlier.refusal is not None:
            refusal = DependencyRejected(f'The operation "{reference}" was refused.', attr="distribution")
            refusal.waits_for = earlier.key if earlier.conflict.waits_for else ""
            raise refusal
        pk = earlier.result_id if earlier is not None and earlier.type == DISTRIBUTION_CREATE else None
    else:
        pk = reference
    if pk is None or not Distribution.objects.visible_to(actor).filter(pk=pk).exists():
        raise UnknownReference(reference, attr="distribution")
    return pk


def _require(actor: User, capability: Capability) -> None:
    if not actor.can(capability):
        raise denied(actor, capability)


Kind = tuple[type[serializers.Serializer[Any]], Callable[[Any], Run]]
_OF_THE_FIRST: dict[str, Kind] = {
    TRANSACTION_CREATE: (SaleIn, _sale),
    DISTRIBUTION_CREATE: (DistributionIn, _distribution),
    DISTRIBUTION_CONFIRM: (ConfirmIn, _confirmation),
}
_KINDS: dict[int, dict[str, Kind]] = {
    1: _OF_THE_FIRST,
    2: {
        **_OF_THE_FIRST,
        TRANSACTION_CREATE: (PushedSaleIn, _sale),
        TAKEN: (TakenIn, _taking),
        VEHICLE_COUNT: (VehicleCountIn, _vehicle_count),
        CASH_COUNT: (CashCountIn, _cash_count),
        PAYMENT_CREATE: (PushedPaymentIn, _payment),
        EXPENSE_CREATE: (ExpenseIn, _expense),
        WITHDRAWN: (WithdrawnIn, _withdrawal),
    },
}
"""By the version of the protocol, which decides what there is."""
MAY_CONFIRM = {1: frozenset[str](), 2: frozenset({TRANSACTION_CREATE})}
"""The kinds of operations that may say what they confirm."""
TYPES = tuple(_KINDS[max(_KINDS)])


def types_of(protocol: int) -> tuple[str, ...]:
    return tuple(_KINDS[protocol])


def read_operation(type: str, sent: dict[str, Any], protocol: int) -> Readable:
    """A known kind's operation from its content. Raises DRF's ValidationError where that is malformed."""
    serializer_class, run = _KINDS[protocol][type]
    serializer = serializer_class(data=sent)
    if serializer.is_valid():
        return Readable(run(serializer), sent)
    # What is wrong but for its unknown fields is malformed.
    lenient = serializer_class(data=sent, context={IGNORE_UNKNOWN: True})
    lenient.is_valid(raise_exception=True)
    unknown = tuple(refusals_of(ValidationError(serializer.errors)))
    return Readable(run(lenient), known_part(lenient, sent), unknown)
