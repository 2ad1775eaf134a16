"""verify_books says nothing about right books, and names what somebody did to wrong ones."""

import os
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from audit.services import record
from fleet.models import Vehicle
from foundation.access.capabilities import Role
from foundation.money import to_cents
from inventory.models import DepotWork
from invoices.models import Invoice
from reports.verification.figures import is_rounded
from sequences.models import Sequence
from tests.conftest import ClientOf
from tests.factories import (
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
    VehicleFactory,
)
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def books(client_of: ClientOf, stub_pdf: None) -> None:
    """A depot with stock, a confirmed load, a reading of a meter, two sales with another one each."""
    depot, cylinder, customer = DepotFactory(), EquipmentFactory(), MeteredCustomerFactory()
    driver = client_of(DriverFactory(depot=depot))
    admin = client_of(UserFactory(role=Role.ADMIN))
    count = {"entity": "depot", "entity_id": depot.pk, "equipment_id": cylinder.pk, "condition": "FULL"}
    assert (
        admin.post("/api/inventories/update-inventory/", {**count, "quantity": 30, "reason": "Opening"}).status_code
        == 200
    )
    item = {"equipment": cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 10}
    load = driver.post("/api/distributions/", {"depot": depot.pk, "items": [item]}).json()
    assert driver.post(f"/api/distributions/{load['id']}/confirm/").status_code == 200
    assert driver.post("/api/transactions/", {"customer": customer.pk, "current_meter": "1220.00"}).status_code == 201
    for reading in ("1250.55", "1300.10"):
        sale = {
            "customer": customer.pk,
            "current_meter": reading,
            "items": [
                {"equipment": cylinder.pk, "type": "SALE", "quantity": 2},
                {"equipment": cylinder.pk, "type": "DEPOSIT", "quantity": 2},
            ],
        }
        sold = driver.post("/api/transactions/", sale)
        assert sold.status_code == 201
    # A third one, paid and taken back; a payment of the second; a new meter; the day's end.
    spot = {"customer": customer.pk, "payment_received": True, "items": sale["items"]}
    voided = driver.post("/api/transactions/", spot).json()["transaction"]
    assert admin.post(f"/api/transactions/{voided['id']}/void/", {"reason": "x"}).status_code == 201
    assert driver.post(f"/api/invoices/{sold.json()['invoice']['id']}/pay/", {"amount": "10.00"}).status_code == 200
    money = {"customer": customer.pk, "method": "CHEQUE", "amount": "7.00"}
    cheque = admin.post("/api/payments/", money).json()
    assert admin.post(f"/api/payments/{cheque['id']}/reverse/", {"reason": "x"}).status_code == 201
    meter = {"final_reading": "1300.10", "new_meter_number": "M2", "first_reading": "5.00"}
    assert admin.post(f"/api/customers/{customer.pk}/replace-meter/", meter).status_code == 201
    parking = [{"amount": "4.00", "reason": "Parking", "reference": reference} for reference in ("R-1", "R-2")]
    spent = [driver.post("/api/expenses/", each).json()["id"] for each in parking]
    assert admin.post(f"/api/expenses/{spent[0]}/reverse/", {"reason": "x"}).status_code == 201
    counts = [{"equipment": cylinder.pk, "condition": "FULL", "quantity": 5}]
    count_of_day = driver.post("/api/settlements/", {"cash": "10.00", "counts": counts}).json()
    assert admin.post(f"/api/settlements/{count_of_day['id']}/sign-off/", {}).status_code == 200
    # Three pieces bought, of which one is missed when the depot is counted; money that nothing was bought for yet.
    bought = {"equipment": cylinder.pk, "condition": "FULL", "quantity": 3}
    work = {"kind": "GOODS_IN", "depot": depot.pk, "reason": "Bought", "items": [bought]}
    assert admin.post("/api/depot-work/", work).status_code == 201
    take = {"depot": depot.pk, "reason": "Year's end", "items": [{**bought, "quantity": 22}]}
    assert admin.post("/api/depot-work/stock-take/", take).status_code == 201
    assert admin.post("/api/payments/", {**money, "amount": "3.00", "allocations": []}).status_code == 201
    unused = admin.post("/api/payments/", {**money, "amount": "2.00", "allocations": []}).json()
    assert admin.post(f"/api/payments/{unused['id']}/reverse/", {"reason": "x"}).status_code == 201
    # One comes back, and its deposit with it.
    back = {"customer": customer.pk, "items": [{"equipment": cylinder.pk, "type": "RETURN", "quantity": 1}]}
    assert driver.post("/api/transactions/", back).status_code == 201
    # The empty one goes to another vehicle.
    piece = {"equipment": cylinder.pk, "condition": "EMPTY", "quantity": 1}
    vehicle, other = Vehicle.objects.get(), VehicleFactory()
    given = {"to_vehicle": other.number, "items": [piece]}
    assert driver.post(f"/api/vehicles/{vehicle.pk}/transfer/", given).status_code == 201
    assert admin.post("/api/periods/", {"ends_on": "2025-12-31"}).status_code == 201
    quarter = {"form": "F5", "starts_on": "2025-10-01", "ends_on": "2025-12-31"}
    assert admin.post("/api/gst-returns/", quarter).status_code == 201
    # The vehicle and the bag are counted once more, each by itself; nothing is missing.
    for counted, found in (("vehicle-counts", {"counts": counts}), ("cash-counts", {"cash": "0.00"})):
        pk = driver.post(f"/api/{counted}/", found).json()["id"]
        assert admin.post(f"/api/{counted}/{pk}/sign-off/").status_code == 200


