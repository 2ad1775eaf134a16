"""The floor of reading: the statements of each question again, by hand through the bare driver.

`python -m benchmarks.statements` on the database of the settings prints JSON: the questions that make sense there, and
what their statements cost alone. Run by growth.py for each of its sites.
"""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from benchmarks.harness import milliseconds
from benchmarks.history import LAST_DAY
from benchmarks.questions import list_questions, report_questions

# isort: split
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from foundation.access.capabilities import Role
from inventory.models import StockMovement
from transactions.models import Transaction

RUNS = 3


def values() -> dict[str, Any]:
    """What to ask for: a sale of the past with all that it touched."""
    sale = Transaction.objects.select_related("user").order_by("-pk")[:1000][999]
    movement = StockMovement.objects.filter(cause_id=sale.pk).first()
    assert movement
    return {
        "customer": sale.customer_id, "customer_id": sale.customer_id, "user": sale.user_id,
        "depot": sale.user.depot_id, "vehicle_no": sale.vehicle_no, "vehicle": 1, "from_vehicle": 1, "to_vehicle": 1, "equipment": movement.equipment_id,
        "location": movement.to_location_id, "cause_id": sale.pk, "count": 1, "cash_count": 1, "entity_id": sale.pk,
        "cause_type": "transactions.transaction", "entity_type": "transactions.transaction",
        "action": "transactions.sale.recorded", "search": "Customer 4711", "code": "insufficient_stock", "type": "transaction.create",
    }  # fmt: skip


def by_hand(statements: list[tuple[str, object]]) -> Callable[[], None]:
    """All of them on a connection of the driver's own."""
    if connection.vendor == "sqlite":
        raw: Any = sqlite3.connect(connection.settings_dict["NAME"])
        statements = [(sql.replace("%s", "?").replace("%%", "%"), params) for sql, params in statements]
    else:
        connection.ensure_connection()
        raw = connection.connection

    def run() -> None:
        cursor = raw.cursor()
        for sql, params in statements:
            cursor.execute(sql, params)
            cursor.fetchall()

    return run


def statements_of(client: APIClient, question: str) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: object) -> Any:
        if sql.lstrip().upper().startswith("SELECT"):
            seen.append((sql, tuple(params or ())))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        answer = client.get(question)
    assert answer.status_code == 200, (question, answer.content[:300])
    return seen


def main() -> None:
    client = APIClient(HTTP_HOST="127.0.0.1")
    client.force_authenticate(User.objects.get_queryset().filter(role=Role.ADMIN).first())
    # The supervisor that the sites were prepared with sees all of the history's drivers.
    User.objects.filter(username="supervisor").update(depot=values()["depot"])
    known = values()
    asked = {"lists": [*list_questions(known, LAST_DAY)], "reports": [*report_questions(known, LAST_DAY)]}
    floors = {
        question: milliseconds(by_hand(statements_of(client, question)), RUNS)
        for questions in asked.values()
        for question in questions
    }
    print(json.dumps({**asked, "floors": floors}))


if __name__ == "__main__":
    main()
