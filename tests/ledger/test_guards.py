"""The database refuses change and deletion of ledger rows, whoever asks and however."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps as installed_apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from audit import seals
from discrepancies.models import Discrepancy
from fleet.models import Vehicle
from foundation.ledger import guards
from foundation.ledger.models import LedgerModel
from foundation.operations.models import ClientOperation
from invoices.models import Invoice
from tests.conftest import Shop, to_confirm
from tests.factories import (
    CustomerRateFactory,
    DepotFactory,
    DriverFactory,
    MeteredCustomerFactory,
    VehicleFactory,
)

LIFE_CYCLES: dict[str, set[str]] = {
    "core.ClientOperation": {"result_type", "result_id", "refusal", "type", "content"},
    "core.ImportedTable": set(),
    "audit.AuditLog": set(),
    "audit.Confirmation": set(),
    "audit.AuditSeal": set(),
    "equipment.EquipmentPrice": set(),
    "fleet.Assignment": set(),
    "accounts.PastDepot": set(),
    "fleet.PastVehicleDepot": set(),
    "discrepancies.Discrepancy": set(),
    "discrepancies.DiscrepancySeen": set(),
    "sync.ReceivedNumber": set(),
    "customers.MeterRate": set(),
    "customers.CustomerRate": set(),
    "inventory.StockMovement": {"ordered_at"},
    "inventory.Count": {"status", "decided_by", "decided_at", "decision_remarks", "ordered_at"},
    "inventory.CountLine": {"expected"},
    "inventory.DepotWork": set(),
    "inventory.DepotWorkItem": set(),
    "inventory.VehicleTransfer": set(),
    "inventory.VehicleTransferItem": set(),
    "distribution.Distribution": {"status", "confirmed_at", "confirmed_by", "cancelled_at"},
    "distribution.DistributionItem": set(),
    "invoices.EmailHold": {"released_at", "released_by", "remarks"},
    "invoices.GstRate": set(),
    "invoices.Invoice": {
        "status",
        "printed_at",
        "emailed_at",
        "paid_at",
        "settled_amount",
        "settled_on",
        "credited_amount",
        "voided_on",
    },
    "invoices.InvoiceEmail": {"status", "attempts", "next_try_at", "lease_until", "last_error", "sent_at"},
    "invoices.Payment": {"allocated_amount", "used_up_on", "cash_count", "ordered_at", "banked_on", "bounced_on"},
    "payments.CashCount": {"status", "decided_by", "decided_at", "decision_remarks", "ordered_at"},
    "payments.CashExpense": {"cash_count", "ordered_at"},
    "periods.Period": set(),
    "periods.GstReturn": set(),
    "periods.GstReturnPart": set(),
    "invoices.Allocation": set(),
    "deposits.LotMovement": set(),
    "transactions.Transaction": set(),
    "transactions.TransactionItem": set(),
    "transactions.MeterReplacement": set(),
    "transactions.Settlement": {"status", "decided_by", "decided_at", "decision_remarks"},
    "transactions.SettlementLine": set(),
    "sync.SyncConflict": {
        "status",
        "settled_at",
        "settled_by",
        "reason",
        "result_type",
        "result_id",
        "waits_for",
        "withdrawn_at",
        "withdrawn_because",
    },
}
"""Every ledger, and the columns of it that may change."""
LEDGERS: list[type[LedgerModel]] = [installed_apps.get_model(label) for label in LIFE_CYCLES]
PLAIN = [model for model in LEDGERS if not LIFE_CYCLES[model._meta.label]]
quote = connection.ops.quote_name
BYTES = "BINARY" if connection.vendor == "mysql" else ""
"""Before an operand: compare as bytes, where the collation takes 'a' for 'A'."""


def column_of(field: models.Field[Any, Any]) -> str:
    assert field.column
    return quote(field.column)


@pytest.fixture
def rows(shop: Shop) -> None:
    """A row in every ledger."""
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, valid_from=date(2026, 1, 1))
    load = shop.draft({"direction": "OUT"}).json()
    assert shop.confirm(load["id"]).status_code == 200
    assert shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, client_temp_id="a").status_code == 201
    admin = shop.client_of(shop.admin)
    metered = MeteredCustomerFactory()
    assert admin.patch(f"/api/customers/{metered.pk}/", {"meter_rate": "2.5000"}).status_code == 200
    assert admin.patch(f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "70.00"}).status_code == 200
    moved = {"depot": DepotFactory().pk}
    assert admin.patch(f"/api/accounts/users/{DriverFactory().pk}/", moved).status_code == 200
    assert admin.patch(f"/api/vehicles/{VehicleFactory().pk}/", moved).status_code == 200
    assert (
        shop.client_of(shop.driver).post("/api/sync/push/", {"operations": ["x", {"client_temp_id": "b"}]}).status_code
        == 200
    )
    sale = shop.sell({"type": "SALE"}).json()
    driver = shop.client_of(shop.driver)
    assert driver.post(f"/api/invoices/{sale['invoice']['id']}/pay/", {"reference": "r"}).status_code == 200
    assert driver.post(f"/api/invoices/{sale['invoice']['id']}/email/", {"to": "a@example.sg"}).status_code == 202
    new_meter = {"final_reading": "1210.00", "new_meter_number": "new", "first_reading": "0.00", "reason": "old"}
    assert admin.post(f"/api/customers/{metered.pk}/replace-meter/", new_meter).status_code == 201
    many = {"type": "REFILL", "quantity": 51}
    assert shop.sell(many, confirm=to_confirm(shop.sell(many))).status_code == 201
    shop.sell_at_another_total()
    noted = Discrepancy.objects.get()
    assert admin.post(f"/api/discrepancies/{noted.pk}/seen/", {}).status_code == 200
    counts = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 3}]
    work = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": counts}
    assert admin.post("/api/depot-work/", work).status_code == 201
    given = {"to_vehicle": VehicleFactory().number, "items": [{**counts[0], "quantity": 1}]}
    vehicle = Vehicle.objects.get(number=shop.driver.vehicle_no)
    assert driver.post(f"/api/vehicles/{vehicle.pk}/transfer/", given).status_code == 201
    assert driver.post("/api/expenses/", {"amount": "1.00", "reason": "Parking"}).status_code == 201
    assert driver.post("/api/settlements/", {"cash": "1.00", "counts": counts}).status_code == 201
    assert admin.post("/api/periods/", {"ends_on": "2025-12-31"}).status_code == 201
    quarter = {"form": "F5", "starts_on": "2025-10-01", "ends_on": "2025-12-31"}
    assert admin.post("/api/gst-returns/", quarter).status_code == 201
    call_command("import_data", "customers", _table(shop), "--user", shop.admin.username, "--commit", verbosity=0)
    seals.seal_next_batch(through=10**9)


def _table(shop: Shop) -> Path:
    path = Path(settings.MEDIA_ROOT) / "customers.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("name\nNew Stall\n", encoding="utf-8")
    return path


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def delete_checked(table: str, pk: int) -> None:
    with transaction.atomic():
        run(f"DELETE FROM {table} WHERE id = {pk}")
        connection.check_constraints()  # SQLite checks references at the commit


def contents(model: type[models.Model]) -> list[Any]:
    return list(model._base_manager.order_by("pk").values_list())


def refused(model: type[models.Model], sql: str) -> None:
    before = contents(model)
    assert before, model
    with pytest.raises(DatabaseError, match=f"{model._meta.db_table} is append-only"):
        run(sql)
    assert contents(model) == before, sql


def another_value(field: Any) -> str:
    """SQL for a value that differs from the column's, for some columns in the case of its letters alone."""
    column = quote(field.column)
    match field.get_internal_type():
        case "JSONField":
            return "JSON_OBJECT('other', 1)"
        case "CharField" | "TextField" | "GenericIPAddressField":
            return f"CASE WHEN {BYTES} {column} <> UPPER({column}) THEN UPPER({column}) ELSE 'x' END"
        case "BinaryField":
            return "X'00'"
        case "DateField" | "DateTimeField":
            return "'2020-01-01 00:00:00'"
        case "BooleanField":
            return f"1 - {column}"
        case _:
            return f"COALESCE({column}, 0) + 1"


