"""A customer's credit: paid back by who may, and set off against what is owed."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from foundation.access.capabilities import Role
from foundation.errors import Denied, UnknownReference
from invoices.models import Invoice
from payments.admin import told_of_payout
from payments.models import Allocation, Payment
from payments.selectors import cash_in_bag, credit_of, refunds_open
from payments.services import CreditShare, NewPayout, pay_out, set_off_credit
from tests.admin.pages import logged_in, messages_of, send_confirmed, url
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, UserFactory
from tests.payments.test_payments import at, invoice_of, pay, read, record, reverse, void
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


def pay_back(shop: Shop, amount: str, by: User | None = None, **body: Any) -> Answer:
    """What came without cash, and nobody has found at the bank, is asked about, and confirmed here."""
    body = {"customer": shop.customer.pk, "amount": amount, **body}
    client = shop.client_of(by or shop.admin)
    answer: Answer = client.post("/api/payouts/", body)
    if answer.status_code == 409 and answer.json()["errors"][0]["code"] == "money_not_found":
        said = [{name: each[name] for name in ("code", "attr", "value")} for each in answer.json()["errors"]]
        answer = client.post("/api/payouts/", {**body, "confirm": said})
    return answer


def set_off(shop: Shop, by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post("/api/set-offs/", {"customer": shop.customer.pk, **body})


def refund_of(shop: Shop) -> Json:
    """A credit note of 60.00, of which nothing is paid out."""
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    invoice: Json = shop.sell({"type": "RETURN"}).json()["invoice"]
    assert (invoice["kind"], invoice["outstanding_amount"]) == ("CREDIT_NOTE", "-60.00")
    return invoice


def verified() -> bool:
    call_command("verify_books", stdout=StringIO())
    return True


def supervisor(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot)


# --- Paying back ----------------------------------------------------------------------------------


def test_what_was_paid_for_a_voided_sale_is_paid_back(shop: Shop) -> None:
    """Case T11, and then its money goes back."""
    invoice = invoice_of(shop)
    pay(shop, invoice, method="PAYNOW", reference="PN-1")
    void(shop, invoice)
    assert (Payment.objects.get().reverses_id, credit_of(shop.customer)) == (None, Decimal("31.07"))
    answer = pay_back(shop, "31.07", method="PAYNOW", reference="PN-2", remarks="Wrong stall")
    assert answer.status_code == 201, answer.json()
    payout = answer.json()
    assert [payout[name] for name in ("amount", "method", "reference", "remarks", "credit_amount")] == [
        "-31.07", "PAYNOW", "PN-2", "Wrong stall", "0.00",
    ]  # fmt: skip
    taken = Payment.objects.get(amount__gt=0)
    parts = Allocation.objects.filter(payout=payout["id"])
    assert list(parts.values_list("payment", "invoice", "credit_note", "amount")) == [
        (taken.pk, None, None, Decimal("31.07"))
    ]
    told = shop.client_of(shop.admin).get(f"/api/payments/{taken.pk}/").json()["allocations"][-1]
    assert (told["payout"], told["invoice"], told["invoice_number"]) == (payout["id"], None, None)
    assert credit_of(shop.customer) == 0
    assert verified()


def test_a_part_is_paid_back_of_the_oldest_credit(shop: Shop) -> None:
    first, second = (record(shop, "10.00", reference=each).json()["id"] for each in ("T1", "T2"))
    note = refund_of(shop)
    assert pay_back(shop, "25.00").status_code == 201
    assert [Payment.objects.get(pk=pk).credit_amount for pk in (first, second)] == [0, 0]
    assert read(shop, note)["outstanding_amount"] == "-55.00"
    assert (credit_of(shop.customer), refunds_open(shop.customer)) == (Decimal(0), Decimal("55.00"))
    assert verified()


def test_no_more_than_the_credit_is_paid_back(shop: Shop, nothing_changes: Unchanged) -> None:
    record(shop, "10.00")
    with nothing_changes():
        more = pay_back(shop, "10.01")
        assert error_of(more) == (409, "exceeds_credit", "amount")
        assert more.json()["errors"][0]["detail"] == "Only 10.00 of this customer's credit can be paid back."
    assert pay_back(shop, "10.00").status_code == 201
    with nothing_changes():
        nothing = pay_back(shop, "0.01")
        assert nothing.json()["errors"][0]["detail"] == "This customer has no credit."


def test_credit_of_another_customer_is_not_paid_back(shop: Shop, nothing_changes: Unchanged) -> None:
    other = CustomerFactory().pk
    record(shop, "10.00", customer=other)
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, customer=other, payment_received=True)
    refund = shop.sell({"type": "RETURN"}, customer=other).json()["invoice"]
    assert refund["outstanding_amount"] == "-60.00"
    with nothing_changes():
        assert error_of(pay_back(shop, "1.00")) == (409, "exceeds_credit", "amount")
        assert error_of(pay_back(shop, "1.00", customer=999_999)) == (400, "does_not_exist", "customer")


def test_a_driver_pays_back_what_they_took_in_the_way_in_which_it_came(shop: Shop, nothing_changes: Unchanged) -> None:
    record(shop, "10.00", by=shop.driver, method="CASH")
    record(shop, "10.00", by=shop.driver, method="PAYNOW")
    record(shop, "10.00", by=shop.admin, method="CASH")
    with nothing_changes():
        refused = pay_back(shop, "10.01", by=shop.driver)
        assert error_of(refused) == (409, "exceeds_credit", "amount")
        assert "You pay back what you took yourself, in the same way." in refused.json()["errors"][0]["detail"]
    assert pay_back(shop, "10.00", by=shop.driver).status_code == 201
    assert cash_in_bag(shop.driver) == 0
    assert credit_of(shop.customer) == Decimal("20.00")


def detail(answer: Answer) -> str:
    assert error_of(answer) == (409, "exceeds_credit", "amount")
    told: str = answer.json()["errors"][0]["detail"]
    return told


def test_the_refusal_says_how_much_may_be_paid_back_how_and_why_not_more(shop: Shop) -> None:
    record(shop, "10.00", by=shop.driver, method="CASH")
    record(shop, "20.00", by=shop.driver, method="PAYNOW")
    record(shop, "30.00", by=UserFactory(role=Role.ADMIN), method="CASH")
    own = "You pay back what you took yourself, in the same way."
    assert detail(pay_back(shop, "60.00", by=shop.driver)) == (
        f"Only 10.00 of this customer's credit can be paid back in cash. {own} Beside that: 20.00 by PayNow."
    )
    assert detail(pay_back(shop, "60.00", by=shop.driver, method="CHEQUE")) == (
        f"Nothing of this customer's credit can be paid back by Cheque. {own} "
        "Beside that: 10.00 in cash, 20.00 by PayNow."
    )
    assert detail(pay_back(shop, "60.00", by=supervisor(shop))) == (
        "Only 30.00 of this customer's credit can be paid back. You pay back what your depot took."
    )
    assert detail(pay_back(shop, "60.01")) == "Only 60.00 of this customer's credit can be paid back."


def test_a_driver_pays_a_refund_of_their_own_out(shop: Shop, nothing_changes: Unchanged) -> None:
    note = refund_of(shop)
    stranger = UserFactory(role=Role.DRIVER, depot=shop.depot)
    with nothing_changes():
        assert error_of(pay_back(shop, "1.00", by=shop.driver, method="PAYNOW")) == (409, "exceeds_credit", "amount")
        assert error_of(pay_back(shop, "1.00", by=stranger)) == (409, "exceeds_credit", "amount")
    assert pay_back(shop, "60.00", by=shop.driver).status_code == 201
    assert read(shop, note)["outstanding_amount"] == "0.00"


def test_a_supervisor_pays_back_what_the_depot_took(shop: Shop, nothing_changes: Unchanged) -> None:
    record(shop, "10.00", by=shop.driver, method="PAYNOW")
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    with nothing_changes():
        assert error_of(pay_back(shop, "10.00", by=elsewhere)) == (409, "exceeds_credit", "amount")
    assert pay_back(shop, "10.00", by=supervisor(shop)).status_code == 201


def test_the_services_refuse_by_themselves(shop: Shop, nothing_changes: Unchanged) -> None:
    record(shop, "10.00")
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    with nothing_changes():
        with pytest.raises(Denied):
            pay_out(actor=staff, data=NewPayout(shop.customer.pk, Decimal("1.00")))
        with pytest.raises(UnknownReference):
            set_off_credit(actor=shop.admin, customer_id=999_999)


def test_a_refund_is_set_off_before_it_is_paid_back(shop: Shop, nothing_changes: Unchanged) -> None:
    """Its deposit's charge is open again: nothing of it is credit yet."""
    charge = invoice_of(shop)
    charge = shop.sell({"type": "DEPOSIT"}, payment_received=False).json()["invoice"]
    pay(shop, charge, method="CHEQUE")
    cheque = Payment.objects.latest("pk").pk
    note = shop.sell({"type": "RETURN"}).json()["invoice"]
    assert note["outstanding_amount"] == "-60.00"
    reverse(shop, cheque)
    with nothing_changes():
        assert detail(pay_back(shop, "60.00")) == (
            "Nothing of this customer's credit can be paid back. 60.00 of it is set off first, against the invoices that "
            "charged its deposits."
        )


