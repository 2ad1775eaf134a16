"""A tired clerk makes a mistake, is asked where it is unlikely, and undoes it the same minute; both rows can be read.

docs/domain.md, "Wrong and put right", has the table of these tests; tests/docs compares it with them.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings

from audit.models import AuditLog, Confirmation
from customers.models import Customer, CustomerRate, MeterRate
from equipment.models import EquipmentPrice
from foundation import clock
from inventory.models import DepotWork
from invoices.models import GstRate
from payments.models import Payment
from tests.conftest import Shop, error_of, post_confirmed, to_confirm
from tests.factories import CustomerFactory, CustomerRateFactory, DepotFactory, MeteredCustomerFactory
from tests.types import Answer, Json

pytestmark = pytest.mark.django_db


def asked(answer: Answer) -> list[tuple[str, str, str]]:
    return [(each["code"], each["attr"], each["value"]) for each in to_confirm(answer)]


def done(answer: Answer) -> Json:
    assert answer.status_code in (200, 201), answer.json()
    made: Json = answer.json()
    return made


@pytest.fixture
def today() -> str:
    return clock.business_date(clock.now()).isoformat()


# --- A contract's rate ---


def rate(shop: Shop, value: str, valid_from: str, **more: Any) -> Answer:
    body = {"equipment": shop.cylinder.pk, "rate": value, "valid_from": valid_from, **more}
    return shop.client_of(shop.admin).post(f"/api/customers/{shop.customer.pk}/rates/", body)


def test_a_mistyped_contract_rate_is_asked_about(shop: Shop, today: str) -> None:
    """2.85 for 28.50: the price that all pay is the one before, and then the contract's own."""
    assert asked(rate(shop, "2.85", today)) == [("rate_unlikely", "rate", "2.85")]
    assert asked(rate(shop, "37.06", today)) == [("rate_unlikely", "rate", "37.06")]
    assert asked(rate(shop, "0.00", today)) == [("rate_unlikely", "rate", "0.00")]
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="20.00", valid_from=date(2025, 1, 1))
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="90.00", valid_from=date(2099, 1, 1))
    assert asked(rate(shop, "26.01", today)) == [("rate_unlikely", "rate", "26.01")]
    done(rate(shop, "26.00", today))


def test_a_contract_rate_from_a_past_date_is_asked_about(shop: Shop, today: str) -> None:
    assert asked(rate(shop, "28.00", "2026-01-01")) == [("rate_from_past", "valid_from", "2026-01-01")]
    assert asked(rate(shop, "2.85", "2026-01-01")) == [
        ("rate_unlikely", "rate", "2.85"), ("rate_from_past", "valid_from", "2026-01-01"),
    ]  # fmt: skip
    done(rate(shop, "28.00", today))
    assert not Confirmation.objects.exists()


def test_a_mistyped_contract_rate_is_superseded(shop: Shop, today: str) -> None:
    done(rate(shop, "2.85", today, confirm=to_confirm(rate(shop, "2.85", today))))
    right = done(rate(shop, "28.00", today, reason="A digit slipped."))
    assert [(row.rate, row.is_superseded) for row in CustomerRate.objects.with_standing().order_by("pk")] == [
        (Decimal("2.85"), True), (Decimal("28.00"), False),
    ]  # fmt: skip
    assert right["reason"] == "A digit slipped."
    assert done(shop.sell({"type": "SALE"}))["transaction"]["items"][0]["rate"] == "28.00"


def test_what_was_confirmed_stays_beside_the_rate(shop: Shop, today: str) -> None:
    made = done(rate(shop, "2.85", today, confirm=to_confirm(rate(shop, "2.85", today))))
    kept = Confirmation.objects.get()
    assert (kept.entity_type, kept.entity_id) == ("customers.customerrate", made["id"])
    assert CustomerRate.objects.get().rate == Decimal("2.85")


# --- A price ---


