"""What customers owe and hold: receivables by age, statements of account, deposits."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.model.books import Books
from tests.model.records import ZERO, Customer, Document, Item, Payment, Person, day_of

Row = dict[str, str | int | Decimal]
METHODS = {
    "CASH": "Cash",
    "PAYNOW": "PayNow",
    "CARD": "Card (NETS)",
    "CHEQUE": "Cheque",
    "BANK_TRANSFER": "Bank transfer",
}


def age(due_on: date, day: date) -> str:
    """On the day itself an invoice isn't overdue yet."""
    overdue = (day - due_on).days
    if overdue <= 0:
        return "current"
    if overdue <= 30:
        return "days_1_30"
    if overdue <= 60:
        return "days_31_60"
    if overdue <= 90:
        return "days_61_90"
    return "days_over_90"


def owed_by_age(books: Books, customer: Customer, day: date, sellers: list[Person] | None = None) -> dict[str, Decimal]:
    """At the end of a day, by what was known then.

    Credit is what is to be paid out, or was paid and settles nothing; it is negative.
    """
    owed = dict.fromkeys(("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "credit"), ZERO)
    for document in books.documents:
        if document.customer is customer and document.day <= day and (sellers is None or document.seller in sellers):
            amount = books.open_of(document, by=day)
            owed[age(document.due_on, day) if amount > 0 else "credit"] += amount
    for payment in books.payments:
        if payment.customer is customer and payment.entered_on <= day and (sellers is None or payment.taker in sellers):
            if any(payment in (other, other.reverses) for other in books.payments if _has_reversed(other, day)):
                continue  # the two cancel each other
            credit = books.credit_of(payment, by=day)
            owed["credit" if credit > 0 else age(payment.entered_on, day)] -= credit
    return owed


def _has_reversed(payment: Payment, day: date) -> bool:
    return payment.reverses is not None and payment.entered_on <= day


def receivables(books: Books, day: date, sellers: list[Person] | None = None) -> list[Row]:
    rows: list[Row] = []
    for customer in sorted(books.customers, key=lambda customer: customer.code):
        owed = owed_by_age(books, customer, day, sellers)
        later = ZERO
        for payment in books.payments:
            mine = payment.customer is customer and (sellers is None or payment.taker in sellers)
            stands = payment.reverses is None and not books.is_reversed(payment)
            if mine and stands and not payment.is_goodwill and payment.received_on <= day < payment.entered_on:
                later += payment.amount - sum(
                    (
                        part.amount
                        for part in books.allocations
                        if part.source is payment and not part.is_rounding
                        if isinstance(part.target, Document) and part.target.day > day
                    ),
                    ZERO,
                )
        if later != 0 or any(amount != 0 for amount in owed.values()):
            total = sum(owed.values(), ZERO)
            row: Row = {"customer_code": customer.code, "name": customer.name, **owed, "total": total}
            rows.append({**row, "entered_later": later})
    return rows


@dataclass
class Entry:
    day: date
    kind: str
    number: str
    details: str
    due_on: date | None
    amount: Decimal
    balance: Decimal = ZERO


@dataclass
class Statement:
    opening: Decimal
    entries: list[Entry]
    closing: Decimal
    ageing: dict[str, Decimal]


def statement(books: Books, customer: Customer, first: date, last: date) -> Statement:
    """The account from a day to a day, both with all that happened on them: documents first, then money, then its rounding."""
    account: list[Entry] = []
    for document in books.documents:
        if document.customer is customer:
            kind = "INVOICE" if document.kind == "TAX_INVOICE" else document.kind
            due_on = document.due_on if document.total > 0 else None
            account.append(Entry(document.day, kind, document.number, "", due_on, document.total))
    for payment in books.payments:
        if payment.customer is customer and not payment.is_goodwill:
            details = METHODS[payment.method] + _came(payment) + _undoing(payment)
            account.append(Entry(payment.entered_on, "PAYMENT", payment.number, details, None, -payment.amount))
    for allocation in books.allocations:
        source = allocation.source
        if allocation.is_rounding and isinstance(source, Payment) and source.customer is customer:
            account.append(Entry(allocation.day, "ROUNDING", source.number, "", None, -allocation.amount))
    account.sort(key=lambda entry: entry.day)
    balance, opening, entries = ZERO, ZERO, []
    for entry in account:
        balance += entry.amount
        entry.balance = balance
        if entry.day < first:
            opening = balance
        elif entry.day <= last:
            entries.append(entry)
    return Statement(opening, entries, entries[-1].balance if entries else opening, owed_by_age(books, customer, last))


def _came(payment: Payment) -> str:
    day = payment.received_on
    return "" if day == payment.entered_on else f" (of {day.day} {day:%b} {day.year})"


def _undoing(payment: Payment) -> str:
    if payment.reverses is not None:
        return f" (reverses {payment.reverses.number})"
    return " (paid out)" if payment.amount < 0 else ""


AGES = {"up_to_1_year": 365, "up_to_2_years": 730, "up_to_3_years": 1095}


def deposits(books: Books, day: date) -> list[Row]:
    """What was lent against a deposit and hasn't come back by the end of a day, by how long ago it was charged."""
    rows: dict[tuple[str, str], Row] = {}
    for lot in books.lots:
        pieces, amount = books.left_of(lot, by=day)
        if pieces == 0 and amount == 0:
            continue
        begun: Row = {"customer_code": lot.customer.code, "name": lot.customer.name, "sku": lot.item.sku}
        begun |= {"quantity": 0, **dict.fromkeys(("amount", *AGES, "older"), ZERO)}
        row = rows.setdefault((lot.customer.code, lot.item.sku), begun)
        days = (day - day_of(lot.since)).days
        old = [name for name, most in AGES.items() if days <= most]
        row["quantity"] = int(row["quantity"]) + pieces
        for column in ("amount", old[0] if old else "older"):
            row[column] = Decimal(row[column]) + amount
    return [rows[key] for key in sorted(rows)]


def holdings(
    books: Books, customer: Customer, items: list[Item]
) -> list[tuple[str, int, int, list[tuple[int, Decimal]]]]:
    """By item: at the site, on loan, and what is left of each deposit, the oldest first."""
    told = []
    for item in sorted(items, key=lambda item: item.sku):
        there = books.pieces_at(customer.place, item, "FULL")
        lots = [books.left_of(lot) for lot in books.lots_of(customer, item)]
        lots = [(pieces, amount) for pieces, amount in lots if pieces != 0]
        if there != 0 or lots:
            told.append((item.sku, there, books.on_loan(customer, item), lots))
    return told
