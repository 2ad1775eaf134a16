"""Spreadsheets of master data: by the command and in the office."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from openpyxl import Workbook

from audit.models import AuditLog
from customers.models import Customer, CustomerRate
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Role
from foundation.office import imports as office_imports
from foundation.office.models import UploadedTable
from foundation.spreadsheets import importing
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import CustomerRateFactory, EquipmentFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Unchanged

pytestmark = pytest.mark.django_db

Told = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, shop: Shop) -> Told:
    """Runs the command on a CSV, and gives what it said."""

    def run(table: str, text: str, *arguments: str, user: str = "", name: str = "table.csv") -> list[str]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        actor = user or shop.admin.username
        try:
            call_command("import_data", table, path, "--user", actor, *arguments, stdout=out, stderr=err)
        except CommandError as error:
            err.write(str(error))
        return [*err.getvalue().splitlines(), *out.getvalue().splitlines()]

    return run


NEW = "name,postal_code,payment_terms_days,meter_rate,last_meter_reading,email_invoices\nAh Hock,018956,30,2.15,100.5,yes\n"


def test_a_trial_run_tells_what_would_happen_and_keeps_nothing(told: Told, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        assert told("customers", NEW) == ["A trial run: 1 new, 0 changed, 0 as they were. Nothing was kept."]


def test_customers_are_added_with_evidence_and_a_code(told: Told, shop: Shop) -> None:
    assert told("customers", NEW, "--commit") == ["Imported: 1 new, 0 changed, 0 as they were."]
    new = Customer.objects.latest("id")
    assert (new.name, new.postal_code, new.payment_terms_days, str(new.meter_rate)) == (
        "Ah Hock",
        "018956",
        30,
        "2.1500",
    )
    assert (str(new.last_meter_reading), new.email_invoices) == ("100.50", True)
    assert new.customer_code.startswith("CUS-")
    record = AuditLog.objects.latest("id")
    assert (record.action, record.user, record.entity_id) == ("customers.customer.created", shop.admin, new.pk)


def test_a_known_code_changes_that_customer_and_an_empty_cell_nothing(told: Told, shop: Shop) -> None:
    Customer.objects.filter(pk=shop.customer.pk).update(phone="6123")
    table = f"customer_code,name,phone\n{shop.customer.customer_code},Renamed,\n"
    assert told("customers", table, "--commit") == ["Imported: 0 new, 1 changed, 0 as they were."]
    shop.customer.refresh_from_db()
    assert (shop.customer.name, shop.customer.phone, shop.customer.version) == ("Renamed", "6123", 2)
    assert told("customers", table, "--commit") == ["Imported: 0 new, 0 changed, 1 as they were."]
    shop.customer.refresh_from_db()
    assert shop.customer.version == 2


def test_a_table_adds_its_rows_once(told: Told, nothing_changes: Unchanged) -> None:
    """They have no key that would tell a second time from others of that name."""
    told("customers", NEW, "--commit")
    head, row = NEW.splitlines()
    columns = [[cells[number] for cells in (head.split(","), row.split(","))] for number in (5, 0, 1, 2, 3, 4)]
    turned = "\n".join(",".join(column[line] for column in columns) for line in (0, 1))
    with nothing_changes():
        for again in (NEW, f"{NEW},,,,,\n", NEW.replace("Ah Hock", " Ah Hock "), turned):
            for trial in ((), ("--commit",)):
                [said, _] = told("customers", again, *trial)
                assert said.startswith("This very table was imported already, by "), again
    other = f"{NEW}Ah Hock,018956,30,2.15,100.5,yes\n".replace("Ah Hock", "Another", 1)
    assert told("customers", other, "--commit") == ["Imported: 2 new, 0 changed, 0 as they were."]


def test_a_table_that_adds_nothing_is_imported_as_often_as_one_likes(told: Told, shop: Shop) -> None:
    table = f"customer_code,name\n{shop.customer.customer_code},As it was\n"
    assert told("customers", table, "--commit") == ["Imported: 0 new, 1 changed, 0 as they were."]
    shop.client_of(shop.admin).patch(f"/api/customers/{shop.customer.pk}/", {"name": "Changed since"})
    assert told("customers", table, "--commit") == ["Imported: 0 new, 1 changed, 0 as they were."]


def test_each_bad_cell_is_named_and_nothing_is_imported(told: Told, nothing_changes: Unchanged) -> None:
    table = "sku,name,equipment_type,default_rate\nOK-1,Fine,CYLINDER,12.00\n,No SKU,CYLINDER,1e3\nOK-2,,TANK,-1\n"
    with nothing_changes():
        assert told("equipment", table, "--commit") == [
            "line 3, sku: This field is required.",
            "line 3, default_rate: A valid number is required. ('1e3')",
            "line 4, name: This field is required.",
            "line 4, equipment_type: Not a valid choice: one of CYLINDER, METER, REGULATOR. ('TANK')",
            "line 4, default_rate: Ensure this value is greater than or equal to 0. ('-1')",
            "5 to be put right. Nothing was imported.",
        ]


def test_equipment_is_added_and_priced(told: Told) -> None:
    known = EquipmentFactory(default_rate="20.00")
    table = f"SKU,Name,Equipment type,Default rate\n{known.sku},{known.name},CYLINDER,21.00\nNEW-1,New,METER,\n"
    assert told("equipment", table, "--commit") == ["Imported: 1 new, 1 changed, 0 as they were."]
    known.refresh_from_db()
    assert str(known.default_rate) == "21.00"
    assert Equipment.objects.get(sku="NEW-1").default_rate is None


def test_rates_are_agreed_once(told: Told, shop: Shop) -> None:
    code, sku = shop.customer.customer_code, shop.cylinder.sku
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="25.00", valid_from="2026-01-01")
    head = "customer_code,sku,valid_from,rate\n"
    same = f"{head}{code},{sku},2026-01-01,25.00\n{code},{sku},2026-02-01,26.00\n"
    assert told("rates", same, "--commit") == ["Imported: 1 new, 0 changed, 1 as they were."]
    assert CustomerRate.objects.filter(customer=shop.customer).count() == 2
    other = f"{head}{code},{sku},2026-01-01,24.00\n{code},NO-SUCH,2026-03-01,1\nNOBODY,{sku},01/03/2026,1.234\n"
    assert told("rates", other, "--commit") == [
        "line 2, rate: Another rate was agreed on from this date on. One that was wrong is superseded by hand. ('24.00')",
        "line 3, sku: Object with sku=NO-SUCH does not exist. ('NO-SUCH')",
        "line 4, customer_code: Object with customer_code=NOBODY does not exist. ('NOBODY')",
        "line 4, valid_from: Date has wrong format. Use one of these formats instead: YYYY-MM-DD. ('01/03/2026')",
        "line 4, rate: Ensure that there are no more than 2 decimal places. ('1.234')",
        "5 to be put right. Nothing was imported.",
    ]


def test_the_meter_of_a_known_customer_keeps_its_reading(told: Told, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory()
    same = f"customer_code,last_meter_reading\n{metered.customer_code},{metered.last_meter_reading}\n"
    assert told("customers", same, "--commit") == ["Imported: 0 new, 0 changed, 1 as they were."]
    with nothing_changes():
        said = told("customers", f"customer_code,last_meter_reading\n{metered.customer_code},1\n", "--commit")
    assert said[0] == "line 2, last_meter_reading: Only sales move the reading of a customer's meter. ('1')"


def test_what_stands_twice_is_refused(told: Told, nothing_changes: Unchanged) -> None:
    table = "sku,name,equipment_type\nTWICE,One,CYLINDER\ntwice,Other,CYLINDER\n"
    with nothing_changes():
        assert told("equipment", table, "--commit")[0] == "line 3, sku: Line 2 has the same. ('twice')"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("t.csv", "sku,nonsense\nA,1\n", "Unknown columns: nonsense. Known are: sku, name"),
        ("t.csv", "name\nA\n", "Missing columns: sku."),
        ("t.csv", "sku,SKU\nA,B\n", "A column is there twice."),
        ("t.xlsx", "no workbook", "The file can't be read as XLSX"),
        ("t.pdf", "x", "The file has to be a .csv or an .xlsx."),
    ],
)
def test_a_file_of_another_kind_is_refused(
    told: Told, nothing_changes: Unchanged, name: str, text: str, problem: str
) -> None:
    with nothing_changes():
        assert told("equipment", text, "--commit", name=name)[0].startswith(problem)


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_UNPACKED_BYTES", 1_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 1_001)
    assert len(packed.getvalue()) < 1_000
    with pytest.raises(importing.Unreadable, match="too large"):
        importing.read_table("t.xlsx", packed.getvalue())


def test_only_who_manages_master_data_may_import(told: Told, shop: Shop, nothing_changes: Unchanged) -> None:
    for name in (shop.driver.username, "nobody"):
        with nothing_changes():
            assert told("customers", NEW, "--commit", user=name) == [f"{name} isn't a user who may change master data."]


def test_a_workbook_says_the_same_as_a_csv(tmp_path: Path, shop: Shop) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["sku", "name", "equipment_type", "weight_kg", "default_rate", "is_active", None])
    sheet.append(["X-1", 2026, "CYLINDER", 12.7, 36.5, True])
    sheet.append([None] * 6 + [" "])
    book.save(tmp_path / "table.xlsx")
    out = io.StringIO()
    arguments = ("equipment", tmp_path / "table.xlsx", "--user", shop.admin.username, "--commit")
    call_command("import_data", *arguments, stdout=out)
    assert out.getvalue() == "Imported: 1 new, 0 changed, 1 as they were.\n"  # the empty line
    new = Equipment.objects.get(sku="X-1")
    assert (new.name, str(new.weight_kg), str(new.default_rate)) == ("2026", "12.70", "36.50")


def test_a_rate_that_was_superseded_is_no_more_the_one_that_was_agreed(told: Told, shop: Shop) -> None:
    for rate in ("25.00", "24.00"):
        CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate=rate, valid_from="2026-01-01")
    head, line = "customer_code,sku,valid_from,rate\n", f"{shop.customer.customer_code},{shop.cylinder.sku},2026-01-01"
    assert told("rates", f"{head}{line},24.00\n", "--commit") == ["Imported: 0 new, 0 changed, 1 as they were."]
    [refused, *_] = told("rates", f"{head}{line},25.00\n", "--commit")
    assert refused.startswith("line 2, rate: Another rate was agreed on")


def test_a_date_of_a_workbook_is_a_day(tmp_path: Path, shop: Shop) -> None:
    """A sheet has no dates, only times: that of a day is its midnight."""
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["customer_code", "sku", "valid_from", "rate"])
    sheet.append([shop.customer.customer_code, shop.cylinder.sku, date(2026, 3, 1), 25.5])
    book.save(tmp_path / "table.xlsx")
    out = io.StringIO()
    arguments = ("rates", tmp_path / "table.xlsx", "--user", shop.admin.username, "--commit")
    call_command("import_data", *arguments, stdout=out)
    assert out.getvalue() == "Imported: 1 new, 0 changed, 0 as they were.\n"
    agreed = CustomerRate.objects.get()
    assert (agreed.valid_from, str(agreed.rate)) == (date(2026, 3, 1), "25.50")


# --- In the office ---------------------------------------------------------------------------------


def uploaded(client: Client, label: str, text: str, name: str = "table.csv") -> Answer:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(url(label, "import"), {"import_file": file, "resource": "0", "format": ""})


def test_the_office_imports_in_two_steps(shop: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(shop.admin)
    assert url("customers.customer", "import") in client.get(url("customers.customer")).content.decode()
    with nothing_changes():
        trial = uploaded(client, "customers.customer", NEW)
    assert "Ah Hock" in trial.content.decode()
    confirm = trial.context["confirm_form"].initial
    response = client.post(url("customers.customer", "process_import"), confirm, follow=True)
    assert messages_of(response) == ["Import finished: 1 new, 0 updated, 0 deleted and 0 skipped customers."]
    new = Customer.objects.latest("id")
    assert (new.name, AuditLog.objects.latest("id").user) == ("Ah Hock", shop.admin)
    again = client.post(url("customers.customer", "process_import"), confirm, follow=True)
    assert messages_of(again) == TOO_LATE


def test_two_confirmations_at_once_import_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    client = logged_in(shop.admin)
    trial = uploaded(client, "customers.customer", NEW)
    confirm = trial.context["confirm_form"].initial
    importing = office_imports.ImportsTables.process_dataset
    second: list[list[str]] = []

    def with_another_in_the_middle(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not second:
            second.append([])
            second[0] = messages_of(
                logged_in(shop.admin).post(url("customers.customer", "process_import"), confirm, follow=True)
            )
        return importing(self, *args, **kwargs)

    monkeypatch.setattr(office_imports.ImportsTables, "process_dataset", with_another_in_the_middle)
    client.post(url("customers.customer", "process_import"), confirm)
    assert second == [TOO_LATE]
    assert Customer.objects.filter(name="Ah Hock").count() == 1


TOO_LATE = [
    "Nothing was imported now: the file was imported already, or uploaded over an hour ago. Please look at the list "
    "before you upload it again."
]


def test_only_who_uploaded_a_table_imports_it(shop: Shop, nothing_changes: Unchanged) -> None:
    trial = uploaded(logged_in(shop.admin), "customers.customer", NEW)
    confirm = trial.context["confirm_form"].initial
    other = logged_in(UserFactory(role=Role.ADMIN))
    with nothing_changes():
        assert messages_of(other.post(url("customers.customer", "process_import"), confirm, follow=True)) == TOO_LATE
    assert UploadedTable.objects.get().user == shop.admin


def test_an_upload_is_kept_for_an_hour(shop: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(shop.admin)
    trial = uploaded(client, "customers.customer", NEW)
    UploadedTable.objects.update(created_at=clock.now() - timedelta(hours=1))
    confirm = trial.context["confirm_form"].initial
    with nothing_changes():
        assert messages_of(client.post(url("customers.customer", "process_import"), confirm, follow=True)) == TOO_LATE
    uploaded(client, "customers.customer", NEW)
    assert UploadedTable.objects.get().created_at > clock.now() - timedelta(minutes=1)
    call_command("sweep_leftovers")
    assert UploadedTable.objects.exists()
    UploadedTable.objects.update(created_at=clock.now() - timedelta(hours=1))
    call_command("sweep_leftovers")
    assert not UploadedTable.objects.exists()


def test_an_upload_may_have_five_megabytes_of_any_bytes(shop: Shop) -> None:
    content = bytes(range(256)) * (office_imports.MOST_BYTES // 256)
    table = office_imports.UploadedTables(user=shop.admin)
    table.save(content)
    assert office_imports.UploadedTables(user=shop.admin, name=table.name).read() == content


def test_the_office_names_each_bad_cell(shop: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(shop.admin)
    with nothing_changes():
        page = uploaded(client, "equipment.equipment", "sku,name,equipment_type\nA,<b>x</b>,TANK\n")
    assert "confirm_form" not in page.context
    cells = [(cell.line, cell.column, cell.value) for cell in page.context["bad_cells"]]
    assert cells == [(2, "equipment_type", "TANK")]
    assert "Not a valid choice" in page.content.decode()
    rates = uploaded(client, "customers.customerrate", "customer_code,sku,rate\nA,B,1\n")
    assert "Missing columns: valid_from." in rates.content.decode()


def test_what_changed_since_the_trial_run_stops_the_whole_import(shop: Shop) -> None:
    client = logged_in(shop.admin)
    head = "customer_code,sku,valid_from,rate\n"
    line = f"{shop.customer.customer_code},{shop.cylinder.sku}"
    trial = uploaded(client, "customers.customerrate", f"{head}{line},2026-02-01,9\n{line},2026-01-01,8\n")
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="7.00", valid_from="2026-01-01")
    confirm = trial.context["confirm_form"].initial
    response = client.post(url("customers.customerrate", "process_import"), confirm, follow=True)
    assert messages_of(response)[0].startswith("Nothing was imported. Line 3: Another rate was agreed on")
    assert CustomerRate.objects.count() == 1


def test_large_files_go_in_parts(shop: Shop, monkeypatch: pytest.MonkeyPatch, nothing_changes: Unchanged) -> None:
    client = logged_in(shop.admin)
    monkeypatch.setattr(office_imports, "MOST_ROWS", 1)
    with nothing_changes():
        page = uploaded(client, "customers.customer", "name\nA\nB\n")
    assert "in parts" in str(page.context["form"].errors["import_file"])
    monkeypatch.setattr(office_imports, "MOST_BYTES", 5)
    page = uploaded(client, "customers.customer", "name\nA\n")
    assert "more than 5 MB" in str(page.context["form"].errors["import_file"])


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.DEPOT_STAFF])
def test_others_find_no_import_in_the_office(shop: Shop, role: Role, nothing_changes: Unchanged) -> None:
    client = logged_in(UserFactory(role=role, depot=shop.depot))
    assert "/import/" not in client.get(url("customers.customer")).content.decode()
    with nothing_changes():
        assert uploaded(client, "customers.customer", NEW).status_code == 403
        assert client.post(url("customers.customer", "process_import"), {}).status_code == 403
