"""What Swagger UI offers to try works, as it stands, on the demo data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from customers.models import Customer
from equipment.models import Equipment
from fleet.models import Assignment, Vehicle
from inventory.models import Count, DepotWork
from invoices.models import Invoice
from payments.models import CashCount, CashExpense, Payment
from periods.models import Period
from settlements.models import Settlement
from tests.conftest import error_of
from tests.contract.documented import DocumentedClient, operation_of, operations
from tests.types import Json, Unchanged
from transactions.models import Transaction

# The examples name the demo data by its keys, which begin with 1 in a database that nobody has used.
pytestmark = [pytest.mark.django_db(transaction=True, reset_sequences=True), pytest.mark.any_engine]

IDS: dict[str, Callable[[], int]] = {
    "/api/accounts/users/{}/set-password/": lambda: User.objects.get(username="driver4").pk,
    "/api/customers/{}/rates/": lambda: 2,
    "/api/customers/{}/meter-rates/": lambda: 2,
    "/api/equipment/{}/prices/": lambda: Equipment.objects.get(sku="CYL-50-POL").pk,
    "/api/customers/{}/goodwill-refunds/": lambda: 1,
    "/api/distributions/{}/cancel/": lambda: made("admin", "/api/distributions/"),
    "/api/distributions/{}/confirm/": lambda: made("admin", "/api/distributions/"),
    "/api/invoices/{}/email/": lambda: Invoice.objects.exclude(customer__email="")[0].pk,
    "/api/invoices/{}/print/": lambda: 1,
    "/api/cash-counts/{}/reject/": lambda: counted(CashCount, "/api/cash-counts/"),
    "/api/cash-counts/{}/sign-off/": lambda: counted(CashCount, "/api/cash-counts/"),
    "/api/depot-work/{}/reverse/": lambda: DepotWork.objects.get(reversal=None, kind="GOODS_IN").pk,
    "/api/expenses/{}/reverse/": lambda: CashExpense.objects.filter(reversal=None, reverses=None)[0].pk,
    "/api/periods/{}/reopen/": lambda: Period.objects.filter(reopening=None, reopens=None)[0].pk,
    "/api/settlements/{}/reject/": lambda: counted(Settlement, "/api/settlements/"),
    "/api/settlements/{}/sign-off/": lambda: counted(Settlement, "/api/settlements/"),
    "/api/vehicle-counts/{}/reject/": lambda: counted(Count, "/api/vehicle-counts/"),
    "/api/vehicle-counts/{}/sign-off/": lambda: counted(Count, "/api/vehicle-counts/"),
    "/api/vehicle-assignments/{}/correct/": lambda: Assignment.objects.get(user__username="driver3").pk,
    "/api/vehicles/{}/take/": lambda: Vehicle.objects.get(number="GBQ4411K").pk,
    "/api/vehicles/{}/transfer/": lambda: Vehicle.objects.get(number="GBK1234A").pk,
    "/api/transactions/{}/bill-again/": lambda: sold_of_plenty(),
    "/api/transactions/{}/void/": lambda: Transaction.objects.filter(reverses=None, reversal=None).reverse()[0].pk,
}
"""The object that somebody would pick who looks at the lists."""

OF_ONE_OBJECT = {
    "/api/set-offs/",
    "/api/customers/{}/replace-meter/", "/api/invoices/{}/pay/", "/api/invoices/{}/credit/", "/api/payments/{}/allocate/",
    "/api/payments/{}/reverse/", "/api/payments/{}/bank/", "/api/payments/{}/unbank/", "/api/payments/{}/bounce/",
    "/api/discrepancies/{}/seen/", "/api/invoices/{}/release/", "/api/sync/conflicts/{}/dismiss/", "/api/sync/conflicts/{}/retry/",
    "/api/sync/conflicts/{}/withdraw/",
}  # fmt: skip
"""Its body names that object's own figures, or the demo data has none: tried where the operation is tested."""

OF_A_TOKEN = {"/api/token/refresh/", "/api/token/blacklist/"}
"""The example can't know the token."""

DRIVERS = {"/api/settlements/", "/api/vehicle-counts/", "/api/cash-counts/"}
"""Counted by somebody who has a vehicle."""


WITHOUT_ID = {"/api/token/", "/api/invoices/print-batch/", "/api/sync/push/"}
"""A log-in is new each time, pages are printed as often as somebody asks, and a push's operations have ids of their own."""


