"""What a rate that was put right leaves to correct: the documents that it priced, and by how much."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, MeterRate
from customers.selectors import contract_rates, contract_rates_of, meter_rate_at, meter_rates_in_force
from equipment.models import Equipment
from equipment.selectors import prices_at, prices_in_force
from foundation import clock
from foundation.access.capabilities import Role
from invoices.models import GstRate, Invoice
from tests.admin.pages import form_of, logged_in, messages_of, send_confirmed, url
from tests.conftest import Shop, post_confirmed
from tests.factories import (
    CustomerFactory,
    CustomerRateFactory,
    DepotFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
    priced,
)
from tests.transactions.test_sale import of
from tests.types import Json
from transactions.repricing import difference_of

pytestmark = pytest.mark.django_db

SHOWN = ("type", "line", "quantity", "rate", "rate_in_force", "difference", "gst_amount", "total_amount")


@pytest.fixture
def today() -> date:
    return clock.business_date(clock.now())


class Books:
    """The shop's, with what corrects them."""

    def __init__(self, shop: Shop, since: date) -> None:
        self.shop, self.client, self.since = shop, shop.client_of(shop.admin), since

    def contract(self, rate: str | None, valid_from: date | None = None, **more: Any) -> None:
        day = (valid_from or self.since).isoformat()
        body = {"equipment": self.shop.cylinder.pk, "rate": rate, "valid_from": day, "reason": "Slip.", **more}
        answer = post_confirmed(self.client, f"/api/customers/{self.shop.customer.pk}/rates/", body)
        assert answer.status_code == 201, answer.json()

    def sell(self, *items: Json, **more: Any) -> Json:
        """Its invoice. A wrong price may be unlikely."""
        lines = [{"equipment": self.shop.cylinder.pk, "quantity": 1, **item} for item in items]
        body = {"customer": self.shop.customer.pk, **({"items": lines} if lines else {}), **more}
        return of(post_confirmed(self.shop.client_of(self.shop.driver), "/api/transactions/", body))[1]

    def credit(self, invoice: Json, **line: Any) -> Json:
        body = {"reason": "Agreed.", "lines": [{"line": 1, **line}]}
        answer = self.client.post(f"/api/invoices/{invoice['id']}/credit/", body)
        assert answer.status_code == 201, answer.json()
        made: Json = answer.json()["invoice"]
        return made

    def report(self, by: Any = None, **asked: Any) -> Json:
        answer = (self.shop.client_of(by) if by else self.client).get("/api/reports/mispriced/", asked)
        assert answer.status_code == 200, answer.json()
        told: Json = answer.json()
        return told

    def listed(self, **asked: Any) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in SHOWN) for row in self.report(**asked)["rows"]]


@pytest.fixture
def books(shop: Shop, today: date) -> Books:
    shop.stocked("vehicle", shop.driver.vehicle_no, 200)
    return Books(shop, today)


def test_r1_fifty_pieces_at_36_that_cost_34(books: Books, shop: Shop, today: date) -> None:
    """The document stands; what it billed too much is listed."""
    books.contract("36.00")
    invoice = books.sell({"type": "SWAP", "quantity": 50})
    assert books.listed() == []
    books.contract("34.00")
    told = books.report()
    assert told["rows"] == [
        {
            "number": invoice["invoice_number"], "date": today.isoformat(), "customer_code": shop.customer.customer_code,
            "name": shop.customer.name, "line": 1, "type": "SWAP", "sku": shop.cylinder.sku,
            "item": shop.cylinder.name, "quantity": 50, "rate": "36.00", "rate_in_force": "34.00",
            "difference": "100.00", "gst_amount": "9.00", "total_amount": "109.00",
            "transaction": Invoice.objects.get(pk=invoice["id"]).transaction.pk, "invoice": invoice["id"],
        }
    ]  # fmt: skip
    assert told["totals"] == {"difference": "100.00", "gst_amount": "9.00", "total_amount": "109.00"}
    assert Invoice.objects.get(pk=invoice["id"]).total_amount == Decimal("1962.00")
    note = books.credit(invoice, amount="100.00")
    assert (note["subtotal"], note["gst_amount"]) == ("-100.00", "-9.00")
    assert books.listed() == []


