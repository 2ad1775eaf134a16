"""Payments in the office, and what pays an invoice."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from accounts.requests import acting_user
from customers.admin import CustomerAdmin
from customers.models import Customer
from customers.search import SearchesDocuments
from foundation.access.capabilities import Capability
from foundation.api.responses import pdf_file
from foundation.limits import AMOUNT
from foundation.money import CENT, shown, to_cents
from foundation.office.actions import ON_LISTS_AND_PAGES, ON_PAGES, ReasonedForm, ReasonForm, RemarksForm
from foundation.office.generic import FieldGroups, ModelForm
from foundation.office.links import Related, badge, evidence_of, list_of, on_its_way, page_of, pending_lines
from foundation.office.menu import Menu
from foundation.office.numbers import DecimalFormField
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
from foundation.office.texts import TextFormField
from foundation.office.widgets import FoundByTyping
from invoices.admin import InvoiceAdmin
from invoices.models import Invoice
from invoices.selectors import open_amount
from payments import services
from payments.models import Allocation, CashCount, CashCountQuerySet, CashExpense, Payment, PaymentQuerySet
from payments.receipts import print_receipt
from payments.selectors import (
    PAYMENT_NUMBERS,
    MoneyTaken,
    expectation_seen_by,
    expenses_of,
    money_seen_by,
    names_of,
    offsets_of,
)


class PayBackForm(forms.Form):
    """So much of a customer's credit."""

    amount = DecimalFormField(max_digits=12, decimal_places=2, min_value=CENT, max_value=AMOUNT.most)
    method = forms.ChoiceField(choices=Payment.Method.choices)
    reference = TextFormField(max_length=64, required=False)
    remarks = TextFormField(max_length=500, required=False)


class GoodwillForm(forms.Form):
    """So much for nothing that was charged."""

    amount = DecimalFormField(max_digits=12, decimal_places=2, min_value=CENT, max_value=AMOUNT.most)
    method = forms.ChoiceField(choices=Payment.Method.choices)
    reason = TextFormField(max_length=500)


admin.site.unregister(Customer)


@admin.register(Customer)
class AccountAdmin(CustomerAdmin):
    """A customer's page, with what is done to the account."""

    actions = (*CustomerAdmin.actions, "pay_back", "set_off", "refund_goodwill")

    def has_pay_back_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.PAY_OUT)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.RECORD_PAYMENT)

    def has_goodwill_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.REFUND_GOODWILL)

    @admin.action(description="Pay credit back", permissions=["pay_back"], location=ON_PAGES)
    def pay_back(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            PayBackForm,
            "Pay credit back",
            lambda payout: f"paid back by {payout}",
            lambda customer, sent: services.pay_out(actor=actor, data=services.NewPayout(customer.pk, **sent)),
            lambda customer: told_of_credit(actor, customer),
        )

    @admin.action(description="Set credit off against what is owed", permissions=["settle"], location=ON_PAGES)
    def set_off(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset,
            "credit set off",
            lambda customer: services.set_off_credit(actor=actor, customer_id=customer.pk),
        )

    @admin.action(description="Pay a goodwill refund", permissions=["goodwill"], location=ON_PAGES)
    def refund_goodwill(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            GoodwillForm,
            "Pay a goodwill refund",
            lambda payout: f"paid by {payout}",
            lambda customer, sent: services.refund_goodwill(actor=actor, customer_id=customer.pk, **sent),
        )


def told_of_credit(actor: User, customer: Customer) -> Iterable[str]:
    """How much somebody may pay back, by how it came."""
    for source, amount in services.credit_to_pay_out(actor, customer):
        if amount:
            came = f", {source.get_method_display()}" if isinstance(source, Payment) else ""
            yield f"S$ {shown(amount)} is left of {source}{came}"
    if owed := open_amount(customer):
        yield f"S$ {shown(owed)} is open of invoices: it can be set off instead"


class PayForm(forms.Form):
    """A payment of all that is open; a part of an invoice, or several at once: add a payment."""

    method = forms.ChoiceField(choices=Payment.Method.choices)
    received_on = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="Left empty: today."
    )
    reference = TextFormField(max_length=64, required=False)


