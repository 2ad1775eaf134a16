"""How documents write figures, dates and parties: the same in every locale."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from foundation.money import shown
from invoices.snapshot import InvoiceSnapshot, Party

SINGAPORE = timezone(timedelta(hours=8))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

TAX_INVOICE, INVOICE = "Tax Invoice", "Invoice"
_TITLES = {"TAX_INVOICE": TAX_INVOICE, "CREDIT_NOTE": "Credit Note", "COLLECTION_NOTE": "Collection Note"}


def charges_gst(invoice: InvoiceSnapshot) -> bool:
    """Is its supplier registered for GST? Who isn't names no number, charges none, and says GST in no document."""
    return bool(invoice.gst_rate or invoice.supplier.gst_registration_no)


def title_of(invoice: InvoiceSnapshot) -> str:
    """What a document is called: only who is registered for GST issues tax invoices."""
    return INVOICE if invoice.kind == "TAX_INVOICE" and not charges_gst(invoice) else _TITLES[invoice.kind]


def party(of: Party, *more: str) -> dict[str, str]:
    """Name and details, a line each; ``more`` comes below."""
    rows = [
        ", ".join(row.strip(" ,") for row in of.address.splitlines() if row.strip()),
        of.postal_code and f"Singapore {of.postal_code}",
        dotted(
            of.uen and f"UEN {of.uen}",
            of.gst_registration_no and f"GST Reg. No. {of.gst_registration_no}",
        ),
        dotted(of.phone, of.email),
        *more,
    ]
    return {"name": of.name, "details": "\n".join(row for row in rows if row)}


def dotted(*parts: str) -> str:
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def money(amount: Decimal) -> str:
    # A zero has no sign.
    return shown(amount + 0).replace("-", "\N{MINUS SIGN}")


def decimals(value: Decimal) -> str:
    """At least two decimals, and as many more as say something."""
    text = plain(value)
    return money(value) if len(text.partition(".")[2]) <= 2 else text


def plain(value: Decimal) -> str:
    """Without zeros that say nothing: 9.00 is 9."""
    whole, _, fraction = f"{value:,f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def day_text(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_text(moment: datetime) -> str:
    moment = moment.astimezone(SINGAPORE)
    return f"{day_text(moment)}, {moment:%H:%M}"
