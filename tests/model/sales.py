"""What was billed, by whatever it is put together by, and what the GST return asks for."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from tests.model.books import Books
from tests.model.records import ZERO, Document, Person

Row = dict[str, str | int | Decimal]


def documents_of(books: Books, first: date, last: date, sellers: list[Person] | None = None) -> list[Document]:
    """Of a period with both its days; a void is a document like any other, and counts on its own day."""
    return [
        document
        for document in books.documents
        if first <= document.day <= last and (sellers is None or document.seller in sellers)
    ]


def billed_in(books: Books, first: date, last: date, sellers: list[Person] | None = None) -> list[Document]:
    """Without what only notes that something came back."""
    documents = documents_of(books, first, last, sellers)
    return [document for document in documents if document.kind != "COLLECTION_NOTE"]


def week_of(day: date) -> tuple[str, str]:
    """Weeks begin on Monday. The year's first is that of its first Thursday (ISO 8601)."""
    monday = day
    while monday.strftime("%A") != "Monday":
        monday -= timedelta(days=1)
    thursday = monday + timedelta(days=3)
    number = 1
    earlier = thursday - timedelta(days=7)
    while earlier.year == thursday.year:
        number += 1
        earlier -= timedelta(days=7)
    return f"{thursday.year}-W{number:02d}", f"Week from {monday.isoformat()}"


def _depot_of(document: Document) -> tuple[str, str]:
    depot = document.seller.depot
    return ("–", "Without a depot") if depot is None else (depot.code, depot.name)


GROUPS: dict[str, Callable[[Document], tuple[str, str]]] = {
    "day": lambda document: (document.day.isoformat(), document.day.isoformat()),
    "week": lambda document: week_of(document.day),
    "month": lambda document: (document.day.strftime("%Y-%m"), document.day.strftime("%B %Y")),
    "depot": _depot_of,
    "driver": lambda document: (document.seller.username, document.seller.name),
    "customer": lambda document: (document.customer.code, document.customer.name),
}


def sales_by(books: Books, group: str, first: date, last: date, sellers: list[Person] | None = None) -> list[Row]:
    documents = billed_in(books, first, last, sellers)
    rows: list[Row] = []
    for key, name in sorted({GROUPS[group](document) for document in documents}):
        those = [document for document in documents if GROUPS[group](document) == (key, name)]
        rows.append(
            {
                "key": key,
                "name": name,
                "invoices": len([document for document in those if document.kind == "TAX_INVOICE"]),
                "credit_notes": len([document for document in those if document.kind == "CREDIT_NOTE"]),
                "subtotal": sum((document.subtotal for document in those), ZERO),
                "gst_amount": sum((document.gst for document in those), ZERO),
                "total_amount": sum((document.total for document in those), ZERO),
            }
        )
    return rows


def sales_by_equipment(books: Books, first: date, last: date, sellers: list[Person] | None = None) -> list[Row]:
    """By equipment and type of line, and behind them what the meters billed."""
    documents = documents_of(books, first, last, sellers)
    lines = [line for document in documents for line in document.lines]
    rows: list[Row] = []
    for sku, name, kind in sorted({(line.item.sku, line.item.name, line.type) for line in lines}):
        those = [line for line in lines if (line.item.sku, line.type) == (sku, kind)]
        rows.append(
            {
                "key": sku,
                "name": name,
                "type": kind,
                "quantity": sum(line.quantity for line in those),
                "subtotal": sum((line.amount for line in those), ZERO),
            }
        )
    metered = [document.usage.amount for document in documents if document.usage and document.usage.amount != 0]
    if metered:
        rows.append({"key": "METER", "name": "Gas by meter", "type": "USAGE", "subtotal": sum(metered, ZERO)})
    return rows


def gst(books: Books, first: date, last: date, sellers: list[Person] | None = None) -> list[Row]:
    """By month of the tax point and rate: boxes 1 and 6 of form GST F5, and what makes them up."""
    documents = [d for d in billed_in(books, date.min, date.max, sellers) if first <= d.counts_on <= last]
    rows: list[Row] = []
    for month, rate in sorted({(document.counts_on.strftime("%Y-%m"), document.gst_rate) for document in documents}):
        those = [d for d in documents if (d.counts_on.strftime("%Y-%m"), d.gst_rate) == (month, rate)]
        invoices = [document for document in those if document.kind == "TAX_INVOICE"]
        notes = [document for document in those if document.kind == "CREDIT_NOTE"]
        rows.append(
            {
                "month": month,
                "gst_rate": rate,
                "invoices": len(invoices),
                "invoiced_supplies": sum((document.taxable for document in invoices), ZERO),
                "invoiced_tax": sum((document.gst for document in invoices), ZERO),
                "credit_notes": len(notes),
                "credited_supplies": sum((document.taxable for document in notes), ZERO),
                "credited_tax": sum((document.gst for document in notes), ZERO),
                "standard_rated_supplies": sum((document.taxable for document in those), ZERO),
                "output_tax": sum((document.gst for document in those), ZERO),
                "outside_gst": sum((document.subtotal - document.taxable for document in those), ZERO),
            }
        )
    return rows


def totals(rows: list[Row], columns: list[str]) -> Row:
    return {column: sum((row[column] for row in rows if column in row), ZERO) for column in columns}