def test_what_was_credited_already_is_taken_into_account(books: Books) -> None:
    books.contract("36.00")
    invoice = books.sell({"type": "SWAP", "quantity": 50})
    books.contract("34.00")
    books.credit(invoice, quantity=10)
    assert books.listed() == [("SWAP", 1, 40, "36.00", "34.00", "80.00", "7.20", "87.20")]
    books.credit(invoice, amount="30.00")
    assert books.listed() == [("SWAP", 1, 40, "36.00", "34.00", "50.00", "4.50", "54.50")]
    books.credit(invoice, quantity=40)
    assert books.listed() == []


def test_what_was_voided_is_not_listed_nor_what_voids_and_credits(books: Books) -> None:
    books.contract("36.00")
    sales = [books.sell({"type": "SWAP"}) for _ in range(2)]
    books.credit(books.sell({"type": "SWAP", "quantity": 2}), quantity=1)
    for sale in sales[:1]:
        pk = Invoice.objects.get(pk=sale["id"]).transaction.pk
        body = {"reason": "Twice.", "return_stock": True}
        assert books.client.post(f"/api/transactions/{pk}/void/", body).status_code == 201
    books.contract("34.00")
    assert [row["invoice"] for row in books.report()["rows"]] == [sales[1]["id"], sales[1]["id"] + 1]


def test_too_little_is_listed_with_its_sign(books: Books) -> None:
    books.contract("30.00")
    invoice = books.sell({"type": "SALE", "quantity": 3})
    books.contract("31.00")
    assert books.listed() == [("SALE", 1, 3, "30.00", "31.00", "-3.00", "-0.27", "-3.27")]
    # Money that was credited of a rate that was too low had another reason.
    books.credit(invoice, amount="30.00")
    assert books.listed() == [("SALE", 1, 3, "30.00", "31.00", "-2.00", "-0.18", "-2.18")]


def test_superseded_twice_the_last_one_counts(books: Books) -> None:
    books.contract("36.00")
    books.sell({"type": "SWAP"})
    books.contract("34.00")
    books.sell({"type": "SWAP"})
    books.contract("36.00")
    assert books.listed() == [("SWAP", 1, 1, "34.00", "36.00", "-2.00", "-0.18", "-2.18")]


def test_a_contract_that_never_was_one_leaves_the_default(books: Books) -> None:
    books.contract("36.00")
    books.sell({"type": "SWAP"})
    books.contract(None)
    assert books.listed() == [("SWAP", 1, 1, "36.00", "28.50", "7.50", "0.68", "8.18")]


def test_a_rate_from_a_past_date_lists_what_was_sold_since_then(books: Books, today: date) -> None:
    with time_machine.travel(clock.now() - timedelta(days=3), tick=False):
        books.sell({"type": "SWAP"})
    with time_machine.travel(clock.now() - timedelta(days=1), tick=False):
        books.sell({"type": "SWAP"})
    books.contract("26.50", today - timedelta(days=2))
    first = (today - timedelta(days=9)).isoformat()
    assert books.listed(date_from=first) == [("SWAP", 1, 1, "28.50", "26.50", "2.00", "0.18", "2.18")]
    assert books.listed(date_from=today.isoformat()) == []
    assert books.listed(date_from=first, date_to=(today - timedelta(days=2)).isoformat()) == []


def test_where_no_price_is_left_nobody_can_say_how_much(books: Books, shop: Shop) -> None:
    priced(shop.cylinder, default_rate=None)
    books.contract("36.00")
    books.sell({"type": "SWAP"})
    books.contract(None)
    assert books.listed() == [("SWAP", 1, 1, "36.00", None, None, None, None)]


