"""What the office does with sales after the sale: voids, payments, emails, day-ends, depots, reports."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditLog
from customers.models import Customer
from distribution.models import Distribution
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import DepotWork
from invoices.models import Invoice, InvoiceEmail
from payments.models import Payment
from reports.catalogue import REPORTS
from settlements.models import Settlement
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import DriverFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import MeterReplacement, Transaction

pytestmark = pytest.mark.django_db


def chosen(client: Client, label: str, action: str, *rows: Any, **answers: Any) -> Answer:
    """Choose an action for rows; with answers, answer its page too."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows]}
    if answers:
        sent |= {**answers, "_answered": "yes"}
    return client.post(url(label), sent, follow=True)


def test_a_sale_is_voided_with_a_reason(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    sale = Transaction.objects.get(pk=office.sell({"type": "SALE"}).json()["transaction"]["id"])
    with nothing_changes():
        asked = chosen(client, "transactions.transaction", "void", sale)
        refused = chosen(client, "transactions.transaction", "void", sale, reason="  ")
    assert sale.transaction_number in asked.content.decode()
    assert f"{sale.customer_name}, " in asked.content.decode()
    assert f"{sale.invoice} of S$ 27.25 is taken back in whole" in asked.content.decode()
    assert ("becomes credit" in asked.content.decode(), "keep_meter" in asked.context["form"].fields) == (False, False)
    assert "reason" in refused.context["form"].errors
    done = chosen(client, "transactions.transaction", "void", sale, reason="Entered twice", goods="came_back")
    reversal = Transaction.objects.get(reverses=sale)
    assert messages_of(done) == [f"{sale}: voided by {reversal.invoice}."]
    assert reversal.invoice.kind == Invoice.Kind.CREDIT_NOTE
    assert AuditLog.objects.get(action="transactions.sale.voided").reason == "Entered twice"
    again = chosen(client, "transactions.transaction", "void", sale, reason="Again", goods="came_back")
    assert "already" in messages_of(again)[0]
    page = client.get(url("transactions.transaction", "change", sale.pk)).content.decode()
    assert "badge-open" in page
    assert reversal.transaction_number in page


def test_a_void_says_what_becomes_of_the_money_and_asks_about_a_meter_that_was_read(office: Shop) -> None:
    client = logged_in(office.admin)
    metered = MeteredCustomerFactory()
    answer = office.sell(customer=metered.pk, current_meter="1210.00", payment_received=True).json()
    asked = chosen(client, "transactions.transaction", "void", Transaction.objects.get(pk=answer["transaction"]["id"]))
    assert "S$ 23.44 of it is settled: that becomes credit" in asked.content.decode()
    assert "keep_meter" in asked.context["form"].fields


def test_goods_that_are_gone_for_good_stay_away_when_their_sale_is_voided(office: Shop) -> None:
    sale = Transaction.objects.get(pk=office.sell({"type": "SALE"}).json()["transaction"]["id"])
    left = office.stock(vehicle_no=office.driver.vehicle_no)
    done = chosen(logged_in(office.admin), "transactions.transaction", "void", sale, reason="Burnt", goods="gone")
    assert messages_of(done) == [f"{sale}: voided by {Invoice.objects.get(corrects=sale.invoice)}."]
    assert office.stock(vehicle_no=office.driver.vehicle_no) == left


def test_invoices_are_marked_as_paid(office: Shop) -> None:
    client = logged_in(office.admin)
    invoices = Invoice.objects.filter(settled_on=None).order_by("pk")[:2]
    done = chosen(client, "invoices.invoice", "mark_paid", *invoices, method="CHEQUE", reference="CHQ 7")
    assert messages_of(done) == [f"{invoice}: paid." for invoice in invoices]
    assert not Invoice.objects.filter(pk__in=[invoice.pk for invoice in invoices], settled_on=None).exists()
    assert Payment.objects.filter(method="CHEQUE", reference="CHQ 7").count() == 2
    paid = {invoice.pk for invoice in invoices}
    settled, still_open = (
        {row.pk for row in client.get(url("invoices.invoice"), {"open": which}).context["cl"].result_list}
        for which in ("no", "yes")
    )
    assert (settled & paid, still_open & paid) == (paid, set())
    again = chosen(client, "invoices.invoice", "mark_paid", invoices[0], method="CASH")
    assert "Nothing is open" in messages_of(again)[0]


def test_invoices_are_printed_as_one_document(office: Shop) -> None:
    invoices = list(Invoice.objects.order_by("pk"))
    client = logged_in(office.admin)
    answer = chosen(client, "invoices.invoice", "print_batch", *invoices)
    assert answer["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == len(invoices)
    assert not Invoice.objects.filter(printed_at=None).exists()


def test_an_invoice_is_sent_and_sent_again(office: Shop) -> None:
    client = logged_in(office.admin)
    invoice = Invoice.objects.latest("pk")
    done = chosen(client, "invoices.invoice", "send_by_email", invoice, to="kitchen@example.sg")
    assert messages_of(done) == [f"{invoice}: queued; its emails tell what becomes of it."]
    email = InvoiceEmail.objects.latest("pk")
    assert (email.to, email.requested_by) == ("kitchen@example.sg", office.admin)
    InvoiceEmail.objects.filter(pk=email.pk).update(status=InvoiceEmail.Status.FAILED)
    front = client.get("/admin/").content.decode()
    assert "email not sent" in front
    listed = client.get(url("invoices.invoiceemail"), {"unsent": "yes"})
    assert [row.pk for row in listed.context["cl"].queryset] == [email.pk]
    chosen(client, "invoices.invoiceemail", "send_again", email)
    again = InvoiceEmail.objects.latest("pk")
    assert (again.pk != email.pk, again.to) == (True, "kitchen@example.sg")
    assert "email not sent" not in client.get("/admin/").content.decode()


def test_a_payment_is_taken_allocated_and_reversed(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    customer = Customer.objects.get(invoices__settled_on=None, invoices__settled_amount__gt=0)
    new = {"customer": customer.pk, "method": "PAYNOW", "amount": "9999.00", "received_on": "", "reference": "PN"}
    with nothing_changes():
        client.post(url("invoices.payment", "add"), {**new, "amount": "0"})
        future = {**new, "received_on": str(clock.business_date(clock.now()) + timedelta(days=1))}
        page = client.post(url("invoices.payment", "add"), {**future, "_save": "Save"})
    assert "received_on" in page.context["adminform"].form.errors
    assert client.post(url("invoices.payment", "add"), {**new, "_save": "Save"}).status_code == 302
    payment = Payment.objects.latest("pk")
    assert payment.credit_amount > 0
    assert not Invoice.objects.filter(customer=customer, settled_on=None).exists()
    owed = office.sell({"type": "SALE"}, customer=customer.pk).json()["invoice"]
    done = chosen(client, "invoices.payment", "allocate", payment)
    assert messages_of(done)[-1] == f"{payment}: allocated."
    assert Invoice.objects.get(pk=owed["id"]).settled_on is not None
    done = chosen(client, "invoices.payment", "reverse", payment, reason="Bounced")
    assert messages_of(done) == [f"{payment}: reversed."]
    assert Invoice.objects.get(pk=owed["id"]).settled_on is None
    assert client.get(url("invoices.payment", "change", payment.pk)).status_code == 200


def test_a_meter_is_replaced(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    metered = Customer.objects.exclude(meter_rate=None).get()
    new = {"customer": metered.pk, "final_reading": "7.00", "new_meter_number": "M-9", "first_reading": "1.00"}
    later = {**new, "_save": "Save"}
    with nothing_changes():
        client.post(url("transactions.meterreplacement", "add"), {**later, "final_reading": "-1"})
    assert client.post(url("transactions.meterreplacement", "add"), later).status_code == 302
    replacement = MeterReplacement.objects.latest("pk")
    assert (replacement.new_meter_number, str(replacement.first_reading)) == ("M-9", "1.00")
    metered.refresh_from_db()
    assert (metered.meter_number, str(metered.last_meter_reading)) == ("M-9", "1.00")


def test_a_day_is_signed_off_or_counted_again(office: Shop) -> None:
    client = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    day = Settlement.objects.get()
    assert "day-end to sign off" in client.get("/admin/").content.decode()
    refused = chosen(client, "transactions.settlement", "reject", day, remarks="")
    assert "remarks" in refused.context["form"].errors
    done = chosen(client, "transactions.settlement", "sign_off", day, remarks="Lost on the road")
    assert messages_of(done) == [f"{day}: signed off."]
    assert office.stock(vehicle_no=office.driver.vehicle_no) == 1  # as counted
    assert "already" in messages_of(chosen(client, "transactions.settlement", "reject", day, remarks="x"))[0]
    assert "Nothing waits" not in client.get("/admin/").content.decode()  # a load in draft
    Distribution.objects.filter(status="DRAFT").update(status="CANCELLED")
    assert "Nothing waits for you." in client.get("/admin/").content.decode()


def lines(*filled: Json) -> Json:
    form = {"items-TOTAL_FORMS": len(filled), "items-INITIAL_FORMS": 0}
    return form | {f"items-{n}-{name}": value for n, line in enumerate(filled) for name, value in line.items()}


def test_the_work_of_a_depot_is_recorded(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    full = {"equipment": office.cylinder.pk, "condition": "FULL", "quantity": 7}
    before = office.stock(depot=office.depot)
    new = {"kind": "DAMAGE", "depot": office.depot.pk, "reason": "Dented", "_save": "Save"}
    with nothing_changes():
        for wrong in (
            lines(),
            lines({**full, "quantity": 9_999}),
            lines({**full, "condition": "DAMAGED"}),
            lines({**full, "quantity": 0}),
        ):
            assert client.post(url("inventory.depotwork", "add"), {**new, **wrong}).status_code == 200
    assert client.post(url("inventory.depotwork", "add"), {**new, **lines(full)}).status_code == 302
    assert (office.stock(depot=office.depot), office.stock("DAMAGED", depot=office.depot)) == (before - 7, 7)
    count = {**new, "kind": "STOCK_TAKE", "reason": "Year's end", **lines({**full, "quantity": 50})}
    assert client.post(url("inventory.depotwork", "add"), count).status_code == 302
    assert office.stock(depot=office.depot) == 50
    work = DepotWork.objects.latest("pk")
    assert (work.kind, work.reason) == ("STOCK_TAKE", "Year's end")
    assert client.get(url("inventory.depotwork", "change", work.pk)).status_code == 200


# --- Reports -----------------------------------------------------------------------------------------


def test_a_report_asks_shows_and_is_taken_away(office: Shop) -> None:
    client = logged_in(office.admin)
    page = client.get("/admin/reports/sales-summary/", {"group_by": "driver"})
    sellers = [office.driver.username, office.admin.username]  # who replaced a meter, and billed it
    assert [row[0][1] for row in page.context["rows"]] == sellers
    today = clock.business_date(clock.now())
    assert page.context["form"]["date_from"].value() == today.replace(day=1)
    sold = Invoice.objects.count()
    assert dict(zip((column.name for column in page.context["report"].columns), page.context["totals"], strict=True))[
        "invoices"
    ] == ("count", sold)
    csv = client.get("/admin/reports/sales-summary/", {"group_by": "driver", "format": "csv"})
    assert csv["Content-Disposition"] == f'attachment; filename="sales-summary-{today}.csv"'
    assert office.driver.username in b"".join(csv).decode()
    assert client.get("/admin/reports/stock/", {"format": "xlsx"}).status_code == 200


def test_a_question_that_makes_no_sense_is_refused_at_its_field(office: Shop) -> None:
    client = logged_in(office.admin)
    for asked, field in (
        ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, "date_to"),
        ({"date_from": "x"}, "date_from"),
        ({"date_from": "1000-01-01", "date_to": "2026-01-01"}, "date_from"),
        ({"group_by": "x"}, "group_by"),
    ):
        page = client.get("/admin/reports/sales-summary/", asked)
        assert list(page.context["form"].errors) == [field]
        assert page.context["report"] is None
        assert client.get("/admin/reports/sales-summary/", {**asked, "format": "csv"}).status_code == 200


BAD = ["x", "-1", "0", "1.5", "1e3", "１２", "\0", "9" * 20, "9" * 5_000, "x" * 5_000, "0000-00-00", "2026-02-30", "10000-01-01",
       "0001-01-01T00:00", "9999-12-31T23:59", "2026-01-20T25:00"]  # fmt: skip


@pytest.mark.parametrize("name", [*(listed.name for listed in REPORTS), "statement"])
def test_a_report_that_is_asked_wrong_says_so(office: Shop, name: str) -> None:
    client = logged_in(office.admin)
    needed = {
        "statement": {"customer": str(Invoice.objects.latest("pk").customer_id)},
        "driver-day": {"driver": str(office.driver.pk)},
    }.get(name, {})
    page = client.get(f"/admin/reports/{name}/", needed)
    assert page.context["report"] is not None
    for asked in page.context["form"].fields:
        for value in BAD:
            answer = client.get(f"/admin/reports/{name}/", {**needed, asked: value})
            assert answer.status_code == 200, (asked, value[:80])
            assert (answer.context["report"] is None) is bool(answer.context["form"].errors), (asked, value[:80])
            assert answer.context["form"].errors.keys() <= {asked, "date_to", "date_from"}
    assert client.get(f"/admin/reports/{name}/", {**needed, "format": "x", "unknown": "1"}).status_code == 200


def test_reports_are_scoped_like_the_api(office: Shop) -> None:
    stranger = DriverFactory()
    office.count("vehicle", stranger.vehicle_no, 5)
    office.sell({"type": "SALE"}, by=stranger)
    supervisor = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    page = supervisor.get("/admin/reports/sales-summary/", {"group_by": "driver"})
    assert stranger.username not in [row[0][1] for row in page.context["rows"]]
    day = supervisor.get("/admin/reports/driver-day/", {"driver": stranger.pk})
    assert list(day.context["form"].errors) == ["driver"]
    own = supervisor.get("/admin/reports/driver-day/", {"driver": office.driver.pk})
    assert own.context["report"].title == f"Day of {office.driver.get_full_name()}"
    staff = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    for name, client, status in (
        ("conservation", supervisor, 403),
        ("statement", supervisor, 403),
        ("gst", staff, 403),
        ("stock", staff, 200),
    ):
        assert client.get(f"/admin/reports/{name}/").status_code == status
    assert Client().get("/admin/reports/stock/").status_code == 302


def test_a_customers_account_is_read_and_printed(office: Shop) -> None:
    client = logged_in(office.admin)
    customer = Customer.objects.get(invoices__settled_on=None, invoices__settled_amount__gt=0)
    button = client.get(url("customers.customer", "change", customer.pk)).content.decode()
    assert f"/admin/reports/statement/?customer={customer.pk}" in button
    assert client.get("/admin/reports/statement/").context["report"] is None
    page = client.get("/admin/reports/statement/", {"customer": customer.pk})
    figures = {figure.name: figure.value for figure in page.context["report"].figures}
    owed = sum(invoice.outstanding_amount for invoice in Invoice.objects.filter(customer=customer))
    assert figures["closing_balance"] == owed
    pdf = client.get("/admin/reports/statement/", {"customer": str(customer.pk), "format": "pdf"})
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")


def test_the_front_page_tells_todays_figures(
    office: Shop, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(office.admin)
    with django_assert_max_num_queries(25):
        page = client.get("/admin/")
    tiles = {tile.label: tile.value for tile in page.context["tiles"]}
    invoices = Invoice.objects.all()
    assert tiles["Billed today"] == sum(invoice.total_amount for invoice in invoices)
    assert tiles["Open invoices"] == sum(invoice.outstanding_amount for invoice in invoices)
    assert tiles["Full in depots"] == office.stock(depot=office.depot)
    assert page.context["sales"][-1].parts[0][2] == 100
    staff = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot)).get("/admin/")
    assert [tile.label for tile in staff.context["tiles"]] == ["Full in depots", "Full on vehicles"]
    assert staff.context["sales"] == []
