"""Who writes what, and under which lock: the rules of docs/architecture.md that keep the books right."""

import ast
from collections.abc import Callable, Iterator

import pytest

from core.packages import PACKAGES
from inventory.models import Inventory, StockMovement
from tests.architecture.rows import writes
from tests.architecture.trees import (
    Rule,
    attributes,
    breaches,
    broken,
    calls,
    commands,
    files,
    is_kind,
    names,
    origin,
    using,
)

pytestmark = pytest.mark.any_engine


# --- Locks and transactions -----------------------------------------------------------------------

row_locks = attributes("select_for_update")


def test_rows_are_locked_in_locks_py_only() -> None:
    assert {path.rpartition("/")[2] for path in files(breaches(row_locks))} == {"locks.py"}


@pytest.mark.parametrize(
    "line",
    [
        "Invoice.objects.select_for_update().get(pk=1)",
        "lock = Invoice.objects.select_for_update",
        "getattr(rows, 'select_for_update')(skip_locked=True)",
        "operator.methodcaller('select_for_update')(rows)",
    ],
)
def test_every_way_to_lock_rows_is_found(line: str) -> None:
    assert broken(row_locks, line) == [1]


def unlocking(tree: ast.Module) -> Iterator[int]:
    """Statements of a locks.py but for functions that lock rows, by themselves or by another such function."""
    known = names(tree)
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            called = {origin(call.func, known) for call in calls(node)}
            if not [*row_locks(ast.Module([node], []))] and not any(
                ".locks." in name or name in own or name.endswith(".shared_locks.share") for name in called
            ):
                yield node.lineno
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr):
            yield node.lineno


def test_locks_py_holds_nothing_but_locks() -> None:
    assert breaches(unlocking, among=is_kind("locks")) == set()
    assert broken(unlocking, "def customer(pk):\n    return Customer.objects.get(pk=pk)") == [1]
    assert broken(unlocking, "class Locks: ...") == [1]
    assert broken(unlocking, "def customer(pk):\n    return Customer.objects.select_for_update().get(pk=pk)") == []


transactions_of_its_own = using(
    *(f"django.db.transaction.{name}" for name in (
        "atomic", "Atomic", "commit", "rollback", "savepoint", "savepoint_commit", "savepoint_rollback", "set_autocommit", "set_rollback",
    ))
)  # fmt: skip


def test_transactions_are_opened_by_commands_alone() -> None:
    """``audit.services`` puts one statement into a savepoint, to tell a duplicate from what comes after it."""
    assert files(breaches(transactions_of_its_own)) == {"foundation/commands.py", "audit/services.py"}


@pytest.mark.parametrize(
    "source",
    [
        "from django.db import transaction\n@transaction.atomic\ndef sell(): ...",
        "from django.db import transaction as tx\nwith tx.atomic(durable=True): ...",
        "import django.db.transaction\ndjango.db.transaction.set_autocommit(False)",
        "from django import db\ndb.transaction.atomic(sell)()",
        "#\nfrom django.db.transaction import atomic as at_once",
    ],
)
def test_every_way_to_open_a_transaction_is_found(source: str) -> None:
    assert broken(transactions_of_its_own, source) == [2]


ACTORS = ("actor", "prefix", "token", "through", "email_id", "conflict_id", "equipment_id", "customer_id")
"""What a command takes first: who acts; where nobody does, what it is about."""


def unlike_a_command(tree: ast.Module) -> Iterator[int]:
    for node in commands(tree):
        takes = node.args
        if takes.posonlyargs or takes.args or takes.vararg or takes.kwarg:
            yield node.lineno
        if not takes.kwonlyargs or takes.kwonlyargs[0].arg not in ACTORS:
            yield node.lineno
        if node.returns is None or any(argument.annotation is None for argument in takes.kwonlyargs):
            yield node.lineno
        if not ast.get_docstring(node):
            yield node.lineno


def test_commands_take_keywords_with_types_and_the_actor_first() -> None:
    assert breaches(unlike_a_command) == set()
    assert len(breaches(lambda tree: [node.lineno for node in commands(tree)])) > 40


