"""The client that every test uses sees what the schema doesn't tell."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.contract.documented import told_beyond, undocumented
from tests.types import Answer

pytestmark = pytest.mark.any_engine


def answer(status: int, content: Any) -> Answer:
    return SimpleNamespace(status_code=status, json=lambda: content)


@pytest.mark.parametrize(
    ("status", "code", "is_known"),
    [(409, "insufficient_stock", True), (409, "made_up", False), (404, "not_found", True), (418, "teapot", False),
     (400, "anything", True)],
)  # fmt: skip
def test_a_refusal_is_known_by_its_code(status: int, code: str, is_known: bool) -> None:
    refusal = {"type": "client_error", "errors": [{"code": code, "detail": "", "attr": None}]}
    assert (undocumented("POST", "/api/transactions/", answer(status, refusal)) is None) is is_known


def test_a_field_too_many_is_seen_wherever_it_is() -> None:
    user = {"id": 1, "password": "pbkdf2"}
    assert told_beyond("GET", "/api/accounts/me/", answer(200, user)) == {".password"}
    assert told_beyond("GET", "/api/accounts/users/", answer(200, {"results": [user]})) == {".results[].password"}
    sale = {"transaction": {"items": [{"id": 1, "cost_price": "1.00"}]}}
    assert told_beyond("POST", "/api/transactions/", answer(201, sale)) == {".transaction.items[].cost_price"}
    assert told_beyond("GET", "/api/accounts/me/", answer(200, {"id": 1})) == set()
