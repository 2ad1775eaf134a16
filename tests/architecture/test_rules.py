"""The rules of docs/architecture.md that a program can hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from core.packages import PACKAGES

pytestmark = pytest.mark.any_engine

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts and "__pycache__" not in path.parts
)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_rows_are_locked_in_locks_py_only() -> None:
    elsewhere = {
        named(path)
        for path in SOURCES
        for call in calls(parsed(path))
        if isinstance(call.func, ast.Attribute) and call.func.attr == "select_for_update" and path.name != "locks.py"
    }
    assert elsewhere == set()


def test_balances_are_written_by_the_stock_ledger_alone() -> None:
    writers = {
        named(path)
        for path in SOURCES
        for call in calls(parsed(path))
        if ast.unparse(call.func).startswith(("Inventory.objects.bulk_", "Inventory.objects.create", "Inventory.objects.update", "StockMovement.objects.bulk_"))
    }  # fmt: skip
    assert writers == {"inventory/services/stock.py"}


def test_money_is_rounded_in_one_place() -> None:
    rounders = {
        named(path)
        for path in SOURCES
        for call in calls(parsed(path))
        if isinstance(call.func, ast.Attribute) and call.func.attr == "quantize"
    }
    assert rounders == {"foundation/money.py"}


def test_time_is_read_from_the_clock_alone() -> None:
    readers = {
        named(path)
        for path in SOURCES
        for call in calls(parsed(path))
        if ast.unparse(call.func) in ("timezone.now", "datetime.now", "date.today", "timezone.localdate")
    }
    assert readers <= {"foundation/clock.py"}


def test_commands_take_keywords_with_types_and_the_actor_first() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.FunctionDef):
                continue
            if "command" not in {ast.unparse(decorator) for decorator in node.decorator_list}:
                continue
            arguments = node.args
            first = arguments.kwonlyargs[0].arg if arguments.kwonlyargs else ""
            if (
                arguments.args
                or arguments.vararg
                or arguments.kwarg
                or first not in ("actor", "prefix", "token", "through", "email_id")
            ):
                wrong.append(f"{named(path)}: {node.name} takes {ast.unparse(arguments)}")
            if node.returns is None or any(argument.annotation is None for argument in arguments.kwonlyargs):
                wrong.append(f"{named(path)}: {node.name} is not annotated")
            if not ast.get_docstring(node):
                wrong.append(f"{named(path)}: {node.name} has no docstring")
    assert wrong == []


@pytest.mark.parametrize("forbidden", ["django.dispatch", "django.db.models.signals"])
def test_no_app_listens_to_signals(forbidden: str) -> None:
    """But for the guards, which have to be put back whatever migrated."""
    listeners = {
        named(path)
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module == forbidden
    }
    assert listeners <= {"foundation/apps.py"}


def test_views_and_serializers_catch_nothing_and_write_nothing() -> None:
    wrong = []
    for path in SOURCES:
        if path.name not in ("views.py", "serializers.py"):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Try):
                wrong.append(f"{named(path)}:{node.lineno} catches")
            if isinstance(node, ast.Attribute) and node.attr in ("bulk_create", "bulk_update", "save", "delete"):
                wrong.append(f"{named(path)}:{node.lineno} writes")
    assert wrong == []


def test_roles_are_asked_for_in_one_place() -> None:
    """Everything else asks for a capability: ``user.role == …`` would be a second table of rights."""
    comparing = {
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare) and ".role" in ast.unparse(node) and path.parent.name != "accounts"
    }
    assert comparing == set()


def test_the_environment_is_read_in_the_settings_alone() -> None:
    readers = {
        named(path)
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }
    assert readers <= {"core/wsgi.py", "invoices/pdf/__init__.py"}


def test_nothing_that_the_database_holds_is_unpickled() -> None:
    """Whoever can write a row would run code in the server: no pickle of ours, and none of Django's and its apps'."""
    unpickling = {
        str(path)
        for app in apps.get_app_configs()
        for path in Path(app.path).rglob("*.py")
        if re.search(r"^\s*(import|from) (pickle|marshal|shelve)\b", path.read_text(), re.MULTILINE)
    }
    assert unpickling == set()
    assert {cache["BACKEND"] for cache in settings.CACHES.values()} == {"django.core.cache.backends.dummy.DummyCache"}
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


def labels_read(tree: ast.Module) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "label_lower"]


def test_names_that_are_kept_are_declared_and_not_derived_from_the_class() -> None:
    """``entity_name(row)`` is what the books say. The office's addresses alone are Django's."""
    readers = {named(path) for path in SOURCES if labels_read(parsed(path))}
    assert readers <= {f"foundation/office/{name}.py" for name in ("links", "search", "site")}
    assert labels_read(ast.parse("cause = sale\nrecord(kind=cause._meta.label_lower)")) == [2]


def named_by_hand(tree: ast.Module) -> list[int]:
    return [call.lineno for call in calls(tree) if ast.unparse(call.func).rpartition(".")[2] == "Operation"]


def test_what_happens_once_says_so_by_its_decorator() -> None:
    """``@idempotent``; but for the one operation whose content was kept without its client_temp_id from the beginning."""
    claiming = {named(path) for path in SOURCES if named_by_hand(parsed(path))}
    assert claiming == {"foundation/operations/idempotency.py", "sync/operations.py"}
    assert named_by_hand(ast.parse("operation = idempotency.Operation(user=actor)")) == [1]


VIEWS = [path for path in SOURCES if path.stem in ("views", "health") or path.parent.name == "views"]
OPENAPI = [path for path in SOURCES if path.name == "openapi.py"]


def words_of_the_schema(tree: ast.Module) -> list[int]:
    """Where operations are described: what drf-spectacular has for it, or a text that goes into it."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("drf_spectacular"))
        or (isinstance(node, ast.Import) and any(name.name.startswith("drf_spectacular") for name in node.names))
        or (isinstance(node, ast.keyword) and node.arg in ("summary", "description", "examples"))
    ]


