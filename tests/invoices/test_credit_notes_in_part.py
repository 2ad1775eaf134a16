"""What a credit note in part says on paper."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from invoices.snapshot import Correction, InvoiceSnapshot
from testbed.snapshots import credit_note
from tests.invoices.test_rendering import text_of

pytestmark = pytest.mark.any_engine

CORRECTS = Correction("INV-20260120-000001", date(2026, 1, 20), "One was leaking", left=Decimal("1234.50"))


def test_a_credit_in_part_says_so_and_what_is_left() -> None:
    text = " ".join(text_of(credit_note(corrects=CORRECTS)).split())
    assert "This credit note credits a part of tax invoice INV-20260120-000001 of 20 Jan 2026." in text
    assert "S$ 1,234.50 with GST is left of it." in text
    assert "Reason: One was leaking" in text
    whole = " ".join(text_of(credit_note()).split())
    assert "This credit note reverses tax invoice INV-20260120-000001 of 20 Jan 2026." in whole
    assert "is left of it" not in whole


def test_an_amount_has_neither_pieces_nor_a_rate() -> None:
    note = credit_note(corrects=CORRECTS, meter=None)
    line = replace(note.lines[0], quantity=0, rate=Decimal("38.50"), amount=Decimal("-7.25"), type="SALE", condition="")
    text = " ".join(text_of(replace(note, lines=(line,))).split())
    assert f"{line.description} Sale, amount 7.25" in text
    assert "38.50" not in text


def test_what_a_credit_note_says_is_read_again() -> None:
    note = credit_note(corrects=CORRECTS)
    assert InvoiceSnapshot.from_json(note.to_json()) == note
    before = credit_note().to_json()
    del before["corrects"]["left"]
    assert InvoiceSnapshot.from_json(before) == credit_note()
