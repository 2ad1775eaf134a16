"""What is said twice happens once: writes that name an object of their own.

tests/contract tries every other write of the API.
"""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from depots.models import Depot
from depots.services import create_depot
from foundation.access.capabilities import Role
from foundation.api.once import earlier_or
from foundation.operations.idempotency import Operation, named
from foundation.operations.models import ClientOperation
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, MeteredCustomerFactory, UserFactory
from tests.sync.conftest import sale_of
from tests.types import Json, Unchanged
from transactions.models import Transaction

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def _invoice(shop: Shop) -> tuple[str, Json]:
    sold = shop.sell({"type": "SALE"}).json()
    return f"/api/invoices/{sold['invoice']['id']}/pay/", {"amount": "10.00", "method": "CASH"}


def _payment(shop: Shop, amount: str = "5.00") -> int:
    paid: int = (
        shop.client_of(shop.admin)
        .post("/api/payments/", {"customer": shop.customer.pk, "method": "CASH", "amount": amount})
        .json()["id"]
    )
    return paid


def _credit(shop: Shop) -> tuple[str, Json]:
    payment = _payment(shop)
    invoice = shop.sell({"type": "SALE"}).json()["invoice"]["id"]
    return f"/api/payments/{payment}/allocate/", {"allocations": [{"invoice": invoice, "amount": "2.00"}]}


def _kept(shop: Shop) -> int:
    client = shop.client_of(shop.driver)
    pushed = client.post("/api/sync/push/", {"operations": [sale_of(shop, "x", {"quantity": 21})]}).json()
    kept: int = pushed["results"][0]["conflict"]
    return kept


def _retried(shop: Shop) -> tuple[str, Json]:
    kept = _kept(shop)
    shop.count("vehicle", shop.driver.vehicle_no, 30)
    return f"/api/sync/conflicts/{kept}/retry/", {}


def _replaced(shop: Shop) -> tuple[str, Json]:
    customer = MeteredCustomerFactory()
    reading = {"final_reading": str((customer.last_meter_reading or 0) + 10), "first_reading": "0.00"}
    return f"/api/customers/{customer.pk}/replace-meter/", {**reading, "new_meter_number": "M-NEW", "reason": "Broken"}


