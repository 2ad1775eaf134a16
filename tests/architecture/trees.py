"""The syntax trees that the rules read, and what their names stand for.

A rule is a function from a tree to the lines that break it, so that the project and a few lines of text are read alike.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from core.packages import PACKAGES

ROOT = Path(__file__).resolve().parent.parent.parent
Lines = Iterable[int]
Rule = Callable[[ast.Module], Lines]


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the project by its path, but for migrations: they are written once."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.relative_to(ROOT).parts
    }


def breaches(rule: Rule, *, among: Callable[[str], bool] = lambda path: True) -> set[str]:
    """Where the project breaks a rule, as path:line."""
    return {f"{path}:{line}" for path, tree in sources().items() if among(path) for line in rule(tree)}


def files(found: Iterable[str]) -> set[str]:
    """The paths alone of what `breaches` found."""
    return {where.rpartition(":")[0] for where in found}


def broken(rule: Rule, source: str) -> list[int]:
    """The lines of a text that break a rule, each once: for the controls."""
    return sorted({*rule(ast.parse(source))})


def is_kind(*names: str) -> Callable[[str], bool]:
    """Is a module of one of these kinds: ``views`` is views.py, and each module of a package views/."""
    return lambda path: bool({*names} & {*path.removesuffix(".py").split("/")[1:]})


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _chain(node: ast.AST) -> list[str]:
    """``a.b.c`` and ``getattr(a.b, "c")`` as names; empty for what begins with anything but a name."""
    match node:
        case ast.Name(name):
            return [name]
        case ast.Attribute(value, name) | ast.Call(ast.Name("getattr"), [value, ast.Constant(str(name)), *_]):
            start = _chain(value)
            return [*start, name] if start else []
    return []


def names(tree: ast.AST) -> dict[str, str]:
    """What the names of a module stand for that it imports, or gives to what it imported."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(aliases):
                for alias in aliases:
                    known[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            case ast.ImportFrom(module, aliases):
                for alias in aliases:
                    known[alias.asname or alias.name] = f"{module}.{alias.name}"
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Name(name)], value) if len(chain := _chain(value)) and chain[0] in known:
                known.setdefault(name, ".".join([known[chain[0]], *chain[1:]]))
    return known


def origin(node: ast.AST, known: dict[str, str]) -> str:
    """The full name of ``dt.now``: datetime.datetime.now. Empty for what isn't a chain of names."""
    chain = _chain(node)
    return ".".join([known.get(chain[0], chain[0]), *chain[1:]]) if chain else ""


def uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each line and full name of what is imported, called or referred to, whatever it is called here."""
    known = names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif (isinstance(node, ast.Name | ast.Attribute | ast.Call)) and (name := origin(node, known)):
            yield node.lineno, name


def using(*forbidden: str) -> Rule:
    """The rule against names, and against everything below those that end in a dot."""
    exact, below = {name.rstrip(".") for name in forbidden}, tuple(name for name in forbidden if name.endswith("."))
    return lambda tree: [line for line, name in uses(tree) if name in exact or name.startswith(below)]


def attributes(*forbidden: str) -> Rule:
    """The rule against attributes, whatever they are of: ``x.name``, and "name" by itself, which getattr may be given."""

    def lines(tree: ast.Module) -> Iterator[int]:
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name) | ast.Constant(str(name)) if name in forbidden:
                    yield node.lineno

    return lines


def commands(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions under ``@command``, whatever it is called here."""
    known = names(tree)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        if origin(decorator, known) == "foundation.commands.command"
    ]


_EVERYTHING = {"Exception", "BaseException"}


def swallowing(tree: ast.Module) -> Iterator[int]:
    """Handlers of whatever may happen that don't raise it or something else in the end."""

    def is_everything(kind: ast.expr | None) -> bool:
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(each is None or ast.unparse(each).rpartition(".")[2] in _EVERYTHING for each in kinds)

    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(kind, _, body) if is_everything(kind) and not isinstance(body[-1], ast.Raise):
                yield node.lineno
            case ast.Call(func, kinds) if ast.unparse(func).rpartition(".")[2] == "suppress" and any(
                map(is_everything, kinds)
            ):
                yield node.lineno
            case ast.Try(finalbody=[*last]) if any(
                isinstance(part, ast.Return) for each in last for part in ast.walk(each)
            ):
                yield node.lineno
