"""Taking a part of a sale back: a credit note of some lines of its invoice, in pieces or in money."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.transaction import on_commit

from accounts import locks as user_locks
from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from customers.models import Customer
from deposits.services import Cause, take_out
from discrepancies.services import require_another_person
from fleet.services import require_number_in_use
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied, lacking
from foundation.access.scoping import rows_within
from foundation.ahead import Ahead, ahead_of_locks
from foundation.commands import command
from foundation.errors import Denied, Invalid
from foundation.money import ZERO, to_cents
from foundation.observability.metrics import SALES
from foundation.operations.idempotency import idempotent
from inventory.models import LocationKind, StockMovement
from inventory.services import (
    Move,
    Place,
    customer_place,
    hold_stock,
    locations,
    look_at_stock,
    post_movements,
    vehicle_place,
)  # fmt: skip
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.selectors import why_held
from invoices.services import Billing, Page, issue_invoice
from invoices.snapshot import Correction, InvoiceSnapshot, Line
from payments.services import settle_credit
from sequences.services import take_numbers
from transactions.crediting import Credit, CreditedLine, CreditLine, plan_credit
from transactions.errors import AlreadyVoided, NoInvoice
from transactions.models import Transaction, TransactionItem
from transactions.planning import moves_of, usage_line
from transactions.pricing import Asked, SaleItem
from transactions.selectors import left_of
from transactions.services.sales import NUMBER_PREFIX


@dataclass(frozen=True, slots=True)
class NewCredit:
    """What is credited of an invoice, and why: the credit note prints it."""

    invoice: int
    reason: str
    lines: Sequence[CreditLine]
    credit_kind: str = Invoice.CreditKind.GENUINE
    """A tax error is put right in the GST period in which the invoice counted, not in this one."""


def credit_invoice(*, actor: User, data: NewCredit) -> Transaction:
    """Record a credit note of a part of an invoice: some of its pieces, or some of the money of its lines.

    It has the invoice's own GST rate, seller and depot, and never more than what is left of each line and of the whole.
    It settles the invoice as far as that is open; the rest is the customer's credit, and no money moves. The meter
    stays where it is. Pieces that come back move now, deposits that are credited leave their lots.

    Laid out first, as a sale's page is. Locks its number tickets, for which nobody waits, the customer, the invoice,
    the balances in primary-key order, the deposits, the payments. Raises Denied, NoInvoice, AlreadyVoided,
    ExceedsInvoice, NeedsAnotherPerson, DepositRefunded, VehicleInactive, InsufficientStock, StorageUnavailable; Invalid
    without a reason, or for lines that the invoice doesn't have.
    """
    return ahead_of_locks(
        partial(_lay_out, actor, data),
        lambda ahead: _record(actor=actor, data=data, ahead=ahead),
    )


def _lay_out(actor: User, data: NewCredit, held: ExitStack) -> Page:
    """The credit note of what may be credited as things are."""
    invoice = Invoice.objects.select_related("customer").get(pk=data.invoice)
    sale = _sale_of(actor, invoice, data.reason)
    credit = plan_credit(left_of(sale, invoice), data.lines)
    now = clock.now()
    moves = _moves_back(actor, sale, invoice.customer, credit, now)
    ends = [place.key for move in moves for place in (move.from_location, move.to_location)]
    look_at_stock(ends, [move.equipment.pk for move in moves], occurred_at=now, now=now).require(moves)
    billing = _billing(sale, invoice, invoice.customer, credit, data, now)
    return Page.lay_out(actor=actor, billing=billing, transaction_prefix=NUMBER_PREFIX, now=now, held=held)


@command
@idempotent
def _record(*, actor: User, data: NewCredit, ahead: Ahead[Page]) -> Transaction:
    """Lock, decide, write. See `credit_invoice`."""
    page = ahead()
    found = Invoice.objects.only("customer", "user").get(pk=data.invoice)
    user_locks.makers([found.user_id])
    # Whoever credits it too, voids it, or refunds its deposits, waits for the customer's lock.
    customer = customer_locks.customer(found.customer_id)
    invoice = invoice_locks.invoice(data.invoice)
    sale = _sale_of(actor, invoice, data.reason)
    if page is not None and not page.is_of_today():
        page = None
    now = page.now if page else clock.now()
    credit = plan_credit(left_of(sale, invoice), data.lines)
    hold = hold_stock(_moves_back(actor, sale, customer, credit, now), occurred_at=now, now=now)
    billing = _billing(sale, invoice, customer, credit, data, now)
    numbers = take_numbers(
        NUMBER_PREFIX, billing.number_prefix, day=clock.business_date(now), reserved=page.reserved if page else None
    )
    note = issue_invoice(
        actor=actor,
        depot_id=sale.depot_id,
        billing=billing,
        numbers=numbers,
        now=now,
        page=page,
        seller=sale.user,
        corrects=invoice,
        # Who never got the document isn't told of its end either.
        held_because=why_held(invoice),
    )
    usage_amount = sum((line.amount for line in credit.lines if line.line.item is None), ZERO)
    recorded: Transaction = Transaction.objects.create(
        transaction_number=numbers[0],
        invoice=note,
        corrects=sale,
        customer=customer,
        customer_name=sale.customer_name,
        user=sale.user,
        depot_id=sale.depot_id,
        vehicle_no=sale.vehicle_no,
        usage=ZERO,
        usage_amount=-usage_amount + ZERO,
        items_amount=-(credit.subtotal - usage_amount) + ZERO,
        total_amount=-credit.subtotal + ZERO,
        payment_type=sale.payment_type,
        payment_received=False,
        remarks=data.reason,
        occurred_at=now,
        created_at=now,
        date=clock.business_date(now),
    )
    TransactionItem.objects.bulk_create(
        _item(line.line.item, line, recorded) for line in credit.lines if line.line.item is not None
    )
    _take_deposits_out(sale, credit, Cause(recorded, note.invoice_number, now))
    post_movements(hold, actor=actor, cause=recorded, now=now, reason=data.reason)
    settle_credit(actor=actor, credited=invoice, note=note, now=now)
    require_another_person(
        Capability.CREDIT_INVOICE, actor=actor, makers=[sale.user_id], of=invoice, document=recorded, now=now
    )
    on_commit(SALES.labels("credit").inc)
    record(
        actor=actor,
        action="transactions.sale.credited",
        target=recorded,
        after={
            "of": invoice.invoice_number,
            "invoice_number": note.invoice_number,
            "lines": [
                f"line {line.asked.line}: {line.quantity or 'amount'} for {line.amount}"
                + (", back in stock" if line.quantity and line.asked.return_stock else "")
                for line in credit.lines
            ],
            "total_amount": note.total_amount,
            "left": credit.left,
            "pdf_sha256": note.pdf_sha256,
        },
        reason=data.reason,
    )
    return recorded


def _sale_of(actor: User, invoice: Invoice, reason: str) -> Transaction:
    """The sale of an invoice that may be credited."""
    sale: Transaction = Transaction.objects.select_related("user").get(invoice=invoice)
    if not Transaction.objects.filter(rows_within(actor, Capability.CREDIT_INVOICE), pk=sale.pk).exists():
        raise denied(actor, Capability.CREDIT_INVOICE)
    if not reason.strip():
        raise Invalid("A credit needs its reason.", attr="reason")
    if invoice.kind != Invoice.Kind.TAX_INVOICE or sale.reverses_id is not None:
        raise NoInvoice(f"{invoice.invoice_number} is no tax invoice of a sale.")
    if invoice.voided_on is not None:
        raise AlreadyVoided(f"Nothing is left of {invoice.invoice_number}.")
    return sale


def _moves_back(actor: User, sale: Transaction, customer: Customer, credit: Credit, now: datetime) -> list[Move]:
    """What the sale of these pieces had moved, the other way round; the last one first.

    Raises Denied for who may credit but not move goods, VehicleInactive where something would come back onto a vehicle
    that is inactive now.
    """
    returned = [
        (index, line.line.item, line.quantity)
        for index, line in enumerate(credit.lines)
        if line.line.item is not None and line.quantity and line.asked.return_stock
    ]
    if not returned:
        return []
    lines = [Asked(SaleItem(item.equipment_id, item.type, pieces), index) for index, item, pieces in returned]
    equipment = {item.equipment_id: item.equipment for _, item, _ in returned}
    ends = locations(vehicle_place(sale.vehicle_no), customer_place(customer), Place(LocationKind.OUTSIDE))
    moves = [
        Move(
            kind=StockMovement.Kind.REVERSAL,
            equipment=move.equipment,
            quantity=move.quantity,
            from_location=move.to_location,
            from_condition=move.to_condition,
            to_location=move.from_location,
            to_condition=move.from_condition,
            attr=(move.attr or "").replace("items", "lines"),
        )
        for move in reversed(moves_of(lines, equipment, *ends))
    ]
    if moves and not Transaction.objects.filter(rows_within(actor, Capability.RETURN_GOODS), pk=sale.pk).exists():
        raise Denied(lacking(actor, Capability.RETURN_GOODS), attr=f"lines.{returned[0][0]}.return_stock")
    if any(move.to_location.kind == LocationKind.VEHICLE for move in moves):
        require_number_in_use(sale.vehicle_no, now, attr="lines")
    return moves


def _billing(
    sale: Transaction, invoice: Invoice, customer: Customer, credit: Credit, data: NewCredit, now: datetime
) -> Billing:
    return Billing(
        customer=customer,
        lines=[_printed(sale, line) for line in credit.lines],
        meter=None,
        subtotal=-credit.subtotal + ZERO,
        taxable_amount=-credit.taxed.net + ZERO,
        gst_rate=invoice.gst_rate,
        gst=-credit.taxed.gst + ZERO,
        payment_received=False,
        set_off=min(credit.total, max(invoice.outstanding_amount, ZERO)),
        paid=ZERO,
        vehicle_no=sale.vehicle_no,
        remarks="",
        occurred_at=now,
        credit_kind=data.credit_kind,
        gst_on=invoice.gst_on if data.credit_kind == Invoice.CreditKind.TAX_ERROR else None,
        corrects=Correction(
            invoice_number=invoice.invoice_number, issued_on=invoice.date, reason=data.reason, left=credit.left
        ),
    )


def _printed(sale: Transaction, line: CreditedLine) -> Line:
    item = line.line.item
    if item is None:
        meter = InvoiceSnapshot.from_json(sale.invoice.snapshot).meter
        return usage_line(meter.meter_number if meter else sale.meter_number, -line.amount)
    return Line(
        description=item.equipment_name,
        sku=item.equipment.sku,
        type=item.type,
        condition=item.condition,
        quantity=-line.quantity,
        rate=to_cents(line.amount / line.quantity) if line.quantity else ZERO,
        amount=-line.amount + ZERO,
        taxable=item.taxable,
    )


def _item(item: TransactionItem, line: CreditedLine, recorded: Transaction) -> TransactionItem:
    return TransactionItem(
        transaction=recorded,
        corrects=item,
        equipment=item.equipment,
        equipment_name=item.equipment_name,
        type=item.type,
        condition=item.condition,
        reason=item.reason,
        quantity=-line.quantity,
        rate=item.rate,
        rate_source=item.rate_source,
        amount=-line.amount + ZERO,
        taxable=item.taxable,
    )


def _take_deposits_out(sale: Transaction, credit: Credit, cause: Cause) -> None:
    for line in credit.lines:
        item = line.line.item
        if item is not None and item.type == TransactionItem.Type.DEPOSIT:
            take_out(
                sale, sale.customer, item.equipment, pieces=line.quantity, amount=line.amount, cause=cause,
                what=f"line {line.asked.line} of {sale.invoice.invoice_number}",
            )  # fmt: skip
