"""One operation never stops the next: whatever is raised in the middle of a batch, by us or by the database."""

import errno
import json
import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import django.db
import pytest
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import connection
from django.http import Http404
from rest_framework.exceptions import ValidationError

from audit.models import AuditLog
from customers.models import Customer
from foundation.confirmations import Question
from foundation.errors import Busy, DomainError
from foundation.operations.idempotency import Operation, RefusedBefore
from invoices.errors import StorageUnavailable
from invoices.models import Invoice
from sync import operations, reading
from sync.models import SyncConflict
from tests.conftest import Shop, error_of
from tests.sync.conftest import Push, sale_of
from tests.types import Json
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


class Unheard(Exception):
    """Of no kind that anybody thought of."""


MISTAKES: list[Exception] = [
    KeyError(1213), TypeError("x"), RuntimeError("x"), RecursionError(), MemoryError(), ZeroDivisionError(),
    AssertionError(), StopIteration(), NotImplementedError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"),
    OverflowError("Python int too large to convert to SQLite INTEGER"), Unheard(), struct.error("a font's table"),
    OSError(errno.ENOSPC, "No space left on device"), ObjectDoesNotExist(), ImproperlyConfigured(),
    ModelValidationError("x"), ValidationError("x"), Http404(),
    django.db.DataError(1264, "Out of range value for column 'amount'"),
    django.db.IntegrityError(1062, "Duplicate entry"), django.db.IntegrityError("CHECK constraint failed"),
    django.db.OperationalError(1366, "Incorrect decimal value"), django.db.OperationalError("no such column: x"),
    django.db.ProgrammingError(1146, "Table doesn't exist"), django.db.InternalError(1025, "x"),
    django.db.NotSupportedError("x"), django.db.DatabaseError("x"),
]  # fmt: skip
FOR_THE_MOMENT: list[Exception] = [
    Busy("x"), StorageUnavailable("x"), django.db.OperationalError("database is locked"),
    *[django.db.OperationalError(code, "x") for code in (1205, 1213, 1020, 1040, 1053, 2002, 2006, 2013)],
    django.db.InterfaceError(0, ""), django.db.InterfaceError("connection already closed"),
]  # fmt: skip


Failing = Callable[[Callable[[], object]], AbstractContextManager[None]]


