"""What a sale costs, case by case: the field app's preview is held to the same file."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest
import time_machine

from accounts.models import User
from customers.models import Customer
from deposits.models import DepositLot
from equipment.models import Equipment
from foundation.money import to_cents
from payments.models import Allocation
from sync.selectors import customers_to_pull
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import CustomerFactory, CustomerRateFactory, DriverFactory, EquipmentFactory, priced
from tests.types import Json

pytestmark = pytest.mark.django_db
FILE = json.loads((Path(__file__).parent / "price_cases.json").read_text())


def metered(shop: Shop, driver: User, case: Json) -> Customer:
    """The case's customer, whose meter was read as its history says; known ten days before that, or since it says."""
    buyer = {name: value for name, value in case["customer"].items() if name != "rates"}
    history = [
        (datetime.fromisoformat(each["occurred_at"]), Decimal(each["usage"])) for each in case.get("history", ())
    ]
    if "pulled" not in case:
        return CustomerFactory(**buyer)
    begun = history[0][0] - timedelta(days=10) if history else datetime.fromisoformat(case["pulled"]["metered_since"])
    reading = Decimal(buyer["last_meter_reading"]) - sum((usage for _, usage in history), Decimal(0))
    with time_machine.travel(begun, tick=False):
        customer = CustomerFactory(**{**buyer, "last_meter_reading": reading})
    for at, usage in history:
        reading += usage
        with time_machine.travel(at, tick=False):
            service = {"equipment": shop.cylinder.pk, "type": "SERVICE", "quantity": 1}
            sale = {"customer": customer.pk, "items": [service], "current_meter": str(reading)}
            answer = shop.client_of(driver).post("/api/transactions/", sale)
            if answer.status_code == 409:
                answer = shop.client_of(driver).post("/api/transactions/", {**sale, "confirm": to_confirm(answer)})
            assert answer.status_code == 201, answer.json()
    return customer


def charge(shop: Shop, seller: User, customer: Customer, equipment: int, lot: Json) -> None:
    """A deposit that was charged for so much, and is still to be paid or isn't."""
    charged = Equipment.objects.get(pk=equipment)
    priced(charged, deposit=to_cents(Decimal(lot["amount"]) / lot["pieces"]))
    item = {"equipment": equipment, "type": "DEPOSIT", "quantity": lot["pieces"]}
    paid = lot["open_amount"] == "0.00"
    sale = {"customer": customer.pk, "items": [item], "payment_received": paid}
    assert shop.client_of(seller).post("/api/transactions/", sale).status_code == 201
    priced(charged, deposit=charged.deposit)
    latest = DepositLot.objects.order_by("-pk")[:1].get()
    DepositLot.objects.filter(pk=latest.pk).update(amount=lot["amount"])


def as_asked(items: list[Json]) -> list[Json]:
    """The lines that one item came to, as one: without a rate where they have several."""
    lines: list[Json] = []
    for key, group in groupby(items, lambda line: (line["equipment"], line["type"])):
        of_it = list(group)
        rates = {line["rate"] for line in of_it}
        if key[1] != "RETURN":
            lines += [{name: line[name] for name in ("rate", "rate_source", "amount", "taxable")} for line in of_it]
            continue
        amount = sum(Decimal(line["amount"]) for line in of_it)
        lines.append(
            {
                "rate": rates.pop() if len(rates) == 1 else None,
                "rate_source": "LOT",
                "amount": f"{amount:.2f}",
                "taxable": False,
            }
        )
    return lines


def both(name: str, invoice: Json, beside: Json | None) -> str:
    amount = Decimal(invoice[name]) + (Decimal(beside["invoice"][name]) if beside else 0)
    return f"{amount:.2f}"


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["name"])
def test_a_sale_costs_what_the_shared_cases_say(shop: Shop, case: Json) -> None:
    with time_machine.travel(datetime.fromisoformat(case["occurred_at"]), tick=False):
        equipment = {
            row["id"]: EquipmentFactory(default_rate=row["default_rate"], deposit=row["deposit"]).pk
            for row in FILE["equipment"]
        }
        buyer = case["customer"]
        carries_no_vehicle = DriverFactory(depot=shop.depot, vehicle_no="")
        customer = metered(shop, carries_no_vehicle, case)
        for rate in buyer["rates"]:
            CustomerRateFactory(
                customer=customer, equipment_id=equipment[rate["equipment"]], rate=rate["rate"],
                valid_from=rate["valid_from"],
            )  # fmt: skip
        at_site = {row["equipment"]: row for row in case.get("holdings", ())}
        for number, pk in equipment.items():
            for lot in at_site.get(number, {"lots": ()})["lots"]:
                charge(shop, carries_no_vehicle, customer, pk, lot)
            # What isn't held leaves no site: enough for a swap.
            pieces = at_site.get(number, {"at_site": 0})["at_site"]
            assert shop.count("customer", customer.pk, pieces, equipment_id=pk).status_code == 200
        items = [{**item, "equipment": equipment[item["equipment"]]} for item in case["sale"]["items"]]
        sale = {**case["sale"], "items": items, "customer": customer.pk}
        if "pulled" in case:
            [pulled] = customers_to_pull(Customer.objects.filter(pk=customer.pk))
            assert Decimal(case["pulled"]["most_usage_per_day"]) == pulled["most_usage_per_day"]
            assert datetime.fromisoformat(case["pulled"]["metered_since"]) == pulled["metered_since"]
        asking = shop.client_of(carries_no_vehicle).post("/api/transactions/", sale)
        asked = to_confirm(asking) if "asked" in case else []
        assert asked == case.get("asked", [])
        answer = (
            shop.client_of(carries_no_vehicle).post("/api/transactions/", {**sale, "confirm": asked})
            if asked
            else asking
        )

    expected = case["expected"]
    if "refused" in expected:
        assert error_of(answer)[1:] == (expected["refused"], expected["attr"])
        return
    assert answer.status_code == 201, answer.json()
    sold, invoice = answer.json()["transaction"], answer.json()["invoice"]
    beside = answer.json()["refund"]
    items = [*sold["items"], *(beside["transaction"]["items"] if beside else ())]
    refund = (beside or answer.json())["invoice"]["id"]
    set_off = Allocation.objects.filter(credit_note=refund).exclude(invoice=invoice["id"])
    read = sold["current_meter_reading"] is not None
    assert expected == {
        "lines": as_asked(items),
        "last_reading": sold["last_meter_reading"],
        "usage": sold["usage"] if read else None,
        "usage_amount": sold["usage_amount"],
        "subtotal": both("subtotal", invoice, beside),
        "gst_rate": invoice["gst_rate"],
        "gst_amount": invoice["gst_amount"],
        "total": both("total_amount", invoice, beside),
        "set_off": str(sum((row.amount for row in set_off), Decimal("0.00"))),
    }
