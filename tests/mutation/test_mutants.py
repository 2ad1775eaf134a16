"""The list of mutants and the rules of the code, compared. Whether a test bites says `make mutants`."""

import ast
from pathlib import Path

import pytest

from tests.mutation.entries import ROOT, Mutant, mutants
from tests.mutation.rules import functions_with_rules, named_rules, reckoning_files

pytestmark = pytest.mark.any_engine

MUTANTS = mutants()


def mistakes(mutant: Mutant, source: str) -> list[str]:
    """What is wrong with an entry: it must change one place, into something that Python reads."""
    wrong = []
    if source.count(mutant.old) != 1:
        wrong.append(f"its text is in the file {source.count(mutant.old)} times")
    if mutant.old.strip() == mutant.new.strip():
        wrong.append("it changes nothing")
    wrong += [f"there is no {test}" for test in mutant.tests if not (ROOT / test.partition("::")[0]).exists()]
    wrong += [f"the text doesn't hold the rule {rule}" for rule in mutant.rules if not _names(mutant, rule)]
    if mutant.file.endswith(".py"):
        try:
            ast.parse(mutant.applied(source))
        except SyntaxError as error:
            wrong.append(str(error))
    return wrong


def _names(mutant: Mutant, rule: str) -> bool:
    """A constraint and a capability are changed where they are declared; a refusal, anywhere before it."""
    kind, _, name = rule.partition(" ")
    text = mutant.old.replace("'", '"')  # as migrations quote
    return {"constraint": f'"{name}"', "capability": f"Capability.{name}", "code": ""}[kind] in text


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}:{mutant.old[:40]}")
def test_an_entry_changes_one_place(mutant: Mutant) -> None:
    assert mistakes(mutant, (ROOT / mutant.file).read_text()) == []


@pytest.mark.parametrize(
    ("mutant", "wrong"),
    [
        (Mutant("a.py", "x = 3", "x = 4", ("tests",)), "its text is in the file 0 times"),
        (Mutant("a.py", "1", "2", ("tests",)), "its text is in the file 2 times"),
        (Mutant("a.py", "x = 1", "x = 1 ", ("tests",)), "it changes nothing"),
        (Mutant("a.py", "x = 1", "x = 2", ("tests/nowhere.py::test_it",)), "there is no tests/nowhere.py::test_it"),
        (Mutant("a.py", "x = 1", "x = 2", ("tests",), ("constraint x_known",)), "the text doesn't hold the rule constraint x_known"),
        (Mutant("a.py", "x = 1", "x = 1 +", ("tests",)), "invalid syntax (<unknown>, line 1)"),
    ],
)  # fmt: skip
def test_a_mistaken_entry_is_found(mutant: Mutant, wrong: str) -> None:
    assert mistakes(mutant, "x = 1\ny = 1\n") == [wrong]


def test_every_named_rule_has_a_mutant() -> None:
    taken_away = {rule for mutant in MUTANTS for rule in mutant.rules}
    assert named_rules() - taken_away == set()
    assert taken_away - named_rules() == set()


def without_a_mutant(path: Path, lines: set[int]) -> set[str]:
    functions = functions_with_rules(ast.parse(path.read_text()))
    return {
        f"{path.relative_to(ROOT)} {name}"
        for name, (first, last) in functions.items()
        if not lines & {*range(first, last + 1)}
    }


def changed_lines(file: str) -> set[int]:
    return {
        mutant.line + offset
        for mutant in MUTANTS
        if mutant.file == file
        for offset in range(mutant.old.rstrip("\n").count("\n") + 1)
    }


@pytest.mark.parametrize("path", reckoning_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_function_that_holds_a_rule_has_a_mutant(path: Path) -> None:
    assert without_a_mutant(path, changed_lines(str(path.relative_to(ROOT)))) == set()


@pytest.mark.parametrize(
    "body",
    [
        "return Row.objects.select_for_update().get()",
        "return self.filter(rows_within(user, Capability.VIEW))",
        "return quantity * rate",
        "total -= paid",
        "return sum(amounts)",
        "return rows.aggregate(Sum('amount'))",
        "return rows.order_by('-pk')",
        "return to_cents(amount)",
        "return clock.now()",
    ],
)
def test_a_function_that_holds_a_rule_is_found(body: str) -> None:
    head = "from foundation import clock\nfrom foundation.money import to_cents\n"
    tree = ast.parse(
        f"{head}class Rows:\n    def rule(self):\n        {body}\n    def other(self):\n        return 'a' + self.b\n"
    )
    assert functions_with_rules(tree) == {"Rows.rule": (4, 5)}
