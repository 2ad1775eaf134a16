"""The same request at the same instant, from everywhere: it happens once, and everybody hears what it made."""

from collections import Counter

import pytest

from depots.models import Depot
from payments.models import Allocation
from tests.concurrency.races import CLIENTS, at_once, post
from tests.conftest import Shop
from tests.types import Json

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_row_with_a_unique_code_is_made_once(shop: Shop) -> None:
    body: Json = {"code": "NEW", "name": "New depot", "client_temp_id": "once"}
    answers = at_once(lambda _: post(shop.admin, "/api/depots/", body), CLIENTS)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CLIENTS - 1}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert Depot.objects.filter(code="NEW").count() == 1


def test_what_is_refused_for_another_reason_stays_refused(shop: Shop) -> None:
    body: Json = {"code": shop.depot.code, "name": "Another", "client_temp_id": "once"}
    assert post(shop.admin, "/api/depots/", body).status_code == 400


def test_an_invoice_is_paid_once(shop: Shop) -> None:
    url = f"/api/invoices/{shop.sell({'type': 'SALE', 'quantity': 3}).json()['invoice']['id']}/pay/"
    body: Json = {"amount": "5.00", "client_temp_id": "once"}
    answers = at_once(lambda _: post(shop.admin, url, body), CLIENTS)
    assert {answer.status_code for answer in answers} == {200}
    assert Counter("Idempotent-Replayed" in answer for answer in answers) == {False: 1, True: CLIENTS - 1}
    assert Allocation.objects.count() == 1