@admin.register(Invoice)
class PayableInvoiceAdmin(InvoiceAdmin):
    """An invoice's page, with what pays it."""

    actions = (*InvoiceAdmin.actions, "mark_paid")

    def impossible(self, target: Invoice) -> Iterable[str]:
        return () if target.outstanding_amount else ("mark_paid",)

    def has_pay_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.RECORD_PAYMENT)

    @admin.action(description="Mark as paid", permissions=["pay"], location=ON_LISTS_AND_PAGES)
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            PayForm,
            "Mark as paid",
            "paid",
            lambda invoice, sent: services.pay_invoice(actor=actor, invoice_id=invoice.pk, **sent),
            lambda invoice: told_of_payout(actor, invoice),
        )


def told_of_payout(reader: User, invoice: Invoice) -> Iterable[str]:
    """How much of a credit note there is to pay out: what has to be set off before isn't."""
    against = offsets_of(invoice) if invoice.outstanding_amount < 0 else {}
    for name, amount in zip(names_of(reader, against), against.values(), strict=True):
        yield f"S$ {shown(amount)} is set off against {name} first"
    if against:
        left = -invoice.outstanding_amount - sum(against.values())
        yield f"S$ {shown(left)} is paid out" if left else "Nothing is paid out"


class AllocationInline(ReadOnlyInline[Allocation, Payment]):
    view_capability = Capability.VIEW_SALES
    model = Allocation
    fk_name = "payment"
    fields = ("document", "amount", "date")
    readonly_fields = fields
    verbose_name_plural = "what it settles"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        rows = Allocation.objects.read_by(acting_user(request)).select_related("invoice", "payout")
        return rows.order_by("pk")

    @admin.display(description="invoice, or what it was paid out by")
    def document(self, allocation: Any) -> str:
        if allocation.invoice_id:
            return str(allocation.invoice) if allocation.is_visible else "another invoice"
        return str(allocation.payout) if allocation.is_payout_visible else "another payment"


class PaidOutInline(ReadOnlyInline[Allocation, Payment]):
    view_capability = Capability.VIEW_SALES
    model = Allocation
    fk_name = "payout"
    fields = ("source", "amount", "date")
    readonly_fields = fields
    verbose_name_plural = "what it paid out, or settles"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        return super().get_queryset(request).select_related("payment")

    @admin.display(description="payment")
    def source(self, allocation: Allocation) -> str:
        return str(allocation.payment)


class BankedForm(forms.Form):
    """The day of the report; of several payments the same."""

    banked_on = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="The day of the report. Empty: today."
    )


class UnmatchedFilter(admin.SimpleListFilter):
    title = "in the bank's report"
    parameter_name = "unmatched"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("yes", "Not found yet: PayNow, cards, cheques, transfers"), ("reversed", "Reversed, and never found"),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        assert isinstance(queryset, PaymentQuerySet)
        if self.value() not in ("yes", "reversed"):
            return queryset
        return queryset.filter(queryset.unmatched(), reversal__isnull=self.value() == "yes")


class PaymentForm(ModelForm[Payment]):
    """Money that came in: it settles the oldest open invoices, and the rest is credit."""

    customer = forms.ModelChoiceField(
        Customer.objects.all(), widget=FoundByTyping(Payment._meta.get_field("customer"), admin.site)
    )
    amount = DecimalFormField(max_digits=12, decimal_places=2, min_value=CENT, max_value=AMOUNT.most)
    received_on = forms.DateField(required=False, widget=AdminDateWidget, help_text="Left empty: today.")

    class Meta:
        model = Payment
        fields = ("customer", "method", "amount", "received_on", "reference", "remarks")


