"""The floor of writing: a command's last rows, written again by SQL alone through the bare driver.

What any program would have to send for the same: rows read and locked, inserted, changed, committed as durably.
"""

import hashlib
import os
from collections.abc import Sequence
from typing import Any

from testbed.servers import Site


class ByHand:
    """``copied`` are tables with the condition of their rows; balances of the movements among them are changed too."""

    def __init__(self, site: Site, copied: Sequence[tuple[str, str]], locked: str, reads: Sequence[str] = ()) -> None:
        self.is_mysql = site.database is not None
        self.connection = _connect(site)
        self.mark = "%s" if self.is_mysql else "?"
        self.copied, self.locked, self.reads = copied, locked, reads
        cursor = self.connection.cursor()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for table, condition in copied:
            cursor.execute(f"SELECT * FROM {table} WHERE {condition}")
            names = [column[0] for column in cursor.description]
            self.rows[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        ends = {row[f"{end}_location_id"] for row in self.rows["inventory_stockmovement"] for end in ("from", "to")}
        cursor.execute(f"SELECT id FROM inventory_inventory WHERE location_id IN ({','.join(map(str, ends))})")
        self.balances = [row[0] for row in cursor.fetchall()]
        self.number = 0
        self.connection.commit()

    def run(self) -> None:
        self.number += 1
        cursor = self.connection.cursor()
        for_update = " FOR UPDATE" if self.is_mysql else ""
        cursor.execute("START TRANSACTION" if self.is_mysql else "BEGIN IMMEDIATE")
        inside = ",".join(map(str, self.balances))
        balances = f"SELECT * FROM inventory_inventory WHERE id IN ({inside}) ORDER BY id"
        for statement in (self.locked + for_update, *self.reads, balances + for_update):
            cursor.execute(statement)
            cursor.fetchall()
        ids: dict[str, int] = {}
        for table, _ in self.copied:
            copies = [self._copy(row, ids) for row in self.rows[table]]
            names = list(copies[0])
            places = f"({', '.join([self.mark] * len(names))})"
            columns = ", ".join(f"`{name}`" for name in names)
            sql = f"INSERT INTO {table} ({columns}) VALUES {', '.join([places] * len(copies))}"
            cursor.execute(sql, [copy[name] for copy in copies for name in names])
            ids[table] = cursor.lastrowid
        for pk in self.balances:
            cursor.execute(f"UPDATE inventory_inventory SET quantity = quantity + 0 WHERE id = {self.mark}", (pk,))
        table, _, key = self.locked.removeprefix("SELECT * FROM ").partition(" WHERE ")
        changed = "version = version + 1" if table == "customers_customer" else "status = status"
        cursor.execute(f"UPDATE {table} SET {changed} WHERE {key}")
        cursor.execute("COMMIT")

    def _copy(self, row: dict[str, object], ids: dict[str, int]) -> dict[str, Any]:
        copy = {name: value for name, value in row.items() if name != "id"}
        own = f"HAND-{os.getpid()}-{self.number}"
        changed = {
            "invoice_number": own, "transaction_number": own, "pdf_path": own, "key": hashlib.sha256(own.encode()).hexdigest(),
            "client_temp_id": own, "invoice_id": ids.get("invoices_invoice"),
            "transaction_id": ids.get("transactions_transaction"),
        }  # fmt: skip
        return copy | {name: value for name, value in changed.items() if name in copy}


def _connect(site: Site) -> Any:
    if site.database:
        import MySQLdb

        port = int(site.environment["DB_PORT"])
        return MySQLdb.connect(host="127.0.0.1", port=port, user="live", passwd="live", db="live", charset="utf8mb4")
    import sqlite3

    connection = sqlite3.connect(site.folder / "books.sqlite3", isolation_level=None, timeout=20)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def last(table: str) -> str:
    return f"id = (SELECT MAX(id) FROM {table})"


def moved_by(table: str) -> str:
    cause = table.replace("_", ".", 1)
    return f"cause_type = '{cause}' AND cause_id = (SELECT MAX(id) FROM {table})"