def test_the_same_payout_sent_again_is_paid_once(shop: Shop) -> None:
    record(shop, "20.00")
    first = pay_back(shop, "10.00", client_temp_id="back-1")
    again = pay_back(shop, "10.00", client_temp_id="back-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["id"], credit_of(shop.customer)) == (again.json()["id"], Decimal("10.00"))
    assert first.json()["client_temp_id"] == "back-1"


def test_much_money_is_asked_about(shop: Shop, settings: Any, nothing_changes: Unchanged) -> None:
    settings.UNLIKELY = {**settings.UNLIKELY, "AMOUNT": Decimal(50)}
    record(shop, "30.00", method="CASH"), record(shop, "30.00", method="CASH", reference="Slip 2")
    with nothing_changes():
        assert error_of(pay_back(shop, "60.00")) == (409, "amount_unlikely", "amount")


def test_no_bag_pays_back_more_than_a_bag_holds(shop: Shop, settings: Any, nothing_changes: Unchanged) -> None:
    for reference in ("T1", "T2"):
        record(shop, "30.00", reference=reference)
    settings.LIMITS = {**settings.LIMITS, "BALANCE": Decimal("40.00")}
    with nothing_changes():
        assert error_of(pay_back(shop, "40.01")) == (400, "amount_out_of_range", "amount")
    assert pay_back(shop, "40.01", method="CHEQUE").status_code == 201


def test_the_evidence_says_what_was_paid_back(shop: Shop) -> None:
    taken = record(shop, "20.00", method="CASH").json()["payment_number"]
    pay_back(shop, "15.00", reference="R1", remarks="Moved away")
    evidence = AuditLog.objects.get(action="payments.credit.paid_out")
    assert (evidence.after, evidence.reason) == (
        {
            "customer": shop.customer.customer_code,
            "method": "CASH",
            "amount": "15.00",
            "reference": "R1",
            "of": {taken: "15.00"},
        },
        "Moved away",
    )


# --- Undoing --------------------------------------------------------------------------------------


def test_a_payout_that_is_reversed_is_credit_again(shop: Shop) -> None:
    record(shop, "20.00")
    payout = pay_back(shop, "15.00").json()["id"]
    assert reverse(shop, payout).status_code == 201
    assert credit_of(shop.customer) == Decimal("20.00")
    assert cash_in_bag(shop.admin) == 0
    assert pay_back(shop, "20.00").status_code == 201
    assert verified()


def test_what_was_paid_out_of_a_cheque_that_bounced_is_owed(shop: Shop) -> None:
    cheque = record(shop, "20.00", method="CHEQUE").json()["id"]
    payout = pay_back(shop, "15.00").json()["id"]
    assert reverse(shop, cheque).status_code == 201
    assert Payment.objects.get(pk=payout).credit_amount == Decimal("-15.00")
    [row] = shop.client_of(shop.admin).get("/api/reports/receivables/").json()["rows"]
    assert (row["current"], row["credit"], row["total"]) == ("15.00", "0.00", "15.00")
    assert verified()
    # The next money settles it, before what is due later.
    shop.customer.payment_terms_days = 30
    shop.customer.save()
    later = invoice_of(shop)
    assert record(shop, "20.00").json()["credit_amount"] == "0.00"
    assert (credit_of(shop.customer), read(shop, later)["outstanding_amount"]) == (Decimal(0), "26.07")
    assert verified()


def test_a_payout_and_then_its_cheque_are_reversed(shop: Shop) -> None:
    cheque = record(shop, "20.00", method="CHEQUE").json()["id"]
    payout = pay_back(shop, "15.00").json()["id"]
    assert [reverse(shop, pk).status_code for pk in (payout, cheque)] == [201, 201]
    assert credit_of(shop.customer) == 0
    assert verified()


def test_a_cheque_and_then_its_payout_are_reversed(shop: Shop) -> None:
    cheque = record(shop, "20.00", method="CHEQUE").json()["id"]
    payout = pay_back(shop, "15.00").json()["id"]
    assert [reverse(shop, pk).status_code for pk in (cheque, payout)] == [201, 201]
    assert credit_of(shop.customer) == 0
    assert verified()


# --- Setting off ----------------------------------------------------------------------------------


def test_all_credit_is_set_off_against_what_is_owed_for_longest(shop: Shop) -> None:
    note = refund_of(shop)
    payment = record(shop, "20.00").json()
    first, second, third = (invoice_of(shop, quantity=quantity) for quantity in (1, 1, 2))
    answer = set_off(shop)
    assert (answer.status_code, answer.json()) == (
        201,
        {"customer": shop.customer.pk, "open_amount": "44.27", "credit_amount": "0.00"},
    )
    assert [read(shop, each)["outstanding_amount"] for each in (note, first, second, third)] == [
        "0.00", "0.00", "0.00", "44.27",
    ]  # fmt: skip
    # The payments' credit goes before the credit notes'.
    [part] = Allocation.objects.filter(payment=payment["id"])
    assert (part.invoice_id, part.amount) == (first["id"], Decimal("20.00"))
    assert verified()


def test_so_much_of_a_credit_note_is_set_off_against_one_invoice(shop: Shop) -> None:
    note, payment = refund_of(shop), record(shop, "5.00").json()
    first, second = invoice_of(shop), invoice_of(shop)
    body: dict[str, Any] = {
        "credits": [{"credit_note": note["id"], "amount": "10.00"}, {"payment": payment["id"], "amount": "5.00"}],
        "invoices": [{"invoice": second["id"], "amount": "12.00"}],
    }
    assert set_off(shop, **body).status_code == 201
    assert [read(shop, each)["outstanding_amount"] for each in (note, first, second)] == ["-50.00", "31.07", "19.07"]
    assert Payment.objects.get(pk=payment["id"]).credit_amount == Decimal("3.00")
    [evidence] = AuditLog.objects.filter(action="payments.credit.set_off")
    assert (evidence.entity_id, evidence.after) == (
        shop.customer.pk,
        {
            "set_off": [
                f"10.00 of {note['invoice_number']} against {second['invoice_number']}",
                f"2.00 of {payment['payment_number']} against {second['invoice_number']}",
            ]
        },
    )
    assert verified()


def test_what_cannot_be_set_off_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    note = refund_of(shop)
    with nothing_changes():
        assert error_of(set_off(shop)) == (409, "exceeds_credit", None)
    invoice = invoice_of(shop)
    payment = record(shop, "5.00", allocations=[]).json()["id"]

    def credits(*named: Json) -> Answer:
        return set_off(shop, credits=list(named))

    def invoices(amount: str, **body: Any) -> Answer:
        return set_off(shop, invoices=[{"invoice": invoice["id"], "amount": amount}], **body)

    debtless = CustomerFactory().pk
    of_note, of_payment = {"credit_note": note["id"], "amount": "1.00"}, {"payment": payment, "amount": "5.00"}
    with nothing_changes():
        assert error_of(credits(of_note, of_note)) == (400, "invalid", "credits")
        assert error_of(credits({"amount": "1.00"})) == (400, "invalid", "credits.0")
        assert error_of(credits({**of_note, **of_payment})) == (400, "invalid", "credits.0")
        assert error_of(credits(of_note, {**of_payment, "payment": 999_999})) == (
            400, "does_not_exist", "credits.1.payment",
        )  # fmt: skip
        assert error_of(credits({**of_note, "credit_note": invoice["id"]})) == (
            400, "does_not_exist", "credits.0.credit_note",
        )  # fmt: skip
        assert error_of(credits(of_note, {**of_payment, "amount": "5.01"})) == (
            409, "exceeds_credit", "credits.1.amount",
        )  # fmt: skip
        assert error_of(invoices("31.08")) == (409, "exceeds_outstanding", "invoices.0.amount")
        assert error_of(invoices("5.01", credits=[of_payment])) == (409, "exceeds_credit", "invoices")
        assert error_of(set_off(shop, customer=debtless)) == (409, "exceeds_credit", None)


def test_a_driver_sets_their_own_credit_off_against_the_account(shop: Shop, nothing_changes: Unchanged) -> None:
    theirs = invoice_of(shop, by=shop.admin)
    record(shop, "5.00", allocations=[])
    with nothing_changes():
        assert error_of(set_off(shop, by=shop.driver)) == (409, "exceeds_credit", None)
        named = set_off(shop, by=shop.driver, invoices=[{"invoice": theirs["id"], "amount": "1.00"}])
        assert error_of(named) == (400, "does_not_exist", "invoices.0.invoice")
    record(shop, "7.00", by=shop.driver, method="CASH", allocations=[])
    assert set_off(shop, by=shop.driver).status_code == 201
    assert read(shop, theirs)["outstanding_amount"] == "24.07"


def test_the_service_takes_what_is_named(shop: Shop) -> None:
    note = refund_of(shop)
    invoice_of(shop)
    share = CreditShare(Decimal("1.00"), credit_note=note["id"])
    made = set_off_credit(actor=shop.admin, customer_id=shop.customer.pk, credits=[share])
    assert made == Customer.objects.get(pk=shop.customer.pk)
    assert Invoice.objects.get(pk=note["id"]).outstanding_amount == Decimal("-59.00")


# --- What the books say afterwards ----------------------------------------------------------------


def owed(shop: Shop, as_of: str) -> Json:
    """What isn't nought of the customer's receivables."""
    asked: dict[str, Any] = {"as_of": as_of, "customer": shop.customer.pk}
    rows = shop.client_of(shop.admin).get("/api/reports/receivables/", asked).json()["rows"]
    return {name: value for row in rows for name, value in row.items() if name not in OF_THE_ROW and value != "0.00"}


OF_THE_ROW = {"customer_code", "name", "total"}


def test_a_credit_note_settles_nothing_that_was_paid_out_too_much(shop: Shop, nothing_changes: Unchanged) -> None:
    """It bills; what was paid out is money."""
    cheque = record(shop, "20.00", method="CHEQUE").json()["id"]
    pay_back(shop, "20.00")
    reverse(shop, cheque)
    refund_of(shop)
    with nothing_changes():
        assert error_of(set_off(shop)) == (409, "exceeds_credit", None)


def test_a_payout_that_is_reversed_is_credit_again_since_that_day(shop: Shop) -> None:
    with at(20):
        record(shop, "20.00")
        payout = pay_back(shop, "15.00").json()["id"]
    with at(25, hour=0):
        reverse(shop, payout)
        assert owed(shop, "2026-01-24") == {"credit": "-5.00"}
        assert owed(shop, "2026-01-25") == {"credit": "-20.00"}
    reversal = Payment.objects.latest("pk")
    assert reversal.allocated_amount == 15
    assert Payment.objects.get(pk=payout).allocated_amount == -15


def test_what_was_owed_before_credit_was_paid_back_stays_so(shop: Shop) -> None:
    with at(20):
        record(shop, "20.00")
    with at(25):
        pay_back(shop, "15.00")
        assert owed(shop, "2026-01-24") == {"credit": "-20.00"}
        assert owed(shop, "2026-01-25") == {"credit": "-5.00"}


def test_what_was_paid_out_too_much_grows_old(shop: Shop) -> None:
    with at(10):
        cheque = record(shop, "20.00", method="CHEQUE").json()["id"]
        pay_back(shop, "15.00")
    with at(12):
        reverse(shop, cheque)
        assert owed(shop, "2026-01-11") == {"credit": "-5.00"}
        assert owed(shop, "2026-01-12") == {"days_1_30": "15.00"}
    with at(31):
        assert owed(shop, "2026-01-31") == {"days_1_30": "15.00"}


def test_a_part_is_paid_back_of_the_oldest_credit_however_it_came(shop: Shop) -> None:
    record(shop, "10.00", method="PAYNOW")
    assert pay_back(shop, "10.00", method="CHEQUE").status_code == 201


def test_what_goes_out_of_the_bag_makes_room_in_it(shop: Shop, settings: Any) -> None:
    record(shop, "30.00", method="CASH")
    settings.LIMITS = {**settings.LIMITS, "BALANCE": Decimal("40.00")}
    assert pay_back(shop, "30.00").status_code == 201


def test_a_payout_is_of_who_pays_and_of_their_depot(shop: Shop) -> None:
    record(shop, "30.00", by=shop.driver, method="PAYNOW")
    payer = UserFactory(role=Role.ADMIN, depot=DepotFactory())
    told = pay_back(shop, "30.00", by=payer).json()
    assert (told["user"], told["depot"]) == (payer.pk, payer.depot_id)
    assert cash_in_bag(payer) == -30


def test_a_reversed_payment_is_no_credit(shop: Shop, nothing_changes: Unchanged) -> None:
    reverse(shop, record(shop, "20.00").json()["id"])
    with nothing_changes():
        assert error_of(pay_back(shop, "1.00")) == (409, "exceeds_credit", "amount")
        assert error_of(set_off(shop)) == (409, "exceeds_credit", None)


@pytest.mark.parametrize("is_paid_again", [False, True])
def test_a_voided_refund_whose_payout_is_reversed_is_settled_by_its_void(shop: Shop, is_paid_again: bool) -> None:
    """Nobody owes anything of it, and nobody else's money can be paid out of it."""
    note = refund_of(shop)
    payout = pay_back(shop, "60.00", by=shop.driver).json()["id"]
    void(shop, note)
    if is_paid_again:
        record(shop, "45.00", method="PAYNOW")
    assert Invoice.objects.latest("pk").outstanding_amount == (15 if is_paid_again else 60)
    assert reverse(shop, payout).status_code == 201
    assert [row.outstanding_amount for row in Invoice.objects.filter(pk__gte=note["id"])] == [0, 0]
    assert credit_of(shop.customer) == (45 if is_paid_again else 0)
    assert error_of(pay_back(shop, "1.00", by=shop.driver)) == (409, "exceeds_credit", "amount")
    assert verified()


def test_a_driver_is_not_told_of_others_payouts(shop: Shop) -> None:
    taken = record(shop, "20.00", by=shop.driver, method="PAYNOW").json()["id"]
    payout = pay_back(shop, "15.00").json()["id"]
    own, all_ = (
        shop.client_of(user).get(f"/api/payments/{taken}/").json()["allocations"] for user in (shop.driver, shop.admin)
    )
    assert ([part["payout"] for part in own], [part["payout"] for part in all_]) == ([None], [payout])


def test_what_was_entered_later_and_taken_back_did_not_come(shop: Shop) -> None:
    with at(25):
        payment = record(shop, "20.00", received_on="2026-01-22").json()["id"]
        assert owed(shop, "2026-01-22") == {"entered_later": "20.00"}
        reverse(shop, payment)
        assert owed(shop, "2026-01-22") == {}


def test_a_voided_refund_whose_payout_is_reversed_frees_no_more_than_it_needs(shop: Shop) -> None:
    note = refund_of(shop)
    payouts = [pay_back(shop, amount).json()["id"] for amount in ("40.00", "20.00")]
    void(shop, note)
    record(shop, "60.00", method="PAYNOW")
    reverse(shop, payouts[1])
    assert credit_of(shop.customer) == 20
    assert verified()


def test_a_payout_of_a_refund_that_stands_is_reversed(shop: Shop) -> None:
    void(shop, invoice_of(shop))
    note = refund_of(shop)
    payout = pay_back(shop, "60.00").json()["id"]
    other = shop.sell({"type": "SALE"}, customer=CustomerFactory().pk).json()["invoice"]
    void(shop, other)
    assert reverse(shop, payout).status_code == 201
    assert read(shop, note)["outstanding_amount"] == "-60.00"
    assert verified()


# --- In the office --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "typed", "told"),
    [
        (
            "pay_back",
            {"amount": "10.00", "method": "CASH", "reference": "R-1", "remarks": "Moved away"},
            "paid back by",
        ),
        ("refund_goodwill", {"amount": "10.00", "method": "CASH", "reason": "A dent"}, "paid by"),
    ],
)
def test_the_office_is_told_the_number_of_what_was_paid(shop: Shop, action: str, typed: Json, told: str) -> None:
    record(shop, "10.00", method="CASH")
    chosen = {"CHANGE_FORM-action": action, "_selected_action": shop.customer.pk, "_answered": "1"}
    done = logged_in(shop.admin).post(url(Customer, "change", shop.customer.pk), {**chosen, **typed}, follow=True)
    assert messages_of(done) == [f"{shop.customer}: {told} {Payment.objects.latest('pk')}."]


