"""Where the cylinders are and were, and what a vehicle carried on a day."""

from datetime import date, datetime
from decimal import Decimal

from tests.model.books import Books
from tests.model.records import ON_FOOT, OUTSIDE, ZERO, Item, Person, day_of

Row = dict[str, str | int | Decimal]
Position = dict[tuple[str, Item, str], int]


def position(books: Books, at: datetime | None = None) -> Position:
    """Pieces by place, item and condition, when a moment was over."""
    pieces: Position = {}
    for movement in books.movements:
        if at is None or movement.when <= at:
            source = (movement.source, movement.item, movement.source_condition)
            target = (movement.target, movement.item, movement.target_condition)
            pieces[source] = pieces.get(source, 0) - movement.quantity
            pieces[target] = pieces.get(target, 0) + movement.quantity
    return pieces


def kind_of(place: str) -> str:
    if place in (OUTSIDE, ON_FOOT):
        return place
    return place.split(" ")[0].upper()


def stock(books: Books, at: datetime | None = None) -> list[Row]:
    """Customers' sites are told together."""
    together: dict[tuple[str, str, str, str, str], int] = {}
    for (place, item, condition), pieces in position(books, at).items():
        kind = kind_of(place)
        key = ("customers" if kind == "CUSTOMER" else place, item.sku, condition, kind, item.name)
        together[key] = together.get(key, 0) + pieces
    return [
        {"place": place, "kind": kind, "sku": sku, "name": name, "condition": condition, "quantity": pieces}
        for (place, sku, condition, kind, name), pieces in sorted(together.items())
        if pieces != 0
    ]


def conservation(books: Books, at: datetime | None = None) -> list[Row]:
    """Of what has moved by then. What came from outside is somewhere, so that all of it together is nothing."""
    columns = {"DEPOT": "depots", "VEHICLE": "vehicles", "CUSTOMER": "customers", ON_FOOT: "field", OUTSIDE: "outside"}
    there = position(books, at)
    rows: list[Row] = []
    for sku, name in sorted({(item.sku, item.name) for _, item, _ in there}):
        pieces = dict.fromkeys(columns.values(), 0)
        for (place, item, _), quantity in there.items():
            if item.sku == sku:
                pieces[columns[kind_of(place)]] += quantity
        rows.append({"sku": sku, "name": name, **pieces, "total": 0})
    return rows


def vehicle_on(books: Books, driver: Person, day: date) -> str:
    """What the driver sold from that day, else loaded; else what was theirs when it ended."""
    for document in reversed(books.documents):
        if document.seller is driver and document.day == day and document.voids is None and document.credits is None:
            return document.vehicle
    for load in reversed(books.loads):
        if load.driver is driver and load.day == day:
            return load.vehicle
    return driver.vehicle_when_ended(day)


def vehicle_day(books: Books, vehicle: str, day: date, items: list[Item]) -> list[Row]:
    """What was there in the morning, came and went, and was there in the evening."""
    place = f"vehicle {vehicle}"
    rows: list[Row] = []
    for item in sorted(items, key=lambda item: item.sku):
        for condition in ("DAMAGED", "EMPTY", "FULL"):
            flows = dict.fromkeys(("loaded", "delivered", "collected", "unloaded", "other"), 0)
            opening = closing = moved = 0
            for movement in books.movements:
                pieces = 0
                if (movement.target, movement.item, movement.target_condition) == (place, item, condition):
                    pieces = movement.quantity
                if (movement.source, movement.item, movement.source_condition) == (place, item, condition):
                    pieces = -movement.quantity
                if pieces == 0:
                    continue
                if day_of(movement.when) < day:
                    opening += pieces
                if day_of(movement.when) <= day:
                    closing += pieces
                if day_of(movement.when) == day:
                    moved += 1
                    if movement.why in ("loaded", "delivered", "collected", "unloaded"):
                        flows[movement.why] += movement.quantity
                    else:
                        flows["other"] += pieces
            if closing or moved:
                names = {"sku": item.sku, "name": item.name, "condition": condition}
                rows.append({**names, "opening": opening, **flows, "closing": closing})
    return rows


def money_of_day(books: Books, driver: Person, day: date) -> Row:
    """What was billed and taken that day, and what cash was not handed in by its end."""
    billed = [document for document in books.documents if document.seller is driver and document.day == day]
    taken = [payment for payment in books.payments if payment.taker is driver and payment.entered_on == day]
    return {
        "documents": len(billed),
        "subtotal": sum((document.subtotal for document in billed), ZERO),
        "gst_amount": sum((document.gst for document in billed), ZERO),
        "total_amount": sum((document.total for document in billed), ZERO),
        "cash": sum((payment.amount for payment in taken if payment.method == "CASH"), ZERO),
        "other_payments": sum((payment.amount for payment in taken if payment.method != "CASH"), ZERO),
        "cash_rounding": sum(
            (books.rounded_away(payment, day) for payment in books.payments if payment.taker is driver), ZERO
        ),
        "goodwill": sum((payment.amount for payment in taken if payment.is_goodwill), ZERO),
        "cash_in_bag": sum((cash.in_bag for cash in books.cash_in_bag(driver, by=day)), ZERO),
        **by_method(books, driver, day),
    }


def by_method(books: Books, driver: Person, day: date) -> Row:
    """What came in and what went out; what was entered wrongly, or didn't come after all, did neither."""
    sums: dict[str, Decimal] = {}
    for method in ("CASH", "PAYNOW", "CARD", "CHEQUE", "BANK_TRANSFER"):
        taken = paid_back = ZERO
        for payment in books.payments:
            if payment.taker is driver and payment.entered_on == day and payment.method == method:
                if (payment.reverses or payment).amount > 0:
                    taken += payment.amount
                else:
                    paid_back -= payment.amount
        sums |= {f"{method.lower()}_taken": taken, f"{method.lower()}_paid_back": paid_back}
    spent = [expense for expense in books.expenses if expense.taker is driver and expense.entered_on == day]
    sums["expenses"] = sum((expense.amount for expense in spent), ZERO)
    return {**sums, "cash_expected": sums["cash_taken"] - sums["cash_paid_back"] - sums["expenses"]}
