"""What a payment's receipt says: as a page, A4, and as a slip for the small printers that drivers carry.

It says what the books say of the payment when it is printed. It is no tax invoice: those are stored (`invoices`).
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.conf import settings
from django.db.models import QuerySet
from django.template import Context

from audit.models import AuditLog
from foundation import clock
from foundation.money import ZERO
from invoices.pdf.page import template
from invoices.pdf.renderer import render_document
from invoices.snapshot import Party
from invoices.words import day_text, dotted, moment_text, money, party
from payments.models import Payment

WIDTHS = ("58", "80")
"""Of the slips' paper, in mm."""


def print_receipt(payment: Payment) -> bytes:
    """The PDF, A4. ``payment`` is one `with_allocations` of its reader."""
    context = _context(payment)
    return render_document(
        _PAGE.render(Context(context)),
        "receipt.css",
        title=f"{context['title']} {payment}",
        author=settings.COMPANY["name"],
        at=clock.now(),
    )


def slip_of(payment: Payment, *, width: str) -> str:
    """HTML for paper of so many mm; ``payment`` likewise."""
    return _SLIP.render(Context({**_context(payment), "width": width}))


def _context(payment: Payment) -> dict[str, object]:
    is_out, customer = payment.amount < 0, payment.customer
    facts = [*_facts(payment)]
    return {
        "title": _title(payment),
        "number": str(payment),
        "supplier": party(Party(**settings.COMPANY)),
        "customer_label": "Customer" if payment.reverses_id else "Paid to" if is_out else "Received from",
        "customer": party(
            Party(name=customer.name, address=customer.address, postal_code=customer.postal_code, uen=customer.uen),
            f"Customer {customer.customer_code}",
        ),
        "facts": facts,
        "fact_count": str(len(facts)),
        "void": _void(payment),
        "rows": [(label, money(-amount if is_out else amount)) for label, amount in _rows(payment)],
        "total_label": "Taken back" if payment.reverses_id else "Paid" if is_out else "Received",
        "total": f"S$ {money(abs(payment.amount))}",
        "given": [] if payment.given is None else [
            ("Given", money(payment.given)), ("Change", money(payment.given - payment.amount)),
        ],
        "remarks": payment.remarks,
        "printed": f"Printed {moment_text(clock.now())}. This is no tax invoice.",
    }  # fmt: skip


def _title(payment: Payment) -> str:
    if payment.reverses_id:
        return "Reversal"
    return "Payment voucher" if payment.amount < 0 else "Receipt"


def _facts(payment: Payment) -> Iterator[tuple[str, str]]:
    yield "Date", day_text(payment.received_on)
    yield "Method", dotted(payment.get_method_display(), payment.reference)
    if payment.reverses_id:
        yield from (("Taken back by", each.user.get_full_name()) for each in _reversed_by(payment) if each.user)
    else:
        yield "Paid by" if payment.amount < 0 else "Taken by", payment.user.get_full_name()
    if payment.banked_on:
        yield "Bank", day_text(payment.banked_on)


def _reversed_by(reversal: Payment) -> QuerySet[AuditLog]:
    """The payment itself names who took the money: that stays theirs."""
    of_it = AuditLog.objects.filter(entity_type=Payment.entity, entity_id=reversal.reverses_id or 0)
    return of_it.filter(action="invoices.payment.reversed").select_related("user")


def _void(payment: Payment) -> str:
    """Why it is good for nothing; empty: it stands."""
    if payment.reverses_id:
        return f"This takes {Payment(pk=payment.reverses_id)} back."
    reversal = getattr(payment, "reversal", None)
    if reversal is None:
        return ""
    why = "The cheque bounced." if payment.bounced_on else "Void."
    return f"{why} {payment} was taken back on {day_text(reversal.date)} by {reversal}."


def _rows(payment: Payment) -> Iterator[tuple[str, Decimal]]:
    """What it settles, what it is rounded by, and what is left of it; they add up to its amount."""
    if payment.is_goodwill or payment.reverses_id:
        yield "Goodwill" if payment.is_goodwill else f"Reversal of {payment.reverses}", payment.amount
        return
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    # Other sellers' documents, which its reader may not see, are not named.
    seen = {each.invoice_id for each in payment.allocations.all() if getattr(each, "is_visible", False)}
    for each in (*payment.allocations.all(), *payment.roundings.all()):
        if each.payout_id is None:
            sums[str(each.invoice) if each.invoice_id in seen else "Older invoices"] += each.amount
        elif each.payout_id != payment.pk:
            sums[f"Paid back by {each.payout}"] += each.amount
    for each in payment.paid_out_of.all():
        if each.payment_id:
            sums[f"Credit of {each.payment}"] -= each.amount
    yield from ((label, amount) for label, amount in sums.items() if amount)
    if payment.rounding:
        yield "Rounded to coins", payment.rounding
    if left := payment.amount - payment.allocated_amount:
        kept = "Owed for this" if payment.amount < 0 else "Kept as your credit"
        yield "Not used" if payment.used_up_on else kept, left


_PAGE, _SLIP = template("receipt.html"), template("slip.html")
