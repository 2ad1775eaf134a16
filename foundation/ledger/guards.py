"""The database's own refusal to change or delete ledger rows, whoever asks: triggers.

A migration makes them, and every later ``migrate`` puts back those that it lost: SQLite drops a table's
triggers without a word when Django rebuilds the table. `missing` compares what is there with what should be,
for ``verify_books`` and the readiness check.

They can't refuse what isn't a row's change: TRUNCATE, DROP and ALTER are refused by the run-time user's rights
(see docs/operations.md), and what an owner of the database does all the same is found by ``verify_audit``.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from foundation.ledger.models import LedgerModel

PREFIX = "ledger_"
MIGRATION = ("core", "0002_ledger_guards")


def ledger_models() -> list[type[LedgerModel]]:
    return [model for model in installed_apps.get_models() if issubclass(model, LedgerModel)]


def install(apps: Apps = installed_apps, *, using: BaseDatabaseWrapper = connection) -> None:
    """Make the triggers what they should be for the models in ``apps``; writes only where they differ.

    On MySQL and MariaDB each statement commits what is open.
    """
    present, wanted = _present(using), dict(_wanted(apps, using))
    with using.cursor() as cursor:
        for name in [name for name, statement in present.items() if wanted.get(name) != statement]:
            cursor.execute(f"DROP TRIGGER {using.ops.quote_name(name)}")
        for name, statement in wanted.items():
            if present.get(name) != statement:
                cursor.execute(statement)
        if using.vendor == "mysql":
            cursor.execute(_IS_SHOWN, [_SHOW])
            if not cursor.fetchall():
                cursor.execute(f"CREATE PROCEDURE {_SHOW}() READS SQL DATA SQL SECURITY DEFINER {_TRIGGERS}")


def remove(*, using: BaseDatabaseWrapper = connection) -> None:
    """Drop every guard: before a migration that has to touch ledger rows (``migrate`` puts them back)."""
    with using.cursor() as cursor:
        for name in _present(using):
            cursor.execute(f"DROP TRIGGER {using.ops.quote_name(name)}")


def missing() -> list[str]:
    """The names of the triggers that aren't there, or aren't what they should be."""
    present = _present(connection, as_application=True)
    return [name for name, statement in _wanted(installed_apps, connection) if present.get(name) != statement]


def restore_after_migrate(sender: object, *, using: str, apps: Apps = installed_apps, **_: object) -> None:
    """Receiver of ``post_migrate``. A database that was migrated back to before the guards stays without."""
    from django.db import connections

    database = connections[using]
    if MIGRATION in MigrationRecorder(database).applied_migrations():
        install(apps, using=database)


def _wanted(apps: Any, database: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """Name and CREATE statement of each trigger. ``apps`` may be a migration's state, with fewer columns."""
    for current in ledger_models():
        try:
            model = apps.get_model(current._meta.label)
        except LookupError:
            continue
        for event, body in _bodies(model, current.life_cycle, database):
            name = f"{PREFIX}{model._meta.db_table}_{event.lower()}"
            quoted, table = database.ops.quote_name(name), database.ops.quote_name(model._meta.db_table)
            each = " FOR EACH ROW" if database.vendor == "mysql" else ""
            yield name, f"CREATE TRIGGER {quoted} BEFORE {event} ON {table}{each} {body}"


def _bodies(
    model: type[models.Model], life_cycle: tuple[str, ...], database: BaseDatabaseWrapper
) -> Iterator[tuple[str, str]]:
    table = model._meta.db_table
    # By name: a migration's state may hold the fields in another order.
    frozen: list[Any] = [field for field in model._meta.concrete_fields if field.name not in life_cycle]
    frozen.sort(key=lambda field: str(field.column))
    if database.vendor == "mysql":
        refusal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{table} is append-only'"
        same = " AND ".join(_unchanged_on_mysql(field, database) for field in frozen)
        yield "UPDATE", f"IF NOT ({same}) THEN {refusal}; END IF" if life_cycle else refusal
        yield "DELETE", refusal
    else:
        refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        quote = database.ops.quote_name
        changed = " OR ".join(f"NEW.{quote(field.column)} IS NOT OLD.{quote(field.column)}" for field in frozen)
        yield "UPDATE", f"WHEN {changed} {refusal}" if life_cycle else refusal
        yield "DELETE", refusal
        # REPLACE deletes the row in its way past the other triggers.
        taken = " OR ".join(
            "(" + " AND ".join(f"{quote(column)} = NEW.{quote(column)}" for column in key) + ")"
            for key in sorted(_unique_keys(model))
        )
        exists = f"EXISTS (SELECT 1 FROM {quote(table)} WHERE {taken})"  # noqa: S608 -- names of our own models
        yield (
            "INSERT",
            f"WHEN {exists} BEGIN SELECT RAISE(ABORT, '{table} is append-only: UNIQUE key taken already'); END",
        )


def _unchanged_on_mysql(field: Any, database: BaseDatabaseWrapper) -> str:
    """Byte for byte: the collation takes 'a' and 'A' for equal."""
    column = database.ops.quote_name(field.column)
    if field.get_internal_type() in ("CharField", "TextField", "JSONField", "GenericIPAddressField", "EmailField"):
        return f"CAST(OLD.{column} AS CHAR) COLLATE utf8mb4_bin <=> CAST(NEW.{column} AS CHAR) COLLATE utf8mb4_bin"
    return f"OLD.{column} <=> NEW.{column}"


def _unique_keys(model: type[models.Model]) -> Iterator[list[str]]:
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    for field in model._meta.concrete_fields:
        if field.unique:
            yield [columns[field.name]]
    for constraint in model._meta.total_unique_constraints:
        yield [columns[name] for name in constraint.fields]


_TRIGGERS = (
    "SELECT trigger_name, action_timing, event_manipulation, event_object_table, action_statement"
    " FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND LEFT(trigger_name, 7) = 'ledger_'"
)
_SHOW = "show_ledger_guards"
"""A procedure that runs with its owner's rights: what a trigger says is shown to those alone who could drop it."""
_IS_SHOWN = "SELECT 1 FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_name = %s"


def _present(database: BaseDatabaseWrapper, *, as_application: bool = False) -> dict[str, str]:
    """Name and CREATE statement of the guards in the database. ``as_application``: without the right to drop them."""
    with database.cursor() as cursor:
        if database.vendor == "mysql":
            quote = database.ops.quote_name
            cursor.execute(_IS_SHOWN, [_SHOW])
            cursor.execute(f"CALL {_SHOW}()" if as_application and cursor.fetchall() else _TRIGGERS)
            return {
                name: f"CREATE TRIGGER {quote(name)} {timing} {event} ON {quote(table)} FOR EACH ROW {body}"
                for name, timing, event, table, body in cursor.fetchall()
            }
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
            [f"{PREFIX}%"],
        )
        return dict(cursor.fetchall())
