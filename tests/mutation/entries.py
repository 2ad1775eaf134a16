"""The list of mutants, read."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.types import Json

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "tests/mutants.toml"


@dataclass(frozen=True)
class Mutant:
    """One change for the worse: in ``file``, ``new`` in the place of ``old``, and one of ``tests`` has to fail.

    ``tests`` are pytest's arguments. ``rules`` names the rules that are no function: "code insufficient_stock",
    "constraint balance_not_negative", "capability VOID_SALE". ``engine`` is "mysql" where SQLite doesn't need the rule,
    which lets one transaction write at a time.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    rules: tuple[str, ...] = ()
    engine: str = "sqlite"

    @property
    def place(self) -> int:
        """Where the text begins, counted from the file's beginning."""
        return (ROOT / self.file).read_text().index(self.old)

    @property
    def line(self) -> int:
        return (ROOT / self.file).read_text()[: self.place].count("\n") + 1

    def applied(self, source: str) -> str:
        return source.replace(self.old, self.new)

    def __str__(self) -> str:
        lines = [line.strip() for text in (self.old, self.new) for line in text.strip().splitlines()[:1]]
        return f"{self.file}:{self.line}  {'  →  '.join(lines)}"


def mutants(path: Path = LIST) -> list[Mutant]:
    """Every mutant of the list. An unknown key or a missing one is a mistake in the list."""
    return [Mutant(**_fields(entry)) for entry in tomllib.loads(path.read_text())["mutant"]]


def _fields(entry: Json) -> Json:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