def test_a_mistyped_price_is_asked_about_and_put_back(shop: Shop) -> None:
    admin, address = shop.client_of(shop.admin), f"/api/equipment/{shop.cylinder.pk}/"
    assert asked(admin.patch(address, {"default_rate": "2.85"})) == [("rate_unlikely", "default_rate", "2.85")]
    assert asked(admin.patch(address, {"deposit": "600.00"})) == [("rate_unlikely", "deposit", "600.00")]
    done(admin.patch(address, {"default_rate": "28.50"}))
    done(post_confirmed(admin, address, {"default_rate": "2.85"}, method="patch"))
    assert asked(admin.patch(address, {"default_rate": "28.50"})) == [("rate_unlikely", "default_rate", "28.50")]
    assert done(post_confirmed(admin, address, {"default_rate": "28.50"}, method="patch"))["default_rate"] == "28.50"
    assert [price.amount for price in EquipmentPrice.objects.filter(kind="DEFAULT_RATE").order_by("pk")] == [
        Decimal("28.50"), Decimal("2.85"), Decimal("28.50"),
    ]  # fmt: skip
    changes = AuditLog.objects.filter(action="equipment.equipment.updated").order_by("pk")
    assert [(each.before or {})["default_rate"] for each in changes] == ["28.50", "2.85"]


def test_new_equipment_that_costs_nothing_is_asked_about(shop: Shop) -> None:
    new = {"sku": "FREE", "name": "Free", "equipment_type": "CYLINDER", "default_rate": "0.00"}
    assert asked(shop.client_of(shop.admin).post("/api/equipment/", new)) == [("rate_unlikely", "default_rate", "0.00")]
    done(post_confirmed(shop.client_of(shop.admin), "/api/equipment/", new))


# --- A meter's rate ---