WRITES: dict[str, Callable[[Shop], tuple[str, Json]]] = {
    "part of an invoice paid": _invoice,
    "credit allocated": _credit,
    "payment reversed": lambda shop: (f"/api/payments/{_payment(shop)}/reverse/", {"reason": "Bounced"}),
    "conflict dismissed": lambda shop: (f"/api/sync/conflicts/{_kept(shop)}/dismiss/", {"reason": "Twice"}),
    "conflict retried": _retried,
    "meter replaced": _replaced,
    "stock counted": lambda shop: (
        "/api/inventories/update-inventory/",
        {
            "entity": "depot", "entity_id": shop.depot.pk, "equipment_id": shop.cylinder.pk, "condition": "FULL",
            "quantity": 7, "reason": "Counted",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("write", list(WRITES.values()), ids=list(WRITES))
def test_the_first_result_is_answered_again(
    shop: Shop, nothing_changes: Unchanged, write: Callable[[Shop], tuple[str, Json]]
) -> None:
    url, body = write(shop)
    client = shop.client_of(shop.admin)
    first = client.post(url, body | {"client_temp_id": "once"})
    assert first.status_code < 300, first.content
    with nothing_changes():
        again = client.post(url, body, headers={"Idempotency-Key": "once"})
        other = client.post(url, body | _other(body), headers={"Idempotency-Key": "once"})
    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert again.content == first.content
    assert error_of(other) == (409, "idempotency_conflict", "client_temp_id")


def _other(body: Json) -> dict[str, Any]:
    """The same body with something else in it."""
    if "allocations" in body:
        return {"allocations": [{**body["allocations"][0], "amount": "1.00"}]}
    if "amount" in body:
        return {"amount": "11.00"}
    return {"reason": "Another"} if "reason" in body else {"approve_rates": True}


def test_the_same_body_of_another_object_is_another_operation(shop: Shop) -> None:
    client, first, second = shop.client_of(shop.admin), _payment(shop), _payment(shop, "6.00")
    body = {"reason": "Bounced", "client_temp_id": "once"}
    assert client.post(f"/api/payments/{first}/reverse/", body).status_code == 201
    assert error_of(client.post(f"/api/payments/{second}/reverse/", body))[1] == "idempotency_conflict"


def test_what_was_refused_may_be_sent_again_under_its_id(shop: Shop) -> None:
    refused = shop.sell({"type": "SALE", "quantity": 99}, client_temp_id="once")
    assert refused.status_code == 409
    assert shop.sell({"type": "SALE", "quantity": 9}, client_temp_id="once").status_code == 201
    assert Transaction.objects.get().client_temp_id == "once"


def test_no_password_is_kept_with_an_operation(shop: Shop) -> None:
    body = {"username": "newcomer", "password": "A long enough one 7", "role": "DRIVER", "client_temp_id": "once"}
    made = shop.client_of(shop.admin).post("/api/accounts/users/", body)
    assert made.status_code == 201, made.content
    assert "long enough" not in ClientOperation.objects.get().content


def test_another_password_is_another_operation(shop: Shop) -> None:
    client, url = shop.client_of(shop.admin), f"/api/accounts/users/{shop.driver.pk}/set-password/"
    first, other = ({"password": f"A long enough one {number}", "client_temp_id": "once"} for number in (7, 8))
    assert [client.post(url, body).status_code for body in (first, first)] == [204, 204]
    assert error_of(client.post(url, other)) == (409, "idempotency_conflict", "client_temp_id")


def test_what_is_put_takes_no_id(shop: Shop) -> None:
    """It says what shall be, as often as it is said."""
    client, url = shop.client_of(shop.admin), f"/api/depots/{shop.depot.pk}/"
    refused = client.patch(url, {"name": "Renamed", "client_temp_id": "once"})
    assert error_of(refused) == (400, "unknown_field", "client_temp_id")
    for change in (client.patch, client.put, client.delete):
        named = change(url, {}, headers={"Idempotency-Key": "once"})
        assert error_of(named) == (400, "unknown_header", "Idempotency-Key")
    assert client.patch(url, {"name": "Renamed"}).status_code == 200


def test_a_header_is_plain_ascii(shop: Shop) -> None:
    """An id with an accent would be another one in the body."""
    body = {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]}
    client = shop.client_of(shop.driver)
    refused = client.post("/api/transactions/", body, headers={"Idempotency-Key": "é"})
    assert error_of(refused) == (400, "invalid", "Idempotency-Key")
    assert client.post("/api/transactions/", {**body, "client_temp_id": "é"}).status_code == 201


def test_a_repetition_shows_nothing_that_its_sender_may_not_see_any_more(shop: Shop) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    counted = shop.count("depot", shop.depot.pk, 7, by=supervisor, client_temp_id="once")
    assert counted.status_code == 200
    supervisor.depot = DepotFactory()
    supervisor.save()
    assert shop.count("depot", shop.depot.pk, 7, by=supervisor, client_temp_id="once").status_code == 404


@pytest.mark.parametrize("body", [{"zz": 1}, [1]])
def test_what_is_deleted_takes_no_body(shop: Shop, nothing_changes: Unchanged, body: Any) -> None:
    client = shop.client_of(shop.admin)
    with nothing_changes():
        for path in (f"depots/{shop.depot.pk}", f"accounts/users/{shop.driver.pk}"):
            assert client.delete(f"/api/{path}/", body).status_code == 400


def test_who_is_refused_because_the_same_was_quicker_hears_what_that_made(shop: Shop) -> None:
    def operation() -> Operation:
        return Operation(user=shop.admin, client_temp_id="once", type="depot.create", sent={"code": "NEW"})

    def too_late() -> Depot:
        with named(operation()):
            create_depot(actor=shop.admin, values={"code": "NEW", "name": "New"})
        raise ValidationError({"code": "It is there already."})

    with named(operation()):
        assert earlier_or(too_late).code == "NEW"