def statements(table: str) -> list[str]:
    """The ways to change or delete rows of ``table``, the unusual ones too."""
    common = [
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE id = (SELECT least FROM (SELECT MIN(id) AS least FROM {table}) AS some)",
        f"REPLACE INTO {table} SELECT * FROM {table}",
    ]
    if connection.vendor == "mysql":
        return [
            *common,
            f"UPDATE IGNORE {table} SET id = id + 1000",
            f"DELETE IGNORE FROM {table}",
            f"INSERT INTO {table} SELECT * FROM (SELECT * FROM {table}) AS some ON DUPLICATE KEY UPDATE {table}.id = {table}.id + 1000",
            f"UPDATE {table} JOIN django_migrations m ON m.id = 1 SET {table}.id = {table}.id + 1000",
            f"DELETE {table} FROM {table} JOIN django_migrations m ON m.id = 1",
            f"SET STATEMENT foreign_key_checks = 0 FOR DELETE FROM {table}"
            if connection.display_name == "MariaDB"
            else f"DELETE /*+ SET_VAR(foreign_key_checks = 0) */ FROM {table}",
        ]
    return [
        *common,
        f"UPDATE OR IGNORE {table} SET id = id + 1000",
        f"UPDATE OR REPLACE {table} SET id = id + 1",
        f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT (id) DO UPDATE SET id = id + 1000",
        f"UPDATE {table} SET id = {table}.id + 1000 FROM django_migrations m WHERE m.id = 1",
    ]


