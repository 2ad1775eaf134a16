"""What each kind of file holds, and what it never does (the table in docs/architecture.md)."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.trees import attributes, breaches, broken, files, is_kind, sources, uses, using

pytestmark = pytest.mark.any_engine


def http(tree: ast.Module) -> list[int]:
    """Uses of requests, responses and serializers. What a field or an exception says may be asked for."""
    below = ("django.http.", "django.shortcuts.", "django.views.", "rest_framework.")
    neutral = ("rest_framework.exceptions.", "rest_framework.fields.")
    return [line for line, name in uses(tree) if f"{name}.".startswith(below) and not name.startswith(neutral)]


def test_services_and_what_is_below_them_know_no_http() -> None:
    below = is_kind("services", "selectors", "locks", "models", "errors", "pricing")
    assert breaches(http, among=lambda path: below(path) and not path.startswith("foundation/api/")) == set()


@pytest.mark.parametrize(
    "source",
    [
        "#\nfrom django.http import HttpResponse",
        "#\nimport django.http",
        "#\nfrom rest_framework import serializers",
        "#\nfrom rest_framework.response import Response as Answer",
        "#\nimport rest_framework.status",
        "#\ndef late(): from django.shortcuts import get_object_or_404",
        "from django import http as web\nweb.HttpResponse()",
    ],
)
def test_every_use_of_http_is_found(source: str) -> None:
    assert 2 in broken(http, source)


_suppressing = using("contextlib.suppress", "suppress")


def catching(tree: ast.Module) -> Iterator[int]:
    yield from _suppressing(tree)
    yield from (node.lineno for node in ast.walk(tree) if isinstance(node, ast.Try | ast.TryStar))


def test_views_and_serializers_catch_nothing() -> None:
    assert breaches(catching, among=is_kind("views", "serializers")) == set()


@pytest.mark.parametrize(
    "source",
    ["try: sell()\nexcept Denied: ...", "try: sell()\nexcept* Denied: ...", "from contextlib import suppress", "with suppress(Denied): sell()", "import contextlib; contextlib.suppress(Denied)"],
)  # fmt: skip
def test_every_way_to_catch_is_found(source: str) -> None:
    assert broken(catching, source) == [1]


def test_a_package_is_read_like_the_module_of_its_name() -> None:
    """views/ and services/ are what views.py and services.py are."""
    among = is_kind("views", "services")
    assert among("invoices/views.py")
    assert among("transactions/views/sales.py")
    assert among("payments/services/__init__.py")
    assert not among("views/reviews.py")
    assert not among("invoices/reviews.py")
    assert {path.split("/")[0] for path in sources() if is_kind("views")(path)} >= {"invoices", "transactions"}


# --- models.py ------------------------------------------------------------------------------------

QUERIES = (
    "objects",
    "_default_manager",
    "_base_manager",
    "filter",
    "exclude",
    "aggregate",
    "annotate",
    "exists",
    "values_list",
)


def querying_properties(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("property" in ast.unparse(each) for each in node.decorator_list):
            yield from attributes(*QUERIES)(ast.Module([node], []))


def saving_by_itself(tree: ast.Module) -> list[int]:
    """Methods by which a row would do more than be written."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name in {f"{a}{name}" for a in ("", "a") for name in ("save", "delete", "save_base", "full_clean")}
    ]


def test_a_property_of_a_model_asks_the_database_nothing() -> None:
    assert breaches(querying_properties, among=is_kind("models")) == set()
    assert broken(
        querying_properties, "class A:\n    @property\n    def b(self):\n        return self.items.exists()"
    ) == [4]
    assert broken(querying_properties, "@functools.cached_property\ndef b(self): return B.objects.get()") == [2]


def test_a_model_is_saved_as_it_is() -> None:
    """A ledger's model refuses: nothing else has a say in ``save`` and ``delete``."""
    assert files(breaches(saving_by_itself, among=is_kind("models"))) == {"foundation/ledger/models.py"}
    assert broken(saving_by_itself, "class A:\n    def save(self): ...") == [2]
    assert broken(saving_by_itself, "class A:\n    async def adelete(self): ...") == [2]


# --- Documents ------------------------------------------------------------------------------------


def impure(tree: ast.Module) -> Iterator[int]:
    """The database, the clock, the network, chance: all that would make other bytes of the same snapshot."""
    below = ("django.db.", "foundation.clock.now.", "foundation.infrastructure.", "socket.", "ssl.", "http.client.", "urllib.request.", "requests.", "random.", "secrets.", "subprocess.", "uuid.")  # fmt: skip
    for line, name in uses(tree):
        if f"{name}.".startswith(below) or ".models." in f"{name}.":
            yield line
    yield from attributes("objects")(tree)


def draws(path: str) -> bool:
    return path.startswith("invoices/pdf/") or path in (
        "invoices/rendering.py",
        "invoices/words.py",
        "invoices/paynow.py",
    )


def test_a_document_is_made_of_its_snapshot_alone() -> None:
    assert breaches(impure, among=draws) == set()
    assert len([path for path in sources() if draws(path)]) > 4


@pytest.mark.parametrize(
    "source",
    [
        "#\nfrom invoices.models import Invoice",
        "#\nfrom django.db import connection",
        "from foundation import clock\nclock.now()",
        "#\nfrom urllib.request import urlopen",
        "#\nimport random",
        "#\nrates = rate.objects",
    ],
)
def test_every_way_to_make_other_bytes_is_found(source: str) -> None:
    assert broken(impure, source) == [2]


# --- openapi.py -----------------------------------------------------------------------------------


def words_of_the_schema(tree: ast.Module) -> Iterator[int]:
    """Where operations are described: what drf-spectacular has for it, or a text that goes into it."""
    yield from (line for line, name in uses(tree) if f"{name}.".startswith("drf_spectacular."))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("summary", "description", "examples"):
            yield node.value.lineno


def test_views_leave_the_words_of_the_schema_to_openapi_py() -> None:
    assert breaches(words_of_the_schema, among=is_kind("views", "health")) == set()


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
    assert broken(words_of_the_schema, line) == [1]


def doing(tree: ast.Module) -> Iterator[int]:
    """Statements that are no declaration. drf-spectacular takes the scheme of authentication as a class."""
    for node in tree.body:
        match node:
            case ast.Expr() | ast.ImportFrom() | ast.Assign() | ast.AnnAssign():
                yield from (part.lineno for part in ast.walk(node) if isinstance(part, ast.Lambda))
            case ast.ClassDef(bases=[ast.Name("OpenApiAuthenticationExtension")]):
                pass
            case _:
                yield node.lineno


def test_openapi_py_declares_and_does_nothing() -> None:
    assert breaches(doing, among=is_kind("openapi")) == set()
    assert broken(doing, "def described(title):\n    return title") == [1]
    assert broken(doing, "class Described: ...") == [1]
    assert broken(doing, "if DEBUG: SALE = 1") == [1]
    assert broken(doing, "described = lambda title: title") == [1]
