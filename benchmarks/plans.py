"""Which tables a statement reads from end to end, as its plan says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

GROWING = {
    "transactions_transaction", "transactions_transactionitem", "invoices_invoice", "invoices_payment",
    "invoices_allocation", "inventory_stockmovement", "audit_auditlog",
}  # fmt: skip
"""The tables that grow with every sale. The others are as large as the business."""


@contextmanager
def watched() -> Iterator[set[str]]:
    """The growing tables that a statement read from end to end, as its plan says."""
    scanned: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: object) -> Any:
        if sql.lstrip().upper().startswith("SELECT"):
            scanned.update(full_scans(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield scanned


def full_scans(sql: str, params: Any) -> Iterator[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            names = aliases(sql)
            for *_, step in cursor.fetchall():
                # SCAN without a bound reads all of a table, or all of an index; what has an upper bound alone, all
                # that is older.
                if found := re.match(r"SCAN (\w+)|SEARCH (\w+) .*\(\w+<\?\)$", step):
                    table = found[1] or found[2]
                    yield from {names.get(table, table)} & GROWING
        else:
            cursor.execute(f"EXPLAIN {sql}", params)
            columns = [column[0] for column in cursor.description]
            names = aliases(sql)
            for row in (dict(zip(columns, values, strict=True)) for values in cursor.fetchall()):
                if row["type"] in ("ALL", "index"):
                    yield from {names.get(table := str(row["table"]), table)} & GROWING


def aliases(sql: str) -> dict[str, str]:
    """Django names a table's second use U0, T4 and the like."""
    return {alias: table for table, alias in re.findall(r'[`"](\w+)[`"] (?:AS )?[`"]?([UTV]\d+)[`"]?', sql)}
