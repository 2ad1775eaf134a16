"""What payments of an earlier version settled, dated by the day of their record."""

from datetime import date
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from foundation.ledger import guards
from invoices.models import Invoice
from payments.models import Allocation, Payment
from tests.conftest import Shop
from tests.payments.test_payments import allocate, at, invoice_of, pay, record, reverse

pytestmark = pytest.mark.django_db(transaction=True)


def books() -> list[object]:
    return [
        list(Allocation.objects.order_by("pk").values_list("amount", "date")),
        list(Invoice.objects.order_by("pk").values_list("settled_on", flat=True)),
        list(Payment.objects.order_by("pk").values_list("used_up_on", flat=True)),
    ]


def test_what_payments_settled_counts_from_their_record(shop: Shop, unguarded: None) -> None:
    with at(20):
        one, two, three = (invoice_of(shop) for _ in range(3))
    with at(25):
        record(shop, "31.07", received_on="2026-01-22")  # all of the first
        pay(shop, two, amount="31.00", received_on="2026-01-21")
        bounced = record(shop, "50.00", received_on="2026-01-24", allocations=[]).json()["id"]
        allocate(shop, bounced, (three, "10.00"))
    with at(27):
        pay(shop, two, received_on="2026-01-22")
        reverse(shop, bounced)
    written = books()
    # As an earlier version left them.
    apps = MigrationExecutor(connection).loader.project_state().apps
    earlier = {name: apps.get_model("invoices", name).objects for name in ("Allocation", "Payment", "Invoice")}
    for amount, day in (("31.07", "2026-01-22"), ("31.00", "2026-01-21"), ("0.07", "2026-01-22")):
        earlier["Allocation"].filter(amount=amount).update(date=day)
        earlier["Payment"].filter(amount=amount).update(used_up_on=day)
    for invoice in (one, two):
        earlier["Invoice"].filter(pk=invoice["id"]).update(settled_on="2026-01-22")
    assert books() != written
    fill = import_module("invoices.migrations.0016_ledger_days").fill
    for _ in range(2):  # the second one is a repeat after an interruption
        fill(apps, SimpleNamespace(connection=connection))
    assert books() == written
    assert date(2026, 1, 27) in Invoice.objects.values_list("settled_on", flat=True)
    guards.install()
    connection.close()
