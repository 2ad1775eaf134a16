"""What was billed otherwise than the books would price it now: a row for each line, and for a GST rate."""

from datetime import date

from accounts.models import User
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.money import ZERO
from reports.figures.names import customer_names
from reports.report import Column, Kind, Report, Row, money
from transactions.repricing import mispriced as documents_mispriced

COLUMNS = (
    Column("number", "Document"),
    Column("date", "Date", Kind.DATE),
    Column("customer_code", "Customer"),
    Column("name", "Name"),
    Column("line", "Line", Kind.COUNT),
    Column("type", "Type"),
    Column("sku", "SKU"),
    Column("item", "Item"),
    Column("quantity", "Pieces left", Kind.COUNT),
    Column("rate", "Rate billed", Kind.PRICE),
    Column("rate_in_force", "Rate in force", Kind.PRICE),
    money("difference", "Too much before GST"),
    money("gst_amount", "GST of it"),
    money("total_amount", "Too much with GST"),
    Column("transaction", "Correct", Kind.ID, opens="transactions.transaction", says="Credit or bill it again"),
    Column("invoice", "Invoice", Kind.ID, opens="invoices.invoice", says="Open"),
)


def mispriced(
    user: User, *, date_from: date, date_to: date, customer: int | None = None, equipment: int | None = None
) -> Report:
    """Documents of a period, both dates included, of one customer or one equipment where these are named."""
    within = rows_within(user, Capability.REPORT_SALES)
    found = [*documents_mispriced(within, date_from=date_from, date_to=date_to, customer=customer, equipment=equipment)]
    names = customer_names({each.customer for each in found})
    rows: list[Row] = [
        {
            "number": document.number,
            "date": document.day,
            "customer_code": names[document.customer][0],
            "name": names[document.customer][1],
            "line": line.line,
            "type": line.kind,
            "sku": line.sku,
            "item": line.name,
            "quantity": line.pieces,
            "rate": line.rate,
            "rate_in_force": line.in_force,
            "difference": line.difference,
            "gst_amount": line.gst,
            "total_amount": None if line.difference is None else line.difference + (line.gst or ZERO),
            "transaction": document.sale,
            "invoice": document.invoice,
        }
        for document in found
        for line in document.lines
    ]
    return Report(
        name="mispriced",
        title="Priced otherwise",
        parameters={"date_from": date_from, "date_to": date_to, "customer": customer, "equipment": equipment},
        columns=COLUMNS,
        rows=rows,
    )
