"""A customer's statement of account as a document for the customer."""

from django.conf import settings
from django.template import Context

from foundation import clock
from invoices.pdf.page import template
from invoices.pdf.renderer import render_document
from invoices.snapshot import Party
from invoices.words import day_text, dotted, money, party
from reports.figures import Statement
from reports.figures.receivables import BUCKETS, OLDEST
from reports.figures.statement import Entry

_TEMPLATE = template("statement.html")


def print_statement(account: Statement) -> bytes:
    """The PDF, A4, on as many pages as it takes."""
    return render_document(
        _TEMPLATE.render(Context(_context(account))),
        "statement.css",
        title=f"Statement of account {account.customer.customer_code}",
        author=settings.COMPANY["name"],
        at=clock.now(),
        is_long=len(account.entries) > 20,
    )


def _context(account: Statement) -> dict[str, object]:
    customer = account.customer
    terms = f"Credit, {customer.payment_terms_days} days" if customer.payment_terms_days else "Cash"
    facts = (
        ("Printed", day_text(clock.business_date(clock.now()))),
        ("Terms", terms),
        ("To pay", f"S$ {money(max(account.closing_balance, 0 * account.closing_balance))}"),
    )
    return {
        "supplier": party(Party(**settings.COMPANY)),
        "customer": party(
            Party(
                name=customer.name,
                address=customer.address,
                postal_code=customer.postal_code,
                uen=customer.uen,
                gst_registration_no=customer.gst_registration_no,
                email=customer.email,
                phone=customer.phone,
            ),
            f"Customer {customer.customer_code}",
        ),
        "customer_code": customer.customer_code,
        "period": f"{day_text(account.date_from)} – {day_text(account.date_to)}",
        "facts": facts,
        "fact_count": str(len(facts)),
        "first_day": day_text(account.date_from),
        "opening": money(account.opening_balance),
        "rows": [_row(entry) for entry in account.entries],
        "closing_label": "You owe" if account.closing_balance >= 0 else "In your favour",
        "closing": money(abs(account.closing_balance)),
        "ageing_labels": [*(label for _, label, _ in BUCKETS), OLDEST[1], "Credit", "Together"],
        "ageing_sums": [*(money(amount) for amount in account.ageing.values()), money(account.closing_balance)],
    }


def _row(entry: Entry) -> dict[str, str]:
    is_payment = entry.kind in ("PAYMENT", "ROUNDING")
    details = f"due {day_text(entry.due_on)}" if entry.due_on else entry.details
    kinds = {
        "INVOICE": "Invoice",
        "CREDIT_NOTE": "Credit note",
        "COLLECTION_NOTE": "Collection note",
        "PAYMENT": "Payment",
        "ROUNDING": "Rounding of cash",
    }
    return {
        "day": day_text(entry.day),
        "number": entry.number,
        "details": dotted(kinds[entry.kind], details),
        "billed": "" if is_payment else money(entry.amount),
        "paid": money(-entry.amount) if is_payment else "",
        "balance": money(entry.balance),
    }