def test_what_the_field_showed_is_listed_and_what_was_overridden_is_not(books: Books, shop: Shop) -> None:
    priced(shop.cylinder, default_rate=None)
    books.sell({"type": "SWAP", "rate": "30.00"})
    boss = shop.client_of(shop.admin)
    item = {"equipment": shop.cylinder.pk, "quantity": 1}
    assert books.listed() == []  # nothing says what it should have been
    books.contract("28.00")
    over = {"customer": shop.customer.pk, "items": [{**item, "type": "SERVICE", "rate": "27.00"}]}
    assert of(boss.post("/api/transactions/", over))[0]["items"][0]["rate_source"] == "OVERRIDE"
    assert books.listed() == [("SWAP", 1, 1, "30.00", "28.00", "2.00", "0.18", "2.18")]


def test_lines_count_as_the_invoice_prints_them_and_share_the_cents(books: Books, shop: Shop) -> None:
    """The GST of each is what crediting them one after the other comes to."""
    books.contract("36.00")
    other = EquipmentFactory(default_rate="10.00")
    invoice = books.sell(
        {"type": "SERVICE", "equipment": other.pk}, {"type": "SWAP"}, {"type": "SALE"}, {"type": "DEPOSIT"}
    )
    books.contract("35.95")
    assert books.listed() == [
        ("SWAP", 2, 1, "36.00", "35.95", "0.05", "0.00", "0.05"),
        ("SALE", 3, 1, "36.00", "35.95", "0.05", "0.01", "0.06"),
    ]
    note = books.client.post(
        f"/api/invoices/{invoice['id']}/credit/",
        {"reason": "Slip.", "lines": [{"line": line, "amount": "0.05"} for line in (2, 3)]},
    ).json()["invoice"]
    assert (note["subtotal"], note["gst_amount"]) == ("-0.10", "-0.01")
    assert books.listed() == []


def test_a_deposit_has_the_price_of_its_moment_and_no_gst(books: Books, shop: Shop) -> None:
    books.sell({"type": "DEPOSIT", "quantity": 2}, {"type": "SALE", "quantity": 2})
    assert books.listed() == []
    # Changed now, it counts from now.
    assert post_confirmed(books.client, f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "70.00"}, method="patch")
    assert books.listed() == []
    priced(shop.cylinder, since=clock.start_of(clock.business_date(clock.now())), deposit="50.00")
    assert books.listed() == [("DEPOSIT", 1, 2, "60.00", "50.00", "20.00", "0.00", "20.00")]


def test_a_meter_s_usage_is_priced_at_the_rate_of_its_reading(books: Books) -> None:
    metered = MeteredCustomerFactory(meter_rate="2.1500", last_meter_reading="1000.00")
    invoice = books.sell(customer=metered.pk, current_meter="1010.00")
    assert books.listed() == []
    MeterRate.objects.create(customer=metered, meter_rate="2.0500")
    assert books.listed() == [("METER", 1, None, "2.1500", "2.0500", "1.00", "0.09", "1.09")]
    assert books.listed(equipment=1) == []
    books.credit(invoice, amount="0.40")
    assert books.listed()[0][5:] == ("0.60", "0.05", "0.65")
    MeterRate.objects.create(customer=metered, meter_rate="2.2500")
    # 21.10 of 21.50 are left: in proportion.
    assert books.listed()[0][5:7] == ("-0.98", "-0.09")


def test_a_gst_rate_that_was_wrong_lists_its_documents(books: Books, today: date) -> None:
    def gst(rate: str, **more: str) -> None:
        body = {"rate": rate, "valid_from": today.isoformat(), **more}
        assert post_confirmed(books.client, "/api/gst-rates/", body).status_code == 201

    books.sell({"type": "SWAP"})
    gst("8.00")
    assert books.listed() == [("GST", None, None, "9.00", "8.00", "0.00", "0.29", "0.29")]
    books.sell({"type": "SWAP"}, {"type": "DEPOSIT"})
    gst("9.00", reason="Slip.")
    assert books.listed() == [("GST", None, None, "8.00", "9.00", "0.00", "-0.29", "-0.29")]
    books.contract("26.50")
    # 28.50 + 2.28 billed; 26.50 + 2.39 would be right.
    assert books.listed()[1:] == [
        ("SWAP", 1, 1, "28.50", "26.50", "2.00", "0.16", "2.16"),
        ("GST", None, None, "8.00", "9.00", "0.00", "-0.27", "-0.27"),
    ]
    assert [row[0] for row in books.listed(equipment=books.shop.cylinder.pk)] == ["SWAP", "SWAP"]


