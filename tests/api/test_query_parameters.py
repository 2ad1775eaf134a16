"""Each query parameter of the API, as its schema names them, by each value that it can't mean: 400 that names it.

The table is made from docs/openapi.yaml: a new endpoint is in it as soon as it is described.
"""

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator

from foundation.api.inputs import KnownFieldsOnly
from foundation.api.queries import KnownParametersOnly
from tests.conftest import Shop, error_of
from tests.contract.documented import schema
from tests.types import Json

pytestmark = pytest.mark.django_db

LONG = "x" * 5_000
NO_NUMBER = [
    "x",
    "-1",
    "0",
    "1.5",
    "1e3",
    "1,2",
    "0x1",
    "NaN",
    "true",
    "null",
    "１２",
    "1\x00",
    "9" * 20,
    "9" * 5_000,
    LONG,
]
BAD: dict[str, list[str]] = {
    "integer": NO_NUMBER,
    "boolean": ["x", "2", "yes", "null", "-1", "1.0", "\x00", "ｔｒｕｅ", LONG],
    "date": [
        "x", "0", "0000-00-00", "2026-02-30", "2026-13-01", "10000-01-01", "-2026-01-01", "01/02/2026", "20 Jan 2026",
        "2026-01-20T10:00:00Z", "2026-01-20\x00", LONG,
    ],
    "date-time": [
        "x", "0", "0000-00-00T00:00:00Z", "2026-02-30T00:00:00Z", "10000-01-01T00:00:00Z", "2026-01-20T25:00:00Z",
        "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-20T00:00:00Z\x00", LONG,
    ],
    "enum": ["x", "0", "null", "\x00", "ＦＵＬＬ", LONG],
    "string": ["a\x00b", LONG],
    "ordering": ["x", "-", "--id", "id,x", "password", "user__password", "customer__name", "id;--", "?", "\x00", LONG],
    "cursor": [
        "x", "é", LONG, "\x00", "e.1.x", "e.-1", "e.1.customers.x",
        *(base64.b64encode(text).decode() for text in (
            b"p=\x00", b"p=abc", b"p=", b"r=1&p=", b"p=1.5x", b"p=2026-13-45", b"p=0000-00-00", b"p=\xff",
            b"p=9999-12-31 23:59:59-14:00", b"p=" + b"9" * 5_000,
        )),
    ],
}  # fmt: skip


def kind_of(parameter: Json) -> str:
    described = parameter["schema"]
    if "$ref" in described:
        described = schema()["components"]["schemas"][described["$ref"].rsplit("/", 1)[1]]
    if parameter["name"] in ("ordering", "cursor"):
        return str(parameter["name"])
    if "enum" in described:
        return "enum"
    kind = described["type"] if isinstance(described["type"], str) else described["type"][0]
    return str(described.get("format", kind) if kind == "string" else kind)


def operations() -> Iterator[tuple[str, str, dict[str, Json]]]:
    """Method, path, and the query parameters by name."""
    for path, methods in schema()["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/health/"):
                continue
            parameters = operation.get("parameters", [])
            yield method.upper(), path, {each["name"]: each for each in parameters if each["in"] == "query"}


OPERATIONS = list(operations())
ASKED = [(path, name, parameter) for _, path, parameters in OPERATIONS for name, parameter in parameters.items()]


@pytest.fixture
def client(shop: Shop) -> Any:
    shop.sell({"type": "SALE"}, payment_received=True)
    return shop.client_of(shop.admin)


def address(client: Any, path: str) -> str:
    """With the first row of the list that it belongs to."""
    if "{id}" not in path:
        return path
    rows = client.get(path.partition("{id}")[0]).json()["results"]
    return path.replace("{id}", str(rows[0]["id"] if rows else 1))


def test_the_table_is_not_empty() -> None:
    assert len(ASKED) > 100
    assert {kind_of(parameter) for _, _, parameter in ASKED} == set(BAD)


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ASKED}))
def test_a_value_that_can_not_be_meant_is_refused(client: Any, path: str) -> None:
    url = address(client, path)
    for name, parameter in ((name, parameter) for asked, name, parameter in ASKED if asked == path):
        needed = {other: 1 for at, other, it in ASKED if at == path and it.get("required") and other != name}
        for value in BAD[kind_of(parameter)]:
            if value == str(parameter["schema"].get("minimum")):
                continue
            answer = client.get(f"{url}?{urlencode({**needed, name: value})}")
            assert answer.status_code == 400, (name, value[:80], answer.status_code, answer.content[:300])
            errors = answer.json()["errors"]
            assert [error["attr"] for error in errors] == [name], (name, value[:80], errors)
        answer = client.get(f"{url}?{urlencode([*needed.items(), (name, '1'), (name, '1')])}")
        assert error_of(answer) == (400, "repeated_parameter", name)


