"""Money that settles invoices: in whole, in part, too much, and taken back."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.services import NewPayment, record_payment, reverse_payment
from payments.services.allocations import owed_by
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


def invoice_of(shop: Shop, quantity: int = 1, **more: Any) -> Json:
    """31.07 for one cylinder, with GST."""
    response = shop.sell({"type": "SALE", "quantity": quantity}, **more)
    assert response.status_code == 201, response.json()
    invoice: Json = response.json()["invoice"]
    return invoice


def pay(shop: Shop, invoice: Json, by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post(f"/api/invoices/{invoice['id']}/pay/", body)


def record(shop: Shop, amount: object, by: User | None = None, **body: Any) -> Answer:
    body = {"customer": shop.customer.pk, "method": "BANK_TRANSFER", "amount": amount, **body}
    return shop.client_of(by or shop.admin).post("/api/payments/", body)


def shares(*parts: tuple[Json, str]) -> list[Json]:
    return [{"invoice": invoice["id"], "amount": amount} for invoice, amount in parts]


def allocate(shop: Shop, payment: int, *parts: tuple[Json, str]) -> Answer:
    """To what is named, else to the oldest."""
    body = {"allocations": shares(*parts)} if parts else {}
    return shop.client_of(shop.admin).post(f"/api/payments/{payment}/allocate/", body)


def reverse(shop: Shop, payment: int) -> Answer:
    return shop.client_of(shop.admin).post(f"/api/payments/{payment}/reverse/", {"reason": "Bounced"})


def void(shop: Shop, invoice: Json) -> None:
    url = f"/api/transactions/{invoice['transaction']}/void/"
    assert shop.client_of(shop.admin).post(url, {"reason": "x"}).status_code == 201


def with_credit(shop: Shop) -> list[tuple[int, str]]:
    found = shop.client_of(shop.admin).get("/api/payments/?has_credit=true").json()["results"]
    return [(row["id"], row["credit_amount"]) for row in found]


def at(day: int, hour: int = 10) -> Any:
    """Singapore's clock stands still, in January 2026."""
    return time_machine.travel(datetime(2026, 1, day, hour, 30, tzinfo=clock.SINGAPORE), tick=False)


def read(shop: Shop, invoice: Json) -> Json:
    answer: Json = shop.client_of(shop.admin).get(f"/api/invoices/{invoice['id']}/").json()
    return answer


def test_paying_settles_the_invoice_and_keeps_how(shop: Shop) -> None:
    invoice = invoice_of(shop)
    paid = pay(shop, invoice, method="CHEQUE", reference="DBS 004412").json()
    assert (paid["status"], paid["outstanding_amount"]) == ("paid", "0.00")
    [payment] = shop.client_of(shop.admin).get("/api/payments/").json()["results"]
    assert (payment["method"], payment["reference"], payment["amount"]) == ("CHEQUE", "DBS 004412", "31.07")
    assert [part["invoice_number"] for part in payment["allocations"]] == [invoice["invoice_number"]]


def test_an_invoice_is_paid_when_its_last_cent_is(shop: Shop) -> None:
    invoice = invoice_of(shop)
    part = pay(shop, invoice, amount="31.06").json()
    assert (part["status"], part["settled_amount"], part["outstanding_amount"]) == ("generated", "31.06", "0.01")
    assert pay(shop, invoice, amount="0.01").json()["status"] == "paid"


def test_paying_twice_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice)
    with nothing_changes():
        assert error_of(pay(shop, invoice)) == (409, "already_paid", None)


def test_a_sale_paid_on_the_spot_has_its_cash_payment(shop: Shop) -> None:
    invoice = invoice_of(shop, payment_received=True)
    [payment] = Payment.objects.all()
    assert (payment.method, payment.amount, payment.user) == ("CASH", Decimal("31.07"), shop.driver)
    assert payment.is_on_the_spot
    assert with_credit(shop) == []
    assert (invoice["status"], invoice["outstanding_amount"]) == ("paid", "0.00")
    assert Allocation.objects.get().amount == Decimal("31.07")