@admin.register(Payment)
class PaymentAdmin(SearchesDocuments[Payment], OfficeAdmin[Payment]):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    inlines = (AllocationInline, PaidOutInline)
    is_found = True
    list_display = (
        "number", "buyer", "method", "amount", "credit", "received_on", "state", "reference", "user", "undone",
    )  # fmt: skip
    list_filter = ("method", UnmatchedFilter, ("used_up_on", admin.EmptyFieldListFilter), "depot")
    list_select_related = ()
    documents = PAYMENT_NUMBERS
    search_help_text = "Number, whole reference, or the customer's name or code"
    date_hierarchy = "received_on"
    ordering = ("-id",)
    actions = ("allocate", "bank", "unbank", "reverse", "bounce")
    readonly_fields = ("number", "credit", "undone", "rounding", "state")
    add_form = PaymentForm

    @admin.display(description="customer")
    def buyer(self, payment: Payment) -> str:
        return payment.customer.name

    def said(self, target: Payment) -> str:
        return f"{target}: {target.customer.name}, S$ {shown(target.amount)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).prefetch_related("customer", "user", "reversal")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "allocations__invoice__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.RECORD_PAYMENT)

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> FieldGroups:
        if obj is None:
            return ("customer", ("method", "amount"), ("received_on", "reference"), "remarks")
        return (
            ("number", "customer"), ("method", "amount", "allocated_amount", "credit"), ("given", "rounding"),
            ("received_on", "reference", "state"), "remarks", ("user", "created_at", "cash_count"),
            ("is_on_the_spot", "reverses", "undone"), "client_temp_id",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Payment | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def get_inlines(
        self, request: HttpRequest, obj: Payment | None
    ) -> tuple[type[AllocationInline | PaidOutInline], ...]:
        if obj is None:
            return ()
        return (AllocationInline, PaidOutInline) if obj.amount < 0 else (AllocationInline,)

    def save_model(self, request: HttpRequest, obj: Payment, form: ModelForm[Payment], change: bool) -> None:
        actor = acting_user(request)
        sent = form.cleaned_data
        new = services.NewPayment(**{**sent, "customer": sent["customer"].pk})
        obj.pk = services.record_payment(actor=actor, data=new).pk
        obj.refresh_from_db()

    @admin.action(
        description="Settle the oldest invoices with its credit", permissions=["add"], location=ON_LISTS_AND_PAGES
    )
    def allocate(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset.order_by("pk"),
            "allocated",
            lambda payment: services.allocate_payment(actor=actor, payment_id=payment.pk),
        )

    def impossible(self, target: Payment) -> Iterable[str]:
        if target.reverses_id or hasattr(target, "reversal"):
            return self.actions
        return (
            *(() if target.credit_amount > 0 else ("allocate",)),
            "unbank" if target.banked_on is None else "bank",
            *(() if target.method == Payment.Method.CHEQUE and target.amount > 0 else ("bounce",)),
        )

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.REVERSE_PAYMENT)

    @admin.action(description="Reverse", permissions=["reverse"], location=ON_LISTS_AND_PAGES)
    def reverse(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "Reverse the payment",
            "reversed",
            lambda payment, sent: services.reverse_payment(actor=actor, payment_id=payment.pk, reason=sent["reason"]),
        )

    def get_urls(self) -> list[URLPattern]:
        shown = self.admin_site.admin_view(self.show_receipt)
        return [path("<int:pk>/receipt/", shown, name="invoices_payment_receipt"), *super().get_urls()]

    def show_receipt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The receipt, for those who may see the payment."""
        payments = Payment.objects.visible_to(acting_user(request)).with_allocations(acting_user(request))
        payment = payments.filter(pk=pk).first() if self.has_view_permission(request) else None
        if payment is None:
            raise Http404
        return pdf_file(print_receipt(payment), f"{payment}.pdf")

    def related(self, request: HttpRequest, target: Payment) -> Iterable[Related]:
        yield Related("invoices.payment", "Receipt", reverse("admin:invoices_payment_receipt", args=[target.pk]))
        yield evidence_of(target)

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        of_it = Payment.objects.all().unmatched() & Q(reversal=None)
        one, several = "payment to find in the bank's report", "payments to find in the bank's report"
        yield one, several, {"unmatched": "yes"}, of_it

    def has_bank_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.BANK_PAYMENT)

    @admin.action(description="Found in the bank's report", permissions=["bank"], location=ON_LISTS_AND_PAGES)
    def bank(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            BankedForm,
            "Found in the bank's report",
            "found",
            lambda payment, sent: services.bank_payment(actor=actor, payment_id=payment.pk, **sent),
        )

    @admin.action(description="Not in the bank's report after all", permissions=["bank"], location=ON_PAGES)
    def unbank(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "Not in the bank's report after all",
            "taken back",
            lambda payment, sent: services.unbank_payment(actor=actor, payment_id=payment.pk, reason=sent["reason"]),
        )

    @admin.action(description="The cheque bounced", permissions=["reverse"], location=ON_PAGES)
    def bounce(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "The cheque bounced",
            "bounced",
            lambda payment, sent: services.bounce_cheque(actor=actor, payment_id=payment.pk, reason=sent["reason"]),
        )

    @admin.display(description="bank")
    def state(self, payment: Payment) -> str:
        if payment.bounced_on:
            return badge(f"Bounced {payment.bounced_on:%d %b %Y}", "open")
        if payment.banked_on:
            return badge(f"Found {payment.banked_on:%d %b %Y}", "good")
        is_undone = payment.reverses_id is not None or hasattr(payment, "reversal")
        return "–" if payment.method == Payment.Method.CASH or is_undone else badge("Not found yet", "off")

    @admin.display(description="number", ordering="id")
    def number(self, payment: Payment) -> str:
        return str(payment)

    @admin.display(description="credit left")
    def credit(self, payment: Payment) -> Decimal:
        return payment.credit_amount

    @admin.display(description="rounding")
    def rounding(self, payment: Payment) -> Decimal:
        return payment.rounding

    @admin.display(description="reversal")
    def undone(self, payment: Payment) -> str:
        if payment.reverses_id:
            return badge("Reversal", "off")
        return badge("Reversed", "open") if getattr(payment, "reversal", None) else "–"


class ChangedFilter(admin.SimpleListFilter):
    title = "changed since"
    parameter_name = "changed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Something of before it came after it was signed off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CashCount]) -> QuerySet[CashCount]:
        assert isinstance(queryset, CashCountQuerySet)
        return queryset.filter(queryset.changed()) if self.value() == "yes" else queryset


class ExpenseForm(ModelForm[CashExpense]):
    """What was paid from one's own cash bag."""

    amount = DecimalFormField(max_digits=12, decimal_places=2, min_value=CENT, max_value=AMOUNT.most)

    class Meta:
        model = CashExpense
        fields = ("amount", "reason", "reference")


