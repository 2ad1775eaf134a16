"""A GST return, box by box, and the documents that make it up: of one that was filed, or as it would be now."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from accounts.models import User
from foundation import clock
from foundation.errors import UnknownReference
from foundation.money import ZERO, to_multiple
from invoices.models import Invoice
from periods.models import GstReturn, GstReturnPart
from periods.selectors import Part, documents_in, draft, errors_until, parts_of
from reports.figures.names import customer_names
from reports.report import Column, Figure, Kind, Report, Row, money

F5_COLUMNS = (
    Column("box", "Box"),
    Column("label", "What it holds"),
    Column("amount", "Sum of its documents", Kind.MONEY),
    Column("declared", "To declare", Kind.MONEY),
    Column("documents", "Documents", Kind.COUNT),
)
DOCUMENT_COLUMNS = (
    Column("number", "Document"),
    Column("kind", "Kind"),
    Column("credit_kind", "Credit"),
    Column("date", "Date", Kind.DATE),
    Column("tax_point_on", "Tax point", Kind.DATE),
    Column("gst_on", "Counts on", Kind.DATE),
    Column("customer_code", "Customer"),
    Column("name", "Name"),
    Column("gst_rate", "GST rate (%)", Kind.RATE),
    money("box_1", "Box 1: taxable supplies"),
    money("box_6", "Box 6: output tax"),
    money("outside_gst", "Outside GST"),
    Column("invoice", "Invoice", Kind.ID, opens="invoices.invoice", says="Open"),
)
NOT_KNOWN = "Boxes 5, 7 and 9 to 12 tell of purchases, imports and claims: these books don't know them."

_DOLLAR = Decimal(1)

Parts = Iterable[Part | GstReturnPart]


def gst_f5(user: User, *, date_from: date, date_to: date, gst_return: int | None = None) -> Report:
    """The boxes of IRAS's form GST F5 that these books know, of a period, both dates included.

    Of a return that was filed (``gst_return``), as it was filed; else as an F5 of these days would be now, with what it
    would correct of earlier periods.
    """
    parts, parameters = _asked(date_from, date_to, gst_return)
    supplies = sum((part.box_1 for part in parts), ZERO)
    tax = sum((part.box_6 for part in parts), ZERO)
    count = sum(part.documents for part in parts)
    whole = to_multiple(supplies, of=_DOLLAR)
    rows: list[Row] = [
        _row("1", "Total value of standard-rated supplies", supplies, whole, count),
        _row("2", "Total value of zero-rated supplies", ZERO, ZERO, 0),
        _row("3", "Total value of exempt supplies", ZERO, ZERO, 0),
        _row("4", "Total value of 1, 2 and 3", supplies, whole, count),
        _row("6", "Output tax due", tax, tax, count),
        _row("13", "Revenue", supplies, whole, count),
    ]
    figures = [
        Figure("errors_box_1", f"Of it errors of {part.starts_on} to {part.ends_on}, box 1", Kind.MONEY, part.box_1)
        for part in parts
        if part.recorded_after is not None
    ]
    return Report(
        name="gst-f5",
        title="GST F5",
        parameters=parameters,
        columns=F5_COLUMNS,
        rows=rows,
        figures=[*figures, Figure("not_known", "Not in it", Kind.TEXT, NOT_KNOWN)],
    )


def gst_documents(user: User, *, date_from: date, date_to: date, gst_return: int | None = None) -> Report:
    """Each document of a GST return, filed or as it would be now. Their sums are its boxes 1 and 6."""
    parts, parameters = _asked(date_from, date_to, gst_return)
    return Report(
        name="gst-documents",
        title="Documents of a GST return",
        parameters=parameters,
        columns=DOCUMENT_COLUMNS,
        rows=[*_documents(parts)],
    )


def _row(box: str, label: str, amount: Decimal, declared: Decimal, documents: int) -> Row:
    return {"box": box, "label": label, "amount": amount, "declared": declared, "documents": documents}


def _asked(date_from: date, date_to: date, gst_return: int | None) -> tuple[list[Part | GstReturnPart], Row]:
    if gst_return is None:
        until = clock.business_date(clock.now())
        return [*draft(date_from, date_to, errors_until(until), until=until)], {
            "date_from": date_from,
            "date_to": date_to,
        }
    filed = GstReturn.objects.prefetch_related("parts").filter(pk=gst_return).first()
    if filed is None:
        raise UnknownReference(gst_return, attr="gst_return")
    period: Row = {"date_from": filed.starts_on, "date_to": filed.ends_on, "gst_return": filed.pk}
    return [*parts_of(filed)], period


def _documents(parts: Parts) -> Iterator[Row]:
    found = list(Invoice.objects.filter(documents_in(parts)).order_by("gst_on", "pk").defer("snapshot"))
    names = customer_names({each.customer_id for each in found})
    for each in found:
        code, name = names[each.customer_id]
        yield {
            "number": each.invoice_number,
            "kind": each.get_kind_display(),
            "credit_kind": each.get_credit_kind_display(),
            "date": each.date,
            "tax_point_on": each.tax_point_on,
            "gst_on": each.gst_on,
            "customer_code": code,
            "name": name,
            "gst_rate": each.gst_rate,
            "box_1": each.taxable_amount,
            "box_6": each.gst_amount,
            "outside_gst": each.subtotal - each.taxable_amount,
            "invoice": each.pk,
        }