def _kinds(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for kind in of.__subclasses__():
        yield from _kinds(kind)
        if isinstance(getattr(kind, "code", None), str) and not issubclass(kind, Busy | RefusedBefore):
            yield kind


def _made(kind: type[DomainError]) -> DomainError:
    """Whatever arguments it takes."""
    error = kind.__new__(kind)
    DomainError.__init__(error, "It can't be.", attr="items")
    if isinstance(error, Question):
        error.value = "60"
    return error


REFUSALS = [_made(kind) for kind in sorted(_kinds(DomainError), key=lambda kind: f"{kind.__module__}.{kind.__name__}")]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """``with failing(fail):`` calls ``fail`` when everything that operation "b" writes is written."""
    settle = Operation.settle

    @contextmanager
    def patched(fail: Callable[[], object]) -> Iterator[None]:
        def settle_or_fail(operation: Operation, result: Any) -> None:
            settle(operation, result)
            if operation.client_temp_id == "b":
                fail()

        with monkeypatch.context() as patch:
            patch.setattr(Operation, "settle", settle_or_fail)
            patch.setattr("foundation.commands.time.sleep", lambda seconds: None)
            yield

    return patched


def raising(error: Exception) -> Callable[..., None]:
    def fail(*args: object) -> None:
        raise error

    return fail


def batch(shop: Shop) -> list[Json]:
    return [sale_of(shop, "a"), sale_of(shop, "b", {"quantity": 2}), sale_of(shop, "c")]


def assert_only_b_is_kept(shop: Shop, results: list[Json], code: str) -> None:
    assert [result["status"] for result in results] == ["created", "rejected", "created"]
    [error] = results[1]["errors"]
    kept = SyncConflict.objects.get()
    assert (error["code"], kept.code, kept.client_temp_id, kept.status) == (code, code, "b", "OPEN")
    assert error["detail"].endswith(".")
    assert Transaction.objects.count() == Invoice.objects.count() == 2
    assert AuditLog.objects.filter(action="transactions.sale.recorded").count() == 2
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 20 - 2


def _named(error: Exception) -> str:
    return f"{type(error).__name__} {error}"[:40]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_refusal_is_kept_with_its_own_code(shop: Shop, push: Push, failing: Failing, error: DomainError) -> None:
    with failing(raising(error)):
        results = push(*batch(shop))
    assert_only_b_is_kept(shop, results, error.code)


@pytest.mark.parametrize("error", MISTAKES, ids=_named)
def test_a_mistake_is_kept_and_can_be_retried_when_it_is_mended(
    shop: Shop, push: Push, failing: Failing, error: Exception
) -> None:
    with failing(raising(error)):
        results = push(*batch(shop))
        retry = f"/api/sync/conflicts/{results[1]['conflict']}/retry/"
        assert push(*batch(shop))[1] == results[1]
        assert shop.client_of(shop.admin).post(retry).status_code >= 400
    # Nothing but a broken number in the books is larger than what it is reckoned or written with.
    code = "unreadable_record" if isinstance(error, OverflowError) else "server_error"
    assert_only_b_is_kept(shop, results, code)
    assert shop.client_of(shop.admin).post(retry).status_code == 200
    assert [result["status"] for result in push(*batch(shop))] == ["duplicate"] * 3
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 20 - 4


@pytest.mark.parametrize("error", FOR_THE_MOMENT, ids=_named)
def test_what_is_refused_for_the_moment_ends_the_batch_and_keeps_nothing(
    shop: Shop, push: Push, failing: Failing, error: Exception
) -> None:
    with failing(raising(error)):
        answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": batch(shop)})
    assert (answer.status_code, "Retry-After" in answer) == (503, True)
    assert not SyncConflict.objects.exists()
    assert Transaction.objects.count() == 1
    assert [result["status"] for result in push(*batch(shop))] == ["duplicate", "created", "created"]


def _out_of_range() -> None:
    """DataError on MariaDB, OverflowError on SQLite."""
    Customer.objects.update(payment_terms_days=10**30)


def _duplicate() -> None:
    Customer.objects.create(customer_code=Customer.objects.get().customer_code, name="Twice")


def _no_such_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO nowhere VALUES (1)")


def _not_null() -> None:
    Customer.objects.update(name=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fail", [_out_of_range, _duplicate, _no_such_table, _not_null])
def test_what_the_database_really_refuses_is_rolled_back_and_kept(
    shop: Shop, push: Push, failing: Failing, fail: Callable[[], object]
) -> None:
    with failing(fail):
        results = push(*batch(shop))
    is_overflow = fail is _out_of_range and connection.vendor == "sqlite"
    assert_only_b_is_kept(shop, results, "unreadable_record" if is_overflow else "server_error")


def test_a_page_that_can_not_be_laid_out_is_kept(shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    [before] = push(sale_of(shop, "before"))
    shop.count("vehicle", shop.driver.vehicle_no, 20)
    with monkeypatch.context() as patch:
        patch.setattr("invoices.services.issuing.render_invoice", raising(IndexError("no line fits")))
        [result] = push(sale_of(shop, "b"))
    assert (before["status"], result["status"]) == ("created", "rejected")
    assert result["errors"][0]["code"] == "server_error"
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 20


def test_a_full_disk_ends_the_batch_and_leaves_no_document(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(sale_of(shop, "before"))
    with monkeypatch.context() as patch:
        full = OSError(errno.ENOSPC, "No space left on device")
        patch.setattr("django.core.files.storage.FileSystemStorage._save", raising(full))
        answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": batch(shop)})
    assert error_of(answer) == (503, "storage_unavailable", None)
    assert not SyncConflict.objects.exists()
    assert [result["status"] for result in push(*batch(shop))] == ["created"] * 3


def test_the_log_has_the_traceback_and_the_request(
    shop: Shop, push: Push, failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    with failing(raising(Unheard())), caplog.at_level(logging.ERROR, "hsh.sync"):
        push(*batch(shop))
    [record] = [record for record in caplog.records if record.name == "hsh.sync"]
    assert record.exc_info is not None
    assert record.exc_info[0] is Unheard
    assert SyncConflict.objects.get().request_id in record.getMessage()


def test_an_operation_that_can_not_even_be_read_is_kept_and_told_once(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = operations.read_operation

    def mistaken(type: str, sent: Json, protocol: int) -> Any:
        if sent["items"][0]["quantity"] == 2:
            raise KeyError("b")
        return original(type, sent, protocol)

    with monkeypatch.context() as patched:
        patched.setattr(reading, "read_operation", mistaken)
        results = push(*batch(shop))
        assert push(*batch(shop))[1] == results[1]
    assert_only_b_is_kept(shop, results, "server_error")
    assert push(*batch(shop))[1] == results[1]
    retried = shop.client_of(shop.admin).post(f"/api/sync/conflicts/{results[1]['conflict']}/retry/")
    assert retried.status_code == 200
    assert push(*batch(shop))[1]["id"] == retried.json()["result_id"]


def test_what_an_earlier_release_did_not_know_stays_the_one_conflict(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app asks again and again; the upgrade in between must not make another conflict of it."""
    with monkeypatch.context() as patched:
        patched.setattr(reading, "types_of", lambda protocol: ())
        [unknown] = push(sale_of(shop, "a"))
        refused = shop.client_of(shop.admin).post(f"/api/sync/conflicts/{unknown['conflict']}/retry/")
        assert error_of(refused) == (400, "unknown_type", "type")
    assert push(sale_of(shop, "a")) == [unknown]
    assert SyncConflict.objects.count() == 1


def test_what_is_nested_too_deeply_is_refused_before_it_is_kept(shop: Shop) -> None:
    for depth, status in ((60, 200), (70, 400), (3_000, 400)):
        body = '{"operations": [' + "[" * depth + "]" * depth + "]}"
        client = shop.client_of(shop.driver)
        assert client.post("/api/sync/push/", body, content_type="application/json").status_code == status
    assert SyncConflict.objects.count() == 1
    assert json.loads(SyncConflict.objects.get().payload)
