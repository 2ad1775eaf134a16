"""A row that can't be read is shown as broken, and breaks nobody else's list, report or page."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from customers.models import Customer
from equipment.models import Equipment, EquipmentPrice
from foundation.columns import beyond, column_checks
from foundation.office.exports import ExportsRows
from foundation.unreadable import UnreadableRecord
from inventory.models import Inventory
from invoices.mailing import compose
from invoices.models import Invoice, InvoiceEmail
from invoices.snapshot import InvoiceSnapshot
from reports.catalogue import REPORTS
from reports.management.commands.verify_books import Bar
from reports.verification.records import numbers_can_be_read
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, url
from tests.broken.rows import AMOUNTS, COUNTS, TEXTS, Which, break_row, fields_of, models_with
from tests.conftest import Shop, error_of
from tests.contract.documented import schema
from tests.factories import CustomerFactory
from tests.types import Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
BREAKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "an amount beyond its column": (AMOUNTS, "10000000000000"),
    "an amount that is text": (AMOUNTS, "'not a number'"),
    "a count that no sum holds": (COUNTS, str(2**63 - 1)),
    "JSON that is none": (TEXTS, "'{\"torn'"),
}
"""Which columns, and the SQL of what SQLite takes into them."""
SAID: dict[Which, str] = {
    AMOUNTS: "a number that its column doesn't hold",
    COUNTS: "a number that its column doesn't hold",
    TEXTS: "JSON that can't be read",
}


@pytest.fixture
def books(office: Shop) -> Shop:
    """With a price and a meter rate that were others before."""
    if connection.vendor != "sqlite":
        pytest.skip("MySQL's columns hold what they are for, and no more.")
    boss = office.client_of(office.admin)
    assert boss.patch(f"/api/equipment/{office.cylinder.pk}/", {"default_rate": "29.00"}).status_code == 200
    metered = Customer.objects.exclude(meter_rate=None).latest("pk")
    assert boss.patch(f"/api/customers/{metered.pk}/", {"meter_rate": "2.2000"}).status_code == 200
    return office


def questions(client: Any, shop: Shop) -> Iterator[str]:
    """Each GET of the API, of every row that its list shows, in each format."""
    for path, methods in schema()["paths"].items():
        if "get" not in methods:
            continue
        pks = [row["id"] for row in client.get(path.partition("{id}")[0]).json()["results"]] if "{id}" in path else [0]
        assert pks, path
        asked = [""]
        for parameter in methods["get"].get("parameters", ()):
            if parameter["name"] in ("format", "group_by"):
                asked += [f"?{parameter['name']}={value}" for value in _choices(parameter["schema"])]
            if parameter.get("required") and parameter["in"] == "query":
                asked = [f"?{parameter['name']}={shop.depot.pk}"]
        yield from (path.replace("{id}", str(pk)) + query for pk in pks for query in asked)


def _choices(described: Json) -> list[str]:
    if "$ref" in described:
        described = schema()["components"]["schemas"][described["$ref"].rsplit("/", 1)[1]]
    found: list[str] = described["enum"]
    return found


def pages() -> Iterator[str]:
    """The front page of the office, its reports; each list, its files, and the page of each of its rows."""
    yield reverse("admin:index")
    for report in REPORTS:
        yield from (reverse(f"admin:reports_{report.name}") + query for query in ("", "?format=csv", "?format=xlsx"))
    for customer in Customer.objects.get_queryset():
        yield reverse("admin:reports_statement") + f"?customer={customer.pk}"
        yield reverse("admin:reports_statement") + f"?customer={customer.pk}&format=pdf"
    for model in MODELS:
        yield from (url(model), f"{url(model)}?q=1")
        if isinstance(admin.site._registry[model], ExportsRows):
            yield from (url(model, "export", file_format) for file_format in ("csv", "xlsx"))
        yield from (url(model, "change", pk) for pk in model._default_manager.values_list("pk", flat=True))


def answered(client: Any, address: str) -> bytes | str:
    """What is answered, to its last byte; else why not."""
    answer = client.get(address)
    content = b"".join(answer) if answer.streaming else answer.content
    return content if answer.status_code < 500 else repr(answer.exc_info)


@pytest.mark.parametrize("how", BREAKS)
def test_every_list_report_and_page_survives(books: Shop, how: str) -> None:
    which, value = BREAKS[how]
    broken = {model: break_row(model, fields_of(model, which), value) for model in models_with(which)}
    assert len(broken) > 3
    api, office = books.client_of(books.admin), logged_in(books.admin)
    office.raise_request_exception = False
    told = {address: answered(api, address) for address in questions(api, books)}
    told |= {address: answered(office, address) for address in pages()}
    assert {address: why for address, why in told.items() if isinstance(why, str)} == {}
    if which is AMOUNTS:
        shown = {
            model for model in broken.keys() & {*MODELS} if b"unreadable" in told[url(model, "change", broken[model])]
        }
        assert shown == broken.keys() & {*MODELS}
    assert named() == {f"{model._meta.verbose_name} {pk} has {SAID[which]}" for model, pk in broken.items()}


def test_others_rows_and_totals_are_right(books: Shop) -> None:
    [mine, broken] = Invoice.objects.order_by("pk")[:2]
    break_row(Invoice, fields_of(Invoice, AMOUNTS), "10000000000", broken.pk)
    client = books.client_of(books.admin)
    rows = {row["id"]: row for row in client.get("/api/invoices/").json()["results"]}
    assert rows[mine.pk]["total_amount"] == str(mine.total_amount)
    assert rows[broken.pk]["total_amount"] == rows[broken.pk]["outstanding_amount"] == "NaN"


def test_a_total_with_a_broken_row_says_that_it_can_not_be_read(books: Shop) -> None:
    """One beyond the column looks like a figure: never as a sum."""
    client = books.client_of(books.admin)
    assert books.sell({"type": "SERVICE"}, by=books.admin).status_code == 201
    broken = Invoice.objects.filter(user=books.driver).latest("pk")
    break_row(Invoice, fields_of(Invoice, AMOUNTS), "10000000000", broken.pk)
    by_driver = client.get("/api/reports/sales-summary/?group_by=driver").json()
    sums = {row["key"]: row["total_amount"] for row in by_driver["rows"]}
    others = [invoice.total_amount for invoice in Invoice.objects.filter(user=books.admin)]
    assert sums == {books.admin.username: str(sum(others)), books.driver.username: "NaN"}
    assert by_driver["totals"]["total_amount"] == "NaN"
    break_row(Inventory, fields_of(Inventory, COUNTS), "2147483648")
    assert client.get("/api/reports/conservation/").json()["totals"]["total"] is None
    page = logged_in(books.admin).get(reverse("admin:index")).content.decode()
    assert page.count("unreadable") > 1


def writes(shop: Shop) -> Iterator[tuple[str, Json]]:
    """What reckons with what is in the books."""
    item = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    line = {"equipment": shop.cylinder.pk, "quantity": 1}
    for customer in Customer.objects.get_queryset():
        for kind in ("SALE", "SWAP", "DEPOSIT", "RETURN", "SERVICE"):
            yield (
                "transactions/",
                {"customer": customer.pk, "items": [{**line, "type": kind}], "payment_received": True},
            )
        yield "transactions/", {"customer": customer.pk, "current_meter": "5000.00"}
        yield "payments/", {"customer": customer.pk, "method": "CASH", "amount": "1.00"}
        yield (
            f"customers/{customer.pk}/replace-meter/",
            {"final_reading": "5000.00", "new_meter_number": "N", "first_reading": "0.00"},
        )
        yield f"customers/{customer.pk}/rates/", {"equipment": shop.cylinder.pk, "rate": "2.00"}
    for sale in Transaction.objects.all():
        yield f"transactions/{sale.pk}/void/", {"reason": "Wrong"}
    for invoice in Invoice.objects.all():
        yield f"invoices/{invoice.pk}/pay/", {"amount": "1.00"}
        yield f"invoices/{invoice.pk}/email/", {"to": "a@example.sg"}
        yield f"invoices/{invoice.pk}/mark-printed/", {}
    for name, actions in (
        ("payments", ("allocate", "reverse")),
        ("vehicle-counts", ("sign-off",)),
        ("cash-counts", ("sign-off",)),
        ("settlements", ("sign-off",)),
        ("distributions", ("confirm",)),
    ):
        for row in shop.client_of(shop.admin).get(f"/api/{name}/").json()["results"]:
            yield from (
                (f"{name}/{row['id']}/{action}/", {"reason": "x"} if action == "reverse" else {}) for action in actions
            )
    yield "settlements/", {"cash": "1.00", "counts": [item]}
    yield "vehicle-counts/", {"vehicle": shop.driver.vehicle_no, "counts": [item]}
    yield "cash-counts/", {"cash": "1.00"}
    yield "depot-work/", {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": [item]}
    yield "depot-work/stock-take/", {"depot": shop.depot.pk, "reason": "Counted", "items": [item]}
    yield "sync/push/", {
        "operations": [
            {"type": "transaction.create", "client_temp_id": "new", "data": {"customer": shop.customer.pk, "items": [{**line, "type": "SALE"}]}}
        ]
    }  # fmt: skip


def named() -> set[str]:
    """What verify_books says of rows that can't be read: all of it."""
    with pytest.raises(CommandError):
        call_command("verify_books", stdout=StringIO())
    return {*numbers_can_be_read(Bar(""))}