def verify() -> str:
    out = StringIO()
    try:
        call_command("verify_books", stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def unchecked(statement: str) -> Callable[[], None]:
    """As somebody does who drops the table's constraints first."""
    pragma = (
        "PRAGMA ignore_check_constraints = {}" if connection.vendor == "sqlite" else "SET check_constraint_checks = {}"
    )

    def run() -> None:
        sql(pragma.format(int(connection.vendor == "sqlite")))()
        try:
            sql(statement)()
        finally:
            sql(pragma.format(int(connection.vendor != "sqlite")))()

    return run


TAKEN_BACK = (
    "SELECT pk FROM (SELECT reverses_id AS pk FROM inventory_stockmovement WHERE reverses_id IS NOT NULL) AS voided"
)


def void_a_free_number() -> None:
    """And print another one, so that there are as many as the counter says."""
    counter = Sequence.objects.get(prefix="TRX")
    with transaction.atomic():
        record(actor=None, action="sequences.number.voided", target=counter, after={"number": 8, "document": "TRX"})
    sql("UPDATE sequences_sequence SET last_number = last_number + 1 WHERE prefix = 'TRX'")()


def says(name: str) -> tuple[Callable[[], None], str]:
    """A document that says something else than the row."""
    statement = f'UPDATE invoices_invoice SET snapshot = replace(snapshot, \'"{name}": "\', \'"{name}": "9\')'
    return sql(statement), "says something else"


def files() -> list[Path]:
    return sorted(Path(django_settings.MEDIA_ROOT).rglob("*.pdf"))


def alter_document() -> None:
    files()[0].write_bytes(b"%PDF-1.7 something else")


def add_orphan() -> None:

    orphan = files()[0].with_name("INV-20260101-000009-0123456789abcdef.pdf")
    orphan.write_bytes(b"%PDF-1.7")
    os.utime(orphan, (0, 0))


def test_right_books_verify() -> None:
    assert "The books verify: " in verify()


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (sql("UPDATE inventory_inventory SET quantity = quantity + 1 WHERE may_be_negative = 0"), "balance 6, movements 5"),
        (sql(f"DELETE FROM inventory_stockmovement WHERE kind = 'SALE' AND id NOT IN ({TAKEN_BACK})"), "balance 5, movements 9"),
        (sql("UPDATE inventory_stockmovement SET quantity = quantity + 1 WHERE kind = 'SALE'"), "says 2 of equipment"),
        (sql("UPDATE inventory_stockmovement SET cause_id = cause_id + 1 WHERE kind = 'SALE'"), "0 were moved"),
        (sql("UPDATE distribution_distribution SET status = 'DRAFT'"), "says 0 of equipment"),
        (sql("UPDATE transactions_transactionitem SET type = 'SWAP' WHERE type = 'SALE'"), "says 4 of equipment"),
        (sql("UPDATE inventory_inventory SET quantity = quantity + 1 WHERE may_be_negative = 1"), "together hold 2"),
        (sql("UPDATE inventory_inventory SET quantity = -3, may_be_negative = 1 WHERE may_be_negative = 0"), ": -3"),
        (unchecked("UPDATE inventory_inventory SET quantity = -3 WHERE may_be_negative = 0"), ": -3"),
        (sql("UPDATE inventory_inventory SET may_be_negative = 1 WHERE quantity = 22"), ": 22"),
        (sql("DELETE FROM inventory_inventory WHERE quantity = 22"), "no balance, movements 22"),
        (sql("UPDATE inventory_depotworkitem SET quantity = quantity + 1 WHERE expected IS NULL"), "says 4 of equipment"),
        (sql("UPDATE inventory_countline SET quantity = quantity + 1 WHERE quantity = 22"), "lacks 1 of equipment"),
        (sql("UPDATE inventory_stockmovement SET count_id = NULL WHERE kind = 'STOCK_TAKE'"), "says 0 of equipment"),
        (sql("UPDATE inventory_stockmovement SET ordered_at = '2020-01-01' WHERE kind = 'GOODS_IN'"), "lacks -3 of equipment"),
        (sql("UPDATE invoices_payment SET cash_count_id = NULL"), "and not handed in with it"),
        (sql("UPDATE invoices_payment SET ordered_at = '2099-01-01' WHERE cash_count_id IS NOT NULL"), "and taken afterwards"),
        (sql("UPDATE payments_cashexpense SET cash_count_id = NULL"), ", and not handed in with it"),
        (sql("UPDATE payments_cashexpense SET ordered_at = '2099-01-01'"), ", and taken afterwards"),
        (sql("UPDATE payments_cashexpense SET amount = amount - 1 WHERE reverses_id IS NOT NULL"), " reverses another amount"),
        (sql("UPDATE periods_period SET documents = 1"), "were closed with 1 documents of 0.00"),
        (sql("UPDATE periods_period SET received = 5"), "5.00 received, and hold 0 of 0.00 and 0.00"),
        (sql("UPDATE periods_gstreturnpart SET box_1 = 1"), "declared 1.00 and GST 0.00"),
        (sql("UPDATE periods_gstreturn SET box_6 = 2"), "says 0.00 and GST 2.00"),
        (sql("UPDATE inventory_vehicletransferitem SET quantity = quantity + 1"), "says 2 of equipment"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'inventory.vehicle_transfer.recorded'"), "has no inventory.vehicle_transfer.recorded"),
        (sql("UPDATE accounts_user SET vehicle_no = '' WHERE vehicle_no <> ''"), "drives nothing, the assignments say GBK"),
        (sql("UPDATE accounts_user SET vehicle_since = date_joined WHERE vehicle_no <> ''"), "the assignments say GBK"),
        (sql("UPDATE accounts_user SET vehicle_no = 'GBX1A' WHERE vehicle_no = ''"), "drives GBX1A, the assignments say nothing"),
        (sql("UPDATE fleet_vehicle SET number = 'GBX1A' WHERE number LIKE 'GBV%'"), ", which is no vehicle"),
        (sql("UPDATE transactions_transactionitem SET amount = amount + 1"), "amounts to 58.00"),
        (unchecked("UPDATE transactions_transaction SET total_amount = total_amount + 1"), ": total "),
        (unchecked("UPDATE invoices_invoice SET total_amount = total_amount + 1 WHERE kind = 'TAX_INVOICE'"), ": total "),
        (sql("UPDATE transactions_transactionitem SET quantity = 3, amount = 85.50 WHERE type = 'SALE'"), "lines add up to"),
        (sql("UPDATE transactions_transaction SET current_meter_reading = 1300.11 WHERE current_meter_reading = 1300.10"), "usage 49.55"),
        (sql("UPDATE transactions_transaction SET usage_amount = usage_amount + 1, total_amount = total_amount + 1"), "usage amount"),
        (sql("UPDATE invoices_invoice SET gst_amount = gst_amount + 1, total_amount = total_amount + 1 WHERE kind = 'TAX_INVOICE' AND voided_on IS NULL"), ": GST "),
        (sql("UPDATE invoices_invoice SET subtotal = subtotal + 1, total_amount = total_amount + 1 WHERE kind = 'TAX_INVOICE' AND voided_on IS NULL"), " bills "),
        says("number"),
        says("transaction_number"),
        says("subtotal"),
        says("taxable_amount"),
        says("gst_amount"),
        says("total_amount"),
        (sql("UPDATE invoices_invoice SET snapshot = replace(snapshot, '\"subtotal\"', '\"nothing\"')"), "says something else"),
        (sql("UPDATE customers_customer SET last_meter_reading = 1250.55"), "stands at 1250.55"),
        (sql("UPDATE customers_customer SET last_meter_reading = NULL"), "stands at None"),
        (sql("UPDATE transactions_meterreplacement SET first_reading = 6"), "its last sale read 6"),
        (sql("DELETE FROM transactions_meterreplacement"), "its last sale read 1300.1"),
        (sql("UPDATE invoices_invoice SET taxable_amount = taxable_amount - 1"), "taxable "),
        (sql("UPDATE invoices_invoice SET settled_amount = 11 WHERE settled_amount = 10"), "allocations say 10"),
        (sql("UPDATE invoices_invoice SET settled_on = NULL"), " settled"),
        (sql("UPDATE invoices_invoice SET settled_on = date"), " settled"),
        (sql("UPDATE invoices_invoice SET paid_at = generated_at"), " settled"),
        (sql("UPDATE invoices_allocation SET amount = amount + 1 WHERE amount = 10"), "used, allocations say 11"),
        (sql("UPDATE invoices_payment SET amount = amount - 1 WHERE reverses_id IS NOT NULL"), "reverses another amount"),
        (sql("UPDATE invoices_payment SET used_up_on = NULL"), "used, allocations"),
        (sql("UPDATE invoices_payment SET used_up_on = received_on WHERE amount = 3"), "0.00 of 3.00 used"),
        (sql("UPDATE deposits_depositlot SET pieces = pieces + 1"), ", its movements say "),
        (sql("UPDATE deposits_depositlot SET amount = amount + 1 WHERE pieces > 0"), ", its movements say "),
        (sql("UPDATE deposits_depositlot SET amount = amount + 1 WHERE pieces > 0"), " of deposits held, lines say "),
        (sql("UPDATE deposits_lotmovement SET pieces = pieces + 1 WHERE kind = 'CHARGED'"), ", its movements say "),
        (sql("DELETE FROM inventory_stockmovement WHERE kind = 'VARIANCE'"), "balance 5, movements 6"),
        (sql("UPDATE inventory_stockmovement SET quantity = quantity + 1 WHERE kind = 'REVERSAL'"), "were moved back"),
        (sql("UPDATE sequences_sequence SET last_number = last_number + 1"), "missing ["),
        (sql("DELETE FROM sequences_ticket WHERE number = 7"), "missing [7]"),
        (sql("UPDATE sequences_ticket SET number = 1 WHERE number = 7"), "missing [7], surplus [1]"),
        (void_a_free_number, "surplus [8]"),
        (sql("DELETE FROM sequences_sequence WHERE prefix = 'TRX'"), "there is no counter TRX-"),
        (sql("UPDATE transactions_transaction SET transaction_number = replace(transaction_number, '-000002', '-000050')"), "surplus [50]"),
        (sql("UPDATE transactions_transaction SET transaction_number = replace(transaction_number, '-000002', '-000950')"), "surplus [950]"),
        (sql("UPDATE invoices_invoice SET pdf_path = 'invoices/nowhere.pdf' WHERE invoice_number LIKE 'INV-%-000001'"), "can't be read"),
        (alter_document, "was altered"),
        (add_orphan, "belongs to no invoice"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.sale.recorded'"), "has no transactions.sale.recorded"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.sale.voided'"), "has no transactions.sale.voided"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.meter.replaced'"), "has no transactions.meter.replaced"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.settlement.counted'"), "has no transactions.settlement.counted"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.settlement.signed_off'"), "has no transactions.settlement.signed_off"),
        *(
            (sql(f"DELETE FROM audit_auditlog WHERE action = '{action}'"), f"has no {action}")
            for action in (
                "inventory.count.recorded", "inventory.count.signed_off", "payments.cash_count.recorded",
                "payments.cash_count.signed_off", "payments.expense.recorded", "payments.expense.reversed",
            )
        ),
        (sql("DELETE FROM audit_auditlog WHERE action = 'inventory.depot_work.recorded'"), "has no inventory.depot_work.recorded"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'distribution.created'"), "has no distribution.created"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'invoices.payment.recorded'"), "has no invoices.payment.recorded"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'invoices.payment.reversed'"), "has no invoices.payment.reversed"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'distribution.confirmed'"), "has no distribution.confirmed"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'inventory.balance.corrected'"), "has no inventory.balance.corrected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.usefixtures("unguarded")
def test_tampering_is_named(tamper: Callable[[], None], named: str) -> None:
    tamper()
    said = verify()
    assert named in said
    assert "The books do not verify" in said


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (sql("UPDATE inventory_depotworkitem SET quantity = 3 WHERE quantity = -3"), "says -3 of equipment"),
        (sql("UPDATE inventory_depotworkitem SET quantity = -4 WHERE quantity = -3"), "says 4 of equipment"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'inventory.depot_work.reversed'"), "has no inventory.depot_work.reversed"),
    ],
)  # fmt: skip
def test_tampering_with_reversed_depot_work_is_named(
    client_of: ClientOf, tamper: Callable[[], None], named: str
) -> None:
    work = DepotWork.objects.get(kind="GOODS_IN")
    admin = client_of(User.objects.get(role=Role.ADMIN))
    assert admin.post(f"/api/depot-work/{work.pk}/reverse/", {"reason": "x"}).status_code == 201
    assert named not in verify()
    tamper()
    assert named in verify()


