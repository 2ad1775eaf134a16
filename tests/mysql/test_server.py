"""The session that every connection gets, and the rights that the application runs with."""

import re
from collections.abc import Iterator
from pathlib import Path

import MySQLdb
import pytest
from django.conf import settings
from django.db import connection

from foundation.ledger import guards

pytestmark = pytest.mark.django_db(transaction=True)

USERS = Path(settings.BASE_DIR) / "scripts" / "mysql-users.sql"


def value_of(variable: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@session.{variable}")
        [value] = cursor.fetchone()
    return str(value)


def test_the_session_is_strict_and_reads_what_is_committed() -> None:
    name = "tx_isolation" if connection.display_name == "MariaDB" else "transaction_isolation"
    assert value_of(name) == "READ-COMMITTED"
    assert "STRICT_TRANS_TABLES" in value_of("sql_mode")
    assert value_of("character_set_connection") == "utf8mb4"


def test_every_table_takes_every_character() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND (table_collation NOT LIKE 'utf8mb4%' OR engine <> 'InnoDB')"
        )
        assert cursor.fetchall() == ()


@pytest.fixture
def application() -> Iterator[MySQLdb.Connection]:
    """A connection with the rights of the application's own user, as scripts/mysql-users.sql gives them."""
    database, user = connection.settings_dict["NAME"], f"{connection.settings_dict['NAME']}_app"
    statements = [line for line in USERS.read_text().splitlines() if re.match("(CREATE USER|GRANT).*'hsh_lpg'@", line)]
    assert len(statements) == 2
    pattern = "`{}`.*".format(database.replace("_", r"\_"))  # unescaped it stands for any letter
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER IF EXISTS '{user}'@'%'")
        for statement in statements:
            cursor.execute(statement.replace("'hsh_lpg'", f"'{user}'").replace("hsh_lpg.*", pattern))
    there = connection.settings_dict
    mine = MySQLdb.connect(
        host=there["HOST"], port=int(there["PORT"]), user=user, passwd="application-password", db=database
    )
    yield mine
    mine.close()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER '{user}'@'%'")


def attempt(application: MySQLdb.Connection, sql: str) -> str:
    try:
        application.cursor().execute(sql)
    except MySQLdb.Error as error:
        return str(error.args[1])
    return "done"


def test_the_application_can_not_get_past_the_guards(application: MySQLdb.Connection) -> None:
    for model in guards.ledger_models():
        table = model._meta.db_table
        for sql in (
            f"TRUNCATE {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {table} DROP COLUMN id",
            f"RENAME TABLE {table} TO somewhere",
            f"DROP TRIGGER ledger_{table}_delete",
            f"CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW SET @x = 1",
        ):
            assert "denied" in attempt(application, sql), sql
    assert guards.missing() == []


def test_the_application_sees_that_the_guards_are_there(
    application: MySQLdb.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no right to drop a trigger, so that the server's own catalogue doesn't show it what one says."""
    mine = connection.copy()
    mine.settings_dict.update(USER=f"{connection.settings_dict['NAME']}_app", PASSWORD="application-password")
    monkeypatch.setattr(guards, "connection", mine)
    try:
        with mine.cursor() as cursor:
            cursor.execute("SELECT COUNT(action_statement) FROM information_schema.triggers")
            assert cursor.fetchone() == (0,)
        assert guards.missing() == []
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER ledger_audit_auditlog_delete")
        assert guards.missing() == ["ledger_audit_auditlog_delete"]
    finally:
        mine.close()
        guards.install()


def test_the_guards_hold_and_rows_are_written_with_its_rights(application: MySQLdb.Connection) -> None:
    assert (
        attempt(application, "INSERT INTO depots_depot (code, name, address, is_active) SELECT 'A', 'A', '', 1")
        == "done"
    )
    assert attempt(application, "UPDATE invoices_gstrate SET rate = rate") == "invoices_gstrate is append-only"
    assert attempt(application, "DELETE FROM invoices_gstrate") == "invoices_gstrate is append-only"
    for temporary in ("accounts_loginattempt", "core_uploadedtable"):
        assert attempt(application, f"DELETE FROM {temporary}") == "done"