def test_one_payment_settles_several_invoices_and_the_rest_is_credit(shop: Shop) -> None:
    first, second = invoice_of(shop), invoice_of(shop, 2)
    payment = record(shop, "100.00", allocations=shares((first, "31.07"), (second, "60.00"))).json()
    assert (payment["allocated_amount"], payment["credit_amount"]) == ("91.07", "8.93")
    assert with_credit(shop) == [(payment["id"], "8.93")]
    assert read(shop, first)["status"] == "paid"
    assert read(shop, second)["outstanding_amount"] == "2.13"
    settled = shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/allocate/", {}).json()
    assert settled["credit_amount"] == "6.80"
    assert read(shop, second)["status"] == "paid"


def test_without_a_choice_the_oldest_are_settled_first(shop: Shop) -> None:
    first, second = invoice_of(shop), invoice_of(shop)
    record(shop, "40.00")
    assert read(shop, first)["outstanding_amount"] == "0.00"
    assert read(shop, second)["outstanding_amount"] == "22.14"


def test_overpayment_is_kept(shop: Shop) -> None:
    payment = record(shop, "5.00").json()
    assert payment["credit_amount"] == "5.00"
    found = shop.client_of(shop.admin).get("/api/payments/?has_credit=true").json()["results"]
    assert [row["id"] for row in found] == [payment["id"]]


def test_a_reversal_opens_what_was_settled(shop: Shop) -> None:
    invoice = invoice_of(shop)
    payment = record(shop, "50.00").json()
    assert read(shop, invoice)["status"] == "paid"
    reverse = f"/api/payments/{payment['id']}/reverse/"
    answer = shop.client_of(shop.admin).post(reverse, {"reason": "Cheque bounced"})
    assert answer.status_code == 201
    reversal = answer.json()
    assert (reversal["amount"], reversal["reverses"]) == ("-50.00", payment["id"])
    opened = read(shop, invoice)
    assert (opened["status"], opened["outstanding_amount"], opened["paid_at"]) == ("generated", "31.07", None)
    assert shop.client_of(shop.admin).get("/api/invoices/?is_open=true").json()["count"] == 1
    assert not shop.client_of(shop.admin).get("/api/payments/?has_credit=true").json()["results"]
    for pk in (payment["id"], reversal["id"]):
        again = shop.client_of(shop.admin).post(f"/api/payments/{pk}/reverse/", {"reason": "Again"})
        assert error_of(again) == (409, "already_reversed", None)
    refused = shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/allocate/", {})
    assert error_of(refused) == (409, "already_reversed", None)
    assert pay(shop, invoice).json()["status"] == "paid"


def test_a_printed_invoice_is_printed_again_after_a_reversal(shop: Shop) -> None:
    invoice = invoice_of(shop)
    shop.client_of(shop.admin).post(f"/api/invoices/{invoice['id']}/print/")
    pay(shop, invoice)
    [payment] = shop.client_of(shop.admin).get("/api/payments/").json()["results"]
    shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/reverse/", {"reason": "Wrong invoice"})
    assert read(shop, invoice)["status"] == "printed"


def refund_of(shop: Shop) -> Json:
    """The credit note of a deposit that was paid."""
    charged = shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    assert charged.status_code == 201
    refund: Json = shop.sell({"type": "RETURN"}).json()["invoice"]
    return refund


def test_a_credit_note_is_paid_out(shop: Shop) -> None:
    refund = refund_of(shop)
    assert (refund["kind"], refund["outstanding_amount"]) == ("CREDIT_NOTE", "-60.00")
    paid = pay(shop, refund, method="CASH").json()
    assert (paid["status"], paid["outstanding_amount"]) == ("paid", "0.00")
    assert Payment.objects.latest("pk").amount == Decimal("-60.00")


def test_a_part_of_a_credit_note_is_paid_out(shop: Shop) -> None:
    refund = refund_of(shop)
    part = pay(shop, refund, amount="10.00").json()
    assert (part["status"], part["settled_amount"], part["outstanding_amount"]) == ("generated", "-10.00", "-50.00")


