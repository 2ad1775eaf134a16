"""What migrations fill in from an earlier version's books is what the commands write today."""

from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from deposits.models import DepositLot, LotMovement
from foundation import clock
from foundation.ledger import guards
from invoices.models import Invoice
from payments.models import Allocation, Payment
from tests.conftest import Shop
from tests.factories import EquipmentFactory
from transactions.models import DepositBalance

pytestmark = pytest.mark.django_db(transaction=True)

SETTLED = ("pk", "taxable_amount", "settled_amount", "settled_on")
PAID = ("customer", "method", "amount", "received_on", "user", "is_on_the_spot", "created_at", "allocated_amount",
        "used_up_on", "allocations__invoice", "allocations__amount", "allocations__date")  # fmt: skip
HELD = ("customer", "equipment", "pieces", "amount", "cause_type", "cause_id", "document_number", "occurred_at")
MOVED = ("lot__cause_id", "kind", "pieces", "amount", "cause_type", "cause_id", "document_number", "created_at", "date")


def books() -> list[list[Any]]:
    return [
        list(Invoice.objects.order_by("pk").values_list(*SETTLED)),
        list(Payment.objects.order_by("allocations__invoice").values_list(*PAID)),
        list(DepositLot.objects.order_by("cause_id").values_list(*HELD)),
        list(LotMovement.objects.order_by("lot__cause_id", "cause_id").values_list(*MOVED)),
    ]


def test_the_books_of_an_earlier_version_are_completed(shop: Shop, unguarded: None) -> None:
    free = EquipmentFactory(default_rate=None)
    for lines in (
        ({"type": "SALE"}, {"type": "DEPOSIT", "quantity": 2}),
        ({"type": "SWAP"},),
        ({"type": "SWAP", "quantity": 4}, {"type": "RETURN"}),
        ({"type": "SERVICE", "rate": "0.01", "equipment": free.pk},),
    ):
        assert shop.sell(*lines, payment_received=True).status_code == 201
        assert shop.sell(*lines).status_code == 201
    written = books()
    assert all(written)
    # As that version left them.
    with connection.cursor() as cursor:
        for model in (Allocation, Payment, LotMovement, DepositLot):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        cursor.execute("UPDATE invoices_invoice SET taxable_amount = 0, settled_amount = 0, settled_on = NULL")

    editor = SimpleNamespace(connection=connection)
    apps = MigrationExecutor(connection).loader.project_state().apps
    payment: Any = apps.get_model("invoices", "Payment")
    # What came later, and has no default; and what went.
    payment._meta.get_field("ordered_at").default = clock.now
    payment.handed_in_at = property(lambda _: None, lambda _, value: None)
    import_module("invoices.migrations.0004_fill_payments").fill(apps, editor)
    import_module("transactions.migrations.0003_fill_deposits").fill(apps, editor)
    import_module("transactions.migrations.0011_fill_lots").fill(apps, editor)
    assert books() == written
    assert not DepositBalance.objects.exists()
    guards.install()
    connection.close()
    call_command("verify_books", stdout=StringIO())
