"""The audit log: complete, scoped, append-only."""

import ast
from datetime import datetime
from pathlib import Path

import pytest
import time_machine

from audit.models import AuditLog
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from foundation.ledger.models import LedgerWriteRefused
from tests.architecture.trees import calls, commands, sources
from tests.conftest import ClientOf, Shop
from tests.factories import DepotFactory, DriverFactory, UserFactory

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent

SILENT = {
    # A refresh goes on with a session whose start and end are recorded.
    "accounts/services/sessions.py:rotate_tokens",
    # What becomes of the attempt is recorded.
    "invoices/services/emails.py:claim_email",
    # A counter that has counted nothing yet; each number is accounted for by its ticket.
    "sequences/services.py:_open_counter",
    # The seal is evidence itself.
    "audit/seals.py:seal_next_batch",
    # What changed is recorded where it changed; this numbers it for the apps.
    "sync/feed.py:_number_some",
    # Who spoke and which numbers came says what was sent, not what was done; each operation leaves its own record.
    "sync/devices.py:hear_of",
    "sync/devices.py:note_numbers",
    # What it waits for is the reason of its refusal, which is recorded.
    "sync/services.py:wait_for",
    # The load's own command, inside it, leaves the record.
    "sync/operations.py:_confirm",
    # The void and the sale that it consists of leave theirs, with the reason.
    "transactions/services/billing_again.py:bill_again",
}


def test_every_command_leaves_its_evidence() -> None:
    """Each function under ``@command`` calls ``record`` or a helper of its module that does."""
    assert {f"{path}:{name}" for path, tree in sources().items() for name in silent_commands(tree)} == SILENT
    # Called by other modules, which trust it.
    settling = sources()["payments/services/allocations.py"]
    [node] = [node for node in settling.body if isinstance(node, ast.FunctionDef) and node.name == "record_settling"]
    assert "record" in called_by(node)


def silent_commands(tree: ast.Module) -> list[str]:
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}

    def records(name: str, seen: frozenset[str] = frozenset()) -> bool:
        called = called_by(functions[name])
        if called & {"record", "create_recorded", "update_recorded", "record_settling"}:
            return True
        helpers = {helper for helper in called & functions.keys() if helper.startswith("_")} - seen
        return any(records(helper, seen | {name}) for helper in helpers - {name})

    return [node.name for node in commands(tree) if not records(node.name)]


def called_by(function: ast.FunctionDef) -> set[str]:
    return {call.func.id for call in calls(function) if isinstance(call.func, ast.Name)}


@pytest.mark.parametrize("body", ["customer.save()", "self.record()", "_save()", "_rename()"])
def test_a_command_without_evidence_is_found(body: str) -> None:
    head = "from foundation.commands import command\ndef _save(): customer.save()\n"
    assert silent_commands(ast.parse(f"{head}@command\ndef _rename(*, actor): {body}")) == ["_rename"]
    assert silent_commands(ast.parse(f"{head}@command\ndef rename(*, actor): {body}; record(actor=actor)")) == []


def test_records_are_never_changed_or_deleted(shop: Shop) -> None:
    row = AuditLog.objects.latest("id")
    for attempt in (
        row.save,
        row.delete,
        lambda: AuditLog.objects.update(action="x"),
        AuditLog.objects.all().delete,
        lambda: AuditLog.objects.bulk_update([row], ["action"]),
    ):
        with pytest.raises(LedgerWriteRefused):
            attempt()


def test_who_reads_whose_records(shop: Shop, client_of: ClientOf) -> None:
    stranger = DriverFactory(depot=DepotFactory())
    shop.count("vehicle", stranger.vehicle_no, 5)
    shop.sell({"type": "SALE"}, by=stranger)
    shop.sell({"type": "SALE"})
    supervisor = client_of(UserFactory(role=Role.SUPERVISOR, depot=shop.depot))
    users = {row["user"] for row in supervisor.get("/api/audit/").json()["results"]}
    assert users == {shop.admin.pk, shop.driver.pk}
    everybody = {row["user"] for row in client_of(shop.admin).get("/api/audit/").json()["results"]}
    assert stranger.pk in everybody


def test_a_supervisor_without_a_depot_reads_nothing(client_of: ClientOf, shop: Shop) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=None)
    # Others without a depot aren't of the same one.
    assert shop.sell({"type": "SALE"}, by=UserFactory(role=Role.DRIVER, depot=None)).status_code == 201
    assert client_of(supervisor).get("/api/audit/").json()["results"] == []


def test_filters(shop: Shop, client_of: ClientOf) -> None:
    sale = shop.sell({"type": "SALE"}).json()["transaction"]
    client = client_of(shop.admin)

    def actions(query: str) -> list[str]:
        return [row["action"] for row in client.get(f"/api/audit/?{query}").json()["results"]]

    assert actions(f"entity_type=transactions.transaction&entity_id={sale['id']}") == ["transactions.sale.recorded"]
    assert actions(f"user={shop.driver.pk}") == ["transactions.sale.recorded"]
    assert set(actions("action=inventory.balance.corrected")) == {"inventory.balance.corrected"}
    assert actions("at_before=2019-01-01T00:00:00Z") == []
    assert len(actions("at_before=2020-02-01T00:00:00Z")) == 2
    assert actions("at_after=2020-02-01T00:00:00Z") == ["transactions.sale.recorded"]


def test_a_period_is_read_newest_first(shop: Shop, client_of: ClientOf) -> None:
    for _ in range(3):
        shop.sell({"type": "SALE"})
    answer = client_of(shop.admin).get("/api/audit/", {"at_after": "2020-01-01T00:00:00Z"}).json()
    moments = [row["at"] for row in answer["results"]]
    assert moments == sorted(moments, reverse=True)
    assert moments[0] > moments[-1]


def test_a_record_says_from_where_and_on_which_singapore_date(shop: Shop, client_of: ClientOf) -> None:
    # In UTC it is still the 19th.
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        client = client_of(shop.admin)
        client.post("/api/depots/", {"code": "NEW", "name": "New"}, REMOTE_ADDR="198.51.100.7", HTTP_X_REQUEST_ID="r-1")
    record = AuditLog.objects.latest("id")
    assert (str(record.date), record.ip_address, record.request_id) == ("2026-01-20", "198.51.100.7", "r-1")
