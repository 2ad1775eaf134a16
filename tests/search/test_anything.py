"""A search for what nobody thought of: any writes in any order, with any values, then any reads. No 5xx, and the books
verify.

Each request begins as the example that the schema gives for its operation, or as a form of the office, and some of its
values become others: rows that there are, numbers at the limits and beyond, words that mean something elsewhere.
SEARCH_SECONDS is how long it searches; make nightly takes ten minutes on each engine.
"""

import copy
import json
import os
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from distribution.models import Distribution
from equipment.models import Equipment
from foundation.limits import AMOUNT, BALANCE, QUANTITY, RATE, READING, Limit
from foundation.office.master_data import MasterDataAdmin
from invoices.models import Invoice
from payments.models import Payment
from settlements.models import Settlement
from sync.models import SyncConflict
from tests.admin.conftest import furnished
from tests.admin.pages import form_of, logged_in, url
from tests.conftest import Shop, open_shop
from tests.contract.documented import operations
from tests.types import Answer, Json
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

SECONDS = float(os.environ.get("SEARCH_SECONDS", "5"))
ROWS: dict[str, Any] = {
    "customer": Customer, "equipment": Equipment, "equipment_id": Equipment, "depot": Depot, "to_depot": Depot,
    "distribution": Distribution, "invoice": Invoice, "transaction": Transaction, "payment": Payment,
    "conflict": SyncConflict, "settlement": Settlement, "user": User, "entity_id": Depot,
}  # fmt: skip
"""Whose keys a field of this name holds, in a body or in a path."""


def _edges(limit: Limit) -> list[str]:
    step = str(limit.most)
    return [step, str(limit.most + 1), f"-{step}", str(limit.most / 2)]


TODAY = "2026-01-20T18:30:00+08:00"
"""The day of the schema's examples."""
EXAMPLES = 5
VALUES: list[Any] = [
    None, True, False, 0, 1, 2, -1, 10**9, 10**30, 0.1, "0", "0.00", "0.01", "-0.01", "1e3", "NaN", "", " ", "x", "x" * 300,
    "\x00", "é金😀", "2026-02-30", "2026-01-20", "9999-12-31T23:59:59+08:00", "0001-01-01T00:00:00Z", [], {}, [None], {"a": 1},
    "SALE", "RETURN", "SWAP", "DEPOSIT", "REFILL", "CASH", "GOODS_IN", "SCRAP", "FULL", "DAMAGED", "EMPTY",
    *(edge for limit in (QUANTITY, RATE, READING, AMOUNT, BALANCE) for edge in _edges(limit)),
    *(int(limit.most) for limit in (QUANTITY, AMOUNT, BALANCE)),
]  # fmt: skip
values = st.sampled_from(VALUES)
picks = st.integers(0, 30)


def _leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match body:
        case dict():
            for name, inner in body.items():
                yield from _leaves(inner, (*path, name))
        case list() if body:
            for index, inner in enumerate(body):
                yield from _leaves(inner, (*path, index))
        case _:
            yield path


def _put(body: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        body = body[step]
    body[path[-1]] = value


def _row(name: Any, pick: int) -> int | None:
    model = ROWS.get(name)
    keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True)[:31]) if model else []
    return keys[pick % len(keys)] if keys else None


