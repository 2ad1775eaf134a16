"""Every list of what grows finds and orders its page by an index, whatever it is asked by."""

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection

from benchmarks.plans import aliases
from benchmarks.questions import LISTS, list_questions, lists
from inventory.models import StockMovement
from tests.conftest import Shop

pytestmark = pytest.mark.django_db

SORTED = {
    # A place at either end of a movement: two indexes, whose rows are put in order together.
    "/api/inventories/movements/?location",
    # Few rows, whatever the history: what one thing caused, what is open, what is left of payments.
    "/api/inventories/movements/?cause_id", "/api/audit/?entity_id", "/api/invoices/?is_open=true",
    "/api/payments/?has_credit=true", "/api/expenses/?is_reversed=true",
    # What at most 200 customers paid, and what has the text for its reference.
    "/api/payments/?search",
}  # fmt: skip
"""Questions whose rows are sorted after they were found by an index."""
WALKED = {
    "/api/invoices/?is_open=false",
    "/api/payments/?has_credit=false",
    "/api/payments/?unmatched=false",
    "/api/cash-counts/?changed=false",
    "/api/expenses/?is_reversed=false",
}
"""Questions that nearly every row answers: the newest are read one by one until the page is full."""


def questions(shop: Shop) -> list[str]:
    movement = StockMovement.objects.all()[0]
    values = {
        "customer": shop.customer.pk, "customer_id": shop.customer.pk, "user": shop.driver.pk, "depot": shop.depot.pk,
        "vehicle_no": shop.driver.vehicle_no, "vehicle": 1, "from_vehicle": 1, "to_vehicle": 1, "equipment": movement.equipment_id, "location": movement.to_location_id,
        "search": shop.customer.name, "cause_id": 1, "count": 1, "cash_count": 1, "entity_id": 1, "cause_type": "transactions.transaction", "code": "insufficient_stock",
        "entity_type": "transactions.transaction", "action": "transactions.sale.recorded", "type": "transaction.create",
    }  # fmt: skip
    return [*list_questions(values, date(2026, 1, 31))]


def test_every_list_is_asked() -> None:
    assert {address.removeprefix("/api/").rstrip("/") for address, *_ in lists()} == LISTS


def test_every_list_reads_by_an_index(shop: Shop) -> None:
    assert shop.sell({"type": "SALE"}).status_code == 201
    client = shop.client_of(shop.admin)
    asked = questions(shop)
    assert len(asked) > 100
    wrong = {}
    for question in asked:
        if found := [complaint for sql in pages_of(client, question) for complaint in complaints(question, *sql)]:
            wrong[question] = found
    assert wrong == {}, "\n".join(f"{question} {what}" for question, what in wrong.items())


def pages_of(client: Any, question: str) -> list[tuple[str, Any]]:
    """The statements that read the list itself or count it."""
    seen: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if (
            " LIMIT " in sql
            and not re.search(r"LIMIT 1$", sql)
            and not re.search(r"FROM .customers_customer. WHERE", sql)
        ):
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert client.get(question).status_code == 200, question
    assert seen, question
    return seen


def complaints(question: str, sql: str, params: Any) -> list[str]:
    """What a planner would do that costs more as the table grows."""
    table = re.search(r"FROM [`\"](\w+)", sql)
    assert table
    is_narrowed, is_counted = bool(re.search(r"\?(?!ordering)", question)), sql.startswith("SELECT COUNT")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            steps = [row[-1] for row in cursor.fetchall()]
            sorts = any("TEMP B-TREE" in step for step in steps) and not is_counted
            # A walk along the order's own index ends with the page; but of what is narrowed it may find nothing.
            walks = any(re.match(rf"SCAN {table[1]}\b", step) for step in steps) and is_narrowed
        else:
            cursor.execute(f"EXPLAIN {sql}", params)
            names = [column[0] for column in cursor.description]
            steps = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            # Which of its indexes it takes for a handful of rows tells nothing; that there is one does.
            own = [step for step in steps if aliases(sql).get(step["table"], step["table"]) == table[1]]
            walks = is_narrowed and any(not step["possible_keys"] for step in own)
            sorts = "?" not in question and not is_counted and any("filesort" in str(step["Extra"]) for step in own)
    walks &= question not in WALKED
    sorts &= not question.startswith(tuple(SORTED))
    return [f"{what}: {steps}" for what, is_so in (("walks", walks), ("sorts", sorts)) if is_so]