def test_a_gst_rate_of_a_document_that_was_credited_in_part(books: Books, today: date) -> None:
    invoice = books.sell({"type": "SERVICE", "quantity": 4})
    books.credit(invoice, quantity=1)
    body = {"rate": "8.00", "valid_from": today.isoformat()}
    assert post_confirmed(books.client, "/api/gst-rates/", body).status_code == 201
    # 85.50 are left, with 7.69 of 10.26; 8 % are 6.84.
    assert books.listed() == [("GST", None, None, "9.00", "8.00", "0.00", "0.85", "0.85")]


@pytest.mark.parametrize(
    ("how", "listed"),
    [
        ({"payment_received": True}, []),
        ({}, []),
        ({"tender": [{"method": "PAYNOW", "amount": "1.00"}]}, []),
        ({"tender": [{"method": "CHEQUE", "amount": "1.00"}]}, []),
    ],
    ids=["paid", "owed", "in part", "by cheque"],
)
def test_the_gst_rate_is_that_of_the_tax_point(books: Books, shop: Shop, how: Json, listed: list[Any]) -> None:
    """At 8 % until 2023, recorded in 2024."""
    at = datetime(2024, 1, 1, 9, tzinfo=clock.SINGAPORE)
    with time_machine.travel(at, tick=False):
        item = {"type": "SERVICE", "equipment": EquipmentFactory(default_rate="10.00").pk}
        books.sell(item, occurred_at="2023-12-31T22:00:00+08:00", **how)
        assert books.listed() == listed
        GstRate.objects.create(rate="8.50", valid_from=date(2023, 1, 1), reason="Slip.")
        is_of_then = bool(how) and "CHEQUE" not in str(how)
        assert [row[3:5] for row in books.listed()] == ([("8.00", "8.50")] if is_of_then else [])


def test_each_reader_sees_their_own(books: Books, shop: Shop) -> None:
    books.contract("36.00")
    books.sell({"type": "SWAP"})
    books.contract("34.00")
    supervisors = [UserFactory(role=Role.SUPERVISOR, depot=depot) for depot in (shop.depot, DepotFactory())]
    for user, rows in ((supervisors[0], 1), (supervisors[1], 0), (UserFactory(role=Role.SALES), 0)):
        assert len(books.report(by=user)["rows"]) == rows, user.role
    for role in (Role.DRIVER, Role.DEPOT_STAFF):
        assert shop.client_of(UserFactory(role=role)).get("/api/reports/mispriced/").status_code == 403


def test_one_customer_and_one_equipment(books: Books, shop: Shop) -> None:
    other, small = CustomerFactory(), EquipmentFactory(default_rate="10.00")
    books.sell({"type": "SWAP"}, {"type": "SERVICE", "equipment": small.pk})
    books.sell({"type": "SWAP"}, customer=other.pk)
    long_ago, priced_right = date(2026, 1, 1), CustomerFactory()
    CustomerRateFactory(customer=priced_right, equipment=shop.cylinder, rate="27.00", valid_from=long_ago)
    books.sell({"type": "SWAP"}, customer=priced_right.pk)
    for customer, equipment in ((shop.customer, shop.cylinder), (shop.customer, small), (other, shop.cylinder)):
        CustomerRateFactory(customer=customer, equipment=equipment, rate="9.00", valid_from=long_ago)
    assert len(books.listed()) == 3
    assert [row["line"] for row in books.report(customer=shop.customer.pk)["rows"]] == [1, 2]
    assert len(books.listed(equipment=shop.cylinder.pk)) == 2
    assert [row["line"] for row in books.report(customer=shop.customer.pk, equipment=small.pk)["rows"]] == [2]
    for name in ("customer", "equipment"):
        assert books.client.get("/api/reports/mispriced/", {name: "x"}).status_code == 400


