"""Changes of customers and of what they pay."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from audit.services import create_recorded, record, update_recorded
from customers import locks
from customers.errors import VersionConflict
from customers.models import Customer, CustomerRate, MeterRate
from customers.selectors import contract_on
from customers.services.meter_rates import begin_meter_rate
from customers.unlikely import unlikely_contract, unlikely_customer
from equipment.errors import EquipmentInactive
from equipment.models import Equipment
from foundation import clock, confirmations
from foundation.changes import announce
from foundation.commands import command
from foundation.confirmations import Answer
from foundation.dated import require_day
from foundation.errors import Duplicate, Invalid, UnknownReference
from foundation.limits import RATE, READING, TERM_DAYS, require_each
from foundation.master_data import with_moment
from foundation.operations.idempotency import idempotent
from sequences.services import take_numbers

CODE_PREFIX = "CUS"
_LIMITS = {"meter_rate": RATE, "last_meter_reading": READING, "payment_terms_days": TERM_DAYS}


@command
@idempotent
def create_customer(*, actor: User, values: Mapping[str, object]) -> Customer:
    """Add a customer; without a ``customer_code`` the next of the day's sequence is given out.

    Locks a number ticket then. Raises Duplicate, AmountOutOfRange, Unconfirmed.
    """
    require_each(values, _LIMITS)
    answers = confirmations.require(unlikely_customer(values))
    code = values.get("customer_code") or take_numbers(CODE_PREFIX, day=clock.business_date(clock.now()))[0]
    customer = Customer(**{**values, "customer_code": code, "version": 1})
    create_recorded(actor=actor, action="customers.customer.created", new=customer, answers=answers)
    if customer.meter_rate is not None:
        MeterRate.objects.create(customer=customer, meter_rate=customer.meter_rate, created_by=actor)
    return customer


@command
@idempotent
def update_customer(*, actor: User, pk: int, changes: Mapping[str, object]) -> Customer:
    """Change what may be changed: never the meter's reading, which sales alone move.

    Locks the customer. ``changes["version"]``, where sent, must be the current one: raises VersionConflict. Raises
    AmountOutOfRange, Unconfirmed.
    """
    require_each(changes, _LIMITS)
    customer = locks.customer(pk)
    expected = changes.get("version", customer.version)
    if expected != customer.version:
        raise VersionConflict(
            f"This customer was changed meanwhile: version {customer.version}, not {expected}. Please read it again.",
            attr="version",
        )
    answers = confirmations.require(unlikely_customer(changes, customer))
    _change(actor, customer, "customers.customer.updated", changes, answers)
    return customer


@command
@idempotent
def deactivate_customer(*, actor: User, pk: int) -> Customer:
    """No sale any more, but of what happened before; what they hold can always come back. Locks the customer.

    `foundation.remains.remaining` tells what is still out.
    """
    customer = locks.customer(pk)
    _change(actor, customer, "customers.customer.deactivated", {"is_active": False})
    return customer


@command
@idempotent
def set_contract_rate(
    *, actor: User, customer_id: int, equipment_id: int, rate: Decimal | None, valid_from: date, reason: str = ""
) -> CustomerRate:
    """Agree on a price from a Singapore date on; None ends the contract. Earlier rates stay, for what was sold by them.

    One of the same date is superseded, for a ``reason``. Also of inactive equipment: what was sold of it may come late.
    Locks the customer. Raises UnknownReference, EquipmentInactive, AmountOutOfRange, Duplicate where it says what
    counts from that date already, Invalid for a date mistyped by decades, where nothing is there to end or the reason
    is missing, Unconfirmed.
    """
    if rate is not None:
        RATE.require(rate, attr="rate")
    require_day(valid_from)
    customer = locks.customer(customer_id)
    equipment = Equipment.objects.visible_to(actor).filter(pk=equipment_id).first()
    if equipment is None:
        raise UnknownReference(equipment_id, attr="equipment")
    before = contract_on(customer, equipment, valid_from)
    superseded = before if before and before.valid_from == valid_from else None
    if superseded and superseded.rate == rate:
        raise Duplicate(f"This counts from that date already: {superseded}.", attr="valid_from")
    if rate is None and (before is None or before.rate is None):
        raise Invalid(f"{equipment.sku} has no contract rate on that date: nothing ends.", attr="rate")
    if superseded and not reason:
        raise Invalid(f"Please say why: it supersedes the {superseded}.", attr="reason")
    if not (equipment.is_active or superseded or rate is None):
        raise EquipmentInactive(equipment.sku, attr="equipment")
    answers = confirmations.require(unlikely_contract(customer, equipment, rate, valid_from))
    new = CustomerRate.objects.create(
        customer=customer, equipment=equipment, rate=rate, valid_from=valid_from, reason=reason, created_by=actor
    )
    record(
        actor=actor,
        action="customers.rate.set",
        target=new,
        before={"rate": superseded.rate} if superseded else None,
        after={"customer": customer.customer_code, "equipment": equipment.sku, "rate": rate, "valid_from": valid_from},
        reason=reason,
        answers=answers,
    )
    announce(customer)
    return new


def _change(
    actor: User, customer: Customer, action: str, changes: Mapping[str, Any], answers: Sequence[Answer] = ()
) -> None:
    wanted = {name: value for name, value in changes.items() if name not in ("version", "last_meter_reading")}
    if all(getattr(customer, name) == value for name, value in wanted.items()):
        return
    now = clock.now()
    wanted = with_moment(customer, wanted) | {"version": customer.version + 1, "updated_at": now}
    if "meter_rate" in wanted and wanted["meter_rate"] != customer.meter_rate:
        begin_meter_rate(actor, customer, wanted["meter_rate"], now)
    update_recorded(actor=actor, action=action, target=customer, changes=wanted, answers=answers)
