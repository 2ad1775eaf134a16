"""What the figures are held against is independent of what makes them."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_engine

TESTS = Path(__file__).resolve().parent.parent
KNOWN = {"collections.abc", "dataclasses", "datetime", "decimal", "enum", "random"}
OWN = ("tests.model", "tests.simulator")


def foreign(tree: ast.Module) -> set[str]:
    """What a module stands on besides the model and a few plain things of Python's own."""
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            used.add("." * node.level + (node.module or ""))
        if isinstance(node, ast.Name) and node.id in ("__import__", "eval", "exec"):
            used.add(node.id)
    return {name for name in used if name not in KNOWN and not f"{name}.".startswith(tuple(f"{own}." for own in OWN))}


@pytest.mark.parametrize("own", OWN)
def test_a_model_imports_nothing_of_the_project(own: str) -> None:
    folder = TESTS / own.removeprefix("tests.")
    modules = [path for path in sorted(folder.glob("**/*.py")) if not path.name.startswith("test_")]
    assert len(modules) > 3
    assert {path.name: foreign(ast.parse(path.read_text())) for path in modules} == {
        path.name: set() for path in modules
    }


@pytest.mark.parametrize(
    "line",
    [
        "from foundation.money import to_cents",
        "import reports.figures",
        "from django.db.models import Sum",
        "import importlib",
        "from tests.conftest import Shop",
        "def late():\n    from ..conftest import Shop",
        "__import__('reports')",
    ],
)
def test_a_model_that_does_is_found(line: str) -> None:
    assert foreign(ast.parse(line))
