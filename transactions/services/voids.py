"""Taking a sale back: nothing is edited, a reversal with its own document is recorded beside it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import models
from django.db.transaction import on_commit

from accounts import locks as user_locks
from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from customers.models import Customer
from customers.services import move_meter
from deposits import locks as deposit_locks
from deposits.services import Cause, Charge, charge_deposits, require_not_refunded, take_back, take_from_balances
from discrepancies.services import require_another_person
from fleet.services import require_number_in_use
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.ahead import Ahead, ahead_of_locks
from foundation.commands import command
from foundation.entities import entity_name
from foundation.errors import Invalid
from foundation.money import ZERO
from foundation.observability.metrics import SALES
from foundation.operations.idempotency import idempotent
from inventory.models import LocationKind, StockMovement
from inventory.services import Move, hold_stock, look_at_stock, post_movements
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.selectors import why_held
from invoices.services import Billing, Page, issue_invoice
from invoices.snapshot import Correction, InvoiceSnapshot, MeterUsage
from payments import locks as payment_locks
from payments.selectors import paid_out_of
from payments.services import settle_void
from sequences.services import take_numbers
from transactions.errors import AlreadyCredited, AlreadyVoided, MeterMovedOn
from transactions.models import MeterReplacement, Transaction, TransactionItem
from transactions.planning import usage_line
from transactions.services.sales import NUMBER_PREFIX


class Goods(models.TextChoices):
    """What became of the goods of a sale that is voided."""

    NEVER_LEFT = "never_left", "They never left the vehicle"
    CAME_BACK = "came_back", "They come back"
    GONE = "gone", "They are gone for good"


@dataclass(frozen=True, slots=True)
class NewVoid:
    """A sale to be voided, why, and what became of its goods.

    ``keep_meter``: its reading stands, for the meter has moved on since; only the money of the usage is reversed.
    ``credit_kind``: a tax error is put right in the GST period in which the sale counted, not in this one.
    ``billed_again``: the number of the invoice that takes its place.
    """

    transaction: int
    reason: str
    goods: str = Goods.CAME_BACK
    keep_meter: bool = False
    credit_kind: str = Invoice.CreditKind.GENUINE
    billed_again: str = ""


def void_transaction(*, actor: User, data: NewVoid) -> Transaction:
    """Record the reversal of a sale: its lines negated, its stock and meter brought back, and a credit note.

    The reversal is of its seller and depot, like the sale, so that every sum over sales is right as it stands; who
    voided is in the audit log. ``goods`` that never left are taken back at the sale's own moment, so that counts since
    then explain it; those that come back move now; those that are gone stay where they are. No money moves: what was
    paid becomes the customer's credit, and is paid back by a command of its own.

    The credit note is laid out first, as a sale's page is. Locks its number tickets, for which nobody waits, the seller
    (shared), the customer, the invoice, the balances in primary-key order, the deposits, the payments. Raises Denied,
    NeedsAnotherPerson, AlreadyVoided, DepositRefunded, MeterMovedOn, VehicleInactive, InsufficientStock, Invalid
    without a reason, StorageUnavailable.
    """
    return ahead_of_locks(
        partial(_lay_out, actor, data),
        lambda ahead: _record(actor=actor, data=data, ahead=ahead),
    )


def _lay_out(actor: User, data: NewVoid, held: ExitStack) -> Page:
    """The credit note of a sale that may be voided as things are."""
    sale = Transaction.objects.select_related("customer", "invoice", "user").get(pk=data.transaction)
    _require_voidable(actor, sale, data.reason)
    now = clock.now()
    moves = _moves_back(sale, data.goods, now)
    ends = [place.key for move in moves for place in (move.from_location, move.to_location)]
    look_at_stock(ends, [move.equipment.pk for move in moves], occurred_at=now, now=now).require(moves)
    billing = _billing(sale, sale.invoice, sale.customer, data, now)
    return Page.lay_out(actor=actor, billing=billing, transaction_prefix=NUMBER_PREFIX, now=now, held=held)


@command
@idempotent
def _record(*, actor: User, data: NewVoid, ahead: Ahead[Page]) -> Transaction:
    """Lock, decide, write. See `void_transaction`."""
    page = ahead()
    sale = Transaction.objects.get(pk=data.transaction)
    user_locks.makers([sale.user_id])
    customer = customer_locks.customer(sale.customer_id)
    # Whoever voids it too, or refunds its deposits, waits for the customer's lock.
    _require_voidable(actor, sale, data.reason)
    voided = invoice_locks.invoice(sale.invoice_id)
    moves_meter = moved_meter(sale) and not data.keep_meter
    if moves_meter and not has_latest_reading(sale, customer):
        raise MeterMovedOn(f"{customer.name}'s meter has moved on since {sale.transaction_number}.")
    if page is not None and not page.is_of_today():
        page = None
    now = page.now if page else clock.now()
    hold = hold_stock(_moves_back(sale, data.goods, now), occurred_at=now, now=now)
    deposit_locks.lots_changed_by(sale)
    payment_locks.payments_of(voided.pk)
    billing = _billing(sale, voided, customer, data, now)
    numbers = take_numbers(
        NUMBER_PREFIX, billing.number_prefix, day=clock.business_date(now), reserved=page.reserved if page else None
    )
    document = issue_invoice(
        actor=actor,
        depot_id=sale.depot_id,
        billing=billing,
        numbers=numbers,
        now=now,
        page=page,
        seller=sale.user,
        corrects=voided,
        # Who never got the document isn't told of its end either.
        held_because=why_held(voided),
    )
    reversal: Transaction = Transaction.objects.create(
        transaction_number=numbers[0],
        invoice=document,
        reverses=sale,
        customer=customer,
        customer_name=sale.customer_name,
        user=sale.user,
        depot_id=sale.depot_id,
        vehicle_no=sale.vehicle_no,
        meter_number=sale.meter_number if moves_meter else "",
        last_meter_reading=sale.current_meter_reading if moves_meter else None,
        current_meter_reading=sale.last_meter_reading if moves_meter else None,
        meter_rate=sale.meter_rate if moves_meter else None,
        usage=-sale.usage + ZERO if moves_meter else ZERO,
        usage_amount=-sale.usage_amount + ZERO,
        items_amount=-sale.items_amount + ZERO,
        total_amount=-sale.total_amount + ZERO,
        payment_type=sale.payment_type,
        payment_received=False,
        remarks=data.reason,
        occurred_at=now,
        created_at=now,
        date=clock.business_date(now),
    )
    items = [_negated(item, reversal) for item in sale.items.select_related("equipment")]
    TransactionItem.objects.bulk_create(items)
    _undo_deposits(sale, reversal, customer, items, document)
    post_movements(hold, actor=actor, cause=reversal, now=now, reason=data.reason)
    if moves_meter:
        move_meter(customer, sale.last_meter_reading)
    settle_void(actor=actor, voided=voided, voiding=document, now=now)
    document.refresh_from_db(fields=[*Invoice.life_cycle])
    require_another_person(
        Capability.VOID_SALE, actor=actor, makers=[sale.user_id], of=sale, document=reversal, now=now
    )
    on_commit(SALES.labels("void").inc)
    record(
        actor=actor,
        action="transactions.sale.voided",
        target=sale,
        before={"status": Transaction.Status.COMPLETED},
        after={
            "status": Transaction.Status.VOIDED,
            "reversal": numbers[0],
            "invoice_number": document.invoice_number,
            "total_amount": document.total_amount,
            "goods": data.goods,
            "pdf_sha256": document.pdf_sha256,
            **({"last_meter_reading": sale.last_meter_reading} if moves_meter else {}),
        },
        reason=data.reason,
    )
    return reversal


def _require_voidable(actor: User, sale: Transaction, reason: str) -> None:
    if not Transaction.objects.filter(rows_within(actor, Capability.VOID_SALE), pk=sale.pk).exists():
        raise denied(actor, Capability.VOID_SALE)
    if not reason.strip():
        raise Invalid("A void needs its reason.", attr="reason")
    if sale.reverses_id is not None or sale.corrects_id is not None:
        raise AlreadyVoided(f"{sale.transaction_number} is a reversal itself.")
    left = Invoice.objects.only("credited_amount", "voided_on").get(pk=sale.invoice_id)
    if left.voided_on is not None:
        raise AlreadyVoided(f"{sale.transaction_number} is voided already.")
    if left.credited_amount:
        raise AlreadyCredited(f"{sale.transaction_number} is credited in part: please credit the rest.")
    require_not_refunded(sale, what=sale.transaction_number)


def _undo_deposits(
    sale: Transaction, reversal: Transaction, customer: Customer, items: Sequence[TransactionItem], document: Invoice
) -> None:
    """Lots and loan are as they were before the sale.

    Of what an earlier release recorded, the lots may not be known: what it refunded is a new lot, what it charged comes
    out of the balance that it is part of.
    """
    cause = Cause(reversal, document.invoice_number, reversal.created_at)
    if take_back(sale, cause=cause):
        return
    kind = TransactionItem.Type
    back = [
        Charge(item.equipment, -item.quantity, item.amount)
        for item in items
        if item.type == kind.RETURN and item.amount
    ]
    charge_deposits(customer, back, cause=cause, occurred_at=sale.occurred_at)
    charged = [Charge(item.equipment, -item.quantity, -item.amount) for item in items if item.type == kind.DEPOSIT]
    take_from_balances(customer, charged, cause=cause, what=sale.transaction_number)


def moved_meter(sale: Transaction) -> bool:
    return sale.current_meter_reading is not None and sale.current_meter_reading != sale.last_meter_reading


def has_latest_reading(sale: Transaction, customer: Customer) -> bool:
    """Is the meter where this sale has left it? Only from there can it go back."""
    later = Transaction.objects.filter(
        customer=customer,
        pk__gt=sale.pk,
        current_meter_reading__isnull=False,
        reverses__isnull=True,
        reversal__isnull=True,
    )
    replaced = MeterReplacement.objects.filter(customer=customer, follows__gte=sale.pk)
    is_there = customer.last_meter_reading == sale.current_meter_reading
    return is_there and not (later.exists() or replaced.exists())


def _moves_back(sale: Transaction, goods: str, now: datetime) -> list[Move]:
    """Each movement of the sale, and nothing that compensated for it, the other way round; the last one first.

    Raises VehicleInactive where something would come back onto a vehicle that is inactive now.
    """
    if goods == Goods.GONE:
        return []
    movements = StockMovement.objects.filter(cause_type=entity_name(sale), cause_id=sale.pk, count__isnull=True)
    ends = ("from_location__depot", "from_location__customer", "to_location__depot", "to_location__customer")
    moves = [
        Move(
            kind=StockMovement.Kind.REVERSAL,
            equipment=movement.equipment,
            quantity=movement.quantity,
            from_location=movement.to_location,
            from_condition=movement.to_condition,
            to_location=movement.from_location,
            to_condition=movement.from_condition,
            attr="goods",
            position=movement.position if goods == Goods.NEVER_LEFT else None,
            reverses=movement,
        )
        for movement in movements.select_related("equipment", *ends).order_by("-pk")
    ]
    if goods == Goods.CAME_BACK and any(move.to_location.kind == LocationKind.VEHICLE for move in moves):
        require_number_in_use(sale.vehicle_no, now, attr="goods")
    return moves


def _billing(sale: Transaction, voided: Invoice, customer: Customer, data: NewVoid, now: datetime) -> Billing:
    """What the voided document says, negated, at its own GST rate."""
    said = InvoiceSnapshot.from_json(voided.snapshot)
    meter = said.meter if said.meter and said.meter.usage else None
    lines = [replace(line, quantity=-line.quantity, amount=-line.amount + ZERO) for line in said.lines]
    # Of usage that was billed again the readings are another sale's.
    if meter and (data.keep_meter or not moved_meter(sale)):
        lines, meter = [*lines, usage_line(meter.meter_number, -meter.amount)], None
    return Billing(
        customer=customer,
        lines=lines,
        meter=meter
        and MeterUsage(
            meter_number=meter.meter_number,
            last_reading=meter.current_reading,
            current_reading=meter.last_reading,
            usage=-meter.usage,
            rate=meter.rate,
            amount=-meter.amount,
        ),
        subtotal=-voided.subtotal + ZERO,
        taxable_amount=-voided.taxable_amount + ZERO,
        gst_rate=voided.gst_rate,
        payment_received=False,
        # What a refund paid out doesn't come back with its void: that is owed. What was paid becomes credit.
        set_off=_canceled(voided),
        paid=ZERO,
        vehicle_no=sale.vehicle_no,
        remarks="",
        occurred_at=now,
        credit_kind=data.credit_kind,
        gst_on=voided.gst_on if data.credit_kind == Invoice.CreditKind.TAX_ERROR else None,
        corrects=Correction(
            invoice_number=voided.invoice_number,
            issued_on=voided.date,
            reason=data.reason,
            billed_again=data.billed_again,
        ),
    )


def _canceled(voided: Invoice) -> Decimal:
    """How much of a voided document nobody has paid, so that it and what voids it cancel each other."""
    if voided.total_amount < 0:
        return -voided.total_amount - paid_out_of(voided)
    return voided.outstanding_amount


def _negated(item: TransactionItem, reversal: Transaction) -> TransactionItem:
    return TransactionItem(
        transaction=reversal,
        equipment=item.equipment,
        equipment_name=item.equipment_name,
        type=item.type,
        condition=item.condition,
        reason=item.reason,
        quantity=-item.quantity,
        rate=item.rate,
        rate_source=item.rate_source,
        amount=-item.amount + ZERO,
        taxable=item.taxable,
    )