def test_what_cannot_be_settled_so_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    mine, others = invoice_of(shop), invoice_of(shop, customer=CustomerFactory().pk)
    with nothing_changes():
        over = record(shop, "99.00", allocations=shares((mine, "31.08")))
        assert error_of(over) == (409, "exceeds_outstanding", "allocations.0.amount")
        more = record(shop, "10.00", allocations=shares((mine, "10.01")))
        assert error_of(more) == (409, "exceeds_credit", "allocations")
        foreign = record(shop, "10.00", allocations=shares((others, "1.00")))
        assert error_of(foreign) == (400, "does_not_exist", "allocations.0.invoice")
        twice = record(shop, "10.00", allocations=shares((mine, "1.00"), (mine, "1.00")))
        assert error_of(twice) == (400, "invalid", "allocations")
        tomorrow = str(clock.business_date(clock.now()) + timedelta(days=1))
        assert error_of(record(shop, "1.00", received_on=tomorrow)) == (400, "invalid", "received_on")
        assert error_of(pay(shop, mine, amount="31.08")) == (409, "exceeds_outstanding", "amount")
        for amount in ("0.00", "-1.00", "1.001", "NaN", "1e3", "", None, True, "99999999999.00"):
            assert record(shop, amount).status_code == 400, amount


def test_the_same_payment_sent_again_is_recorded_once(shop: Shop) -> None:
    invoice_of(shop)
    first = record(shop, "31.07", client_temp_id="p-1")
    second = record(shop, "31.07", client_temp_id="p-1")
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 200, "true")
    assert first.json() == second.json()
    assert error_of(record(shop, "31.08", client_temp_id="p-1")) == (409, "idempotency_conflict", "client_temp_id")


def test_a_driver_settles_own_invoices_only(shop: Shop, nothing_changes: Unchanged) -> None:
    theirs = invoice_of(shop, by=shop.admin)
    with nothing_changes():
        assert pay(shop, theirs, by=shop.driver).status_code == 404
        named = record(shop, "1.00", by=shop.driver, allocations=shares((theirs, "1.00")))
        assert error_of(named) == (400, "does_not_exist", "allocations.0.invoice")


def test_a_payment_settles_the_account_s_oldest_whoever_sold_and_tells_of_one_s_own(shop: Shop) -> None:
    theirs, mine = invoice_of(shop, by=shop.admin), invoice_of(shop)
    taken = record(shop, "40.00", by=shop.driver).json()
    assert [(part["invoice"], part["invoice_number"], part["amount"]) for part in taken["allocations"]] == [
        (None, None, "31.07"),
        (mine["id"], mine["invoice_number"], "8.93"),
    ]
    assert shop.client_of(shop.driver).get(f"/api/payments/{taken['id']}/").json() == taken
    assert read(shop, theirs)["outstanding_amount"] == "0.00"