@pytest.mark.parametrize(
    "function",
    [
        'def sell(actor: User) -> Sale:\n    """Sell."""',
        'def sell(actor: User, /, *, customer: int) -> Sale:\n    """Sell."""',
        'def sell(*, customer: int, actor: User) -> Sale:\n    """Sell."""',
        'def sell(*customers: int, actor: User) -> Sale:\n    """Sell."""',
        'def sell(*, actor: User, **more: int) -> Sale:\n    """Sell."""',
        'def sell(*, actor: User, customer) -> Sale:\n    """Sell."""',
        'def sell(*, actor: User):\n    """Sell."""',
        'def sell() -> Sale:\n    """Sell."""',
        "def sell(*, actor: User) -> Sale: ...",
        'async def sell(actor: User) -> Sale:\n    """Sell."""',
    ],
)
@pytest.mark.parametrize(
    ("head", "decorator"),
    [
        ("from foundation.commands import command", "command"),
        ("from foundation.commands import command as one_transaction", "one_transaction"),
        ("from foundation import commands", "commands.command"),
    ],
)
def test_every_way_to_be_unlike_a_command_is_found(function: str, head: str, decorator: str) -> None:
    assert broken(unlike_a_command, f"{head}\n@{decorator}\n{function}") == [3]


def test_a_command_is_not_taken_for_something_else() -> None:
    head = "from foundation.commands import command\n"
    assert broken(unlike_a_command, f'{head}@command\ndef sell(*, actor: User) -> Sale:\n    """Sell."""') == []


WITHOUT_SERVICES_PY = {"audit/seals.py", "sync/devices.py", "sync/feed.py", "sync/operations.py"}
"""Modules of the services, named for what they are about."""


def test_commands_stand_in_the_services() -> None:
    elsewhere = breaches(
        lambda tree: [node.lineno for node in commands(tree)], among=lambda path: not is_kind("services")(path)
    )
    assert files(elsewhere) == WITHOUT_SERVICES_PY


# --- Rows -----------------------------------------------------------------------------------------


def balances_written(tree: ast.Module) -> list[int]:
    return [line for line, models in writes(tree) if models & {Inventory, StockMovement}]


def test_balances_are_written_by_the_stock_ledger_alone() -> None:
    assert files(breaches(balances_written)) == {"inventory/services/stock.py"}


BALANCES = "from inventory.models import Inventory, Location, StockMovement"


@pytest.mark.parametrize(
    "lines",
    [
        "Inventory.objects.bulk_create(rows)",
        "Inventory.objects.filter(pk=1).exclude(quantity=0).update(quantity=1)",
        "Inventory._base_manager.update(quantity=1)",
        "Inventory(quantity=1).save()",
        "write = Inventory.save\nwrite(row)",
        "StockMovement.objects.get_or_create(quantity=1)",
        "StockMovement.objects.all()._raw_delete('default')",
        "for row in Inventory.objects.all(): row.save()",
        "[row.delete() for row in Inventory.objects.all()]",
        "rows = {row.pk: row for row in Inventory.objects.all()}\nrows[1].save()",
        "if (row := Inventory.objects.first()): row.save()",
        "first, *rest = Inventory.objects.all()\nrest[0].save()",
        "fill = Inventory.objects.bulk_update\nfill(rows, ['quantity'])",
        "getattr(Inventory.objects, 'update')(quantity=1)",
        "def fill(row: Inventory) -> None: row.save()",
        "def fill(rows: dict[int, 'Inventory']) -> None:\n    for row in rows.values(): row.save()",
        "def fill(location: Location) -> None: location.inventories.update(quantity=1)",
        "def fill(location: Location) -> None: location.inventories.add(row, bulk=False)",
        "Location.objects.get(pk=1).inventories.create(quantity=1)",
        "match row:\n    case Inventory() as balance: balance.asave()",
        "from inventory import models\nmodels.Inventory.objects.create(quantity=1)",
        "from inventory.models import Inventory as Balance\nBalance.objects.create(quantity=1)",
        "from inventory import models as stock\nrows = stock.Inventory.objects\nrows.update(quantity=1)",
        "from inventory import locks\nfor row in locks.balances(keys).values(): row.save()",
        "from inventory.locks import balances as held\nrows = held(keys)\nlist(rows.values())[0].save()",
        "def post(hold):\n    for row in hold.changed: row.save()",
        "from django.apps import apps\napps.get_model('inventory', 'Inventory').objects.create(quantity=1)",
        "from django.apps import apps\napps.get_model('inventory.Inventory').objects.create(quantity=1)",
        "def fill(inventory): inventory.save()",
        "update_recorded(actor=actor, action='x', target=Inventory.objects.get(), changes={})",
    ],
)
def test_every_way_to_write_a_balance_is_found(lines: str) -> None:
    source = f"{BALANCES}\n{lines}"
    [found] = broken(balances_written, source)
    assert found > 1