def test_it_takes_as_many_queries_for_many(books: Books, shop: Shop, today: date) -> None:
    books.contract("36.00")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as run:
            books.report()
        return len(run)

    invoice = books.sell({"type": "SWAP", "quantity": 2})
    books.credit(invoice, quantity=1)
    books.contract("34.00")
    before = queries()
    for _ in range(4):
        metered = MeteredCustomerFactory(last_meter_reading="1000.00")
        CustomerRateFactory(customer=metered, equipment=shop.cylinder, rate="20.00", valid_from=today)
        made = books.sell({"type": "SWAP", "quantity": 2}, customer=metered.pk, current_meter="1010.00")
        books.credit(made, quantity=1)
        CustomerRateFactory(customer=metered, equipment=shop.cylinder, rate="19.00", valid_from=today)
        MeterRate.objects.create(customer=metered, meter_rate="1.0000")
        post_confirmed(books.client, f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "29.00"}, method="patch")
    assert len(books.listed()) == 9
    assert queries() == before


@pytest.mark.parametrize(
    ("pieces", "left", "billed", "in_force", "difference"),
    [
        (50, "1800.00", "36.00", "34.00", "100.00"), (50, "1700.00", "36.00", "34.00", "0.00"),
        (50, "1690.00", "36.00", "34.00", "0.00"), (0, "0.00", "36.00", "34.00", "0.00"),
        (2, "0.00", "0.00", "34.00", "-68.00"), (2, "68.00", "34.00", "0.00", "68.00"),
        (3, "90.00", "30.00", "31.00", "-3.00"), (3, "0.00", "30.00", "31.00", "0.00"),
        (3, "90.00", "30.00", "30.00", "0.00"), (3, "60.00", "30.00", "30.00", "0.00"),
    ],
)  # fmt: skip
def test_the_difference_of_a_line(pieces: int, left: str, billed: str, in_force: str, difference: str) -> None:
    assert difference_of(pieces, Decimal(left), Decimal(billed), Decimal(in_force)) == Decimal(difference)


