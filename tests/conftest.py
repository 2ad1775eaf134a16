"""Fixtures that every test may ask for."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from pypdf import PdfWriter
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from accounts.models import LogInAttempt, User
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Role
from foundation.ledger import guards
from foundation.office.models import UploadedTable
from inventory.models import Inventory
from invoices.models import GstRate
from sync.models import Feed
from tests.contract.documented import DocumentedClient
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, EquipmentFactory, UserFactory
from tests.live.templates import templates_folder
from tests.types import Answer, Json


def pytest_configure() -> None:
    """One folder for all workers, named before they are started; the first one to need a template makes it."""
    templates_folder()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On MariaDB without what no engine changes. Those that take longest begin first, so that no worker ends late.

    The tests of an ``xdist_group`` go to one worker: xdist 3.8 names the group where pytest 9.2 doesn't look.
    """
    once = {item for item in items if connection.vendor == "mysql" and item.get_closest_marker("any_engine")}
    config.hook.pytest_deselected(items=once)
    items[:] = sorted((item for item in items if item not in once), key=lambda item: item.path.parent.name not in LONG)
    for item in items:
        with_group = getattr(item, "_nodeid", item.nodeid)
        if with_group != item.nodeid:
            item._id = type(item._id).parse(with_group)


ClientOf = Callable[[User | None], APIClient]
LONG = {"live", "upgrade"}
CHEAP_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _cheap_and_isolated(settings: Settings, tmp_path: Path) -> None:
    """Documents go to a folder of the test's own; hashing passwords is no test's subject."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = CHEAP_HASHERS
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _ledgers_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Around each test with real transactions: its clean-up is a deletion, which the guards refuse.

    They come back with the clean-up, which says "migrated". What migrations filled in is put back before.
    """
    marker = request.node.get_closest_marker("django_db")
    if not (marker and marker.kwargs.get("transaction")):
        yield
        return
    request.getfixturevalue("transactional_db")
    Feed.objects.get_or_create(defaults={"epoch": "tests"})
    for valid_from, rate in import_module("invoices.migrations.0002_gst_rates").RATES:
        GstRate.objects.get_or_create(valid_from=valid_from, defaults={"rate": rate})
    yield
    guards.remove()


@pytest.fixture
def unguarded(request: pytest.FixtureRequest) -> None:
    """Somebody with the rights of the database's owner dropped the triggers. Needs real transactions."""
    request.getfixturevalue("transactional_db")
    guards.remove()


def client_for(user: User | None) -> APIClient:
    """An API client that is logged in as a user (None: not logged in), past the token check."""
    client = DocumentedClient(raise_request_exception=False)
    if user is not None:
        client.force_authenticate(user)
    return client


@pytest.fixture
def client_of() -> ClientOf:
    return client_for


def _blank_page() -> bytes:
    document, content = PdfWriter(), BytesIO()
    document.add_blank_page(595, 842)
    document.write(content)
    return content.getvalue()


_BLANK = _blank_page()


def stub_document(number: str) -> bytes:
    """A PDF that any reader takes; its number stands in a comment behind it."""
    return _BLANK + f"% {number}\n".encode()


def print_stubs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("invoices.services.issuing.render_invoice", lambda snapshot: stub_document(snapshot.number))


@pytest.fixture
def stub_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document in no time, where the PDF isn't the test's subject."""
    print_stubs(monkeypatch)


@dataclass
class KeptWorld:
    """Rows that all tests of a module begin with."""

    media: Path

    @contextmanager
    def being_made(self) -> Iterator[None]:
        with (
            override_settings(MEDIA_ROOT=self.media, PASSWORD_HASHERS=CHEAP_HASHERS),
            pytest.MonkeyPatch.context() as patch,
        ):
            print_stubs(patch)
            yield

    def bring_documents(self) -> None:
        """Into this test's folder."""
        shutil.copytree(self.media, settings.MEDIA_ROOT)