def test_only_the_office_reverses(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice, by=shop.driver)
    payment = Payment.objects.get()
    url = f"/api/payments/{payment.pk}/reverse/"
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    with nothing_changes():
        assert shop.client_of(shop.driver).post(url, {"reason": "x"}).status_code == 403
        assert shop.client_of(stranger).post(url, {"reason": "x"}).status_code == 404
        assert error_of(shop.client_of(supervisor).post(url, {"reason": ""})) == (400, "blank", "reason")
    reversal = shop.client_of(supervisor).post(url, {"reason": "x"}).json()
    assert Payment.objects.get(reverses=payment).pk == reversal["id"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_payment_is_never_changed(shop: Shop, nothing_changes: Unchanged, method: str) -> None:
    payment = record(shop, "5.00").json()
    with nothing_changes():
        response = getattr(shop.client_of(shop.admin), method)(f"/api/payments/{payment['id']}/", {"amount": "6.00"})
    assert error_of(response) == (405, "method_not_allowed", None)


def test_open_invoices_are_found(shop: Shop) -> None:
    paid, owed = invoice_of(shop, payment_received=True), invoice_of(shop)
    found = shop.client_of(shop.admin).get("/api/invoices/?is_open=true").json()["results"]
    assert [row["id"] for row in found] == [owed["id"]]
    assert Invoice.objects.get(pk=paid["id"]).settled_on is not None


def test_what_is_due_first_is_settled_first(shop: Shop) -> None:
    shop.customer.payment_terms_days = 30
    shop.customer.save()
    later = invoice_of(shop)
    shop.customer.payment_terms_days = 0
    shop.customer.save()
    first, second = invoice_of(shop), invoice_of(shop)

    def still_open() -> list[str]:
        return [read(shop, invoice)["outstanding_amount"] for invoice in (later, first, second)]

    record(shop, "31.07")
    assert still_open() == ["31.07", "0.00", "31.07"]
    record(shop, "40.00")
    assert still_open() == ["22.14", "0.00", "0.00"]
    assert record(shop, "25.00").json()["credit_amount"] == "2.86"


def test_without_a_choice_only_the_payer_s_invoices_are_settled(shop: Shop) -> None:
    others = invoice_of(shop, customer=CustomerFactory().pk)
    assert record(shop, "31.07").json()["credit_amount"] == "31.07"
    assert read(shop, others)["outstanding_amount"] == "31.07"


def test_what_is_owed_is_what_is_open_of_invoices(shop: Shop) -> None:
    assert refund_of(shop)["outstanding_amount"] == "-60.00"
    still_open = invoice_of(shop)
    assert list(owed_by(shop.customer.pk)) == [(Invoice.objects.get(pk=still_open["id"]), Decimal("31.07"))]


def test_what_is_to_settle_nothing_settles_nothing(shop: Shop) -> None:
    invoice_of(shop)
    assert record(shop, "31.07", allocations=[]).json()["credit_amount"] == "31.07"


def test_a_payment_is_of_a_known_customer(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        assert error_of(record(shop, "1.00", customer=999_999)) == (400, "does_not_exist", "customer")


def test_an_invoice_takes_no_more_than_is_left_open_of_it(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice, amount="31.00")
    with nothing_changes():
        assert error_of(pay(shop, invoice, amount="0.08")) == (409, "exceeds_outstanding", "amount")
        named = record(shop, "1.00", allocations=shares((invoice, "0.08")))
        assert error_of(named) == (409, "exceeds_outstanding", "allocations.0.amount")


def test_a_credit_note_is_settled_by_no_money_that_comes_in(shop: Shop) -> None:
    refund = refund_of(shop)
    invoice = invoice_of(shop)
    named = record(shop, "10.00", allocations=shares((refund, "1.00")))
    assert error_of(named) == (409, "exceeds_outstanding", "allocations.0.amount")
    assert named.json()["errors"][0]["detail"] == f"Only 0.00 is open of {refund['invoice_number']}."
    assert record(shop, "40.00").json()["credit_amount"] == "8.93"
    assert [read(shop, one)["outstanding_amount"] for one in (refund, invoice)] == ["-60.00", "0.00"]


def test_a_payment_counts_from_the_day_of_its_record(shop: Shop) -> None:
    with at(20):
        early = invoice_of(shop)
    with at(25, hour=0):  # the 24th in UTC
        payment = record(shop, "62.14", received_on="2026-01-22").json()
        assert (payment["received_on"], Payment.objects.get().date) == ("2026-01-22", date(2026, 1, 25))
    with at(27, hour=0):
        late = invoice_of(shop)
        dates = [part["date"] for part in allocate(shop, payment["id"]).json()["allocations"]]
    assert dates == ["2026-01-25", "2026-01-27"]
    settled = dict(Invoice.objects.values_list("pk", "settled_on"))
    assert settled == {early["id"]: date(2026, 1, 25), late["id"]: date(2026, 1, 27)}
    assert Payment.objects.get().used_up_on == date(2026, 1, 27)


def test_credit_settles_from_the_day_it_is_allocated(shop: Shop) -> None:
    with at(20):
        invoice_of(shop)
        payment = record(shop, "31.07", allocations=[]).json()["id"]
    with at(25, hour=0):
        [part] = allocate(shop, payment).json()["allocations"]
    assert part["date"] == "2026-01-25"


def test_what_a_void_sets_free_is_free_from_the_day_of_the_void(shop: Shop) -> None:
    with at(20):
        invoice = invoice_of(shop)
        pay(shop, invoice, method="PAYNOW", amount="20.00")
    with at(25, hour=0):
        void(shop, invoice)
    assert list(Allocation.objects.order_by("pk").values_list("amount", "date")) == [
        (Decimal("20.00"), date(2026, 1, 20)),
        (Decimal("-20.00"), date(2026, 1, 25)),
        (Decimal("31.07"), date(2026, 1, 25)),
    ]


def test_an_invoice_is_settled_since_its_last_payment(shop: Shop) -> None:
    with at(20):
        invoice = invoice_of(shop)
    with at(24):
        pay(shop, invoice, amount="31.00", received_on="2026-01-23")
        assert Invoice.objects.get().settled_on is None
    with at(26):
        pay(shop, invoice, received_on="2026-01-22")
    assert (Invoice.objects.get().settled_on, Payment.objects.latest("pk").received_on) == (
        date(2026, 1, 26),
        date(2026, 1, 22),
    )


def test_an_invoice_is_settled_since_the_latest_day_also_when_the_clock_was_set_back(shop: Shop) -> None:
    """Else it were settled, as of a day on which part of it is open by its allocations."""
    with at(20):
        invoice = invoice_of(shop)
    with at(26, hour=0):
        pay(shop, invoice, amount="31.00")
    with at(25, hour=23):
        pay(shop, invoice)
    assert Invoice.objects.get().settled_on == date(2026, 1, 26)


def test_money_came_in_within_the_year_behind_us(shop: Shop) -> None:
    with at(20, hour=0):
        invoice = invoice_of(shop)
        meant: Json = {"confirm": [{"code": "date_unlikely", "attr": "received_on", "value": "2025-01-19"}]}
        for day, status in (("2025-01-18", 400), ("2025-01-19", 201), ("2026-01-20", 201), ("2026-01-21", 400)):
            assert (
                record(shop, "1.00", received_on=day, reference=day, allocations=[], **meant).status_code == status
            ), day
        assert record(shop, "1.00", allocations=[]).json()["received_on"] == "2026-01-20"
        assert error_of(pay(shop, invoice, received_on="2026-01-21")) == (400, "invalid", "received_on")


def test_a_payment_that_is_used_up_settles_nothing_more(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice_of(shop)
    payment = record(shop, "31.07").json()["id"]
    invoice_of(shop)
    assert with_credit(shop) == []
    with nothing_changes():
        assert error_of(allocate(shop, payment)) == (409, "exceeds_credit", None)


def test_no_more_is_allocated_than_is_left_of_a_payment(shop: Shop, nothing_changes: Unchanged) -> None:
    first, second = invoice_of(shop), invoice_of(shop)
    payment = record(shop, "40.00", allocations=shares((first, "31.07"))).json()["id"]
    with nothing_changes():
        assert error_of(allocate(shop, payment, (second, "8.94"))) == (409, "exceeds_credit", "allocations")
    assert allocate(shop, payment, (second, "8.93")).json()["credit_amount"] == "0.00"


def test_money_that_was_paid_out_is_owed_when_its_credit_note_is_voided(shop: Shop, nothing_changes: Unchanged) -> None:
    refund = refund_of(shop)
    pay(shop, refund, method="PAYNOW")
    void(shop, refund)
    payment = Payment.objects.latest("pk")
    assert with_credit(shop) == []
    owed = Invoice.objects.latest("pk")
    assert (owed.kind, owed.outstanding_amount) == ("TAX_INVOICE", Decimal("60.00"))
    with nothing_changes():
        assert error_of(allocate(shop, payment.pk)) == (409, "exceeds_credit", None)


def test_what_a_void_sets_free_settles_another_invoice(shop: Shop) -> None:
    wrong, right = invoice_of(shop), invoice_of(shop)
    payment = record(shop, "31.07", allocations=shares((wrong, "31.07"))).json()["id"]
    void(shop, wrong)
    assert with_credit(shop) == [(payment, "31.07")]
    assert allocate(shop, payment).json()["credit_amount"] == "0.00"
    assert (read(shop, right)["status"], with_credit(shop)) == ("paid", [])


def test_a_void_sets_every_payment_free(shop: Shop) -> None:
    invoice = invoice_of(shop)
    for amount in ("20.00", "11.07"):
        pay(shop, invoice, method="PAYNOW", amount=amount)
    void(shop, invoice)
    assert [amount for _, amount in with_credit(shop)] == ["11.07", "20.00"]
    assert read(shop, invoice)["outstanding_amount"] == "0.00"


def test_a_payment_whose_invoice_was_voided_is_reversed(shop: Shop) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice, method="CHEQUE")
    void(shop, invoice)
    assert reverse(shop, Payment.objects.get().pk).status_code == 201
    assert with_credit(shop) == []
    assert read(shop, invoice)["outstanding_amount"] == "0.00"


@pytest.mark.parametrize("on_the_spot", [True, False])
def test_a_void_gives_no_money_back_that_was_reversed_before(shop: Shop, on_the_spot: bool) -> None:
    invoice = invoice_of(shop, payment_received=on_the_spot)
    if not on_the_spot:
        pay(shop, invoice, method="CHEQUE")
    reverse(shop, Payment.objects.get().pk)
    void(shop, invoice)
    assert sorted(Payment.objects.values_list("amount", "allocated_amount")) == [
        (Decimal("-31.07"), Decimal("-31.07")),
        (Decimal("31.07"), Decimal("31.07")),
    ]
    assert with_credit(shop) == []


def test_a_reversal_is_dated_today_and_goes_out_of_the_bag_of_who_took_the_money(shop: Shop) -> None:
    with at(20):
        invoice = invoice_of(shop)
        payment = record(shop, "40.00", by=shop.driver, method="PAYNOW", reference="FT-7").json()["id"]
    with at(25, hour=0):
        told = reverse(shop, payment).json()
    assert [told[name] for name in ("amount", "method", "received_on", "reference", "user")] == [
        "-40.00", "PAYNOW", "2026-01-25", "FT-7", shop.driver.pk,
    ]  # fmt: skip
    assert told["allocations"] == [
        {
            "invoice": invoice["id"],
            "invoice_number": invoice["invoice_number"],
            "payout": None,
            "amount": "-31.07",
            "date": "2026-01-25",
        }
    ]
    assert set(Payment.objects.values_list("used_up_on", "date")) == {
        (date(2026, 1, 25), date(2026, 1, 20)),
        (date(2026, 1, 25), date(2026, 1, 25)),
    }


def test_the_evidence_says_what_was_paid_and_what_it_settled(shop: Shop) -> None:
    number = invoice_of(shop)["invoice_number"]
    payment = record(shop, "40.00", reference="FT-7").json()["id"]
    invoice_of(shop)
    allocate(shop, payment)
    recorded, allocated = AuditLog.objects.filter(action__startswith="invoices.payment.").order_by("id")
    assert (recorded.action, recorded.entity_id, recorded.user) == ("invoices.payment.recorded", payment, shop.admin)
    assert recorded.after == {
        "customer": shop.customer.customer_code, "method": "BANK_TRANSFER", "amount": "40.00", "reference": "FT-7",
        "allocated_amount": "31.07", "invoices": [number],
    }  # fmt: skip
    assert (allocated.action, allocated.entity_id) == ("invoices.payment.allocated", payment)
    assert (allocated.after["allocated_amount"], len(allocated.after["invoices"])) == ("40.00", 2)
    reversal = reverse(shop, payment).json()["id"]
    reversed_ = AuditLog.objects.get(action="invoices.payment.reversed")
    assert (reversed_.entity_id, reversed_.user, reversed_.reason) == (payment, shop.admin, "Bounced")
    assert reversed_.after == {"reversal": reversal, "amount": "-40.00"}


def test_the_services_refuse_by_themselves(shop: Shop, nothing_changes: Unchanged) -> None:
    """What no form and no route lets through today."""
    invoice = invoice_of(shop)
    pay(shop, invoice, by=shop.driver)
    payment = Payment.objects.get().pk
    with nothing_changes():
        with pytest.raises(Denied):
            reverse_payment(actor=shop.driver, payment_id=payment, reason="Mine")
        with pytest.raises(Invalid, match="reason"):
            reverse_payment(actor=shop.admin, payment_id=payment, reason=" ")
        with pytest.raises(Invalid, match="amount"):
            record_payment(actor=shop.admin, data=NewPayment(shop.customer.pk, "CASH", Decimal("0.00")))