def test_what_is_a_ledger_and_what_of_it_may_change() -> None:
    assert {model._meta.label: {*model.life_cycle} for model in guards.ledger_models()} == LIFE_CYCLES


@pytest.mark.django_db
@pytest.mark.usefixtures("rows")
class TestRefusals:
    def test_no_frozen_column_changes(self) -> None:
        for model in LEDGERS:
            table = quote(model._meta.db_table)
            for field in model._meta.concrete_fields:
                if field.name not in LIFE_CYCLES[model._meta.label]:
                    refused(model, f"UPDATE {table} SET {column_of(field)} = {another_value(field)}")

    def test_no_statement_finds_a_way_round(self) -> None:
        for model in LEDGERS:
            for sql in statements(quote(model._meta.db_table)):
                refused(model, sql)

    def test_a_whole_ledger_refuses_even_what_changes_nothing(self) -> None:
        for model in PLAIN:
            refused(model, f"UPDATE {quote(model._meta.db_table)} SET id = id")

    def test_a_parent_can_not_take_its_ledger_rows_along(self, shop: Shop) -> None:
        for table, pk in (("customers_customer", shop.customer.pk), ("accounts_user", shop.driver.pk)):
            with pytest.raises(DatabaseError):
                delete_checked(table, pk)
        assert Invoice.objects.exists()

    def test_a_replaced_row_under_another_key_is_refused_too(self) -> None:
        """A REPLACE by the second unique key would delete the row as well."""
        columns = [column_of(field) for field in ClientOperation._meta.concrete_fields]
        values = ", ".join("id + 1000" if column == quote("id") else column for column in columns)
        refused(
            ClientOperation,
            f"REPLACE INTO core_clientoperation ({', '.join(columns)}) SELECT {values} FROM core_clientoperation",
        )

    def test_life_cycle_columns_change(self) -> None:
        run(
            "UPDATE invoices_invoice SET status = 'paid', paid_at = '2026-01-20 10:00:00', emailed_at = '2026-01-20 10:00:00'"
        )
        run("UPDATE distribution_distribution SET status = 'CANCELLED', cancelled_at = '2026-01-20 10:00:00'")
        assert set(Invoice.objects.values_list("status", flat=True)) == {"paid"}


@pytest.mark.django_db(transaction=True)
class TestInventoryOfGuards:
    def test_all_are_there_after_migrating(self) -> None:
        assert guards.missing() == []

    def test_a_dropped_and_a_weakened_one_are_named_and_put_back(self) -> None:
        names = ("ledger_audit_auditlog_delete", "ledger_invoices_invoice_update")
        for name in names:
            run(f"DROP TRIGGER {name}")
        if connection.vendor == "mysql":
            run(f"CREATE TRIGGER {names[1]} BEFORE UPDATE ON invoices_invoice FOR EACH ROW SET @x = 1")
        else:
            run(f"CREATE TRIGGER {names[1]} BEFORE UPDATE ON invoices_invoice BEGIN SELECT 1; END")
        assert sorted(guards.missing()) == sorted(names)
        call_command("migrate", verbosity=0)
        assert guards.missing() == []

    def test_they_go_and_come_with_their_migration(self) -> None:
        call_command("migrate", "core", "0001", verbosity=0)
        assert len(guards.missing()) == len(list(guards._wanted(installed_apps, connection)))
        call_command("migrate", verbosity=0)
        assert guards.missing() == []

    def test_a_rebuilt_table_gets_them_back(self) -> None:
        """SQLite rebuilds a table to alter a column and drops its triggers; the next migrate restores them."""
        with connection.schema_editor() as editor:
            field = Invoice._meta.get_field("pdf_path")
            wider = models.CharField(max_length=300, unique=True)
            wider.set_attributes_from_name("pdf_path")
            wider.model = Invoice
            editor.alter_field(Invoice, field, wider)
            editor.alter_field(Invoice, wider, field)
        call_command("migrate", verbosity=0)
        assert guards.missing() == []
