"""The rules of docs/architecture.md that a program can hold; those with more to them have files of their own beside it.

Each rule is shown to find what it is against, in every form that we could think of.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from foundation.access.capabilities import Role
from tests.architecture.trees import attributes, breaches, broken, calls, files, names, origin, swallowing, uses, using

pytestmark = pytest.mark.any_engine


# --- Access ---------------------------------------------------------------------------------------

_role_members = using("foundation.access.capabilities.Role.")


def roles_told_apart(tree: ast.Module) -> Iterator[int]:
    """Where somebody's role decides something: it is compared, matched, looked up or searched for."""
    known = names(tree)

    def is_of_a_role(node: ast.AST) -> bool:
        match node:
            case ast.Call(ast.Name("scope_of")):  # the table itself is asked
                return False
            case ast.Attribute(attr="role") | ast.Name("role"):
                return True
            case ast.Call(ast.Name("getattr"), [_, ast.Constant("role")]):
                return True
            case ast.Constant(str(value)):
                return value in Role.values
        is_a_member = origin(node, known).startswith("foundation.access.capabilities.Role.")
        return is_a_member or any(map(is_of_a_role, ast.iter_child_nodes(node)))

    for node in ast.walk(tree):
        match node:
            case ast.Compare() if is_of_a_role(node):
                yield node.lineno
            case ast.Match(subject, cases) if is_of_a_role(subject) or any(
                is_of_a_role(case.pattern) for case in cases
            ):
                yield node.lineno
            case ast.Subscript(_, key) if isinstance(key, ast.Attribute) and key.attr == "role":
                yield node.lineno
            case ast.Call(ast.Attribute(ast.Attribute(attr="role"), _)):
                yield node.lineno
            case ast.Call(ast.Attribute(_, method), [key, *_]) if method in ("get", "index", "count") and is_of_a_role(key) and not isinstance(key, ast.Constant):  # fmt: skip
                yield node.lineno
            case ast.Call(
                ast.Attribute(_, "filter" | "exclude" | "get" | "get_or_create") | ast.Name("Q"), _, keywords
            ):
                if any(
                    (keyword.arg or "").split("__")[0] == "role" or "__role" in (keyword.arg or "")
                    for keyword in keywords
                ):
                    yield node.lineno


def test_roles_are_asked_for_in_one_place() -> None:
    """Everything else asks for a capability: ``user.role == …`` would be a second table of rights."""
    assert files(breaches(roles_told_apart)) == {
        "foundation/access/capabilities.py",
        "accounts/models.py",
    }


@pytest.mark.parametrize(
    "line",
    [
        "if user.role == Role.ADMIN: ...",
        "if user.role in {Role.ADMIN, Role.SALES}: ...",
        "if Role.DRIVER != role: ...",
        "if user.role is Role.DRIVER: ...",
        "is_driver = getattr(user, 'role') == kind",
        "if kind == 'DRIVER': ...",
        "if kind in ('ADMIN', 'SUPERVISOR'): ...",
        "match user.role:\n    case 'x': ...",
        "match user:\n    case User(role=Role.ADMIN): ...",
        "match kind:\n    case 'ADMIN' | 'x': ...",
        "may = TABLE[user.role]",
        "may = TABLE.get(user.role)",
        "drivers = User.objects.filter(role=kind)",
        "sales = Sale.objects.exclude(user__role__in=kinds)",
        "mine = Q(user__role=kind)",
        "if user.role.startswith('D'): ...",
    ],
)
def test_every_way_to_tell_roles_apart_is_found(line: str) -> None:
    head = "from foundation.access.capabilities import Role\n"
    assert broken(roles_told_apart, head + line) == [2]


# --- Where the server's state comes from ----------------------------------------------------------

environment = using("os.environ", "os.environ.", "os.environb", "os.getenv", "os.putenv", "decouple", "decouple.")
BEFORE_SETTINGS = {"core/wsgi.py", "invoices/pdf/__init__.py"}
"""They set a variable for others (Django, fontconfig), and read none."""


def test_the_environment_is_read_in_the_settings_alone() -> None:
    assert files(breaches(environment, among=lambda path: not path.startswith("core/settings/"))) == BEFORE_SETTINGS


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['KEY']",
        "import os as system\nsystem.getenv('KEY')",
        "#\nfrom os import environ",
        "#\nfrom os import getenv as read",
        "import os\ngetattr(os, 'environ')",
        "import os\nos.environ.get('KEY')",
        "#\nfrom decouple import config",
    ],
)
def test_every_way_to_read_the_environment_is_found(source: str) -> None:
    assert broken(environment, source) == [2]


PICKLES = ("pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib")
_pickles = using(*PICKLES, *(f"{name}." for name in PICKLES))


def pickles(tree: ast.Module) -> Iterator[int]:
    yield from _pickles(tree)
    yield from (
        call.lineno
        for call in calls(tree)
        if ast.unparse(call.func).endswith("import_module") or ast.unparse(call.func) == "__import__"
        if isinstance(call.args[0], ast.Constant) and call.args[0].value in PICKLES
    )