@admin.register(CashExpense)
class ExpenseAdmin(OfficeAdmin[CashExpense]):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    list_display = ("number", "user", "depot", "amount", "reason", "reference", "occurred_at", "cash_count", "undone")
    list_filter = (("cash_count", admin.EmptyFieldListFilter), "depot")
    list_select_related = ("user", "depot", "cash_count", "reversal")
    search_fields = ("user__search_name",)
    search_help_text = "User name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("reverse",)
    readonly_fields = ("number", "undone")
    add_form = ExpenseForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.HAND_IN_CASH)

    def get_fields(self, request: HttpRequest, obj: CashExpense | None = None) -> FieldGroups:
        if obj is None:
            return (("amount", "reference"), "reason")
        return (
            ("number", "amount", "reference"), "reason", ("user", "depot"),
            ("occurred_at", "ordered_at", "created_at"), ("cash_count", "reverses", "undone"), "client_temp_id",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: CashExpense | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: CashExpense, form: ModelForm[CashExpense], change: bool) -> None:
        new = services.NewExpense(**form.cleaned_data)
        obj.pk = services.record_expense(actor=acting_user(request), data=new).pk
        obj.refresh_from_db()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "cash_count__id__exact" or super().lookup_allowed(lookup, value, request)

    def impossible(self, target: CashExpense) -> Iterable[str]:
        return self.actions if target.reverses_id or hasattr(target, "reversal") else ()

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        """Of one's own; the command asks whose it is."""
        return may(request, Capability.HAND_IN_CASH) or may(request, Capability.REVERSE_PAYMENT)

    @admin.action(description="Reverse", permissions=["reverse"], location=ON_LISTS_AND_PAGES)
    def reverse(self, request: HttpRequest, queryset: QuerySet[CashExpense]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "Reverse the expense",
            "reversed",
            lambda expense, sent: services.reverse_expense(actor=actor, expense_id=expense.pk, reason=sent["reason"]),
        )

    @admin.display(description="number", ordering="id")
    def number(self, expense: CashExpense) -> str:
        return str(expense)

    @admin.display(description="reversal")
    def undone(self, expense: CashExpense) -> str:
        if expense.reverses_id:
            return badge("Reversal", "off")
        return badge("Reversed", "open") if getattr(expense, "reversal", None) else "–"


COUNT_TONES = {CashCount.Status.COUNTED: "open", CashCount.Status.SIGNED_OFF: "good"}