@pytest.mark.parametrize("how", BREAKS)
def test_a_command_that_comes_to_one_is_refused_and_makes_no_other(books: Shop, how: str) -> None:
    which, value = BREAKS[how]
    asked = [*writes(books)]
    for model in models_with(which):
        break_row(model, fields_of(model, which), value)
    before, client = named(), books.client_of(books.admin)
    failed, codes = {}, set()
    for address, body in asked:
        answer: Any = client.post(f"/api/{address}", body)
        if answer.status_code >= 500:
            failed[address] = (body, answer.exc_info)
        elif answer.status_code >= 400:
            codes |= {error["code"] for error in answer.json()["errors"]}
    assert failed == {}
    # What a void reads of a document has a test of its own.
    assert ("unreadable_record" in codes) is (which is not TEXTS)
    assert named() == before


def break_price(books: Shop) -> None:
    price = EquipmentPrice.objects.filter(equipment=books.cylinder.pk, kind="DEFAULT_RATE").latest("pk")
    break_row(EquipmentPrice, [EquipmentPrice._meta.get_field("amount")], "1000000000", price.pk)


def test_a_sale_is_not_priced_by_what_can_not_be_read(books: Shop, nothing_changes: Unchanged) -> None:
    break_price(books)
    customer = CustomerFactory()
    with nothing_changes():
        refused = books.sell({"type": "REFILL"}, customer=customer.pk)
    assert error_of(refused) == (409, "unreadable_record", None)


