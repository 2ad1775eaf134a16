"""What an invoice's PDF says: one pure function from the frozen snapshot to bytes (`invoices.pdf` renders it).

Dates and figures are written here and not by the locale.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.template import Context

from invoices.pdf.page import template
from invoices.pdf.qr import QrCode
from invoices.pdf.renderer import render_document
from invoices.snapshot import InvoiceSnapshot, Line, MeterUsage, PaidBy, Party
from invoices.words import (
    INVOICE,
    SINGAPORE,
    TAX_INVOICE,
    charges_gst,
    day_text,
    decimals,
    dotted,
    moment_text,
    money,
    party,
    plain,
    title_of,
)

_ROWS_KEPT_TOGETHER = 8
_ROWS_KEPT_WITH_TOTALS = 2


def render_invoice(snapshot: InvoiceSnapshot) -> bytes:
    """The PDF of a tax invoice or a credit note, A4, on as many pages as it takes."""
    return render_document(
        _TEMPLATE.render(Context(_context(snapshot))),
        "invoice.css",
        title=f"{title_of(snapshot)} {snapshot.number}",
        author=snapshot.supplier.name,
        at=snapshot.issued_at.astimezone(SINGAPORE),
        images={"invoice:paynow": QrCode(snapshot.paynow)} if snapshot.paynow else None,
        is_long=_looks_long(snapshot),
    )


def warm_up() -> None:
    """Load fonts and style sheets, and whatever else only the first page of a process would wait for."""
    zero, now = Decimal("0.00"), datetime(2026, 1, 20, tzinfo=UTC)
    render_invoice(
        InvoiceSnapshot(
            kind="TAX_INVOICE",
            number="INV-0",
            transaction_number="TRX-0",
            issued_at=now,
            occurred_at=now,
            due_on=now.date(),
            supplier=Party(name="0", address="1", gst_registration_no="2", uen="3"),
            customer=Party(name="0", address="1"),
            customer_code="0",
            lines=(Line("0", "1", "SALE", "", 1, zero, zero, True),),
            meter=MeterUsage("0", zero, zero, zero, zero, zero),
            subtotal=zero,
            taxable_amount=zero,
            gst_rate=zero,
            gst_amount=zero,
            total_amount=zero,
            payment_type="CASH",
            payment_terms_days=0,
            payment_received=False,
            served_by="0",
            vehicle_no="1",
            remarks="2",
            paynow="3",
        )
    )


def _looks_long(invoice: InvoiceSnapshot) -> bool:
    """A guess whether one page won't do."""
    return len(invoice.lines) > 20 or len(invoice.remarks) > 3000


# --- What the document says ---------------------------------------------------------------------


def _context(invoice: InvoiceSnapshot) -> dict[str, object]:
    """The template's words and figures, all of them strings, so that no locale has a say in their form."""
    is_credit = invoice.kind == "CREDIT_NOTE"
    is_collection = invoice.kind == "COLLECTION_NOTE"
    # In the books a credit note's amounts are negative; on paper its title says so already.
    sign = -1 if is_credit else 1
    is_taxed = charges_gst(invoice)
    rows = [_line(line, sign, is_taxed=is_taxed) for line in invoice.lines]
    if invoice.meter:
        rows.append(_meter_row(invoice.meter, sign))
    split = len(rows) - _ROWS_KEPT_WITH_TOTALS if len(rows) > _ROWS_KEPT_TOGETHER else 0
    facts = _facts(invoice, is_credit=is_credit)
    return {
        "title": title_of(invoice),
        "number": invoice.number,
        "supplier": party(invoice.supplier),
        "customer_label": "Credit to" if is_credit else "Collected from" if is_collection else "Bill to",
        "customer": party(invoice.customer, f"Customer {invoice.customer_code}"),
        "facts": facts,
        "fact_count": str(len(facts)),
        "notes": "\n".join(_notes(invoice)),
        "row_groups": [rows[:split], rows[split:]] if split else [rows],
        "sum_labels": ""
        if is_collection or not is_taxed
        else f"Total before GST\nGST {plain(invoice.gst_rate)}% on {money(sign * invoice.taxable_amount)}",
        "sums": f"{money(sign * invoice.subtotal)}\n{money(sign * invoice.gst_amount)}",
        "total_label": _TOTALS[invoice.kind] if is_taxed else _TOTALS[invoice.kind].removesuffix(" with GST"),
        "total": money(sign * invoice.total_amount),
        "remarks": invoice.remarks.strip(),
        "paynow": invoice.paynow
        and f"Scan with your bank's app: amount and reference are filled in.\n"
        f"UEN {invoice.supplier.uen} \N{MIDDLE DOT} S$ {money(_left(invoice))} \N{MIDDLE DOT} {invoice.number}",
    }


