"""What a unit of a customer's meter costs, from when on."""

from datetime import date, datetime
from decimal import Decimal

from accounts.models import User
from audit.services import record, update_recorded
from customers import locks
from customers.models import Customer, MeterRate
from customers.selectors import meter_rate_at
from equipment.errors import PriceUnchanged
from equipment.unlikely import unlikely_from_date
from foundation import clock, confirmations
from foundation.changes import announce
from foundation.commands import command
from foundation.dated import in_force, in_force_before, in_force_on, require_day, require_reason
from foundation.limits import RATE
from foundation.operations.idempotency import idempotent


@command
@idempotent
def set_meter_rate(
    *, actor: User, customer_id: int, meter_rate: Decimal | None, valid_from: date, reason: str = ""
) -> MeterRate:
    """Let a meter's rate count from a Singapore date on, a past or a future one, too, until the next one's date.

    One of the same date is superseded, and stays. What was recorded stays as it is. Locks the customer. Raises
    AmountOutOfRange, Invalid without a reason where one is needed or for a date long ago, PriceUnchanged, Unconfirmed.
    """
    if meter_rate is not None:
        RATE.require(meter_rate, attr="meter_rate")
    require_day(valid_from)
    customer, now = locks.customer(customer_id), clock.now()
    today = clock.business_date(now)
    rows = list(MeterRate.objects.filter(customer=customer))
    if {row and row.meter_rate for row in in_force_on(rows, valid_from)} == {meter_rate}:
        said = "No meter" if meter_rate is None else f"{meter_rate:f}"
        raise PriceUnchanged(f"{said} counts on {valid_from.isoformat()} already.", attr="meter_rate")
    require_reason(rows, valid_from, reason, today=today)
    before = in_force_before(rows, valid_from)
    questions = unlikely_from_date(meter_rate, before and before.meter_rate, valid_from, today=today, attr="meter_rate")
    answers = confirmations.require(questions)
    new = MeterRate.objects.create(
        customer=customer,
        meter_rate=meter_rate,
        valid_from=clock.start_of(valid_from),
        reason=reason,
        created_by=actor,
        created_at=now,
    )
    if in_force([*rows, new], now) == new and customer.meter_rate != meter_rate:
        customer.meter_rate, customer.version, customer.updated_at = meter_rate, customer.version + 1, now
        customer.save(update_fields=["meter_rate", "version", "updated_at"])
        announce(customer)
    record(
        actor=actor,
        action="customers.meter_rate.set",
        target=new,
        after={"customer": customer.customer_code, "meter_rate": meter_rate, "valid_from": valid_from},
        reason=reason,
        answers=answers,
    )
    return new


@command
def take_over_meter_rate(*, customer_id: int) -> bool:
    """Let the customer say what counts now, once a rate's date has come, and apps hear of it.

    Locks the customer. Answers whether anything changed.
    """
    customer, now = locks.customer(customer_id), clock.now()
    meter_rate = meter_rate_at(customer, now)
    if meter_rate == customer.meter_rate:
        return False
    changes = {"meter_rate": meter_rate, "version": customer.version + 1, "updated_at": now}
    return update_recorded(actor=None, action="customers.meter_rate.begun", target=customer, changes=changes)


def begin_meter_rate(actor: User, customer: Customer, meter_rate: Decimal | None, now: datetime) -> None:
    """Let it count from now on; a first one ever since, for a reading that arrives later.

    In the caller's transaction, which holds the customer's lock.
    """
    rows = list(MeterRate.objects.filter(customer=customer))
    present = in_force(rows, now)
    if present is None or present.meter_rate != meter_rate:
        MeterRate.objects.create(
            customer=customer,
            meter_rate=meter_rate,
            valid_from=None if present is None else now,
            created_by=actor,
            created_at=now,
        )