def test_a_pushed_sale_that_comes_to_one_is_kept(books: Shop) -> None:
    break_price(books)
    sale = {
        "customer": CustomerFactory().pk,
        "items": [{"equipment": books.cylinder.pk, "type": "REFILL", "quantity": 1}],
    }
    operation = {"type": "transaction.create", "client_temp_id": "kept", "data": sale}
    [kept] = books.client_of(books.driver).post("/api/sync/push/", {"operations": [operation]}).json()["results"]
    assert (kept["status"], kept["errors"][0]["code"]) == ("rejected", "unreadable_record")


def test_the_office_changes_the_rest_of_a_broken_row(books: Shop) -> None:
    customer = Customer.objects.exclude(meter_rate=None).latest("pk")
    break_row(Customer, fields_of(Customer, AMOUNTS), "10000000000", customer.pk)
    office, page = logged_in(books.admin), url(Customer, "change", customer.pk)
    sent = {**form_of(office, page), "phone": "6123 4567", "_save": ""}
    answer = office.post(page, sent)
    assert answer.status_code == 302, errors_of(answer)
    raw = "SELECT phone, meter_rate FROM customers_customer WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(raw, [customer.pk])
        assert cursor.fetchone() == ("6123 4567", 10_000_000_000)


def test_the_api_changes_the_rest_of_a_broken_row(books: Shop) -> None:
    client = books.client_of(books.admin)
    for model, where, change in (
        (Customer, "customers", {"phone": "6123 4567"}),
        (Equipment, "equipment", {"name": "New"}),
    ):
        pk = break_row(model, fields_of(model, AMOUNTS), "10000000000")
        answer = client.patch(f"/api/{where}/{pk}/", change)
        assert (answer.status_code, answer.json() | change) == (200, answer.json())
        [amount, *_] = fields_of(model, AMOUNTS)
        assert error_of(client.patch(f"/api/{where}/{pk}/", {amount.name: "1.00"})) == (409, "unreadable_record", None)


def test_what_a_document_says_is_read_or_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InvoiceSnapshot, "to_json", lambda snapshot: {"number": snapshot.number})
    sale = shop.sell({"type": "SALE"}).json()
    boss = shop.client_of(shop.admin)
    refused = boss.post(f"/api/transactions/{sale['transaction']['id']}/void/", {"reason": "Wrong"})
    assert error_of(refused) == (409, "unreadable_record", None)
    assert boss.get(f"/api/invoices/{sale['invoice']['id']}/").status_code == 200
    with pytest.raises(UnreadableRecord):
        compose(InvoiceEmail(invoice_id=sale["invoice"]["id"], to="a@example.sg"))


def test_a_cut_document_is_not_served(shop: Shop, nothing_changes: Unchanged) -> None:
    whole, cut = (shop.sell({"type": "SALE"}).json()["invoice"] for _ in range(2))
    stored = Path(settings.MEDIA_ROOT) / cut["pdf_path"]
    stored.write_bytes(stored.read_bytes()[:200])
    client = shop.client_of(shop.admin)
    with nothing_changes():
        for refused in (
            client.get(cut["pdf_url"]),
            client.post("/api/invoices/print-batch/", {"invoices": [whole["id"], cut["id"]]}),
        ):
            assert error_of(refused) == (409, "unreadable_record", None)
            assert cut["pdf_path"] in refused.json()["errors"][0]["detail"]
    assert client.get(whole["pdf_url"]).status_code == 200
    assert logged_in(shop.admin).get(url("invoices.invoice", "pdf", cut["id"])).status_code == 302


def test_an_upgrade_finds_the_rows_that_their_columns_do_not_hold(books: Shop) -> None:
    """Before it adds the checks that would refuse them."""

    def found(model: Any) -> set[int]:
        return {
            pk
            for check in column_checks(model)
            for pk in model.objects.filter(beyond(check)).values_list("pk", flat=True)
        }

    models = [model for model in models_with(AMOUNTS) if column_checks(model)]
    assert len(models) > 3
    assert {model: found(model) for model in models} == {model: set() for model in models}
    broken = {model: {break_row(model, fields_of(model, AMOUNTS), "10000000000000")} for model in models}
    assert {model: found(model) for model in models} == broken
