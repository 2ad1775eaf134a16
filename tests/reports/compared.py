"""Every figure that the project tells, beside the model's."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reports.front_page import front_page
from tests.model import accounts, sales, stock
from tests.model.records import ZERO, Customer, Item, Payment, Person, day_of
from tests.reports.company import Company
from tests.types import Json

GROUPS = tuple(sales.GROUPS)


def told(company: Company, name: str, *columns: str, **asked: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in company.get(f"reports/{name}/", **asked)["rows"]]


def owed(company: Company, customer: str, day: str) -> dict[str, str]:
    """The buckets that aren't empty."""
    rows = company.get("reports/receivables/", as_of=day, customer=company.pk(company.customers[customer]))["rows"]
    return {
        name: amount
        for row in rows
        for name, amount in row.items()
        if name not in ("customer_code", "name", "total") and amount != "0.00"
    }


def plain(row: Json) -> Json:
    """As JSON has it: money with its cents, no columns that are another table's."""
    return {name: as_told(value) for name, value in row.items() if value is not None}


def as_told(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else value


def table_agrees(company: Company, name: str, rows: list[Json], by: Person | None = None, **asked: Any) -> Any:
    answer = company.get(f"reports/{name}/", by, **asked)
    assert [plain(row) for row in answer["rows"]] == [plain(row) for row in rows]
    for column, total in plain(answer["totals"]).items():
        amounts = [row[column] for row in rows if row.get(column) is not None]
        nothing = ZERO if isinstance(total, str) else 0
        assert total == as_told(sum(amounts, nothing)), column
    return answer


def sales_agree(
    company: Company, first: date, last: date, by: Person | None = None, sellers: list[Person] | None = None
) -> None:
    books, period = company.books, {"date_from": first, "date_to": last}
    for group in GROUPS:
        rows = sales.sales_by(books, group, first, last, sellers)
        table_agrees(company, "sales-summary", rows, by, group_by=group, **period)
    by_equipment = sales.sales_by_equipment(books, first, last, sellers)
    table_agrees(company, "sales-summary", by_equipment, by, group_by="equipment", **period)
    table_agrees(company, "gst", sales.gst(books, first, last, sellers), by, **period)


def receivables_agree(
    company: Company, day: date, by: Person | None = None, sellers: list[Person] | None = None
) -> None:
    table_agrees(company, "receivables", accounts.receivables(company.books, day, sellers), by, as_of=day)


def deposits_agree(company: Company, day: date) -> None:
    table_agrees(company, "deposits", accounts.deposits(company.books, day), as_of=day)


def statement_agrees(company: Company, customer: Customer, first: date, last: date) -> None:
    company.learns_receipts()
    told = company.get(f"customers/{company.pk(customer)}/statement/", date_from=first, date_to=last)
    right = accounts.statement(company.books, customer, first, last)
    assert told["opening_balance"] == as_told(right.opening)
    assert [plain(entry) for entry in told["entries"]] == [
        plain(
            {
                "date": entry.day,
                "kind": entry.kind,
                "number": entry.number,
                "details": entry.details,
                "due_on": entry.due_on,
                "amount": entry.amount,
                "balance": entry.balance,
            }
        )
        for entry in right.entries
    ]
    assert told["closing_balance"] == as_told(right.closing)
    assert told["ageing"] == plain(right.ageing)


def stock_agrees(company: Company, at: datetime | None = None) -> None:
    asked: Json = {} if at is None else {"at": at.isoformat()}
    table_agrees(company, "stock", stock.stock(company.books, at), **asked)
    told = company.get("reports/conservation/", **asked)["rows"]
    right = stock.conservation(company.books, at)
    assert [row for row in told if has_pieces(row)] == [row for row in right if has_pieces(row)]
    assert all(row["total"] == 0 for row in told)


def has_pieces(row: Json) -> bool:
    """Whether anything of the equipment is anywhere: without, it may be told or not."""
    return any(pieces != 0 for pieces in row.values() if isinstance(pieces, int))


def driver_day_agrees(company: Company, driver: Person, day: date) -> None:
    vehicle = stock.vehicle_on(company.books, driver, day)
    rows = stock.vehicle_day(company.books, vehicle, day, list(company.items.values())) if vehicle else []
    answer = table_agrees(company, "driver-day", rows, driver=company.pk(driver), date=day)
    told = {figure["name"]: figure["value"] for figure in answer["figures"]}
    right = stock.money_of_day(company.books, driver, day)
    assert told == {name: str(as_told(value)) for name, value in right.items()}


def accounts_agree(company: Company) -> None:
    """Each document, each payment, and what each customer holds, one by one."""
    books = company.books
    documents: list[Any] = []
    while len(documents) < len(books.documents):
        page = len(documents) // 200 + 1
        documents += company.get("invoices/", ordering="id", page=page, page_size=200)["results"]
    columns = ("invoice_number", "kind", "subtotal", "gst_rate", "gst_amount", "total_amount", "outstanding_amount")
    assert [[row[column] for column in columns] + [row["due_on"]] for row in documents] == [
        [
            as_told(value)
            for value in (d.number, d.kind, d.subtotal, d.gst_rate, d.gst, d.total, books.open_of(d), d.due_on)
        ]
        for d in books.documents
    ]

    def left(payment: Payment) -> Decimal:
        """Nothing of what was taken back."""
        is_over = payment.reverses is not None or books.is_reversed(payment)
        return Decimal("0.00") if is_over else books.credit_of(payment)

    paid = ("amount", "received_on", "rounding", "credit_amount")
    assert [tuple(row[column] for column in paid) for row in company.learns_receipts()] == [
        tuple(as_told(value) for value in (p.amount, p.received_on, books.rounded_away(p), left(p)))
        for p in books.payments
    ]
    for customer in books.customers:
        held = company.get(f"customers/{company.pk(customer)}/deposits/")
        rows = [row for row in accounts.deposits(books, company.today) if row["customer_code"] == customer.code]
        assert [
            (row["sku"], row["quantity"], row["amount"])
            for row in held["held"]
            if row["quantity"] or row["amount"] != "0.00"
        ] == [(row["sku"], row["quantity"], as_told(row["amount"])) for row in rows]
        assert [
            (
                row["sku"],
                row["at_site"],
                row["on_loan"],
                [(lot["pieces"], Decimal(lot["amount"])) for lot in row["lots"]],
            )
            for row in company.get(f"customers/{company.pk(customer)}/holdings/")
        ] == accounts.holdings(books, customer, list(company.items.values()))


def front_page_agrees(company: Company) -> None:
    """Its figures of money are added up on their own."""
    today, books = company.today, company.books
    tiles = {tile.label: (tile.value, tile.note) for tile in front_page(company.user(company.office))["tiles"]}
    billed = [document for document in books.documents if document.day == today]
    assert tiles["Billed today"][0] == sum((document.total for document in billed), ZERO)
    bags = [cash for seller in company.people for cash in books.cash_in_bag(seller)]
    assert tiles["Cash in bags"][0] == sum((cash.in_bag for cash in bags), ZERO)
    invoices = [document for document in books.documents if document.total > 0]
    overdue = [document for document in invoices if document.due_on < today]
    assert tiles["Open invoices"] == (
        sum((books.open_of(document) for document in invoices), ZERO),
        f"S$ {sum((books.open_of(document) for document in overdue), ZERO):,.2f} of it overdue",
    )


def day_end_agrees(company: Company, seller: Person, answer: Any) -> None:
    """What the count is put beside: what the day brought, and what should be there now."""
    day_end = company.books.day_ends[-1]
    assert (answer["cash_expected"], answer["cash_counted"]) == (
        as_told(day_end.cash_expected),
        as_told(day_end.cash_counted),
    )
    assert answer["cash_variance"] == as_told(day_end.cash_counted - day_end.cash_expected)
    told = {(line["sku"], line["condition"]): line for line in answer["lines"]}
    flows = stock.vehicle_day(company.books, seller.vehicle, company.today, list(company.items.values()))
    by_key = {(row["sku"], row["condition"]): row for row in flows} if seller.vehicle else {}
    wanted: set[tuple[Item, str]] = {key for key, pieces in day_end.expected.items() if pieces} | set(day_end.counted)
    assert set(told) == {(item.sku, condition) for item, condition in wanted} | set(by_key)
    for (item, condition), expected in day_end.expected.items():
        line = told.get((item.sku, condition))
        if line is None:
            continue
        counted = day_end.counted.get((item, condition), 0)
        assert (line["expected"], line["counted"], line["variance"]) == (expected, counted, counted - expected)
        flow = by_key.get((item.sku, condition), {})
        for name in ("opening", "loaded", "delivered", "collected", "unloaded", "other"):
            assert line[name] == flow.get(name, 0), name


def everything_agrees(company: Company) -> None:
    """As of now, and over all days so far."""
    books, today = company.books, company.today
    days = [document.day for document in books.documents] + [day_of(movement.when) for movement in books.movements]
    first = min([today, *days, *(payment.received_on for payment in books.payments)])
    sales_agree(company, first, today)
    receivables_agree(company, today)
    deposits_agree(company, today)
    for customer in books.customers:
        statement_agrees(company, customer, first, today)
    stock_agrees(company)
    for driver in company.drivers:
        driver_day_agrees(company, driver, today)
    accounts_agree(company)
    front_page_agrees(company)
