"""The depot of everything that was recorded: its user's, at its own moment.

What depot a user had is known from the audit records of their changes; before there were any, it is the present one.
"""

from django.db import migrations
from django.db.models import Max, OuterRef, Subquery

from foundation.ledger import guards

BATCH = 50_000
"""Rows in one statement, and in one transaction."""
MOMENTS = (
    ("transactions", "Transaction", "occurred_at"),
    ("transactions", "MeterReplacement", "occurred_at"),
    ("invoices", "Invoice", "generated_at"),
    ("invoices", "Payment", "created_at"),
    ("inventory", "StockMovement", "occurred_at"),
    ("sync", "SyncConflict", "received_at"),
    ("sync", "SyncConflict", "occurred_at"),  # where it is known
    ("audit", "AuditLog", "at"),
)


def fill(apps, schema_editor):
    if not apps.get_model("accounts", "User").objects.exists():
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    past = _past_depots(apps)
    for app, model in dict.fromkeys((app, model) for app, model, _ in MOMENTS):
        _fill_present(apps, apps.get_model(app, model).objects.order_by())
    for app, model, moment in MOMENTS:
        rows, since = apps.get_model(app, model).objects.order_by(), {}
        for user, depot, until in past:
            then = {f"{moment}__gte": since[user]} if user in since else {}
            rows.filter(user=user, **{f"{moment}__lt": until}, **then).update(depot=depot)
            since[user] = until
    _follow_sales(apps, {user for user, _, _ in past})


def _past_depots(apps):
    """User, depot and until when, in that order; they are written too."""
    User, PastDepot = apps.get_model("accounts", "User"), apps.get_model("accounts", "PastDepot")
    changes = apps.get_model("audit", "AuditLog").objects.filter(
        entity_type="accounts.user", action="accounts.user.updated"
    )
    past = [
        (user, before["depot"], at)
        for user, before, at in changes.order_by("pk").values_list("entity_id", "before", "at").iterator()
        if before and "depot" in before
    ]
    PastDepot.objects.all().delete()  # of an attempt that was interrupted
    PastDepot.objects.bulk_create(
        PastDepot(user_id=user, depot_id=depot, until=until) for user, depot, until in past
    )
    for user, _, until in past:
        User.objects.filter(pk=user).update(depot_since=until)
    return past


def _fill_present(apps, rows):
    present = Subquery(apps.get_model("accounts", "User").objects.filter(pk=OuterRef("user_id")).values("depot"))
    for first in range(1, (rows.aggregate(last=Max("pk"))["last"] or 0) + 1, BATCH):
        rows.filter(pk__gte=first, pk__lt=first + BATCH).update(depot=present)


def _follow_sales(apps, moved):
    """Of those who changed their depot: a reversal has the depot of what it takes back, a document that of its sale."""
    Transaction = apps.get_model("transactions", "Transaction")
    Payment, Allocation = apps.get_model("invoices", "Payment"), apps.get_model("invoices", "Allocation")
    sales = Transaction.objects.order_by()
    _follow_reversed(sales.filter(user__in=moved), sales)
    of_sale = Subquery(sales.filter(invoice=OuterRef("pk")).values("depot"))
    apps.get_model("invoices", "Invoice").objects.order_by().filter(user__in=moved).update(depot=of_sale)
    payments = Payment.objects.order_by().filter(user__in=moved)
    of_invoice = Subquery(Allocation.objects.order_by().filter(payment=OuterRef("pk")).values("invoice__depot")[:1])
    payments.filter(is_on_the_spot=True).update(depot=of_invoice)
    _follow_reversed(payments, Payment.objects.order_by())


def _follow_reversed(rows, every):
    reversals = rows.filter(reverses__isnull=False).values_list("pk", "reverses__depot")
    for pk, depot in list(reversals):
        every.filter(pk=pk).update(depot=depot)


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open; and each batch stands by itself.
    atomic = False

    dependencies = [
        ("accounts", "0004_past_depots"),
        ("audit", "0004_depots"),
        ("inventory", "0010_depots"),
        ("invoices", "0009_depots"),
        ("sync", "0006_depots"),
        ("transactions", "0007_depots"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