@pytest.fixture
def demo(settings: Settings, stub_pdf: None) -> None:
    settings.DEBUG = True
    call_command("seed_demo", verbosity=0)


def client_of(username: str) -> DocumentedClient:
    client = DocumentedClient()
    client.force_authenticate(User.objects.get(username=username))
    return client


def counted(model: type[Any], path: str) -> int:
    """The first that waits for a signature."""
    waiting = model.objects.filter(status="COUNTED").order_by("pk").first()
    return waiting.pk if waiting else made("driver3", path)


def sold_of_plenty() -> int:
    """A sale from a vehicle that had more of what the example bills."""
    invoiced = Transaction.objects.filter(invoice__kind="TAX_INVOICE", reversal=None, items__equipment=3)
    pk: int = invoiced.filter(items__type__in=("SALE", "SWAP"), items__quantity__gte=2).latest("pk").pk
    return pk


def made(username: str, path: str) -> int:
    """Another one of what the first example makes."""
    answer = client_of(username).post(path, first_example(operation_of("POST", path) or {}) | {"client_temp_id": None})
    pk: int = answer.json()["id"]
    return pk


def first_example(operation: Json) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    examples = content.get("application/json", {}).get("examples", {})
    return next(iter(examples.values()))["value"] if examples else {}


def paths() -> list[str]:
    found = {path.pattern.replace("[^/]+", "{}") for method, path in operations() if method == "POST"}
    return sorted(found - OF_ONE_OBJECT - OF_A_TOKEN)


def test_no_operation_is_forgotten() -> None:
    with_ids = {path for path in paths() if "{}" in path}
    assert with_ids == set(IDS)


def test_each_first_example_works(demo: None) -> None:
    said = {}
    for path in paths():
        url = path.format(IDS[path]()) if path in IDS else path
        operation = operation_of("POST", url)
        response = client_of("driver2" if path in DRIVERS else "admin").post(url, first_example(operation or {}))
        if response.status_code >= 300:
            said[url] = response.content[:300]
    assert said == {}


def test_each_write_is_done_once(demo: None, nothing_changes: Unchanged) -> None:
    """The header says it as well as the body, and neither is taken where it means nothing."""
    for path in paths():
        url = path.format(IDS[path]()) if path in IDS else path
        body = {**first_example(operation_of("POST", url) or {}), "client_temp_id": None}
        client, named = client_of("driver2" if path in DRIVERS else "admin"), {"Idempotency-Key": f"once {path}"[:64]}
        if path in WITHOUT_ID:
            del body["client_temp_id"]
            with nothing_changes():
                refused = client.post(url, body, headers=named)
            assert error_of(refused) == (400, "unknown_header", "Idempotency-Key"), url
            continue
        first = client.post(url, body, headers=named)
        assert first.status_code < 300, (url, first.content)
        assert "Idempotent-Replayed" not in first
        with nothing_changes():
            again = client.post(url, body | {"client_temp_id": named["Idempotency-Key"]})
            other = client.post(url + "?", body | {"remarks": "Something else"}, headers=named)
            twice_named = client.post(url, body | {"client_temp_id": "another"}, headers=named)
        assert (again.status_code, again["Idempotent-Replayed"]) == (
            200 if first.status_code == 201 else first.status_code, "true"
        ), (url, again.content)  # fmt: skip
        assert again.content == first.content, url
        assert error_of(other)[:2] in ((409, "idempotency_conflict"), (400, "unknown_field")), url
        assert error_of(twice_named) == (400, "ids_differ", "client_temp_id"), url


def test_the_readers_of_the_demo_see_something(demo: None) -> None:
    """Each list that the office reads has a row to look at."""
    admin = client_of("admin")
    lists = {path.pattern for method, path in operations() if method == "GET" and "[^/]+" not in path.pattern}
    lists -= {
        "/api/sync/conflicts/",
        "/api/sync/devices/",
        "/api/discrepancies/",
        "/api/confirmations/",
    }  # nothing went wrong: nobody has a phone
    empty = [
        url for url in lists if (answer := admin.get(url)).get("Content-Type") == "application/json"
        and answer.json().get("results") == []
    ]  # fmt: skip
    assert empty == []
    assert (Customer.objects.count(), Payment.objects.exists()) == (40, True)