@admin.register(CashCount)
class CashCountAdmin(OfficeAdmin[CashCount]):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    is_found = True
    list_display = ("count_number", "state", "user", "depot", "cash", "expected", "difference", "occurred_at",
                    "decided_by")  # fmt: skip
    list_filter = ("status", ChangedFilter, "depot")
    list_select_related = ("user", "depot", "decided_by")
    search_fields = ("count_number", "user__search_name")
    search_help_text = "Number, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("sign_off", "reject")
    fields = (
        ("count_number", "state"), ("user", "depot"), ("cash", "expected", "difference"), "money", "remarks",
        ("occurred_at", "ordered_at", "created_at"), ("decided_by", "decided_at"), "decision_remarks", "on_its_way",
        "client_temp_id",
    )  # fmt: skip
    readonly_fields = ("state", "expected", "difference")

    def impossible(self, target: CashCount) -> Iterable[str]:
        return () if target.status == CashCount.Status.COUNTED else self.actions

    def get_queryset(self, request: HttpRequest) -> QuerySet[CashCount]:
        counts = super().get_queryset(request)
        assert isinstance(counts, CashCountQuerySet)
        return counts.with_handed_in()

    def get_fields(self, request: HttpRequest, obj: CashCount | None = None) -> Any:
        reader = acting_user(request)
        shown = {"on_its_way": on_its_way(reader), "money": money_of_count(reader)}
        fields: Any = super().get_fields(request, obj)
        return [shown.get(name, name) if isinstance(name, str) else name for name in fields]

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        """A day-end's count is decided with it."""
        counted = CashCount.Status.COUNTED
        filters = {"status__exact": str(counted), "settlement__isnull": "True"}
        yield "cash count to sign off", "cash counts to sign off", filters, Q(status=counted, settlement=None)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "settlement__isnull" or super().lookup_allowed(lookup, value, request)

    def related(self, request: HttpRequest, target: CashCount) -> Iterable[Related]:
        yield list_of("invoices.payment", "The cash handed in with it", cash_count__id__exact=target.pk)
        yield list_of("payments.cashexpense", "The expenses handed in with it", cash_count__id__exact=target.pk)
        day = getattr(target, "settlement", None)
        if day is not None:
            yield from page_of(request, "transactions.settlement", day.pk, "Its day-end")
        yield evidence_of(target)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SIGN_OFF_SETTLEMENT)

    @admin.action(description="Sign off: take the bag over", permissions=["decide"], location=ON_LISTS_AND_PAGES)
    def sign_off(self, request: HttpRequest, queryset: QuerySet[CashCount]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            RemarksForm,
            "Sign off",
            "signed off",
            lambda count, sent: services.sign_off_cash_count(actor=actor, count_id=count.pk, **sent),
            lambda count: told_of_cash_count(actor, count),
        )

    @admin.action(description="Reject: have it counted again", permissions=["decide"], location=ON_LISTS_AND_PAGES)
    def reject(self, request: HttpRequest, queryset: QuerySet[CashCount]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonedForm,
            "Reject",
            "rejected",
            lambda count, sent: services.reject_cash_count(actor=actor, count_id=count.pk, **sent),
        )

    @admin.display(description="status", ordering="status")
    def state(self, count: CashCount) -> str:
        status = CashCount.Status(count.status)
        return badge(status.label.split(":")[0], COUNT_TONES.get(status, "off"))

    @admin.display(description="handed in with it")
    def expected(self, count: Any) -> str:
        return shown(count.handed_in) if count.status == CashCount.Status.SIGNED_OFF else "–"

    @admin.display(description="variance")
    def difference(self, count: Any) -> str:
        # SQLite adds decimals as floats.
        variance = to_cents(count.cash - count.handed_in)
        if count.status != CashCount.Status.SIGNED_OFF or not variance:
            return "–"
        return badge(f"{variance:+}", "open")


def told_of_cash_count(reader: User, count: CashCount) -> Iterable[str]:
    """What somebody who signs an open count off should know: what should be in the bag, and what may change that."""
    expected = expectation_seen_by(reader, count)
    if expected is not None:
        variance = count.cash - expected
        yield f"Cash {variance:+}: {shown(count.cash)} counted, {shown(expected)} expected"
        for expense in expenses_of(count):
            yield f"{expense}: S$ {shown(expense.amount)} was spent, {expense.reason}"
    for line in pending_lines(reader, count):
        yield format_html("Still on its way: {}", line)


def money_of_count(reader: User) -> Callable[[CashCount], str]:
    """A field of a count's page: what was taken since the count before it, by method."""

    def money(count: CashCount) -> str:
        seen = money_seen_by(reader, count)
        return "–" if seen is None else "; ".join(in_words(seen))

    return admin.display(description="money since the count before it")(money)


def in_words(money: MoneyTaken) -> Iterable[str]:
    """What was taken in each way in which any was, and what was spent."""
    for each in money.methods:
        if each.taken or each.paid_back:
            yield f"{each.method.label}: {shown(each.taken)} taken, {shown(each.paid_back)} paid back"
    yield f"expenses: {shown(money.expenses)}"
    yield f"cash expected: {shown(money.cash_expected)}"
