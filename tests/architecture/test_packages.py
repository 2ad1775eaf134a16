"""One list of packages (core/packages.py): what has to hold a list of its own holds the same one."""

import ast
import re
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from core.packages import LAYERS, PACKAGES
from tests.types import Json

pytestmark = pytest.mark.any_engine

ROOT = Path(__file__).resolve().parent.parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
NOT_OURS = {"tests", "benchmarks", "testbed"}
"""Beside the project: it imports none of them."""
OTHERWISE_INSIDE = {"core", "foundation"}
"""They are no app with an edge, services and models."""


def differences(pyproject: Json, folders: set[str]) -> dict[str, set[str]]:
    """Where a list differs from PACKAGES, and by which names."""
    tool = pyproject["tool"]
    layers, inside = tool["importlinter"]["contracts"]
    drawn = [frozenset(layer.replace(" ", "").split("|")) for layer in layers["layers"]]
    overridden = {name for override in tool["mypy"]["overrides"] if "ignore_missing_imports" not in override
                  for name in override["module"]}  # fmt: skip
    found = {
        "folders": {*PACKAGES} ^ (folders - NOT_OURS),
        "coverage": {*PACKAGES} ^ {*tool["coverage"]["run"]["source"]},
        "root_packages": {*PACKAGES} ^ {*tool["importlinter"]["root_packages"]},
        "containers": ({*PACKAGES} - OTHERWISE_INSIDE) ^ {*inside["containers"]},
        "layers": {name for layer in {*drawn} ^ {*map(frozenset, LAYERS)} for name in layer},
        "order": set() if drawn == [frozenset(layer) for layer in reversed(LAYERS)] else {"layers"},
        "exemptions": {name for contract in (layers, inside) for name in contract.get("ignore_imports", ())},
        "mypy": {name for name in overridden if not name.startswith("*") and not is_there(name)},
    }
    return {name: names for name, names in found.items() if names}


def is_there(module: str) -> bool:
    path = ROOT / module.removesuffix(".*").replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_every_list_of_packages_is_the_same() -> None:
    assert differences(PYPROJECT, FOLDERS) == {}


def test_no_package_is_named_twice() -> None:
    assert len(PACKAGES) == len({*PACKAGES})


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("coverage", ("coverage", "run", "source")),
        ("root_packages", ("importlinter", "root_packages")),
        ("containers", ("importlinter", "contracts", 1, "containers")),
        ("layers", ("importlinter", "contracts", 0, "layers")),
    ],
)
def test_a_missing_package_is_found(where: str, keys: tuple[Any, ...]) -> None:
    poorer = deepcopy(PYPROJECT)
    names: Any = poorer["tool"]
    for key in keys:
        names = names[key]
    names.remove("customers")
    assert differences(poorer, FOLDERS)[where] == {"customers"}


def test_a_new_folder_and_a_module_that_moved_are_found() -> None:
    moved = deepcopy(PYPROJECT)
    moved["tool"]["mypy"]["overrides"][1]["module"].append("customers.nowhere")
    assert differences(moved, FOLDERS | {"routes"}) == {"folders": {"routes"}, "mypy": {"customers.nowhere"}}


def test_an_exemption_is_found() -> None:
    exempt = deepcopy(PYPROJECT)
    exempt["tool"]["importlinter"]["contracts"][0]["ignore_imports"] = ["audit.models -> invoices.models"]
    assert differences(exempt, FOLDERS) == {"exemptions": {"audit.models -> invoices.models"}}


def test_layers_in_another_order_are_found() -> None:
    turned = deepcopy(PYPROJECT)
    turned["tool"]["importlinter"]["contracts"][0]["layers"].reverse()
    assert differences(turned, FOLDERS) == {"order": {"layers"}}


def drawn_in(page: str) -> list[set[str]]:
    """The layers of the diagram under "Floors", from the bottom up; an arrow is one more layer."""
    diagram = page.split("## Floors")[1].split("```")[1]
    return [{*layer.split()} for line in diagram.strip().splitlines() for layer in line[3:28].split("→")][::-1]


def test_the_diagram_shows_the_layers() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    assert drawn_in(page) == [{*layer} for layer in LAYERS]
    assert drawn_in(page.replace("5  customers", "5  vendors  ")) != [{*layer} for layer in LAYERS]


def reached(tree: ast.Module) -> set[str]:
    """The folders whose modules a module imports, or whose files it names (to run them as programs of their own)."""
    found = set()
    remarks = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in {*ast.walk(tree)} - remarks:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {*re.findall(r"\b\w+[/.]\w+", node.value)}
    return {re.split(r"[/.]", name)[0] for name in found}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        *((package, {"testbed", "benchmarks", "tests"}) for package in PACKAGES),
        ("testbed", {"benchmarks", "tests"}),
        ("benchmarks", {"tests"}),
    ],
)
def test_what_stands_beside_the_project_is_not_reached(folder: str, forbidden: set[str]) -> None:
    """Tests may use benchmarks and the testbed, benchmarks the testbed, the project none of them."""
    reaching = {
        str(path.relative_to(ROOT)): names
        for path in (ROOT / folder).rglob("*.py")
        if (names := reached(ast.parse(path.read_text())) & forbidden)
    }
    assert reaching == {}


@pytest.mark.parametrize(
    "line",
    [
        "import tests.factories",
        "from tests.live import conftest",
        "def late(): from tests import factories",
        'site.python("tests/live/prepare.py", "2")',
        'site.python("-m", "tests.upgrade.ask")',
    ],
)
def test_every_way_to_reach_the_tests_is_found(line: str) -> None:
    assert reached(ast.parse(line)) & {"tests"}