_REVERSED = {"TAX_INVOICE": "credit note", "CREDIT_NOTE": "", "COLLECTION_NOTE": "collection note"}
_TOTALS = {
    "TAX_INVOICE": "Total payable with GST",
    "CREDIT_NOTE": "Total credited with GST",
    "COLLECTION_NOTE": "Neither charged nor refunded",
}
_HAPPENED = {"TAX_INVOICE": "Delivered", "CREDIT_NOTE": "Recorded", "COLLECTION_NOTE": "Collected"}


def _notes(invoice: InvoiceSnapshot) -> Iterator[str]:
    bill = TAX_INVOICE if charges_gst(invoice) else INVOICE
    billed = bill.lower()
    if invoice.corrects:
        verb = "reverses" if invoice.corrects.left is None else "credits a part of"
        reversed_one = f"{_REVERSED[invoice.kind] or billed} {invoice.corrects.invoice_number}"
        yield (f"This {title_of(invoice).lower()} {verb} {reversed_one} of {day_text(invoice.corrects.issued_on)}.")
        if invoice.corrects.left is not None:
            gst = " with GST" if charges_gst(invoice) else ""
            yield f"S$ {money(invoice.corrects.left)}{gst} is left of it."
        yield f"Reason: {invoice.corrects.reason}"
        if invoice.corrects.billed_again:
            yield f"{bill} {invoice.corrects.billed_again} takes its place."
    if invoice.replaces:
        was = invoice.replaces
        yield (
            f"This {billed} takes the place of {billed} {was.invoice_number} of {day_text(was.issued_on)}, which "
            f"credit note {was.credit_note} reverses."
        )
        yield f"Reason: {was.reason}"
        if invoice.set_off:
            yield f"What had been paid or set off of that counts for this one: S$ {money(invoice.set_off)}."
    if invoice.set_off_against:
        yield f"Set off against {', '.join(invoice.set_off_against)}."


def _facts(invoice: InvoiceSnapshot, *, is_credit: bool) -> list[tuple[str, str]]:
    """Labels, each with its value. A due date has what is still to be paid."""
    facts = [
        ("Date", day_text(invoice.issued_at.astimezone(SINGAPORE))),
        ("Transaction", invoice.transaction_number),
        (_HAPPENED[invoice.kind], moment_text(invoice.occurred_at)),
    ]
    if invoice.kind == "COLLECTION_NOTE":
        return [*facts, *_served(invoice)]
    facts += (
        _settling(invoice, is_credit=is_credit)
        if invoice.paid is not None
        else _settled_before(invoice, is_credit=is_credit)
    )
    is_open = _left(invoice) and not (invoice.paid is None and invoice.payment_received)
    if is_open and invoice.payment_type == "CREDIT" and not is_credit:
        facts.append(("Due date", day_text(invoice.due_on)))
    return [*facts, *_served(invoice)]


def _served(invoice: InvoiceSnapshot) -> Iterator[tuple[str, str]]:
    if server := dotted(invoice.served_by, invoice.vehicle_no):
        yield "Served by", server


def _left(invoice: InvoiceSnapshot) -> Decimal:
    return abs(invoice.total_amount) - invoice.set_off - (invoice.paid or 0)


