"""Which rules the code has: found in it, so that none is forgotten.

A function that locks rows, says who sees what, or reckons with amounts, quantities or dates is a rule by itself: a mutant
inside it takes it away. Codes of refusals, constraints and capabilities have names, which their mutants give.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from core.packages import APPS, PACKAGES
from foundation.access.capabilities import Capability
from foundation.errors import DomainError
from tests.mutation.entries import ROOT

RECKONING = ("*/*.py", "*/services/*.py", "foundation/access/*.py", "foundation/ledger/*.py", "foundation/operations/*.py",
             "foundation/spreadsheets/*.py", "reports/*/*.py")  # fmt: skip
EDGES = {"admin.py", "apps.py", "openapi.py", "views.py", "serializers.py"}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
TEXTS = (ast.JoinedStr, ast.List, ast.Tuple, ast.Set)
AGGREGATES = {"Sum", "added_up", "sum", "sum_of", "Min", "Max", "Count"}


def named_rules() -> set[str]:
    """ "code …", "constraint …" and "capability …"."""
    codes = {f"code {error.code}" for error in _subclasses(DomainError) if hasattr(error, "code")}
    constraints = {
        f"constraint {constraint.name}"
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in APPS
        for constraint in model._meta.constraints
    }
    return codes | constraints | {f"capability {capability.name}" for capability in Capability}


def _subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.partition(".")[0] in PACKAGES:
            yield subclass
        yield from _subclasses(subclass)


def reckoning_files() -> list[Path]:
    found = {path for pattern in RECKONING for path in ROOT.glob(pattern)}
    return sorted(path for path in found if path.relative_to(ROOT).parts[0] in PACKAGES and path.name not in EDGES)


def functions_with_rules(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """Outer functions and methods that hold a rule, by their qualified names: their first and last line."""
    clock = _names_from(tree, "foundation.clock") | _names_from(tree, "foundation.money")
    return {
        name: (function.lineno, function.end_lineno or function.lineno)
        for name, function in _functions(tree, "")
        if function.name == "visible_to" or any(_is_rule(node, clock) for node in ast.walk(function))
    }


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield f"{prefix}{child.name}", child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _names_from(tree: ast.Module, module: str) -> set[str]:
    """What the module's names are called here, itself included."""
    package, _, name = module.rpartition(".")
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.module == module or (node.module == package and alias.name == name)
    } - {"ZERO", "CENT", "SINGAPORE"}


def _is_rule(node: ast.AST, clock: set[str]) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ARITHMETIC) and not (_is_text(node.left) or _is_text(node.right))
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ARITHMETIC) and not _is_text(node.value)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        return (
            last in AGGREGATES | {"order_by", "select_for_update", "rows_within"} or called.partition(".")[0] in clock
        )
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, TEXTS) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
