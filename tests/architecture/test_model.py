"""What the figures are held against is independent of what makes them."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_engine

FOLDER = Path(__file__).resolve().parent.parent / "model"
KNOWN = {"collections.abc", "dataclasses", "datetime", "decimal"}


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
    return {name for name in used if name not in KNOWN and not name.startswith("tests.model.")} - {"tests.model"}


def test_the_model_imports_nothing_of_the_project() -> None:
    modules = sorted(FOLDER.glob("**/*.py"))
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