def _settling(invoice: InvoiceSnapshot, *, is_credit: bool) -> Iterator[tuple[str, str]]:
    """What is set off, what changed hands, and what becomes of the rest."""
    paid, left = invoice.paid or Decimal(0), _left(invoice)
    ways = invoice.paid_by or (PaidBy("CASH", paid),)
    in_plain_cash = [(way.method, way.amount) for way in ways] == [("CASH", paid)]
    if invoice.set_off:
        yield "Set off", money(invoice.set_off)
    if paid and (left or not in_plain_cash):
        for way in ways:
            yield "Paid out" if is_credit else "Received", f"{money(way.amount)} {_WAYS[way.method]}"
    if invoice.rounding:
        yield "Cash rounding", f"{'+' if invoice.rounding > 0 else '−'}{money(abs(invoice.rounding))}"
    label, is_part = "Refund" if is_credit else "Payment", bool(invoice.set_off or paid)
    if left and is_credit:
        yield label, f"{money(left)} to your account" if is_part else "To your account"
    elif left:
        yield label, f"{money(left)} due" if is_part or invoice.corrects else _terms(invoice)
    elif not paid:
        yield label, "None"
    elif not in_plain_cash:
        yield label, "Paid out in full" if is_credit else "Received in full"
    elif invoice.set_off:
        yield label, f"{money(paid)} in cash" + ("" if is_credit else ", received")
    else:
        yield label, "In cash" if is_credit else _terms(invoice, is_received=True)


_WAYS = {"CASH": "in cash", "PAYNOW": "by PayNow", "CARD": "by card", "CHEQUE": "by cheque", "BANK_TRANSFER": "by bank"}


def _settled_before(invoice: InvoiceSnapshot, *, is_credit: bool) -> Iterator[tuple[str, str]]:
    """Of earlier releases' documents, and their voids."""
    if invoice.set_off:
        yield "Set off", money(invoice.set_off)
    if invoice.corrects and is_credit:
        yield "Refund", "In cash" if invoice.payment_received else "By set-off"
    elif invoice.set_off:
        left = _left(invoice)
        yield "Payment", f"{money(left)} due" if left else "None"
    elif is_credit:
        yield "Refund", "In cash" if invoice.payment_type == "CASH" else "To your account"
    elif invoice.corrects:
        yield "Payment", "Due: it was paid out"
    else:
        yield "Payment", _terms(invoice, is_received=invoice.payment_received)


def _terms(invoice: InvoiceSnapshot, *, is_received: bool = False) -> str:
    if invoice.payment_type == "CASH":
        return "Cash, received" if is_received else "Cash, due on delivery"
    days = invoice.payment_terms_days
    return f"Credit, {days} {'day' if days == 1 else 'days'}{', received' if is_received else ''}"


def _line(line: Line, sign: int, *, is_taxed: bool) -> dict[str, str]:
    """Quantity and rate have no sign of their own: what is given back shows in the amount."""
    kind = line.type.capitalize()
    if line.condition:
        kind += f" ({line.condition.lower()})"
    if not line.quantity:
        kind += ", amount"
    return {
        "what": line.description,
        "type": kind if line.taxable or not is_taxed else f"{kind}, no GST",
        "quantity": f"{abs(line.quantity):,}" if line.quantity else "",
        "rate": decimals(abs(line.rate)) if line.quantity else "",
        "amount": money(sign * line.amount),
    }


def _meter_row(meter: MeterUsage, sign: int) -> dict[str, str]:
    return {
        "what": f"Gas by meter {meter.meter_number}",
        "detail": (
            f"Last reading {decimals(meter.last_reading)} m³\nCurrent reading {decimals(meter.current_reading)} m³"
        ),
        "type": "Usage",
        "quantity": f"{decimals(abs(meter.usage))} m³",
        "rate": decimals(abs(meter.rate)),
        "amount": money(sign * meter.amount),
    }


_TEMPLATE = template("invoice.html")
