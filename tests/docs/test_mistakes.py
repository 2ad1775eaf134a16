"""The table of mistakes in docs/domain.md names its tests, and has no empty cell."""

import re

import pytest
from django.conf import settings

from tests.api import test_mistakes

pytestmark = pytest.mark.any_engine

TITLE = "### Wrong and put right"


def cells() -> list[tuple[str, str, str]]:
    """(mistake, column, what the cell says) of the table."""
    text = (settings.BASE_DIR / "docs/domain.md").read_text(encoding="utf-8")
    section = text.split(TITLE, 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    header, _, *body = rows
    return [(row[0], name, cell) for row in body for name, cell in zip(header[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("mistake", "column", "cell"), cells())
def test_each_cell_names_its_test_or_what_it_comes_with(mistake: str, column: str, cell: str) -> None:
    named = re.findall(r"`(test_\w+)`", cell)
    is_filled = bool(named) or cell.startswith("with ")
    assert is_filled, (mistake, column)
    assert [name for name in named if not hasattr(test_mistakes, name)] == []


def test_every_mistake_is_in_the_table() -> None:
    mistakes = [mistake for mistake, column, _ in cells() if column == "asked"]
    assert len(mistakes) == 11
    for wanted in ("rate", "price", "GST", "reading", "goods in", "payment", "customer"):
        assert any(wanted in mistake for mistake in mistakes), wanted