@pytest.fixture(scope="module")
def kept_world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KeptWorld]:
    """For a fixture of the same scope: each test sees what it made, in a savepoint, and behind the last one it is gone.

    Not for modules that have tests of real transactions.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield KeptWorld(tmp_path_factory.mktemp("kept") / "media")
        transaction.set_rollback(True)


def fingerprint() -> dict[str, str]:
    """A hash of every table, and the stored documents: equal before and after what changes nothing.

    Free tickets aside: more of them may be printed before a sale is refused, and no number is used by that. And
    foreign tokens, which are noted when they are refused; and what is kept for a while only.
    """
    state = {
        model._meta.label: hashlib.sha256(
            repr(list(model._default_manager.order_by("pk").values_list())).encode()
        ).hexdigest()
        for model in apps.get_models()
        if model._meta.app_label not in ("admin", "sessions", "contenttypes", "sequences", "token_blacklist")
        and model not in (LogInAttempt, UploadedTable)
    }
    media = Path(settings.MEDIA_ROOT)
    return {**state, "documents": ",".join(sorted(str(path) for path in media.rglob("*") if path.is_file()))}


@pytest.fixture
def nothing_changes() -> Callable[[], AbstractContextManager[None]]:
    """``with nothing_changes(): …`` fails if stock, money, numbers, audit or documents did."""

    @contextmanager
    def unchanged() -> Iterator[None]:
        before = fingerprint()
        yield
        assert fingerprint() == before

    return unchanged


OPENED = datetime(2020, 1, 1, tzinfo=clock.SINGAPORE)
"""When the shop counted what it has: what happens before a count was counted already."""


@dataclass
class Shop:
    """A depot with stock, a driver with 20 full cylinders on a vehicle, a customer: what most rules need."""

    depot: Depot
    cylinder: Equipment
    driver: User
    admin: User
    customer: Customer
    client_of: ClientOf

    def sell(self, *items: Json, by: User | None = None, **more: Any) -> Answer:
        """POST a sale; an item without ``equipment`` is of the shop's cylinder."""
        lines = [{"equipment": self.cylinder.pk, "quantity": 1, **item} for item in items]
        body = {"customer": self.customer.pk, **({"items": lines} if lines else {}), **more}
        return self.client_of(by or self.driver).post("/api/transactions/", body)

    def draft(self, *items: Json, by: User | None = None, **more: Any) -> Answer:
        lines = [{"equipment": self.cylinder.pk, "condition": "FULL", "quantity": 1, **item} for item in items]
        body = {"depot": self.depot.pk, "items": lines, **more}
        return self.client_of(by or self.driver).post("/api/distributions/", body)

    def confirm(self, pk: int, by: User | None = None) -> Answer:
        return self.client_of(by or self.driver).post(f"/api/distributions/{pk}/confirm/")

    def count(self, entity: str, entity_id: object, quantity: int, *, by: User | None = None, **more: Any) -> Answer:
        body = {
            "entity": entity,
            "entity_id": entity_id,
            "equipment_id": self.cylinder.pk,
            "condition": "FULL",
            "quantity": quantity,
            "reason": "Counted",
            **more,
        }
        return self.client_of(by or self.admin).post("/api/inventories/update-inventory/", body)

    def sell_at_another_total(self, client_temp_id: str = "shown") -> Json:
        """Push a sale whose phone showed S$ 1.00; answers its result."""
        item = {"equipment": self.cylinder.pk, "type": "SALE", "quantity": 1}
        now = clock.now().isoformat()
        operation = {
            "type": "transaction.create",
            "client_temp_id": client_temp_id,
            "number": 1,
            "occurred_at": now,
            "data": {"customer": self.customer.pk, "items": [item], "based_on": {"total_with_gst": "1.00"}},
        }
        device = {"id": f"phone-{client_temp_id}", "last_number": 1}
        pushed = {"protocol": 2, "sent_at": now, "device": device, "operations": [operation]}
        answer = self.client_of(self.driver).post("/api/sync/push/", pushed)
        assert answer.status_code == 200, answer.json()
        [result] = answer.json()["results"]
        assert result["discrepancies"], result
        made: Json = result
        return made

    def stocked(self, entity: str, entity_id: object, quantity: int, **more: Any) -> None:
        """So many were counted when the shop opened."""
        with time_machine.travel(OPENED):
            assert self.count(entity, entity_id, quantity, **more).status_code == 200

    def stock(self, condition: str = "FULL", equipment: Equipment | None = None, **where: object) -> int:
        """The balance at a location: ``stock(vehicle_no="GBK1234A")``, ``stock(kind="FIELD")``."""
        filters = {f"location__{name}": value for name, value in where.items()}
        row = Inventory.objects.filter(condition=condition, equipment=equipment or self.cylinder, **filters).first()
        return row.quantity if row else 0


def open_shop() -> Shop:
    depot = DepotFactory()
    shop = Shop(
        depot=depot,
        cylinder=EquipmentFactory(),
        driver=DriverFactory(depot=depot),
        admin=UserFactory(role=Role.ADMIN, depot=depot),
        customer=CustomerFactory(),
        client_of=client_for,
    )
    shop.stocked("depot", depot.pk, 100)
    shop.stocked("vehicle", shop.driver.vehicle_no, 20)
    return shop


@pytest.fixture
def shop(stub_pdf: None) -> Shop:
    return open_shop()


def to_confirm(response: Answer) -> list[Json]:
    """What a refusal asks, as the same again confirms it: ``confirm=to_confirm(asked)``."""
    errors = response.json()["errors"]
    assert response.status_code == 409, errors
    assert all(error.get("confirmable") is True for error in errors), errors
    return [{name: error[name] for name in ("code", "attr", "value")} for error in errors]


def post_confirmed(client: APIClient, address: str, body: Json, *, method: str = "post") -> Answer:
    """Send what is unlikely, and confirm each question where there are some."""
    answer: Answer = getattr(client, method)(address, body)
    if answer.status_code != 409:
        return answer
    confirmed: Answer = getattr(client, method)(address, {**body, "confirm": to_confirm(answer)})
    return confirmed


def error_of(response: Answer) -> tuple[int, str, str | None]:
    """(status, code, attr) of a refusal with one error."""
    [error] = response.json()["errors"]
    return response.status_code, error["code"], error["attr"]
