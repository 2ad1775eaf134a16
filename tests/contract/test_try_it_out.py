"""What Swagger UI offers to try works, as it stands, on the demo data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from customers.models import Customer
from invoices.models import Invoice
from payments.models import Payment
from settlements.models import Settlement
from tests.contract.documented import DocumentedClient, operation_of, operations
from tests.types import Json
from transactions.models import Transaction

# The examples name the demo data by its keys, which begin with 1 in a database that nobody has used.
pytestmark = [pytest.mark.django_db(transaction=True, reset_sequences=True), pytest.mark.any_engine]

IDS: dict[str, Callable[[], int]] = {
    "/api/accounts/users/{}/set-password/": lambda: User.objects.get(username="driver4").pk,
    "/api/customers/{}/rates/": lambda: 2,
    "/api/distributions/{}/cancel/": lambda: made("admin", "/api/distributions/"),
    "/api/distributions/{}/confirm/": lambda: made("admin", "/api/distributions/"),
    "/api/invoices/{}/email/": lambda: Invoice.objects.exclude(customer__email="")[0].pk,
    "/api/invoices/{}/print/": lambda: 1,
    "/api/settlements/{}/reject/": lambda: counted(),
    "/api/settlements/{}/sign-off/": lambda: counted(),
    "/api/transactions/{}/void/": lambda: Transaction.objects.filter(reverses=None, reversal=None).reverse()[0].pk,
}
"""The object that somebody would pick who looks at the lists."""

OF_ONE_OBJECT = {
    "/api/customers/{}/replace-meter/", "/api/invoices/{}/pay/", "/api/payments/{}/allocate/",
    "/api/payments/{}/reverse/", "/api/sync/conflicts/{}/dismiss/", "/api/sync/conflicts/{}/retry/",
}  # fmt: skip
"""Its body names that object's own figures, or the demo data has none: tried where the operation is tested."""

OF_A_TOKEN = {"/api/token/refresh/", "/api/token/blacklist/"}
"""The example can't know the token."""

DRIVERS = {"/api/settlements/"}
"""Counted by somebody who has a vehicle."""


@pytest.fixture
def demo(settings: Settings, stub_pdf: None) -> None:
    settings.DEBUG = True
    call_command("seed_demo", verbosity=0)


def client_of(username: str) -> DocumentedClient:
    client = DocumentedClient()
    client.force_authenticate(User.objects.get(username=username))
    return client


def counted() -> int:
    waiting = Settlement.objects.filter(status=Settlement.Status.COUNTED).first()
    return waiting.pk if waiting else made("driver3", "/api/settlements/")


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


def test_the_readers_of_the_demo_see_something(demo: None) -> None:
    """Each list that the office reads has a row to look at."""
    admin = client_of("admin")
    lists = {path.pattern for method, path in operations() if method == "GET" and "[^/]+" not in path.pattern}
    lists -= {"/api/sync/conflicts/"}  # nothing went wrong
    empty = [
        url for url in lists if (answer := admin.get(url)).get("Content-Type") == "application/json"
        and answer.json().get("results") == []
    ]  # fmt: skip
    assert empty == []
    assert (Customer.objects.count(), Payment.objects.exists()) == (40, True)