def test_what_counts_at_many_moments_is_what_counts_at_each(books: Books, shop: Shop, today: date) -> None:
    """What is read at once for all documents says the same as what each sale is priced by."""
    metered, bare, now = MeteredCustomerFactory(), CustomerFactory(), clock.now()
    moments = [now + timedelta(hours=hours) for hours in range(-80, 1, 5)]
    for hours in range(-75, 0, 15):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            prices = {"default_rate": f"{30 + hours % 7}.00", "deposit": f"{50 + hours % 5}.00"}
            post_confirmed(books.client, f"/api/equipment/{shop.cylinder.pk}/", prices, method="patch")
            meter = {"meter_rate": f"2.{10 + hours % 9}00"}
            post_confirmed(books.client, f"/api/customers/{metered.pk}/", meter, method="patch")
            CustomerRateFactory(
                customer=shop.customer, equipment=shop.cylinder, rate=None if hours == -45 else 40 + hours % 7,
                valid_from=today + timedelta(days=hours // 30),
            )  # fmt: skip
    equipment = {shop.cylinder.pk: Equipment.objects.get(pk=shop.cylinder.pk)}
    metered.refresh_from_db()
    prices_on, meter_on, contract_on = prices_in_force(), meter_rates_in_force(), contract_rates_of()
    for moment in (*moments, *(each - timedelta(microseconds=1) for each in moments)):
        day = clock.business_date(moment)
        assert prices_on(shop.cylinder.pk, moment) == prices_at(equipment, moment)[shop.cylinder.pk]
        assert (
            meter_on(metered.pk, moment)
            == meter_rate_at(metered, moment)
            == meter_rates_in_force(metered.pk)(metered.pk, moment)
        )
        found = contract_rates(shop.customer, [shop.cylinder.pk], moment).get(shop.cylinder.pk)
        assert contract_on(shop.customer.pk, shop.cylinder.pk, day) == (found.valid if found else None)
    assert (meter_on(bare.pk, now), contract_on(bare.pk, shop.cylinder.pk, today)) == (None, None)
    assert contract_rates_of(bare.pk)(shop.customer.pk, shop.cylinder.pk, today) is None


# --- In the office ---


def told_in_office(shop: Shop, rate: str, valid_from: str, reason: str = "Slip.") -> list[str]:
    client, address = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    sent = {**form_of(client, address), "_save": "Save", "rates-TOTAL_FORMS": "1", "rates-0-reason": reason}
    sent |= {"rates-0-equipment": shop.cylinder.pk, "rates-0-rate": rate, "rates-0-valid_from": valid_from}
    if not rate:
        sent["rates-0-ends"] = "on"
    answer = send_confirmed(client, address, sent)
    assert answer.status_code == 302, answer.content
    return messages_of(client.get(answer["Location"]))


def test_the_office_says_what_a_rate_leaves_to_correct_and_leads_there(books: Books, shop: Shop, today: date) -> None:
    day = today.isoformat()
    assert len(told_in_office(shop, "36.00", day)) == 1
    sale = books.sell({"type": "SWAP", "quantity": 50})["transaction"]
    assert len(told_in_office(shop, "36.50", (today + timedelta(days=3)).isoformat())) == 1
    [told] = [each for each in told_in_office(shop, "34.00", day) if "priced otherwise" in each]
    assert "1 document since" in told
    assert "S$ 109.00 too much, with GST" in told
    address = told.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    page = logged_in(shop.admin).get(address)
    content = page.content.decode()
    assert f'href="{url("transactions.transaction", "change", sale)}">Credit or bill it again</a>' in content
    # Where it is corrected stands beside the document, and not behind all that is said of it.
    assert [column.name for column in page.context["columns"]][:4] == ["number", "transaction", "invoice", "date"]
    assert [row["quantity"] for row in page.context["report"].rows] == [50]
    [again] = [each for each in told_in_office(shop, "", day) if "priced otherwise" in each]
    assert "S$ 408.75 too much" in again
    listing = logged_in(shop.admin).get(url(Customer, "change", shop.customer.pk)).content.decode()
    assert listing.count(">Superseded<") == 2


def test_the_office_says_what_was_sold_before_today(books: Books, shop: Shop, today: date) -> None:
    with time_machine.travel(clock.now() - timedelta(days=40), tick=False):
        books.sell({"type": "SERVICE"})
    [told] = [each for each in told_in_office(shop, "29.50", "2001-01-01") if "priced otherwise" in each]
    assert "S$ 1.09 too little" in told
    address = told.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(logged_in(shop.admin).get(address).context["report"].rows) == 1


def test_the_office_asks_for_a_rate_or_an_end(shop: Shop, nothing_changes: Any, today: date) -> None:
    client, address = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    sent = {**form_of(client, address), "_save": "Save", "rates-TOTAL_FORMS": "1", "rates-0-valid_from": today}
    sent |= {"rates-0-equipment": shop.cylinder.pk}
    with nothing_changes():
        for more in ({}, {"rates-0-rate": "30.00", "rates-0-ends": "on"}):
            answer = client.post(address, {**sent, **more})
            assert "please one of them" in answer.content.decode()


def test_the_office_says_what_a_gst_rate_leaves_to_correct(books: Books, shop: Shop, today: date) -> None:
    books.sell({"type": "SWAP"})
    client, address = logged_in(shop.admin), url(GstRate, "add")
    sent = {**form_of(client, address), "_save": "Save", "rate": "8.00", "valid_from": today.isoformat()}
    answer = send_confirmed(client, address, sent)
    told = messages_of(client.get(answer["Location"]))
    assert any("S$ 0.29 too much" in each for each in told), told


def test_files_have_the_same_rows(books: Books) -> None:
    books.contract("36.00")
    books.sell({"type": "SWAP"})
    books.contract("34.00")
    text = b"".join(books.client.get("/api/reports/mispriced/", {"format": "csv"})).decode("utf-8-sig")
    assert text.splitlines()[1].split(",")[9:14] == ["36.00", "34.00", "2.00", "0.18", "2.18"]
    assert books.client.get("/api/reports/mispriced/", {"format": "xlsx"}).status_code == 200


# --- What is billed again ------------------------------------------------------------------------------------------


def billed_again(books: Books, sale: int, *items: Json, customer: int | None = None) -> Json:
    lines = [{"equipment": books.shop.cylinder.pk, **item} for item in items]
    right = {"customer": customer or books.shop.customer.pk, "items": lines}
    body = {"reason": "Priced wrong", "sale": right}
    answer = post_confirmed(books.client, f"/api/transactions/{sale}/bill-again/", body)
    assert answer.status_code == 201, answer.json()
    made: Json = answer.json()
    return made


def test_r1_is_put_right_by_billing_it_again(books: Books) -> None:
    books.contract("36.00")
    invoice = books.sell({"type": "SWAP", "quantity": 50})
    books.contract("34.00")
    made = billed_again(books, invoice["transaction"], {"type": "SWAP", "quantity": 50})
    assert made["invoice"]["subtotal"] == "1700.00"
    assert books.listed() == []


def test_what_is_billed_again_has_the_tax_point_of_what_was_billed_first(books: Books, shop: Shop) -> None:
    with time_machine.travel(datetime(2023, 12, 20, 12, tzinfo=clock.SINGAPORE), tick=False):
        shop.count("vehicle", shop.driver.vehicle_no, 20)
        sale = books.sell({"type": "SALE", "quantity": 2})["transaction"]
    for day in (2, 3):
        with time_machine.travel(datetime(2024, 2, day, 12, tzinfo=clock.SINGAPORE), tick=False):
            made = billed_again(books, sale, {"type": "SALE", "quantity": 1})
        sale = made["transaction"]["id"]
        assert made["invoice"]["gst_rate"] == "8.00"
    assert books.listed(date_from="2023-12-01", date_to="2024-03-01") == []


def test_usage_that_is_billed_again_is_listed_where_its_rate_was_wrong_again(books: Books, today: date) -> None:
    metered = MeteredCustomerFactory()
    sale = books.sell(customer=metered.pk, current_meter="1210.00")["transaction"]
    books.sell(
        customer=metered.pk,
        current_meter="1210.00",
        items=[{"equipment": books.shop.cylinder.pk, "type": "SWAP", "quantity": 1}],
    )

    def rate(value: str) -> None:
        body = {"meter_rate": value, "valid_from": today.isoformat(), "reason": "Slip."}
        answer = post_confirmed(books.client, f"/api/customers/{metered.pk}/meter-rates/", body)
        assert answer.status_code == 201, answer.json()

    rate("2.0000")
    assert books.listed() == [("METER", 1, None, "2.1500", "2.0000", "1.50", "0.14", "1.64")]
    made = billed_again(books, sale, customer=metered.pk)
    assert (made["invoice"]["subtotal"], books.listed()) == ("20.00", [])
    rate("1.9000")
    assert books.listed() == [("METER", 1, None, "2.0000", "1.9000", "1.00", "0.09", "1.09")]


def test_the_office_says_what_a_price_and_a_meter_s_rate_leave_to_correct(
    books: Books, shop: Shop, today: date
) -> None:
    metered = MeteredCustomerFactory()
    books.sell({"type": "SALE"}, customer=metered.pk, current_meter="1210.00")
    day = {"valid_from_0": today.isoformat(), "valid_from": today.isoformat(), "reason": "Slip."}

    def told(model: Any, pk: int, prefix: str, **sent: Any) -> list[str]:
        client, address = logged_in(shop.admin), url(model, "change", pk)
        body = {**form_of(client, address), "_save": "Save", f"{prefix}-TOTAL_FORMS": "1"}
        body |= {f"{prefix}-0-{name}": value for name, value in {**day, **sent}.items()}
        answer = send_confirmed(client, address, body)
        assert answer.status_code == 302, answer.content
        return [each for each in messages_of(client.get(answer["Location"])) if "priced otherwise" in each]

    [price] = told(Equipment, shop.cylinder.pk, "prices", kind="DEFAULT_RATE", amount="28.00")
    assert "S$ 0.55 too much" in price
    [meter] = told(Customer, metered.pk, "meter_rates", meter_rate="2.0000")
    assert "S$ 2.18 too much" in meter
