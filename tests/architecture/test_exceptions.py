"""Where a checker is told to look away, the line names the rule and says why."""

import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_engine

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_OURS = {".venv", "var", "node_modules", "migrations"}
SOURCES = [
    path
    for folder in ROOT.iterdir()
    if folder.name not in NOT_OURS
    for path in ([folder] if folder.suffix == ".py" else folder.rglob("*.py"))
    if not NOT_OURS & {*path.parts}
]

EXCEPTION = re.compile(r"#\s*(type:\s*ignore|noqa|ruff:\s*noqa|mypy:)", re.IGNORECASE)
EXPLAINED = re.compile(r"# type: ignore\[[a-z, -]+\]  # \S.*|# noqa: [A-Z]+[0-9]+ -- \S.*")


def unexplained(source: str) -> Iterator[int]:
    """Lines with an exception that names no rule, or has no reason behind it."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        found = EXCEPTION.findall(token.string) if token.type == tokenize.COMMENT else []
        if found and not (len(found) == 1 and EXPLAINED.fullmatch(token.string)):
            yield token.start[0]


def test_every_exception_names_its_rule_and_its_reason() -> None:
    assert len(SOURCES) > 300
    assert [f"{path.relative_to(ROOT)}:{line}" for path in SOURCES for line in unexplained(path.read_text())] == []


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "# type: ignore[misc]",
        "# type: ignore[misc]  #",
        "# type:ignore  # the package's annotation is wrong",
        "# noqa",
        "# noqa: S311",
        "# noqa: S311 --",
        "# noqa -- jitter",
        "# NOQA",
        "# why not  # noqa: S311",
        "# type: ignore[misc]  # noqa: S311",
        "# ruff: noqa: S311 -- jitter",
        "# mypy: ignore-errors",
    ],
)
def test_an_exception_without_either_is_found(comment: str) -> None:
    assert list(unexplained(f"first = 1\nsecond = call()  {comment}\n")) == [2]


@pytest.mark.parametrize(
    "line",
    [
        "second = call()  # type: ignore[misc]  # the package's annotation is wrong",
        "second = call()  # type: ignore[valid-type, misc]  # Django makes the class",
        "second = call()  # noqa: S311 -- jitter",
        "second = '# noqa'",
        "second = call()  # nothing out of the ordinary",
    ],
)
def test_what_is_explained_or_no_exception_is_not(line: str) -> None:
    assert list(unexplained(f"{line}\n")) == []