def test_views_leave_the_words_of_the_schema_to_openapi_py() -> None:
    assert {named(path) for path in VIEWS if words_of_the_schema(parsed(path))} == set()


@pytest.mark.parametrize(
    "line",
    [
        "from drf_spectacular.utils import OpenApiExample",
        "import drf_spectacular.utils as schema",
        "@described(summary='Log in')\ndef post(): ...",
        "SALE = dict(description='A sale')",
    ],
)
def test_words_of_the_schema_are_found(line: str) -> None:
    assert words_of_the_schema(ast.parse(line)) == [1]


def statements(tree: ast.Module) -> set[str]:
    """The kinds of a module's statements, but for the scheme of authentication: drf-spectacular takes that as a class."""
    return {
        type(node).__name__
        for node in tree.body
        if not (
            isinstance(node, ast.ClassDef)
            and [ast.unparse(base) for base in node.bases] == ["OpenApiAuthenticationExtension"]
        )
    }


DECLARING = {"Expr", "ImportFrom", "Assign", "AnnAssign"}


def test_openapi_py_declares_and_does_nothing() -> None:
    assert {named(path) for path in OPENAPI if not statements(parsed(path)) <= DECLARING} == set()
    assert not statements(ast.parse("def described(title):\n    return title")) <= DECLARING


WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create"}


def writes_elsewhere(tree: ast.Module, package: str) -> list[int]:
    """Lines that write by a model imported from another app, or save an instance that is called like one."""
    others = {f"{other}.models" for other in PACKAGES if other != package}
    foreign = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in others
        for alias in node.names
    }
    written = [
        (call.lineno, ast.unparse(call.func.value))
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in WRITES
    ]
    called = {name.lower() for name in foreign}
    return [line for line, on in written if on.split(".objects")[0] in foreign or on in called]


def test_each_app_writes_its_own_tables_alone() -> None:
    elsewhere = {
        f"{named(path)}:{line}"
        for path in SOURCES
        for line in writes_elsewhere(parsed(path), path.relative_to(ROOT).parts[0])
    }
    assert elsewhere == set()
    head = "from invoices.models import Invoice\n"
    assert writes_elsewhere(ast.parse(f"{head}Invoice.objects.filter(pk=1).update(status=1)"), "payments") == [2]
    assert writes_elsewhere(ast.parse(f"{head}invoice.save()"), "payments") == [2]
    assert writes_elsewhere(ast.parse(f"{head}invoice.save()"), "invoices") == []