def test_the_form_that_pays_back_keeps_what_was_typed_when_it_is_refused(shop: Shop) -> None:
    record(shop, "10.00")
    client, page = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    typed = {"amount": "10.01", "method": "PAYNOW", "reference": "PN-7", "remarks": "Moved away"}
    once = "0f" * 16
    chosen = {"CHANGE_FORM-action": "pay_back", "_selected_action": shop.customer.pk, "once": once, "_answered": "1"}
    refused = client.post(page, {**chosen, **typed})
    assert refused.status_code == 200
    assert messages_of(refused) == [f"{shop.customer}: Only 10.00 of this customer's credit can be paid back."]
    assert {name: refused.context["form"][name].value() for name in typed} == typed
    assert refused.context["once"] == once
    mended = send_confirmed(client, page, {**chosen, **typed, "amount": "10.00"})  # the money isn't found yet
    assert mended.status_code == 302
    assert Payment.objects.latest("pk").amount == Decimal("-10.00")


# --- What may not be seen is not named ------------------------------------------------------------


def test_a_reference_of_anothers_payment_is_asked_about_without_its_number(shop: Shop) -> None:
    mine = record(shop, "10.00", by=shop.driver, method="CHEQUE", reference="C-1").json()["payment_number"]
    others = UserFactory(role=Role.DRIVER, depot=shop.depot)
    paid = {"customer": shop.customer.pk, "tender": [{"method": "CHEQUE", "amount": "5.00", "reference": "C-1"}]}
    line = {"equipment": shop.cylinder.pk, "type": "SERVICE", "quantity": 1}
    for by, name in ((others, "Another payment"), (shop.driver, mine), (shop.admin, mine)):
        asked = record(shop, "10.00", by=by, method="CHEQUE", reference="C-1")
        assert asked.json()["errors"][0]["detail"] == f"{name} has this reference already."
        at_the_door = shop.client_of(by).post("/api/transactions/", {**paid, "items": [line]})
        assert at_the_door.json()["errors"][0]["detail"] == f"{name} has this reference already."


