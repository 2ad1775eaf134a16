"""The codes that the guides and the field app name are those that there are, and the other way round."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from discrepancies.models import Discrepancy
from tests.mutation.rules import named_rules

pytestmark = pytest.mark.any_engine

ROOT = Path(settings.BASE_DIR)
OF_A_REQUEST = {"permission_denied", "invalid", "try_again", "does_not_exist", "unique", "required"}
"""Of a kind, not of a rule: their status says it."""
OF_THE_APP = {"dismissed"}


def codes() -> set[str]:
    return {rule.removeprefix("code ") for rule in named_rules() if rule.startswith("code ")} - OF_A_REQUEST


def text(path: str) -> str:
    return (ROOT / path).read_text()


def test_the_api_guide_names_every_code_and_no_other() -> None:
    listed = re.search(r"\*\*Domain errors\*\*.*?(?=\n- )", text("docs/api.md"), re.DOTALL)
    assert listed is not None
    named = set(re.findall(r"`([a-z_]+)`", listed[0])) | {"unreadable_record"}
    assert named == codes()
    assert "`unreadable_record`" in text("docs/api.md")


def test_the_field_app_has_words_for_codes_that_there_are() -> None:
    words = text("field_app/src/refused/words.ts")
    named = set(re.findall(r"^ {6}([a-z_]+):", words, re.MULTILINE))
    assert len(named) > 5
    assert named - OF_THE_APP <= codes()


def test_discrepancies_are_told_in_words_everywhere() -> None:
    there_are = set(Discrepancy.Code.values)
    guide = text("docs/offline-protocol.md")
    table = guide[guide.index("### Discrepancies") : guide.index("## The states of an operation")]
    assert set(re.findall(r"^\| `([a-z_]+)`", table, re.MULTILINE)) == there_are
    told = set(re.findall(r'case "([a-z_]+)"', text("field_app/src/ui/discrepancy.ts")))
    # Of a rate the server's own words name the item, of cash whether it was taken or paid out.
    assert told == there_are - {"rate_differs", "cash_differs"}