def test_nothing_that_the_database_holds_is_unpickled() -> None:
    """Whoever can write a row would run code in the server: no pickle of ours, and none of Django's and its apps'."""
    unpickling = {
        str(path)
        for app in apps.get_app_configs()
        for path in Path(app.path).rglob("*.py")
        if any(name in (text := path.read_text()) for name in PICKLES) and broken(pickles, text)
    }
    assert unpickling == set()
    assert {cache["BACKEND"] for cache in settings.CACHES.values()} == {"django.core.cache.backends.dummy.DummyCache"}
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import pickle as fast",
        "from pickle import loads",
        "def late(): import marshal",
        "importlib.import_module('shelve')",
        "__import__('pickle').loads(data)",
    ],
)
def test_every_pickle_is_found(line: str) -> None:
    assert broken(pickles, line) == [1]


def listeners(tree: ast.Module) -> list[int]:
    return [
        line for line, name in uses(tree) if name.startswith("django.") and {*name.split(".")} & {"dispatch", "signals"}
    ]


def test_no_app_listens_to_signals() -> None:
    """But for the guards, which have to be put back whatever migrated."""
    assert files(breaches(listeners)) == {"foundation/apps.py"}


@pytest.mark.parametrize(
    "source",
    [
        "#\nfrom django.dispatch import receiver",
        "#\nfrom django.db.models.signals import post_save",
        "#\nfrom django.db.models import signals",
        "#\nimport django.dispatch",
        "from django import db\ndb.models.signals.post_save.connect(note)",
        "#\nfrom django.core.signals import request_finished as end",
    ],
)
def test_every_way_to_listen_is_found(source: str) -> None:
    assert broken(listeners, source) == [2]


# --- Errors ---------------------------------------------------------------------------------------


def test_no_mistake_is_swallowed() -> None:
    """But where it would cost the operations behind it: it is logged, and the operation is kept."""
    assert files(breaches(swallowing)) == {"sync/services.py", "sync/waiting.py"}


@pytest.mark.parametrize(
    "source",
    [
        "try: work()\nexcept: pass",
        "try: work()\nexcept Exception: pass",
        "try: work()\nexcept BaseException as error:\n    log(error)",
        "try: work()\nexcept (ValueError, Exception): result = None",
        "try: work()\nexcept builtins.Exception: pass",
        "try: work()\nexcept Exception:\n    if is_fatal: raise\n    result = None",
        "#\nwith suppress(Exception): work()",
        "#\nwith contextlib.suppress(ValueError, BaseException): work()",
    ],
)
def test_every_way_to_swallow_a_mistake_is_found(source: str) -> None:
    assert broken(swallowing, source) == [2]


def test_what_raises_in_the_end_is_let_through() -> None:
    assert broken(swallowing, "try: work()\nexcept Exception as error:\n    undo()\n    raise Refused from error") == []
    assert broken(swallowing, "try: work()\nexcept ValueError: pass") == []
    assert broken(swallowing, "try: work()\nfinally: return 1") == [1]


# --- Names that are kept, operations that happen once ---------------------------------------------

_lower = attributes("label_lower")


def labels_read(tree: ast.Module) -> Iterator[int]:
    """A model's name as Django makes it of the class."""
    yield from _lower(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Attribute(attr="_meta"), "label" | "model_name" | "object_name"):
                yield node.lineno


def test_names_that_are_kept_are_declared_and_not_derived_from_the_class() -> None:
    """``entity_name(row)`` is what the books say. The office's addresses are Django's; guards find a migration's models anew."""
    addresses = {f"foundation/office/{name}.py" for name in ("links", "search", "site")}
    assert files(breaches(labels_read)) == {*addresses, "foundation/ledger/guards.py"}
    assert broken(labels_read, "cause = sale\nrecord(kind=cause._meta.label_lower)") == [2]
    assert broken(labels_read, "kind = getattr(cause._meta, 'label_lower')") == [1]
    assert broken(labels_read, "kind = type(cause)._meta.model_name") == [1]


def named_by_hand(tree: ast.Module) -> list[int]:
    known = names(tree)
    return [call.lineno for call in calls(tree) if origin(call.func, known).rpartition(".")[2] == "Operation"]


def commands_that_may_happen_twice(tree: ast.Module) -> Iterator[int]:
    """A service's command that somebody asks for, without ``@idempotent``."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        asked_for = any(argument.arg == "actor" for argument in node.args.kwonlyargs)
        if decorators == ["command"] and asked_for:
            yield node.lineno


def test_a_command_that_somebody_asks_for_happens_once() -> None:
    """But for those that are meant anew each time: a log-in, pages to print."""
    assert files(breaches(commands_that_may_happen_twice)) == {
        "accounts/services/sessions.py", "invoices/services/printing.py",
    }  # fmt: skip
    assert broken(commands_that_may_happen_twice, "@command\ndef pay(*, actor): ...") == [2]
    assert broken(commands_that_may_happen_twice, "@command\n@idempotent\ndef pay(*, actor): ...") == []


def test_what_happens_once_says_so_by_its_decorator() -> None:
    """``@idempotent``; an operation is named where it is taken in: a request, a form, a push."""
    assert files(breaches(named_by_hand)) == {"foundation/api/once.py", "foundation/office/once.py", "sync/services.py"}
    assert broken(named_by_hand, "operation = idempotency.Operation(user=actor)") == [1]
    head = "from foundation.operations.idempotency import Operation as Once\n"
    assert broken(named_by_hand, f"{head}operation = Once(user=actor)") == [2]