def test_what_a_refund_is_set_off_against_is_named_to_who_may_see_it(shop: Shop) -> None:
    invoice_of(shop)
    charge = shop.sell({"type": "DEPOSIT"}, payment_received=False, by=shop.admin).json()["invoice"]
    pay(shop, charge, method="CHEQUE")
    cheque = Payment.objects.latest("pk").pk
    note = shop.sell({"type": "RETURN"}).json()["invoice"]
    reverse(shop, cheque)
    told = "Only 0.00 is open of {}, once it is set off against {}."
    for by, name in ((shop.driver, "another invoice"), (shop.admin, charge["invoice_number"])):
        refused = pay(shop, note, by=by, amount="1.00")
        assert refused.json()["errors"][0]["detail"] == told.format(note["invoice_number"], name)
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    credit_note = Invoice.objects.get(pk=note["id"])
    assert next(iter(told_of_payout(stranger, credit_note))) == "S$ 60.00 is set off against another invoice first"
    again = shop.sell({"type": "DEPOSIT"}, by=shop.admin).json()["invoice"]["invoice_number"]
    for by, name in ((shop.driver, ""), (shop.admin, again)):
        [held] = shop.client_of(by).get(f"/api/customers/{shop.customer.pk}/holdings/").json()
        assert [lot["document_number"] for lot in held["lots"]] == [name]


