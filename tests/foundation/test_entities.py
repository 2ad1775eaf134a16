"""Names that are kept for good: each model declares its own, and it stays when the class goes elsewhere."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from accounts.models import LogInAttempt
from audit.models import AuditLog
from core.packages import PACKAGES
from depots.models import Depot
from depots.services import update_depot
from equipment.models import Equipment
from foundation import entities
from foundation.changes import Change
from foundation.entities import by_name, entity_name, model_of
from foundation.office.models import UploadedTable
from sync.models import FeedEntry
from tests.factories import DepotFactory, UserFactory

NAMES = {
    "accounts.pastdepot", "fleet.pastvehicledepot", "accounts.user", "discrepancies.discrepancy", "discrepancies.discrepancyseen", "sync.device",
    "sync.pull", "sync.receivednumber", "audit.auditlog", "audit.auditseal", "audit.confirmation", "invoices.emailhold", "core.clientoperation", "core.importedtable", "customers.customer",
    "customers.customerrate", "deposits.depositlot", "deposits.lotmovement", "customers.meterrate", "depots.depot", "distribution.distribution",
    "distribution.distributionitem", "equipment.equipment", "equipment.equipmentprice", "fleet.assignment", "fleet.vehicle",
    "inventory.depotwork", "inventory.vehicletransfer", "inventory.vehicletransferitem",
    "inventory.count", "inventory.countline", "inventory.depotworkitem", "inventory.inventory", "inventory.location", "inventory.reorderlevel",
    "inventory.stockmovement", "invoices.allocation", "invoices.gstrate", "invoices.invoice", "invoices.invoiceemail",
    "invoices.payment", "payments.cashcount", "payments.cashexpense", "periods.gstreturn", "periods.gstreturnpart", "periods.period", "sequences.sequence", "sequences.ticket", "sync.feed", "sync.syncconflict",
    "transactions.depositbalance", "transactions.meterreplacement", "transactions.settlement",
    "transactions.settlementline", "transactions.transaction", "transactions.transactionitem",
}  # fmt: skip
"""What books that are in use refer to. A name may be added; none may go or change."""

NAMELESS = {Change, FeedEntry, LogInAttempt, UploadedTable}
"""Two name other rows, in a column that is called so; the others are deleted within a day."""


def ours() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]


def test_every_name_of_the_books_is_declared() -> None:
    assert {entity_name(model) for model in {*ours()} - NAMELESS} == NAMES
    assert {entity_name(model_of(name)) for name in NAMES} == NAMES


def test_two_models_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(by_name(ours())) == len(NAMES)
    monkeypatch.setattr(Equipment, "entity", "depots.depot")
    with pytest.raises(ImproperlyConfigured, match=r"Depot and Equipment both declare depots\.depot"):
        by_name([Depot, Equipment])


@pytest.mark.parametrize("nameless", [Change, FeedEntry, Change(entity="depots.depot", entity_id=1)])
def test_what_declares_no_name_has_none(nameless: Model | type[Model]) -> None:
    with pytest.raises(TypeError, match="declares no entity"):
        entity_name(nameless)


def test_a_name_that_nobody_declares_is_unknown() -> None:
    with pytest.raises(LookupError):
        model_of("depots.warehouse")


@pytest.fixture
def moved_depot(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The class as it would be where its name is another one than Django's."""
    monkeypatch.setattr(Depot, "entity", "places.depot")
    entities._models.cache_clear()
    yield
    entities._models.cache_clear()


@pytest.mark.django_db
def test_a_record_and_a_note_bear_the_declared_name(moved_depot: None) -> None:
    depot = DepotFactory()
    update_depot(actor=UserFactory(), pk=depot.pk, changes={"name": "Tuas"})
    assert AuditLog.objects.get(action="depots.depot.updated").entity_type == "places.depot"
    assert {note.entity for note in Change.objects.all()} == {"places.depot"}
    assert model_of("places.depot") is Depot