def test_a_mistyped_meter_rate_is_asked_about_and_put_back(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    admin, address = shop.client_of(shop.admin), f"/api/customers/{metered.pk}/"
    assert asked(admin.patch(address, {"meter_rate": "21.5000"})) == [("rate_unlikely", "meter_rate", "21.5000")]
    for value in ("21.5000", "2.1500"):
        done(post_confirmed(admin, address, {"meter_rate": value}, method="patch"))
    assert [each.meter_rate for each in MeterRate.objects.order_by("pk")] == [
        Decimal("2.15"), Decimal("21.5"), Decimal("2.15"),
    ]  # fmt: skip
    sold = done(shop.sell(customer=metered.pk, current_meter="1210.00"))
    assert sold["transaction"]["usage_amount"] == "21.50"


def test_a_mistyped_last_reading_is_asked_about_as_the_meter_is_replaced(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    new = {"final_reading": "12100.00", "new_meter_number": "M-NEW", "first_reading": "0.00"}
    answer = shop.client_of(shop.admin).post(f"/api/customers/{metered.pk}/replace-meter/", new)
    assert asked(answer)[0] == ("usage_unlikely", "final_reading", "12100.00")


# --- The GST rate ---


def gst(shop: Shop, value: str, valid_from: str, **more: Any) -> Answer:
    return shop.client_of(shop.admin).post("/api/gst-rates/", {"rate": value, "valid_from": valid_from, **more})


@pytest.mark.parametrize(
    ("value", "valid_from", "codes"),
    [
        ("90.00", "2035-01-01", ["gst_rate_unlikely"]),
        ("9.00", "2035-01-01", []),
        ("9.00", "2023-06-01", ["gst_rate_unlikely", "rate_from_past"]),
        ("8.00", "2023-12-31", ["rate_from_past"]),
        ("8.00", "2024-01-02", ["gst_rate_unlikely", "rate_from_past"]),
        ("7.00", "2022-12-31", ["rate_from_past"]),
        ("7.00", "2007-06-30", ["gst_rate_unlikely", "rate_from_past"]),
    ],
)
def test_a_mistyped_gst_rate_is_asked_about(shop: Shop, value: str, valid_from: str, codes: list[str]) -> None:
    answer = gst(shop, value, valid_from)
    assert [code for code, *_ in asked(answer)] == codes if codes else answer.status_code == 201
    if codes:
        done(gst(shop, value, valid_from, confirm=to_confirm(answer)))
    assert GstRate.objects.get(valid_from=valid_from).rate == Decimal(value)


def test_a_mistyped_gst_rate_is_superseded(shop: Shop, today: str) -> None:
    done(gst(shop, "90.00", today, confirm=to_confirm(gst(shop, "90.00", today))))
    done(gst(shop, "9.00", today, reason="A digit slipped."))
    assert done(shop.sell({"type": "SALE"}))["invoice"]["gst_rate"] == "9.00"
    assert GstRate.objects.filter(valid_from=today).count() == 2


# --- A meter's reading, and a quantity ---


def test_a_mistyped_reading_is_asked_about_and_taken_back(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    wrong: Json = {"customer": metered.pk, "current_meter": "12105.00"}
    first = shop.sell(**wrong)
    assert asked(first)[0] == ("usage_unlikely", "current_meter", "12105.00")
    sale = done(shop.sell(**wrong, confirm=to_confirm(first)))["transaction"]["id"]
    done(shop.client_of(shop.admin).post(f"/api/transactions/{sale}/void/", {"reason": "Misread"}))
    done(shop.sell(customer=metered.pk, current_meter="1210.50"))
    history = shop.client_of(shop.admin).get(f"/api/customers/{metered.pk}/meter-history/").json()
    assert [(each["kind"], each["reading"]) for each in history] == [
        ("READING", "1210.50"), ("VOIDED", "1200.00"), ("READING", "12105.00"),
    ]  # fmt: skip


def test_a_mistyped_quantity_is_asked_about_and_taken_back(shop: Shop) -> None:
    assert shop.count("vehicle", shop.driver.vehicle_no, 60).status_code == 200
    line = {"type": "SALE", "quantity": 55}
    first = shop.sell(line)
    assert asked(first) == [("quantity_unlikely", "items.0.quantity", "55")]
    sale = done(shop.sell(line, confirm=to_confirm(first)))["transaction"]["id"]
    undone = {"reason": "55 was 5", "goods": "never_left"}
    done(shop.client_of(shop.admin).post(f"/api/transactions/{sale}/void/", undone))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 60


# --- Goods in ---


def goods_in(shop: Shop, quantity: int, **more: Any) -> Answer:
    item = {"equipment": shop.cylinder.pk, "condition": more.pop("condition", "FULL"), "quantity": quantity}
    body = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Delivered", "items": [item], **more}
    return shop.client_of(shop.admin).post("/api/depot-work/", body)


def test_mistyped_goods_in_are_asked_about_and_corrected(shop: Shop) -> None:
    before = shop.stock(depot=shop.depot)
    assert asked(goods_in(shop, 501)) == [("goods_in_unlikely", "items.0.quantity", "501")]
    done(goods_in(shop, 20))
    assert asked(goods_in(shop, 101)) == [("goods_in_unlikely", "items.0.quantity", "101")]
    done(goods_in(shop, 200, confirm=to_confirm(goods_in(shop, 200))))
    assert shop.stock(depot=shop.depot) == before + 220
    done(shop.count("depot", shop.depot.pk, before + 40, reason="200 was 20"))
    assert shop.stock(depot=shop.depot) == before + 40
    assert [work.items.get().quantity for work in DepotWork.objects.order_by("pk")] == [20, 200]


def test_mistyped_goods_in_are_reversed(shop: Shop) -> None:
    """The next one with the same delivery note isn't asked about."""
    before = shop.stock(depot=shop.depot)
    typed = done(goods_in(shop, 50, reference="DO-1"))
    undone = {"reason": "50 was 5", "goods": "never_left"}
    done(shop.client_of(shop.admin).post(f"/api/depot-work/{typed['id']}/reverse/", undone))
    done(goods_in(shop, 5, reference="DO-1"))
    assert shop.stock(depot=shop.depot) == before + 5
    assert [work.items.get().quantity for work in DepotWork.objects.order_by("pk")] == [50, -50, 5]


def test_the_usual_is_the_median_of_the_last_six_of_its_kind_at_its_depot(shop: Shop) -> None:
    for quantity in (1, 10, 20, 30, 40, 50, 60):
        done(post_goods(shop, quantity))
    # 35 in the middle of the last six: 175 is within, 176 isn't.
    assert asked(goods_in(shop, 176)) == [("goods_in_unlikely", "items.0.quantity", "176")]
    done(goods_in(shop, 176, condition="EMPTY"))
    done(goods_in(shop, 176, depot=DepotFactory().pk))
    done(goods_in(shop, 175))


def test_what_a_line_of_a_sale_may_have_is_never_many(shop: Shop) -> None:
    done(goods_in(shop, 1))
    assert asked(goods_in(shop, 51)) == [("goods_in_unlikely", "items.0.quantity", "51")]
    done(goods_in(shop, 50))


def post_goods(shop: Shop, quantity: int) -> Answer:
    first = goods_in(shop, quantity)
    return goods_in(shop, quantity, confirm=to_confirm(first)) if first.status_code == 409 else first


@pytest.mark.parametrize(("name", "value"), [("GOODS_IN", "60"), ("GOODS_IN_FACTOR", "2")])
def test_the_limits_of_goods_in_are_settings(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    done(goods_in(shop, 30))
    monkeypatch.setitem(settings.UNLIKELY, name, Decimal(value))
    assert asked(goods_in(shop, 61)) == [("goods_in_unlikely", "items.0.quantity", "61")]
    done(goods_in(shop, 60))


def test_the_same_delivery_note_again_is_asked_about(shop: Shop) -> None:
    done(goods_in(shop, 20, reference="DN-7"))
    for twin in ("DN-7", "dn 7", "ＤＮ7"):
        assert asked(goods_in(shop, 20, reference=twin)) == [("reference_repeated", "reference", twin)]
    done(goods_in(shop, 20, reference="DN-8"))
    done(goods_in(shop, 20, reference="DN-7", depot=DepotFactory().pk))


# --- A payment ---


def pay(shop: Shop, amount: str, **more: Any) -> Answer:
    body = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": amount, **more}
    return shop.client_of(shop.admin).post("/api/payments/", body)


def test_a_mistyped_payment_is_asked_about_and_reversed(shop: Shop) -> None:
    done(pay(shop, "10000.00"))
    first = pay(shop, "10000.01")
    assert asked(first) == [("amount_unlikely", "amount", "10000.01")]
    made = done(pay(shop, "10000.01", confirm=to_confirm(first)))
    reverse = f"/api/payments/{made['id']}/reverse/"
    done(shop.client_of(shop.admin).post(reverse, {"reason": "1000.01 it was"}))
    rows = Payment.objects.order_by("pk").values_list("amount", flat=True)
    assert list(rows) == [Decimal("10000.00"), Decimal("10000.01"), Decimal("-10000.01")]


def test_the_same_cheque_again_is_asked_about(shop: Shop) -> None:
    made = done(pay(shop, "50.00", reference="C-1"))
    again: Json = {"reference": "C-1", "customer": CustomerFactory().pk}
    for twin in ("C-1", "c-1", "c 1", "Ｃ1"):
        answer = pay(shop, "50.00", **{**again, "reference": twin})
        assert asked(answer) == [("reference_repeated", "reference", twin)]
    done(pay(shop, "50.00", **again, method="PAYNOW"))
    done(pay(shop, "50.00", customer=shop.customer.pk, reference="-"))
    done(pay(shop, "50.00", customer=shop.customer.pk, reference="-"))
    done(shop.client_of(shop.admin).post(f"/api/payments/{made['id']}/reverse/", {"reason": "Wrong customer"}))
    done(pay(shop, "50.00", **again))


def test_the_same_money_again_is_asked_about_where_nothing_tells_it_apart(shop: Shop) -> None:
    """A tap too many, and no key that says so."""
    with time_machine.travel("2026-01-20T10:00:00+08:00", tick=False) as clock_of_shop:
        done(pay(shop, "50.00", method="CASH"))
        first = str(Payment.objects.get())
        clock_of_shop.shift(599)
        again = pay(shop, "50.00", method="CASH")
        assert asked(again) == [("payment_repeated", "amount", first)]
        others: list[Json] = [
            {"amount": "50.01"}, {"method": "PAYNOW"}, {"customer": CustomerFactory().pk}, {"reference": "Slip 2"},
        ]  # fmt: skip
        for other in others:
            done(pay(shop, **{"amount": "50.00", "method": "CASH", **other}))
        own = {"customer": shop.customer.pk, "method": "CASH", "amount": "50.00"}
        done(shop.client_of(shop.driver).post("/api/payments/", own))
        # What was confirmed is that one: a third time is asked about anew.
        done(pay(shop, "50.00", method="CASH", confirm=to_confirm(again)))
        second = str(Payment.objects.latest("pk"))
        assert asked(pay(shop, "50.00", method="CASH", confirm=to_confirm(again))) == [
            ("payment_repeated", "amount", second)
        ]
        clock_of_shop.shift(600)
        done(pay(shop, "50.00", method="CASH"))


def test_what_was_taken_back_may_be_taken_again(shop: Shop) -> None:
    made = done(pay(shop, "50.00"))
    done(shop.client_of(shop.admin).post(f"/api/payments/{made['id']}/reverse/", {"reason": "Another customer's"}))
    done(pay(shop, "50.00"))


def test_the_same_payment_of_two_documents_is_not_asked_about(shop: Shop) -> None:
    documents = [done(shop.sell({"type": "SALE"}))["invoice"]["id"] for _ in range(3)]
    client = shop.client_of(shop.admin)
    for pk in documents[:2]:
        done(client.post(f"/api/invoices/{pk}/pay/", {}))
    part = {"amount": "5.00"}
    done(client.post(f"/api/invoices/{documents[2]}/pay/", part))
    assert [code for code, *_ in asked(client.post(f"/api/invoices/{documents[2]}/pay/", part))] == ["payment_repeated"]


def test_the_same_money_paid_out_or_spent_again_is_asked_about(shop: Shop) -> None:
    client = shop.client_of(shop.admin)
    done(pay(shop, "50.00", method="CASH", reference="Slip 1"))
    posts: list[tuple[str, Json]] = [
        ("/api/payouts/", {"customer": shop.customer.pk, "amount": "20.00"}),
        (f"/api/customers/{shop.customer.pk}/goodwill-refunds/", {"amount": "20.00", "reason": "A dent"}),
    ]
    for address, body in posts:
        done(client.post(address, body))
        assert asked(client.post(address, body)) == [("payment_repeated", "amount", str(Payment.objects.latest("pk")))]
        done(post_confirmed(client, address, body))
    driver, spent = shop.client_of(shop.driver), {"amount": "18.00", "reason": "Petrol"}
    made = done(driver.post("/api/expenses/", spent))
    assert asked(driver.post("/api/expenses/", {**spent, "reason": "petrol"})) == [
        ("payment_repeated", "amount", made["expense_number"])
    ]
    for other in ({"reason": "Parking"}, {"amount": "18.01"}, {"reference": "R-2"}):
        done(driver.post("/api/expenses/", {**spent, **other}))
    done(client.post("/api/expenses/", spent))
    done(post_confirmed(driver, "/api/expenses/", spent))


def test_a_payment_of_long_ago_is_asked_about(shop: Shop) -> None:
    """The year of a date typed in January is a slip."""
    with time_machine.travel("2026-02-01T10:00:00+08:00", tick=False):
        done(pay(shop, "50.00", received_on="2026-01-01"))
        wrong = pay(shop, "51.00", received_on="2025-12-31")
        assert asked(wrong) == [("date_unlikely", "received_on", "2025-12-31")]
        done(pay(shop, "51.00", received_on="2025-12-31", confirm=to_confirm(wrong)))
        unpaid = done(shop.sell({"type": "SALE"}))["invoice"]["id"]
        address = f"/api/invoices/{unpaid}/pay/"
        answer = shop.client_of(shop.admin).post(address, {"received_on": "2025-02-01"})
        assert asked(answer) == [("date_unlikely", "received_on", "2025-02-01")]


def test_the_minutes_are_a_setting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.UNLIKELY, "REPEATED_MINUTES", Decimal("0.5"))
    with time_machine.travel("2026-01-20T10:00:00+08:00", tick=False) as clock_of_shop:
        done(pay(shop, "50.00"))
        clock_of_shop.shift(29)
        assert [code for code, *_ in asked(pay(shop, "50.00"))] == ["payment_repeated"]
        clock_of_shop.shift(1)
        done(pay(shop, "50.00"))


def test_one_cheque_may_pay_several_documents_of_a_customer_one_by_one(shop: Shop) -> None:
    documents = [done(shop.sell({"type": "SALE"}))["invoice"]["id"] for _ in range(2)]
    elsewhere = done(shop.sell({"type": "SALE"}, customer=CustomerFactory().pk))["invoice"]["id"]
    paid = {"method": "CHEQUE", "reference": "C-1"}
    client = shop.client_of(shop.admin)
    for pk in documents:
        done(client.post(f"/api/invoices/{pk}/pay/", paid))
    assert asked(client.post(f"/api/invoices/{elsewhere}/pay/", paid)) == [("reference_repeated", "reference", "C-1")]


def test_one_cheque_pays_one_document_once(shop: Shop) -> None:
    pk = done(shop.sell({"type": "SALE"}))["invoice"]["id"]
    client, part = shop.client_of(shop.admin), {"method": "CHEQUE", "reference": "C-1", "amount": "5.00"}
    done(client.post(f"/api/invoices/{pk}/pay/", part))
    assert asked(client.post(f"/api/invoices/{pk}/pay/", part)) == [("reference_repeated", "reference", "C-1")]
    done(pay(shop, "500.00", reference="C-2"))
    unpaid = done(shop.sell({"type": "SALE"}))["invoice"]["id"]
    part["reference"] = "C-2"
    assert asked(client.post(f"/api/invoices/{unpaid}/pay/", part)) == [("reference_repeated", "reference", "C-2")]


# --- A customer ---


@pytest.mark.parametrize(
    ("new", "question"),
    [
        ({"phone": "+65 61234567"}, ("customer_like_another", "phone", "+65 61234567")),
        ({"phone": "6123-4567"}, ("customer_like_another", "phone", "6123-4567")),
        ({"phone": "６１２３ ４５６７"}, ("customer_like_another", "phone", "６１２３ ４５６７")),
        ({"phone": "6123 4568"}, None),
        ({"phone": "0000 0000"}, None),
        ({"phone": "4567"}, None),
        ({"uen": "201992345c"}, ("customer_like_another", "uen", "201992345C")),
        ({"name": "kim leng", "postal_code": "461058"}, ("customer_like_another", "name", "kim leng")),
        ({"uen": "2019 92345-C"}, ("customer_like_another", "uen", "201992345C")),
        ({"uen": "-"}, None),
        ({"name": "Kim  Leng.", "postal_code": "461058"}, ("customer_like_another", "name", "Kim  Leng.")),
        ({"name": "Kim Leng", "postal_code": "461059"}, None),
        ({"name": "-", "postal_code": "461058"}, None),
        ({"name": "Kim Leng"}, None),
        ({"meter_number": "m-1", "meter_rate": "2.0000"}, ("meter_number_in_use", "meter_number", "m-1")),
        ({"meter_number": "-", "meter_rate": "2.0000"}, None),
        ({"meter_number": "M 1", "meter_rate": "2.0000"}, ("meter_number_in_use", "meter_number", "M 1")),
        ({"meter_rate": "0.0000"}, ("rate_unlikely", "meter_rate", "0.0000")),
    ],
)
def test_a_customer_that_is_there_already_is_asked_about(
    shop: Shop, new: Json, question: tuple[str, str, str] | None
) -> None:
    CustomerFactory(name="Kim Leng", phone="6123 4567", uen="201992345C", postal_code="461058", meter_number="M-1")
    CustomerFactory(phone="0000 0000", uen="-")
    answer = shop.client_of(shop.admin).post("/api/customers/", {"name": "New", **new})
    assert asked(answer) == [question] if question else answer.status_code == 201


def test_a_customer_who_comes_back_brings_a_meter_that_is_in_use(shop: Shop) -> None:
    left = CustomerFactory(meter_number="M-1", is_active=False)
    CustomerFactory(meter_number="m 1")
    answer = shop.client_of(shop.admin).patch(f"/api/customers/{left.pk}/", {"is_active": True})
    assert asked(answer) == [("meter_number_in_use", "meter_number", "M-1")]


def test_a_customer_entered_twice_is_deactivated(shop: Shop) -> None:
    admin = shop.client_of(shop.admin)
    known = CustomerFactory(phone="6123 4567")
    new = {"name": "Kim Leng again", "phone": "6123 4567"}
    made = done(admin.post("/api/customers/", {**new, "confirm": to_confirm(admin.post("/api/customers/", new))}))
    done(admin.delete(f"/api/customers/{made['id']}/"))
    assert error_of(shop.sell({"type": "SALE"}, customer=made["id"])) == (409, "customer_inactive", "customer")
    assert Customer.objects.filter(pk__in=(known.pk, made["id"])).count() == 2


def test_a_mistyped_customer_is_put_back(shop: Shop) -> None:
    admin, address = shop.client_of(shop.admin), f"/api/customers/{shop.customer.pk}/"
    CustomerFactory(name="Another", phone="6123 4567")
    assert asked(admin.patch(address, {"phone": "6123 4567"})) == [("customer_like_another", "phone", "6123 4567")]
    before = shop.customer.name
    for name in ("Kopitiamm", before):
        done(admin.patch(address, {"name": name}))
    changes = AuditLog.objects.filter(action="customers.customer.updated").order_by("pk")
    assert [(each.after or {})["name"] for each in changes] == ["Kopitiamm", before]


KHMER = "ផ្ទះ"
"""None of our fonts has it."""


@pytest.mark.parametrize(("where", "attr"), [("customers", "name"), ("customers", "address"), ("equipment", "name")])
def test_a_name_that_can_not_be_printed_is_asked_about(shop: Shop, where: str, attr: str) -> None:
    admin = shop.client_of(shop.admin)
    row = shop.customer if where == "customers" else shop.cylinder
    address, sent = f"/api/{where}/{row.pk}/", {attr: f"Kopitiam {KHMER}"}
    assert asked(admin.patch(address, sent)) == [("name_unprintable", attr, sent[attr])]
    done(admin.patch(address, {**sent, "confirm": to_confirm(admin.patch(address, sent))}))
    done(admin.patch(address, sent))
    assert admin.patch(address, {attr: "喆堃犇㗎 นาม José"}).status_code == 200


def test_what_stays_as_it_is_is_not_asked_about(shop: Shop) -> None:
    """Two that are alike were confirmed once; their other fields change without a question."""
    one, two = CustomerFactory(phone="6123 4567"), CustomerFactory(phone="6123 4567")
    admin = shop.client_of(shop.admin)
    done(admin.patch(f"/api/customers/{one.pk}/", {"address": "Elsewhere", "phone": "6123 4567"}))
    with time_machine.travel(clock.now()):
        done(admin.patch(f"/api/customers/{two.pk}/", {"email": "a@example.sg"}))


def test_how_far_a_price_moves_is_a_setting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.UNLIKELY, "RATE_CHANGE_PERCENT", Decimal(10))
    admin, address = shop.client_of(shop.admin), f"/api/equipment/{shop.cylinder.pk}/"
    assert asked(admin.patch(address, {"default_rate": "31.36"})) == [("rate_unlikely", "default_rate", "31.36")]
    done(admin.patch(address, {"default_rate": "31.35"}))