@pytest.mark.usefixtures("unguarded")
def test_a_broken_meter_chain_is_named() -> None:
    QuerySet(Transaction).filter(current_meter_reading=Decimal("1300.10")).update(
        last_meter_reading=Decimal("1250.00"),
        usage=Decimal("50.10"),
        usage_amount=Decimal("107.72"),
        total_amount=F("items_amount") + Decimal("107.72"),
    )
    assert "starts at 1250.00, the reading before was 1250.55" in verify()


@pytest.mark.usefixtures("unguarded")
def test_an_invoice_without_its_sale_is_named() -> None:
    sql("DELETE FROM transactions_transactionitem")()
    sql("DELETE FROM transactions_meterreplacement")()
    sql("DELETE FROM transactions_transaction WHERE reverses_id IS NOT NULL")()
    sql("DELETE FROM transactions_transaction")()
    assert "-000001 bills no transaction" in verify()


@pytest.mark.any_engine
@pytest.mark.usefixtures("unguarded")
def test_a_number_that_no_program_can_read_is_named_and_the_other_checks_go_on() -> None:
    """SQLite writes it where CHECKs are left out; MariaDB has no column for it."""
    sql("PRAGMA ignore_check_constraints = 1")()
    sql("UPDATE deposits_depositlot SET amount = 1e13")()
    alter_document()
    said = verify()
    assert "deposit lot" in said
    assert "has a number that its column doesn't hold" in said
    assert "was altered" in said


