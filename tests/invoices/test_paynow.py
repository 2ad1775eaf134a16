"""The PayNow QR code's text: one that any bank's app reads, and only where something is to be paid."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from invoices.models import Invoice
from invoices.paynow import checksum, paynow_payload
from tests.conftest import Shop
from tests.factories import EquipmentFactory
from tests.types import Json

UEN = "201992345C"


def fields(text: str) -> dict[str, str]:
    """Tag, length, value, one behind the other."""
    found = {}
    while text:
        end = 4 + int(text[2:4])
        found[text[:2]], text = text[4:end], text[end:]
    return found


@pytest.mark.any_engine
def test_the_checksum_is_the_standard_s() -> None:
    """CRC-16/CCITT-FALSE of its check sequence."""
    assert checksum("123456789") == 0x29B1


@pytest.mark.any_engine
def test_the_code_says_whom_to_pay_how_much_and_for_what() -> None:
    payload = paynow_payload(
        uen=UEN, name="Café Zoë & a very long name Pte. Ltd.", amount=Decimal("1231.5"), reference="INV-20260120-000001"
    )
    assert payload[:-8] == (
        "000201" "010212" "26370009SG.PAYNOW" "01012" "0210201992345C" "03010" "52040000" "5303702"
        "54071231.50" "5802SG" "5925Cafe Zoe & a very long na" "6009Singapore" "62230119INV-20260120-000001"
    )  # fmt: skip
    assert payload[-8:] == f"6304{checksum(payload[:-4]):04X}"
    assert fields(fields(payload)["26"]) == {"00": "SG.PAYNOW", "01": "2", "02": UEN, "03": "0"}


@pytest.mark.any_engine
def test_what_has_no_letters_of_the_codes_is_not_available() -> None:
    payload = paynow_payload(uen=UEN, name="金镬", amount=Decimal("0.05"), reference="R" * 26)
    assert (fields(payload)["59"], fields(payload)["54"]) == ("NA", "0.05")
    assert fields(fields(payload)["62"])["01"] == "R" * 25


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("uen", "item", "more", "amount"),
    [
        (UEN, "SALE", {}, "31.07"),
        ("", "SALE", {}, None),
        (UEN, "SALE", {"payment_received": True}, None),
        (UEN, "RETURN", {}, None),
        (UEN, "FREE", {}, None),
    ],
    ids=["owed", "without a UEN", "paid", "refund", "free"],
)
def test_an_invoice_shows_it_where_something_is_to_be_paid(
    shop: Shop, settings: Settings, uen: str, item: str, more: Json, amount: str | None
) -> None:
    settings.COMPANY = {**settings.COMPANY, "uen": uen}
    shop.count("customer", shop.customer.pk, 1)
    lines: dict[str, Json] = {
        "SALE": {"type": "SALE"},
        "RETURN": {"type": "RETURN"},
        "FREE": {"type": "SERVICE", "equipment": EquipmentFactory(default_rate=0).pk},
    }
    assert shop.sell(lines[item], **more).status_code == 201
    invoice = Invoice.objects.get()
    said = fields(invoice.snapshot["paynow"])
    told = {name: fields(value) if name == "62" else value for name, value in said.items() if name in ("54", "62")}
    assert told == ({"54": amount, "62": {"01": invoice.invoice_number}} if amount else {})