def filed(shop: Shop) -> int:
    quarter = {"form": "F5", "starts_on": "2025-10-01", "ends_on": "2025-12-31"}
    pk: int = shop.client_of(shop.admin).post("/api/gst-returns/", quarter).json()["id"]
    return pk


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ASKED}))
def test_a_good_value_is_taken(shop: Shop, client: Any, path: str) -> None:
    url = address(client, path)
    good: Json = {
        "integer": 1, "boolean": "true", "date": "2026-01-20", "date-time": "2026-01-20T10:00:00+08:00", "string": "x",
        "depot": shop.depot.pk, "customer": shop.customer.pk, "driver": shop.driver.pk, "gst_return": filed(shop),
    }  # fmt: skip
    for name, parameter in ((name, parameter) for asked, name, parameter in ASKED if asked == path):
        kind = kind_of(parameter)
        described = parameter["schema"]
        if "$ref" in described:
            described = schema()["components"]["schemas"][described["$ref"].rsplit("/", 1)[1]]
        if kind == "cursor":
            continue  # the lists' own tests follow theirs
        if kind == "ordering":
            detail = client.get(f"{url}?ordering=x").json()["errors"][0]["detail"]
            values = [detail.partition("one of ")[2].partition(";")[0].split(", ")[-1]]
        else:
            values = described.get("enum") or [good.get(name, good[kind])]
        for value in values:
            needed = {"depot": shop.depot.pk} if path.endswith("/count-sheet/") else {}
            answer = client.get(f"{url}?{urlencode({**needed, name: value})}")
            assert answer.status_code == 200, (name, value, answer.content[:300])


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS])
def test_a_parameter_that_nobody_knows_is_refused(client: Any, method: str, path: str) -> None:
    for name in ("date_form", "customer__name", "id", "x" * 300, "é\x00"):
        answer = client.generic(method, f"{path.replace('{id}', '1')}?{urlencode({name: '1'})}")
        status, code, attr = error_of(answer)
        assert (status, code) == (400, "unknown_parameter")
        assert name.startswith(attr or "-")


def test_what_may_not_be_asked_is_said_before_what_is_asked_wrong(shop: Shop) -> None:
    assert shop.client_of(None).get("/api/audit/?x=1").status_code == 401
    assert shop.client_of(shop.driver).get("/api/audit/?x=1").status_code == 403


def test_an_empty_parameter_is_left_out(client: Any) -> None:
    for path in sorted({path for path, _, _ in ASKED}):
        url = address(client, path)
        names = [name for at, name, it in ASKED if at == path and not it.get("required") and name != "cursor"]
        needed = {"depot": 1} if path.endswith("/count-sheet/") else {}
        answer = client.get(f"{url}?{urlencode({**dict.fromkeys(names, ''), **needed})}")
        assert answer.status_code in (200, 400 if needed else 200), (path, answer.content[:300])


def test_every_view_of_the_api_knows_its_parameters() -> None:
    for _, path, _ in OPERATIONS:
        view: Any = resolve(path.replace("{id}", "1")).func
        assert issubclass(view.cls, KnownParametersOnly), path


def test_every_body_is_read_by_the_names_of_its_fields() -> None:
    """As the schema's generator found them."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # spectacular's has no types
    generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # neither has this
    bodies = [
        it for it in generator.registry._components.values() if it.name.endswith("Request") and it.type == "schemas"
    ]
    assert len(bodies) > 20
    loose = {
        it.name
        for it in bodies
        if not issubclass(it.object if isinstance(it.object, type) else type(it.object), KnownFieldsOnly)
    }
    assert loose <= {"PushDocumentationRequest"}


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PUT"])
def test_a_method_is_refused_before_its_parameters(shop: Shop, method: str) -> None:
    refused = shop.client_of(shop.admin).generic(method, "/api/invoices/?customer=1")
    assert error_of(refused) == (405, "method_not_allowed", None)