class Search:
    """One world, and what is asked of it."""

    def __init__(self, draw: Any, shop: Shop) -> None:
        self.draw, self.shop = draw, shop
        self.users = [shop.admin, shop.driver, *User.objects.exclude(pk__in=[shop.admin.pk, shop.driver.pk])]
        self.said: list[str] = []

    def answer(self, what: str, response: Answer) -> None:
        self.said.append(f"{what}: {response.status_code}")
        assert response.status_code < 500, "\n".join([*self.said, str(response.content[:500])])

    def body_from(self, example: Any) -> Any:
        """The example with rows that there are, and a few values that are others."""
        body = copy.deepcopy(example)
        leaves = list(_leaves(body)) if isinstance(body, dict | list) else []
        for path in leaves:
            name = next((step for step in reversed(path) if isinstance(step, str)), None)
            if name == "client_temp_id":
                _put(body, path, self.draw(st.sampled_from(["a", "b", None, f"{len(self.said)}"])))
            elif (key := _row(name, self.draw(picks))) is not None:
                _put(body, path, key)
        for path in self.draw(st.lists(st.sampled_from(leaves), max_size=2)) if leaves else []:
            _put(body, path, self.draw(values))
        return body

    def client(self) -> APIClient:
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(self.users[self.draw(st.integers(0, len(self.users) - 1))])
        return client

    def api(self, method: str, path: str, operation: Json) -> None:
        noun = path.strip("/").split("/")[1].rstrip("s").removesuffix("ie")
        key = _row({"customer": "customer", "accounts": "user", "sync": "conflict"}.get(noun, noun), self.draw(picks))
        address = path.replace("[^/]+", str(key or self.draw(st.sampled_from([0, 1, 10**17]))))
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [each["value"] for each in content.get("examples", {}).values()]
        body = self.body_from(self.draw(st.sampled_from(examples))) if examples else None
        if method == "GET":
            self.answer(f"GET {address}", self.client().get(address))
        else:
            self.answer(
                f"{method} {address} {body}", self.client().generic(method, address, _json(body), "application/json")
            )

    def office(self, model: Any, row: Any) -> None:
        client = logged_in(self.shop.admin)
        client.raise_request_exception = False
        address = url(model, "add") if row is None else url(model, "change", row.pk)
        page = client.get(address)
        self.answer(f"GET {address}", page)
        if page.status_code != 200 or b"_save" not in page.content:
            return
        form = {name: value for name, value in form_of(client, address).items() if isinstance(value, str | int)}
        for name in self.draw(st.lists(st.sampled_from(sorted(form)), max_size=3)) if form else []:
            key = _row(name, self.draw(picks))
            form[name] = key if key is not None else str(self.draw(values))
        self.answer(f"POST {address} {form}", client.post(address, {**form, "_save": "Save"}))


def _json(body: Any) -> str:
    return "" if body is None else json.dumps(body)


ASKED = [(method, path.pattern, it) for (method, path), it in operations().items() if "/token/" not in path.pattern]
WRITES, READS = [it for it in ASKED if it[0] != "GET"], [it for it in ASKED if it[0] == "GET"]
FORMS = [
    model for model, page in admin.site._registry.items()
    if isinstance(page, MasterDataAdmin) or getattr(page, "add_form", None)
]  # fmt: skip


def one_sequence(data: st.DataObject, shop: Shop) -> None:
    with transaction.atomic():
        world = Search(data.draw, shop)
        for _ in range(data.draw(st.integers(1, 12))):
            if data.draw(st.integers(0, 4)):
                world.api(*data.draw(st.sampled_from(WRITES)))
            else:
                model: Any = data.draw(st.sampled_from(FORMS))
                world.office(model, data.draw(st.sampled_from([None, model._default_manager.first()])))
        for read in data.draw(st.lists(st.sampled_from(READS), max_size=6)):
            world.api(*read)
        try:
            call_command("verify_books", stdout=StringIO())
        except CommandError as broken:
            raise AssertionError("\n".join([*world.said, str(broken)])) from broken
        transaction.set_rollback(True)


def test_no_request_fails_and_no_book_breaks(stub_pdf: None) -> None:
    ends, tried = time.monotonic() + SECONDS, 0
    with time_machine.travel(TODAY, tick=False):
        shop = furnished(open_shop())
        while tried == 0 or time.monotonic() < ends:
            # A search can't be stopped by a clock; so there are many.
            some = settings(
                max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
            )
            seed(time.time_ns())(some(given(data=st.data(), shop=st.just(shop))(one_sequence)))()
            tried += EXAMPLES
    print(f"\n{tried} sequences of requests")  # noqa: T201 -- for the night's log
