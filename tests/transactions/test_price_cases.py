"""What a sale costs, case by case: the field app's preview is held to the same file."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import time_machine

from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, CustomerRateFactory, DriverFactory, EquipmentFactory
from tests.types import Json

pytestmark = pytest.mark.django_db
FILE = json.loads((Path(__file__).parent / "price_cases.json").read_text())


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["name"])
def test_a_sale_costs_what_the_shared_cases_say(shop: Shop, case: Json) -> None:
    with time_machine.travel(datetime.fromisoformat(case["occurred_at"]), tick=False):
        equipment = {
            row["id"]: EquipmentFactory(default_rate=row["default_rate"], deposit=row["deposit"]).pk
            for row in FILE["equipment"]
        }
        buyer = case["customer"]
        customer = CustomerFactory(**{name: value for name, value in buyer.items() if name != "rates"})
        for rate in buyer["rates"]:
            CustomerRateFactory(
                customer=customer, equipment_id=equipment[rate["equipment"]], rate=rate["rate"],
                valid_from=rate["valid_from"],
            )  # fmt: skip
        for pk in equipment.values():
            assert shop.count("customer", customer.pk, 10, equipment_id=pk).status_code == 200
        items = [{**item, "equipment": equipment[item["equipment"]]} for item in case["sale"]["items"]]
        carries_no_vehicle = DriverFactory(depot=shop.depot, vehicle_no="")
        answer = shop.client_of(carries_no_vehicle).post(
            "/api/transactions/", {**case["sale"], "items": items, "customer": customer.pk}
        )

    expected = case["expected"]
    if "refused" in expected:
        assert error_of(answer)[1:] == (expected["refused"], expected["attr"])
        return
    assert answer.status_code == 201, answer.json()
    sold, invoice = answer.json()["transaction"], answer.json()["invoice"]
    read = sold["current_meter_reading"] is not None
    assert expected == {
        "lines": [
            {name: line[name] for name in ("rate", "rate_source", "amount", "taxable")} for line in sold["items"]
        ],
        "last_reading": sold["last_meter_reading"],
        "usage": sold["usage"] if read else None,
        "usage_amount": sold["usage_amount"],
        "subtotal": invoice["subtotal"],
        "gst_rate": invoice["gst_rate"],
        "gst_amount": invoice["gst_amount"],
        "total": invoice["total_amount"],
    }