def test_a_payments_page_names_no_invoice_of_another_depot(shop: Shop) -> None:
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    invoice = invoice_of(shop)
    payment = record(shop, "40.00", by=elsewhere, method="CASH").json()["id"]
    pay_back(shop, "8.93")
    page = url(Payment, "change", payment)
    seen = [logged_in(by).get(page).content.decode() for by in (elsewhere, shop.admin)]
    assert ["another invoice" in each for each in seen] == [True, False]
    assert ["another payment" in each for each in seen] == [True, False]
    assert [invoice["invoice_number"] in each for each in seen] == [False, True]


@pytest.mark.parametrize("name", ["invoices", "credits"])
def test_a_set_off_that_names_none_is_refused_under_a_known_id_too(
    shop: Shop, name: str, nothing_changes: Unchanged
) -> None:
    """An empty list is not "what there is": it sets nothing off, and repeats nothing."""
    invoice_of(shop)
    record(shop, "10.00", allocations=[])
    assert set_off(shop, client_temp_id="off").status_code == 201
    record(shop, "11.00", allocations=[])
    with nothing_changes():
        bodies: list[Json] = [{name: [], "client_temp_id": each} for each in ("off", "new")]
        for body in (*bodies, {name: []}):
            assert error_of(set_off(shop, **body)) == (400, "empty", name)
