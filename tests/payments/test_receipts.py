"""A receipt says what the books say of a payment: as a page, and as a slip."""

import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from foundation.access.capabilities import Role
from payments.models import Payment
from tests.conftest import Shop, error_of
from tests.factories import UserFactory
from tests.invoices.test_rendering import heights_of
from tests.payments.test_banking import act
from tests.payments.test_payments import invoice_of, record, reverse, void
from tests.payments.test_payouts import pay_back
from tests.payments.test_tender import sold, tender
from tests.types import Answer

pytestmark = pytest.mark.django_db


def receipt(shop: Shop, payment: int, paper: str = "A4", **by: Any) -> Answer:
    client = shop.client_of(by.get("by", shop.admin))
    answer: Answer = client.get(f"/api/payments/{payment}/receipt/", {"paper": paper})
    return answer


def said(shop: Shop, payment: Payment, paper: str, **by: Any) -> str:
    answer = receipt(shop, payment.pk, paper, **by)
    assert answer.status_code == 200, answer.content
    if paper != "A4":
        return str(answer.content.decode())
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)


@pytest.mark.parametrize("paper", ["A4", "58", "80"])
def test_it_says_what_was_taken_for_what_and_the_change(shop: Shop, settings: Any, paper: str) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")
    invoice = sold(shop, "30.52", tender("CASH", "30.50", given="50.00"))
    text = said(shop, Payment.objects.get(), paper)
    for part in (
        "Receipt",
        str(Payment.objects.get()),
        invoice["invoice_number"],
        "30.52",
        "Rounded to coins",
        "−0.02",
    ):
        assert part in text
    for part in ("S$ 30.50", "Given", "50.00", "Change", "19.50", shop.customer.name, "no tax invoice"):
        assert part in text


def test_a_long_reference_moves_nothing_past_its_label(shop: Shop) -> None:
    record(shop, "20.00", method="CHEQUE", reference="of the management corporation of block 462, DBS 004412")
    heights = heights_of(receipt(shop, Payment.objects.get().pk).content)
    assert heights["Taken by"] == heights[shop.admin.get_full_name()]


@pytest.mark.parametrize("paper", ["A4", "80"])
def test_credit_a_payout_and_what_was_taken_back_say_so(shop: Shop, paper: str) -> None:
    record(shop, "20.00", method="CHEQUE", reference="DBS 004412")
    pay_back(shop, "5.00", method="CASH")
    taken, paid = Payment.objects.order_by("pk")
    assert "Kept as your credit" in said(shop, taken, paper)
    assert f"Paid back by {paid}" in said(shop, taken, paper)
    voucher = said(shop, paid, paper)
    assert "Payment voucher" in voucher
    assert f"Credit of {taken}" in voucher
    assert "Paid to" in voucher
    reverse(shop, paid.pk)
    act(shop, taken.pk, "bounce", by=UserFactory(role=Role.ADMIN), reason="Refer to drawer")
    assert "The cheque bounced." in said(shop, taken, paper)
    reversal = Payment.objects.get(reverses=taken)
    undone = said(shop, reversal, paper)
    assert re.search(r"Taken back\s+by", undone)
    assert f"This takes {taken} back." in undone
    for told in ("Kept as your credit", "Owed for this", "Paid to"):
        assert told not in undone + said(shop, taken, paper)
    told = shop.client_of(shop.admin).get("/api/payments/").json()["results"]
    assert {row["credit_amount"] for row in told} == {"0.00"}


def test_what_its_reader_may_not_see_is_not_named(shop: Shop) -> None:
    others, seller = invoice_of(shop), UserFactory(role=Role.DRIVER, depot=shop.depot)
    record(shop, "31.07", by=seller)
    text = said(shop, Payment.objects.get(), "80", by=seller)
    assert "Older invoices" in text
    assert others["invoice_number"] not in text
    assert receipt(shop, Payment.objects.get().pk, by=shop.driver).status_code == 404
    assert error_of(receipt(shop, Payment.objects.get().pk, "70")) == (400, "invalid_choice", "paper")


def test_a_name_is_no_markup(shop: Shop) -> None:
    type(shop.customer).objects.filter(pk=shop.customer.pk).update(name="<b>Ah & Hock</b>")
    record(shop, "20.00", remarks="<script>")
    assert "&lt;b&gt;Ah &amp; Hock&lt;/b&gt;" in said(shop, Payment.objects.get(), "58")
    assert "<script>" not in said(shop, Payment.objects.get(), "58")


def test_the_office_opens_it_on_the_payments_page(shop: Shop) -> None:
    record(shop, "20.00")
    payment = Payment.objects.get()
    client = Client()
    client.force_login(shop.admin)
    page = client.get(f"/admin/invoices/payment/{payment.pk}/change/")
    assert f"/admin/invoices/payment/{payment.pk}/receipt/" in page.content.decode()
    assert client.get(f"/admin/invoices/payment/{payment.pk}/receipt/")["Content-Type"] == "application/pdf"
    assert client.get("/admin/invoices/payment/999999/receipt/").status_code == 404


def test_a_rounded_voucher_adds_up(shop: Shop, settings: Any) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")
    void(shop, sold(shop, "100.02", tender("PAYNOW", "100.02")))
    pay_back(shop, "100.00", method="CASH")
    taken, paid = Payment.objects.order_by("pk")
    rows = re.findall(r"<tr[^>]*><td>(.*?)</td><td>(.*?)</td>", said(shop, paid, "58"))
    assert rows == [(f"Credit of {taken}", "100.02"), ("Rounded to coins", "−0.02"), ("Paid", "S$ 100.00")]
