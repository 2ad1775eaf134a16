"""Replacing a gas meter without losing a unit of gas: the old one is billed to its end, the new one from its start."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from customers import locks as customer_locks
from customers.errors import CustomerInactive
from customers.services import exchange_meter
from customers.unlikely import meter_in_use
from foundation import clock, confirmations
from foundation.commands import command
from foundation.errors import UnknownReference
from foundation.limits import READING
from foundation.master_data import was_active
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import require_recent
from transactions.errors import MeterMovedOn, MeterReadingDecreased, NoMeter
from transactions.models import MeterReplacement, Transaction
from transactions.planning import NewSale
from transactions.services.sales import create_customer_transaction_and_invoice


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A replacement, as asked for. ``occurred_at`` None: now."""

    customer: int
    final_reading: Decimal
    new_meter_number: str
    first_reading: Decimal
    reason: str = ""
    occurred_at: datetime | None = None


@command
@idempotent
def replace_meter(*, actor: User, data: NewMeter) -> MeterReplacement:
    """Bill the old meter's last usage, and go on from the new meter's first reading.

    The usage, if there is any, is billed by a sale of its own in the same commit. Idempotent by (actor,
    client_temp_id). Locks as a sale does. Raises what a sale raises, above all NoMeter and MeterReadingDecreased,
    and MeterMovedOn for a replacement that happened before the last one; Unconfirmed with the sale's
    questions and its own.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now)
    customer = customer_locks.visible_customer(actor, data.customer)
    if customer is None:
        raise UnknownReference(data.customer, attr="customer")
    if not was_active(customer, occurred_at):
        raise CustomerInactive(customer.name)
    if not customer.has_meter:
        raise NoMeter(f"{customer.name} has no gas meter.")
    if customer.meter_replaced_at and occurred_at < customer.meter_replaced_at:
        raise MeterMovedOn("The meter was replaced after that already.", attr="occurred_at")
    READING.require(data.final_reading, attr="final_reading")
    READING.require(data.first_reading, attr="first_reading")
    last = customer.last_meter_reading
    if last is not None and data.final_reading < last:
        raise MeterReadingDecreased(
            f"The last reading was {last}; {data.final_reading} is below it.", attr="final_reading"
        )
    final_sale = None
    questions = [*meter_in_use(data.new_meter_number, but=None, attr="new_meter_number")]
    if last is not None and data.final_reading > last:
        with confirmations.asked_with(questions, renamed={"current_meter": "final_reading"}):
            final_sale = create_customer_transaction_and_invoice(
                actor=actor,
                data=NewSale(
                    customer=customer.pk,
                    current_meter=data.final_reading,
                    remarks=f"Final reading of meter {customer.meter_number}, replaced by {data.new_meter_number}.",
                    occurred_at=data.occurred_at,
                ),
            )
        customer.refresh_from_db()
    answers = confirmations.require(questions)
    readings = Transaction.objects.filter(customer=customer).with_readings()
    replacement: MeterReplacement = MeterReplacement.objects.create(
        customer=customer,
        old_meter_number=customer.meter_number,
        final_reading=data.final_reading,
        new_meter_number=data.new_meter_number,
        first_reading=data.first_reading,
        final_sale=final_sale,
        follows=readings.order_by("-pk").first(),
        reason=data.reason,
        user=actor,
        depot_id=depot_at(actor, occurred_at),
        client_temp_id=client_temp_id(),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    before = {"meter_number": customer.meter_number, "last_meter_reading": customer.last_meter_reading}
    exchange_meter(customer, number=data.new_meter_number, first_reading=data.first_reading, at=occurred_at)
    record(
        actor=actor,
        action="transactions.meter.replaced",
        target=customer,
        before=before,
        after={
            "meter_number": customer.meter_number,
            "last_meter_reading": customer.last_meter_reading,
            "final_reading": data.final_reading,
            "transaction_number": final_sale.transaction_number if final_sale else None,
        },
        reason=data.reason,
        answers=answers,
    )
    return replacement
