"""Two phones of one user, and one that sends twice, at the same instant."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from sync.models import SyncConflict
from tests.concurrency.races import at_once, post
from tests.conftest import Shop
from tests.factories import DriverFactory, UserFactory
from tests.sync.conftest import confirm_of, load_of, sale_of
from tests.types import Answer, Json
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def results_of(answers: list[Any]) -> list[list[Json]]:
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["results"] for answer in answers]


def test_the_same_push_from_eight_clients_happens_once(shop: Shop) -> None:
    batch = [
        load_of(shop, "a", 5), confirm_of("b", "a"), *(sale_of(shop, f"s{number}") for number in range(6)),
        sale_of(shop, "bad", {"quantity": 0}), sale_of(shop, "refused", {"quantity": 90}), "nonsense",
    ]  # fmt: skip
    answers = results_of(at_once(lambda _: post(shop.driver, "/api/sync/push/", {"operations": batch}), 8))
    for position in range(len(batch)):
        seen = [answer[position] for answer in answers]
        assert len({(result["id"], result["conflict"], str(result["errors"])) for result in seen}) == 1
        expected = {"rejected": 8} if position >= 8 else {"created": 1, "duplicate": 7}
        assert Counter(result["status"] for result in seen) == expected
    assert (Transaction.objects.count(), SyncConflict.objects.count()) == (6, 3)
    connection.close()
    call_command("verify_books", stdout=StringIO())


def test_an_operation_ends_in_the_books_or_in_the_conflicts_and_never_in_both(shop: Shop) -> None:
    """The last cylinder, a count that makes it two, and the same sales from everywhere."""
    driver = DriverFactory(depot=shop.depot)
    shop.count("vehicle", driver.vehicle_no, 1)
    admin = UserFactory(role="ADMIN")

    def work(index: int) -> Answer:
        if index == 7:
            return shop.count("vehicle", driver.vehicle_no, 3, by=admin)
        batch = [sale_of(shop, f"s{(index + number) % 4}") for number in range(4)]
        return post(driver, "/api/sync/push/", {"operations": batch})

    answers = results_of(at_once(work, 8)[:7])
    outcomes: dict[str, set[tuple[Any, Any]]] = {}
    for result in (result for answer in answers for result in answer):
        outcomes.setdefault(result["client_temp_id"], set()).add((result["id"], result["conflict"]))
    assert {name: len(seen) for name, seen in outcomes.items()} == dict.fromkeys(("s0", "s1", "s2", "s3"), 1)
    in_the_books = set(Transaction.objects.values_list("client_temp_id", flat=True))
    kept = set(SyncConflict.objects.values_list("client_temp_id", flat=True))
    assert in_the_books | kept == {"s0", "s1", "s2", "s3"}
    assert in_the_books & kept == set()


def test_two_retries_and_a_dismissal_at_once_settle_it_once(shop: Shop) -> None:
    operation = sale_of(shop, "a", {"rate": "20.00"})
    [refused] = post(shop.driver, "/api/sync/push/", {"operations": [operation]}).json()["results"]
    path = f"/api/sync/conflicts/{refused['conflict']}"

    def work(index: int) -> Answer:
        if index == 3:
            return post(shop.admin, f"{path}/dismiss/", {"reason": "Twice"})
        return post(shop.admin, f"{path}/retry/", {"approve_rates": True})

    answers = at_once(work, 4)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3}
    settled = SyncConflict.objects.get().status
    assert (settled, Transaction.objects.count()) in (("RETRIED", 1), ("DISMISSED", 0))
