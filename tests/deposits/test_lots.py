"""Which deposits are taken, whose they are, and what apps and the office are told of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import AuditLog
from deposits.models import DepositLot, LotMovement
from deposits.selectors import beyond_holdings
from foundation import clock
from inventory.models import StockMovement
from tests.conftest import Shop
from tests.deposits.test_cases import charged, deposit_is, held, pushed, returned, sold, verified, void
from tests.factories import CustomerFactory, EquipmentFactory, priced
from tests.types import Json

pytestmark = pytest.mark.django_db

LENT = ({"type": "SALE"}, {"type": "DEPOSIT"})


def lines(document: Json) -> list[tuple[str, int, str]]:
    return [(line["type"], line["quantity"], line["amount"]) for line in document["transaction"]["items"]]


def pulled(shop: Shop) -> Json:
    customers = shop.client_of(shop.driver).get("/api/sync/pull/").json()["customers"]
    found: Json = next(row for row in customers if row["id"] == shop.customer.pk)
    return found


def test_what_was_charged_first_is_refunded_first_whenever_it_arrives(shop: Shop) -> None:
    before = clock.now() - timedelta(hours=1)
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "75.00"})
    charged(shop)
    late = charged(shop, occurred_at=before.isoformat())
    assert held(shop) == (2, 0, [(1, "60.00"), (1, "75.00")])
    assert datetime.fromisoformat(late["transaction"]["occurred_at"]) == before
    assert lines(returned(shop)) == [("RETURN", 1, "-60.00")]


def test_each_customer_s_deposits_are_their_own(shop: Shop) -> None:
    other = CustomerFactory()
    charged(shop, 1, "40.00")
    deposit_is(shop, "60.00")
    sold(shop, *LENT, customer=other.pk)
    assert held(shop) == (1, 0, [(1, "40.00")])
    assert lines(returned(shop, customer=other.pk)) == [("RETURN", 1, "-60.00")]
    assert held(shop) == (1, 0, [(1, "40.00")])


def test_what_is_held_is_told_by_sku_with_what_charged_it(shop: Shop) -> None:
    first, second = charged(shop, 2, "40.00"), charged(shop, 1, "60.00")
    other = EquipmentFactory(sku="A-1", deposit=Decimal("10.00"))
    sold(shop, {"type": "DEPOSIT", "equipment": other.pk})
    client, url = shop.client_of(shop.driver), f"/api/customers/{shop.customer.pk}/"
    rows = client.get(f"{url}holdings/").json()
    assert [row["sku"] for row in rows] == ["A-1", shop.cylinder.sku]
    assert [(lot["document_number"], lot["occurred_at"]) for lot in rows[1]["lots"]] == [
        (each["invoice"]["invoice_number"], each["transaction"]["occurred_at"]) for each in (first, second)
    ]
    held_now = client.get(f"{url}deposits/").json()
    assert [(row["quantity"], row["amount"]) for row in held_now["held"]] == [(1, "10.00"), (3, "140.00")]
    assert held_now["total_amount"] == "150.00"


def test_a_lot_says_what_came_into_it_and_out(shop: Shop) -> None:
    sale, refund = charged(shop, 2), returned(shop)
    lost = sold(shop, {"type": "SHELL", "reason": "LOST", "rate": "100.00"})
    voiding = void(shop, lost).json()
    moved = LotMovement.objects.order_by("pk").values_list("kind", "pieces", "amount", "document_number")
    assert [(kind, pieces, str(amount)) for kind, pieces, amount, _ in moved] == [
        ("CHARGED", 2, "120.00"), ("RETURNED", -1, "-60.00"), ("SET_OFF", -1, "-60.00"), ("VOIDED", 1, "60.00")
    ]  # fmt: skip
    assert [number for *_, number in moved] == [
        each["invoice"]["invoice_number"] for each in (sale, refund, lost, voiding)
    ]


def test_only_the_charge_of_what_was_refunded_cant_be_voided(shop: Shop) -> None:
    first, second = charged(shop, 1, "40.00"), charged(shop, 1, "60.00")
    returned(shop)
    assert void(shop, first).status_code == 409
    assert void(shop, second).status_code == 201
    assert verified() == []


def test_each_document_that_refunded_a_charge_is_named_once(shop: Shop) -> None:
    sale = charged(shop, 3, "33.33")
    DepositLot.objects.update(amount=Decimal("100.00"))
    refunds = [returned(shop, pieces)["invoice"]["invoice_number"] for pieces in (2, 1)]
    [error] = void(shop, sale).json()["errors"]
    number = sale["transaction"]["transaction_number"]
    assert error["detail"] == (f"The deposit of {number} was refunded by {', '.join(refunds)}: please void that first.")


def test_a_deposit_is_for_what_comes_with_it(shop: Shop) -> None:
    charged(shop, 1, "40.00")
    deposit_is(shop, "60.00")
    document = sold(shop, *LENT, {"type": "RETURN"})
    assert lines(document)[-1] == ("RETURN", 1, "-40.00")
    assert held(shop) == (1, 0, [(1, "60.00")])


def test_what_leaves_by_several_lines_was_there_before_all_of_them(shop: Shop) -> None:
    sold(shop, {"type": "SALE", "quantity": 2})
    charged(shop)
    document = sold(shop, {"type": "RETURN"}, {"type": "RETURN"})
    assert lines(document) == [("RETURN", 1, "0.00"), ("RETURN", 1, "0.00")]
    assert held(shop) == (1, 0, [(1, "60.00")])


@pytest.mark.parametrize(
    ("reason", "charges", "left"),
    [
        ("LOST", [("SHELL", "100.00", False), ("SETOFF", "-60.00", False)], (1, 1, [])),
        ("BOUGHT", [("SHELL", "100.00", True)], (1, 0, [(1, "60.00")])),
    ],
)
def test_lost_takes_deposits_first_and_bought_the_loan(
    shop: Shop, settings: Any, reason: str, charges: list[tuple[str, str, bool]], left: object
) -> None:
    settings.LOST_SHELLS_ARE_TAXABLE = False
    sold(shop, {"type": "SALE"})
    charged(shop)
    document = sold(shop, {"type": "SHELL", "reason": reason, "rate": "100.00"})
    assert [(line["type"], line["amount"], line["taxable"]) for line in document["transaction"]["items"]] == charges
    assert held(shop) == left
    assert verified() == []


def test_what_a_shell_costs_is_named_by_the_field(shop: Shop) -> None:
    charged(shop)
    answer = shop.sell({"type": "SHELL", "reason": "LOST"})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "items.0.rate")


@pytest.mark.parametrize(
    ("item", "attr"),
    [
        ({"type": "SHELL", "rate": "100.00"}, "reason"),
        ({"type": "SALE", "reason": "LOST"}, "reason"),
        ({"type": "SALE", "returned_equipment": 1}, "returned_equipment"),
        ({"type": "SETOFF"}, "type"),
    ],
)
def test_what_belongs_to_another_kind_of_line_is_refused(shop: Shop, item: Json, attr: str) -> None:
    answer = shop.sell(item)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, f"items.0.{attr}")


# --- What comes back instead ---------------------------------------------------------------------


def small_one(shop: Shop, deposit: str | None) -> Any:
    small = EquipmentFactory(default_rate=Decimal("25.00"), deposit=deposit and Decimal(deposit))
    shop.stocked("vehicle", shop.driver.vehicle_no, 5, equipment_id=small.pk)
    return small


def test_an_exchange_for_one_without_a_deposit_charges_none(shop: Shop) -> None:
    charged(shop)
    small = small_one(shop, None)
    document = sold(shop, {"type": "SWAP", "equipment": small.pk, "returned_equipment": shop.cylinder.pk})
    assert lines(document) == [("SALE", 1, "25.00")]
    assert lines(document["refund"]) == [("RETURN", 1, "-60.00")]


def test_the_same_size_back_is_a_swap(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    document = sold(shop, {"type": "SWAP", "returned_equipment": shop.cylinder.pk})
    assert lines(document) == [("SWAP", 1, "28.50")]


def test_what_comes_back_is_what_is_named_as_coming_back(shop: Shop) -> None:
    small = small_one(shop, "40.00")
    sold(shop, {"type": "SALE", "equipment": small.pk}, {"type": "DEPOSIT", "equipment": small.pk})
    charged(shop)
    document = sold(shop, {"type": "RETURN", "returned_equipment": small.pk})
    assert lines(document) == [("RETURN", 1, "-40.00")]
    assert held(shop, small) == (0, 0, [])


def test_a_size_out_of_use_still_comes_back(shop: Shop) -> None:
    charged(shop)
    small = small_one(shop, "40.00")
    assert shop.client_of(shop.admin).delete(f"/api/equipment/{shop.cylinder.pk}/").status_code == 200
    item = {"type": "SWAP", "equipment": small.pk, "returned_equipment": shop.cylinder.pk}
    assert lines(sold(shop, item))[-1] == ("RETURN", 1, "-60.00")
    back = {"type": "SWAP", "equipment": shop.cylinder.pk, "returned_equipment": small.pk}
    assert shop.sell(back).json()["errors"][0]["code"] == "equipment_inactive"


def test_what_comes_back_damaged_stays_so(shop: Shop) -> None:
    charged(shop)
    [line] = returned(shop)["transaction"]["items"]
    assert line["condition"] == "EMPTY"
    charged(shop)
    [line] = sold(shop, {"type": "RETURN", "condition": "DAMAGED"})["transaction"]["items"]
    assert line["condition"] == "DAMAGED"


# --- What is told --------------------------------------------------------------------------------


def test_more_is_held_than_stands_at_the_site_by_customer_and_equipment(shop: Shop) -> None:
    other, small = CustomerFactory(), small_one(shop, "40.00")
    charged(shop)
    returned(shop)
    sold(shop, {"type": "DEPOSIT", "quantity": 2})
    sold(shop, *({**each, "equipment": small.pk} for each in LENT))
    sold(shop, *LENT, customer=other.pk)
    sold(shop, {"type": "SALE", "quantity": 2}, customer=CustomerFactory().pk)
    beyond = beyond_holdings(DepositLot.objects.all()).values_list("customer", "equipment", "pieces")
    assert list(beyond) == [(shop.customer.pk, shop.cylinder.pk, 2)]


def test_who_holds_nothing_any_more_has_no_holdings(shop: Shop) -> None:
    charged(shop)
    sold(shop, *LENT, customer=CustomerFactory().pk)
    returned(shop)
    assert pulled(shop)["holdings"] == []


def test_a_deposit_before_its_cylinder_is_pulled(shop: Shop) -> None:
    sold(shop, {"type": "DEPOSIT"})
    [holding] = pulled(shop)["holdings"]
    assert (holding["equipment"], holding["at_site"], len(holding["lots"])) == (shop.cylinder.pk, 0, 1)


def test_the_oldest_deposit_is_pulled_first_with_all_that_is_open_of_it(shop: Shop) -> None:
    charged(shop, 1, "60.00", payment_received=True)
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "40.00"})
    earlier = clock.now() - timedelta(hours=1)
    priced(shop.cylinder, deposit=Decimal("40.00"), since=earlier)
    sale = charged(shop, 1, occurred_at=earlier.isoformat())
    paid = str(Decimal(sale["invoice"]["total_amount"]) - 4)
    address = f"/api/invoices/{sale['invoice']['id']}/pay/"
    assert shop.client_of(shop.admin).post(address, {"amount": paid, "method": "CASH"}).status_code == 200
    void(shop, returned(shop, payment_received=True))
    [holding] = pulled(shop)["holdings"]
    assert holding["at_site"] == 2
    assert [(lot["pieces"], lot["amount"], lot["open_amount"]) for lot in holding["lots"]] == [
        # What was paid out is owed again, beside what its charge has open.
        (1, "40.00", "40.00"),
        (1, "60.00", "0.00"),
    ]
    assert holding["lots"][0]["invoice"] == sale["invoice"]["id"]


@pytest.mark.parametrize("what", ["lent", "deposit", "returned", "returned on loan", "voided", "paid", "counted"])
def test_apps_are_told_when_it_changes(shop: Shop, what: str) -> None:
    sale = charged(shop)
    address = f"/api/invoices/{sale['invoice']['id']}/pay/"
    if what == "returned on loan":
        sold(shop, {"type": "SALE"})
    change: dict[str, Callable[[], Any]] = {
        "lent": lambda: shop.sell({"type": "SALE"}),
        "deposit": lambda: shop.sell({"type": "DEPOSIT"}, payment_received=True),
        "returned": lambda: returned(shop),
        "returned on loan": lambda: returned(shop),
        "voided": lambda: void(shop, sale),
        "paid": lambda: shop.client_of(shop.admin).post(address, {"amount": "1.00", "method": "PAYNOW"}),
        "counted": lambda: shop.count("customer", shop.customer.pk, 3),
    }
    client = shop.client_of(shop.driver)
    cursor = client.get("/api/sync/pull/").json()["cursor"]
    change[what]()
    told = client.get("/api/sync/pull/", {"cursor": cursor}).json()["customers"]
    assert [row["id"] for row in told] == [shop.customer.pk]


# --- More than the books know --------------------------------------------------------------------


def test_a_site_is_corrected_only_where_that_was_asked_for_and_the_books_say_why(shop: Shop) -> None:
    kept = pushed(shop, {"type": "RETURN"})
    retry, admin = f"/api/sync/conflicts/{kept['conflict']}/retry/", shop.client_of(shop.admin)
    assert admin.post(retry, {"reason": "From his other shop"}).status_code == 409
    assert admin.post(retry, {"correct_site": True, "reason": " "}).status_code == 400
    assert admin.post(retry, {"correct_site": True, "reason": "From his other shop"}).status_code == 200
    found = StockMovement.objects.get(kind="CORRECTION", to_location__customer=shop.customer)
    assert (found.quantity, found.reason) == (1, "From his other shop")
    sale = AuditLog.objects.get(action="transactions.sale.recorded").after or {}
    assert (sale["approved_by"], sale["site_corrected"]) == (shop.admin.username, "From his other shop")
    decided = AuditLog.objects.get(action="sync.conflict.retried")
    assert decided.after is not None
    assert (decided.after["site_corrected"], decided.reason) == (True, "From his other shop")


def test_a_site_is_corrected_and_nothing_else(shop: Shop) -> None:
    foreign = EquipmentFactory(is_foreign=True, default_rate=None, deposit=None)
    kept = pushed(shop, {"type": "RETURN", "quantity": 2}, {"type": "RETURN", "equipment": foreign.pk})
    body = {"correct_site": True, "reason": "From his other shop"}
    answer = shop.client_of(shop.admin).post(f"/api/sync/conflicts/{kept['conflict']}/retry/", body)
    assert answer.status_code == 200, answer.json()
    found = StockMovement.objects.filter(kind="CORRECTION", to_location__customer=shop.customer)
    assert [(each.equipment, each.quantity) for each in found] == [(shop.cylinder, 2)]
    assert verified() == []
