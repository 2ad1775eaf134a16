"""Which model's rows an expression stands for, as far as its text tells: enough to see who writes them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from django.apps import apps
from django.db.models import ForeignObjectRel, Model

from core.packages import PACKAGES
from tests.architecture.trees import names, origin, sources

Models = frozenset[type[Model]]
NONE: Models = frozenset()
WRITES = {
    f"{a}{name}"
    for a in ("", "a")
    for name in ("save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create")
} | {"save_base", "_raw_delete", "_update", "_insert"}  # fmt: skip
BY_RELATION = {f"{a}{name}" for a in ("", "a") for name in ("add", "set", "remove", "clear")}
RECORDED = {"create_recorded": "new", "update_recorded": "target"}
"""What writes the row that it is handed under this keyword (audit.services)."""
HANDED_ON = {"list", "tuple", "set", "sorted", "reversed", "iter", "next", "filter", "min", "max", "dict", "type", "cast", "copy", "deepcopy", "zip", "enumerate", "get_object_or_404"}  # fmt: skip
"""What answers the rows that it is given."""


@cache
def _classes() -> dict[str, type[Model]]:
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]
    assert len({model.__name__ for model in ours}) == len(ours), "two models of one name can't be told apart here"
    return {model.__name__: model for model in ours}


@cache
def _called() -> dict[str, type[Model]]:
    """``deposit_balance`` is taken for a DepositBalance where nothing else tells what it is."""
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): model for name, model in _classes().items()}


def _related(model: type[Model], name: str) -> type[Model] | None:
    """The model at the other end of a relation, in either direction."""
    for field in model._meta.get_fields():
        accessor = field.get_accessor_name() if isinstance(field, ForeignObjectRel) else field.name
        if name == accessor and isinstance(field.related_model, type):
            return field.related_model
    return None


@cache
def _annotated() -> dict[str, Models]:
    """What the project's functions answer and its dataclasses hold, by name, where that is rows."""
    found: dict[str, Models] = defaultdict(frozenset)
    for tree in sources().values():
        known = names(tree)
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name, returns=ast.AST() as told) | ast.AnnAssign(ast.Name(name), told):
                    found[name] |= _named_in(told, known)
    return {name: models for name, models in found.items() if models}


def _class(name: str) -> Models:
    """By its full name, from wherever in the project it is imported; of ``Invoice.objects`` that of its beginning."""
    head, *rest = name.split(".")
    if head in PACKAGES or not rest:
        for part in rest or [head]:
            if part in _classes():
                return frozenset({_classes()[part]})
    return NONE


def _named_in(annotation: ast.AST, known: dict[str, str]) -> Models:
    found = [origin(node, known) for node in ast.walk(annotation)]
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [word.split(".") for word in re.findall(r"[\w.]+", node.value)]
            found += [".".join([known.get(head, head), *rest]) for head, *rest in parts]
    return _all(map(_class, found))


def _all(found: Iterable[Models]) -> Models:
    return frozenset().union(*found)


OWN_NAMES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
"""What has names of its own."""