def test_it_exits_with_an_error_when_the_books_are_broken() -> None:
    alter_document()
    with pytest.raises(CommandError, match="do not verify"):
        call_command("verify_books", stdout=StringIO())


def test_a_missing_guard_is_named() -> None:
    sql("DROP TRIGGER ledger_inventory_stockmovement_delete")()
    assert "ledger_inventory_stockmovement_delete" in verify()


@given(exact=st.integers(-30_000_000, 30_000_000), off=st.integers(-2, 2))
@example(exact=5_000, off=0)
@example(exact=5_000, off=-1)
@example(exact=-5_000, off=0)
@example(exact=-5_000, off=1)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_rounding_in_sql_is_the_one_rounding(exact: int, off: int) -> None:
    """`to_cents` and its check in SQL agree on every ten-thousandth of a cent, ties and negatives included."""
    right = int(to_cents(Decimal(exact) / 1_000_000) * 100)
    rows = Sequence.objects.annotate(claimed=Value(right + off)).order_by()
    is_right = rows.filter(is_rounded("claimed", Value(exact), 10_000)).exists()
    assert is_right is (off == 0)


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (sql("UPDATE invoices_invoice SET credited_amount = credited_amount - 1 WHERE credited_amount > 30 AND voided_on IS NULL"), "is said to be taken back"),
        (sql("UPDATE invoices_invoice SET credited_amount = 0, voided_on = NULL WHERE voided_on IS NOT NULL"), "is said to be taken back"),
        (sql("UPDATE invoices_invoice SET voided_on = NULL"), "(void since None)"),
        (sql("UPDATE invoices_invoice SET gst_amount = gst_amount - 2, total_amount = total_amount - 2, credited_amount = 0 WHERE corrects_id IS NOT NULL AND kind = 'CREDIT_NOTE'"), "is said to be taken back"),
        (sql("UPDATE transactions_transactionitem SET quantity = quantity - 2 WHERE corrects_id IS NOT NULL AND quantity = -1"), " are left"),
        (sql("UPDATE transactions_transactionitem SET amount = amount - 100 WHERE corrects_id IS NOT NULL"), " are left"),
        (sql("UPDATE inventory_stockmovement SET quantity = quantity + 1 WHERE kind = 'REVERSAL' AND reverses_id IS NULL"), "were moved back"),
        (sql("DELETE FROM audit_auditlog WHERE action = 'transactions.sale.credited'"), "has no transactions.sale.credited"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.usefixtures("unguarded")
def test_tampering_with_what_was_credited_is_named(client_of: ClientOf, tamper: Callable[[], None], told: str) -> None:
    invoice = Invoice.objects.filter(kind="TAX_INVOICE", voided_on=None, transaction__items__type="SALE").earliest("pk")
    admin = client_of(User.objects.get(role=Role.ADMIN))
    body = {"reason": "x", "lines": [{"line": 1, "quantity": 1}, {"line": 2, "amount": "5.00"}]}
    assert admin.post(f"/api/invoices/{invoice.pk}/credit/", body).status_code == 201
    before = verify()
    tamper()
    assert told not in before
    assert told in verify()
