"""Row locks that many hold at once, as the foreign keys of a new row take them."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet


def share(rows: QuerySet[Any]) -> None:
    """Lock rows, to the end of the transaction, against who wants them for themselves: what refers to them may come.

    A row that refers to another one locks it so when it is written, which is late: behind locks that whoever holds
    that other row waits for. Taken first, nobody meets. SQLite has one writer, who needs none.
    """
    if not connection.features.has_select_for_update:
        return
    statement, values = rows.order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} LOCK IN SHARE MODE", values)