class Scope:
    """A module, a function or a comprehension without those inside it, and what its names stand for."""

    def __init__(self, top: ast.AST, known: dict[str, str], outer: dict[str, Models]) -> None:
        self.known = known
        self.nodes: list[ast.AST] = []
        self.inside: list[ast.AST] = []
        self._collect(top)
        own = {node.id for node in self.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in self.nodes if isinstance(node, ast.arg)}
        self.bound = {name: models for name, models in outer.items() if name not in own}
        for _ in range(2):  # a loop may use what is bound below
            for node in self.nodes:
                self._bind(node)

    def _collect(self, parent: ast.AST) -> None:
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, OWN_NAMES):
                self.inside.append(node)
            else:
                self.nodes.append(node)
                self._collect(node)

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets, value):
                for target in targets:
                    self._name(target, self.of(value))
            case ast.AnnAssign(target, annotation, value):
                self._name(target, _named_in(annotation, self.known) | (self.of(value) if value else NONE))
            case ast.NamedExpr(target, value):
                self._name(target, self.of(value))
            case ast.For(target, value) | ast.AsyncFor(target, value) | ast.comprehension(target, value):
                self._name(target, self.of(value))
            case ast.withitem(value, ast.AST() as target):
                self._name(target, self.of(value))
            case ast.arg(name, ast.AST() as annotation):
                self.bound[name] = self.bound.get(name, NONE) | _named_in(annotation, self.known)
            case ast.MatchAs(ast.MatchClass(cls), str(name)):
                self.bound[name] = self.bound.get(name, NONE) | _class(origin(cls, self.known))

    def _name(self, target: ast.AST, models: Models) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.bound[node.id] = self.bound.get(node.id, NONE) | models

    def of(self, node: ast.AST) -> Models:
        """The models whose rows an expression may stand for; none where it can't be told."""
        match node:
            case ast.Name(name):
                if name in self.known:
                    return _class(self.known[name]) or _annotated().get(self.known[name].rpartition(".")[2], NONE)
                told = self.bound.get(name) or _class(name)
                return told or (frozenset({_called()[name]}) if name in _called() else NONE)
            case ast.Call(ast.Name("getattr"), [value, ast.Constant(str(name)), *_]) | ast.Attribute(value, name):
                return self._attribute(node, value, name)
            case ast.Call(func, arguments):
                last = origin(func, self.known).rpartition(".")[2]
                if last == "get_model":
                    names = [str(a.value).rpartition(".")[2] for a in arguments if isinstance(a, ast.Constant)]
                    return _all(map(_class, names))
                if last in HANDED_ON and not isinstance(func, ast.Attribute):
                    return _all(map(self.of, arguments))
                return self.of(func) or (_annotated().get(last, NONE) if last not in self.bound else NONE)
            case ast.Subscript(value) | ast.Starred(value) | ast.Await(value) | ast.NamedExpr(_, value):
                return self.of(value)
            case ast.IfExp(_, this, that) | ast.BinOp(this, _, that):
                return self.of(this) | self.of(that)
            case ast.BoolOp(_, values) | ast.Tuple(values) | ast.List(values) | ast.Set(values) | ast.Dict(_, values):
                return _all(map(self.of, values))
            case ast.ListComp(value) | ast.SetComp(value) | ast.GeneratorExp(value) | ast.DictComp(_, value):
                return Scope(node, self.known, self.bound).of(value)
        return NONE

    def _attribute(self, node: ast.AST, value: ast.AST, name: str) -> Models:
        if direct := _class(origin(node, self.known)):
            return direct
        owners = self.of(value)
        if not owners:
            return _annotated().get(name, NONE)
        found = NONE
        for owner in owners:
            other = _related(owner, name)
            is_column = name == "pk" or name in {field.attname for field in owner._meta.concrete_fields}
            found |= frozenset({other}) if other else NONE if is_column else frozenset({owner})
        return found

    def writes(self) -> Iterator[tuple[int, Models]]:
        """Lines that write rows, and the models; none where it can't be told of what."""
        for node in self.nodes:
            match node:
                case ast.Attribute(value, name) | ast.Call(ast.Name("getattr"), [value, ast.Constant(name), *_]):
                    if name in WRITES:
                        yield node.lineno, self.of(value)
                    elif name in BY_RELATION and isinstance(value, ast.Attribute):
                        owners = self.of(value.value)
                        yield (
                            node.lineno,
                            _all(frozenset({other}) for owner in owners if (other := _related(owner, value.attr))),
                        )
                case ast.Call(func, _, keywords):
                    wanted = RECORDED.get(origin(func, self.known).rpartition(".")[2])
                    for keyword in keywords:
                        if wanted and keyword.arg == wanted:
                            yield node.lineno, self.of(keyword.value)
        for node in self.inside:
            yield from Scope(node, self.known, self.bound).writes()


def writes(tree: ast.Module) -> Iterator[tuple[int, Models]]:
    """Each line of a module that writes rows, and of which models as far as can be told."""
    return Scope(tree, names(tree), {}).writes()