@pytest.mark.parametrize(
    "lines",
    [
        "Inventory.objects.filter(pk=1).first()",
        "def move(row: Inventory) -> None: row.location.save()",
        "counts = {'FULL': 1}\ncounts.update(EMPTY=2)",
        "rows = [row for row in Inventory.objects.all()]\nfor row in Location.objects.all(): row.save()",
    ],
)
def test_what_writes_no_balance_is_let_through(lines: str) -> None:
    assert broken(balances_written, f"{BALANCES}\n{lines}") == []


def writing_for_others(package: str) -> Rule:
    """The rule for a package's modules: lines that write another app's rows."""

    def lines(tree: ast.Module) -> list[int]:
        owners = {line: {model.__module__.split(".")[0] for model in models} for line, models in writes(tree)}
        return [line for line, apps in owners.items() if apps & ({*PACKAGES} - {package})]

    return lines


def is_of(package: str) -> Callable[[str], bool]:
    return lambda path: path.startswith(f"{package}/")


def test_each_app_writes_its_own_tables_alone() -> None:
    elsewhere = {where for package in PACKAGES for where in breaches(writing_for_others(package), among=is_of(package))}
    assert elsewhere == set()


@pytest.mark.parametrize(
    "line",
    [
        "Invoice.objects.filter(pk=1).update(status=1)",
        "invoice.save()",
        "def pay(allocation: Allocation): allocation.invoice.save()",
        "def pay(customer: Customer): customer.invoices.update(status=1)",
        "def pay(customer: Customer): customer.invoices.filter(pk=1).delete()",
        "for row in invoice_locks.invoices(pks): row.save()",
        "update_recorded(actor=actor, action='x', target=invoice, changes={})",
        "create_recorded(actor=actor, action='x', new=Customer(name='x'))",
    ],
)
def test_every_way_to_write_for_another_app_is_found(line: str) -> None:
    head = (
        "from customers.models import Customer\nfrom invoices.models import Invoice\nfrom payments.models import Allocation\n"
        "from invoices import locks as invoice_locks\n"
    )
    assert broken(writing_for_others("payments"), head + line) == [5]
    assert (
        broken(writing_for_others("payments"), f"{head}def pay(payment: Payment): payment.allocations.create()") == []
    )


WRITING = {"save", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}


def writing_at_all(tree: ast.Module) -> Iterator[int]:
    """Lines that write rows, or what may be some; a view's own ``self.update(request)`` is the framework's."""
    yield from (line for line, models in writes(tree) if models)
    yield from attributes(*WRITING, *(f"a{name}" for name in WRITING))(tree)
    for call in calls(tree):
        match call.func:
            case ast.Attribute(ast.Attribute(attr="objects"), "create" | "acreate" | "update" | "aupdate"):
                yield call.lineno
            case ast.Attribute(ast.Call(ast.Name("super")), "create" | "update"):
                yield call.lineno


READING = ("admin", "errors", "openapi", "selectors", "serializers", "views")


def test_what_reads_or_shows_writes_nothing() -> None:
    assert breaches(writing_at_all, among=is_kind(*READING)) == set()


@pytest.mark.parametrize(
    "line",
    [
        "serializer.save()",
        "Invoice.objects.create(number=1)",
        "rows = Thing.objects.update(number=1)",
        "def create(self, data): return super().create(data)",
        "getattr(row, 'save')()",
        "def show(customer: Customer): customer.invoices.update(status=1)",
    ],
)
def test_every_way_to_write_where_nothing_is_written_is_found(line: str) -> None:
    assert broken(writing_at_all, f"from customers.models import Customer\n{line}") == [2]
    assert broken(writing_at_all, "return_ = lambda self, request: self.create(request)") == []


raw_sql = using("django.db.models.RawSQL", "django.db.models.expressions.RawSQL")
by_cursor = attributes("raw", "extra", "execute", "executemany", "callproc", "executescript")


def sql(tree: ast.Module) -> list[int]:
    return [*raw_sql(tree), *by_cursor(tree)]


WITH_SQL = {
    "foundation/infrastructure/shared_locks.py",
    "foundation/infrastructure/snapshots.py",
    "foundation/ledger/guards.py",
    "foundation/observability/health.py",
}


def test_sql_is_written_for_what_the_orm_has_no_words_for() -> None:
    assert files(breaches(sql)) == WITH_SQL


@pytest.mark.parametrize(
    "line",
    [
        "Invoice.objects.raw('SELECT 1')",
        "Invoice.objects.extra(where=['1=1'])",
        "with connection.cursor() as cursor: cursor.executemany('DELETE FROM invoice', [])",
        "getattr(cursor, 'execute')('SELECT 1')",
        "from django.db.models.expressions import RawSQL as Text",
    ],
)
def test_every_way_to_write_sql_is_found(line: str) -> None:
    assert broken(sql, line) == [1]
