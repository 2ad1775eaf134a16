"""Sales, meters and deposits in the office."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from accounts.requests import acting_user
from customers.models import Customer
from customers.search import SearchesDocuments
from discrepancies.admin import discrepancies_of, to_discrepancies
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.limits import READING
from foundation.money import shown
from foundation.office.actions import ON_LISTS_AND_PAGES, ON_PAGES, ReasonForm
from foundation.office.generic import FieldGroups, ModelForm
from foundation.office.links import Related, badge, evidence_of, link_to, list_of, movements_of
from foundation.office.menu import Menu
from foundation.office.numbers import DecimalFormField
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
from foundation.office.widgets import FoundByTyping
from invoices.admin import pdf_link, pdf_url
from invoices.models import Invoice
from transactions import services
from transactions.bill_form import bill_form
from transactions.credit_form import credit_form, credit_kind_field
from transactions.models import (
    DepositBalance,
    MeterReplacement,
    Transaction,
    TransactionItem,
    TransactionQuerySet,
)
from transactions.selectors import SALE_NUMBERS, left_of


class ItemInline(ReadOnlyInline[TransactionItem, Transaction]):
    view_capability = Capability.VIEW_SALES
    model = TransactionItem
    fields = ("equipment_name", "type", "condition", "quantity", "rate", "rate_source", "amount", "taxable")
    readonly_fields = fields


class VoidForm(ReasonForm):
    goods = forms.ChoiceField(
        choices=services.Goods.choices,
        initial=services.Goods.CAME_BACK,
        label="The goods",
        help_text="Sold by mistake: they never left, and counts since then explain it.",
    )


class MeteredVoidForm(VoidForm):
    keep_meter = forms.BooleanField(
        required=False,
        label="The meter's reading stands",
        help_text="It has moved on since: only the money of the usage is reversed.",
    )
    credit_kind = credit_kind_field()


def told_of_sale(sale: Transaction) -> str:
    """Whoever takes the wrong one back sees it here."""
    return f"{sale.customer_name}, {clock.in_words(sale.occurred_at)}, by {sale.user}"


def told_of_void(sale: Transaction) -> Iterable[str]:
    invoice = sale.invoice
    yield told_of_sale(sale)
    yield f"{invoice.invoice_number} of S$ {shown(invoice.total_amount)} is taken back in whole"
    if invoice.settled_amount > 0:
        yield f"S$ {shown(invoice.settled_amount)} of it is settled: that becomes credit, and is paid back by itself"


def told_of_bill(sale: Transaction) -> Iterable[str]:
    invoice = sale.invoice
    yield told_of_sale(sale)
    yield f"{invoice.invoice_number} of S$ {shown(invoice.total_amount)} is credited, and what is right is billed"
    yield "The new invoice is of the same moment and the same seller"
    yield "What it was settled with settles the new invoice; the rest is credit"


class StateFilter(admin.SimpleListFilter):
    """A sale's state is no column: it follows from what other documents have left of its own."""

    title = "status"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [*Transaction.Status.choices, ("REVERSAL", "Reversal"), ("CREDIT", "Credit")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "REVERSAL":
                return queryset.filter(reverses__isnull=False)
            case "CREDIT":
                return queryset.filter(corrects__isnull=False)
            case status:
                return queryset.filter(reverses__isnull=True, corrects__isnull=True, status=status)


def told_of_credit(sale: Transaction) -> Iterable[str]:
    invoice = sale.invoice
    yield told_of_sale(sale)
    yield f"{invoice.invoice_number}: S$ {shown(invoice.total_amount - invoice.credited_amount)} with GST is left of it"
    if invoice.outstanding_amount > 0:
        yield f"S$ {shown(invoice.outstanding_amount)} of it is open: a credit settles that first, the rest is credit"
    else:
        yield "It is settled: what is credited is the customer's credit"


@admin.register(Transaction)
class TransactionAdmin(SearchesDocuments[Transaction], OfficeAdmin[Transaction]):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    inlines = (ItemInline,)
    is_found = True
    list_display = (
        "transaction_number", "state", "customer_name", "user", "occurred_at", "total_amount", "owed", "paid",
        "document", "pdf",
    )  # fmt: skip
    list_filter = (StateFilter, "payment_type", "payment_received", "depot")
    list_select_related = ("invoice",)
    documents = SALE_NUMBERS | {"": "vehicle_no"}
    search_help_text = "Beginning of the sale's or invoice's number, customer's name or code, or the vehicle"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("void", "credit", "bill_again")
    fieldsets = (
        (None, {"fields": (("transaction_number", "state", "reverses", "corrects", "reversed_by"),
                           ("replaces", "billed_by"), ("site", "user", "depot", "vehicle_no"),
                           ("occurred_at", "created_at"))}),
        ("Bill", {"fields": (("usage_amount", "items_amount", "total_amount", "owed"),
                             ("payment_type", "payment_received", "document", "pdf"), "remarks", "differs")}),
        ("Gas meter", {"fields": (("meter_number", "last_meter_reading", "current_meter_reading", "usage",
                                   "meter_rate"),)}),
        ("Sent by the app as", {"fields": ("client_temp_id",), "classes": ("collapse",)}),
    )  # fmt: skip
    readonly_fields = ("state", "reversed_by", "billed_by", "document", "pdf", "site", "owed", "differs")

    def said(self, target: Transaction) -> str:
        return f"{target.transaction_number}: {target.customer_name}, S$ {shown(target.invoice.total_amount)}"

    def related(self, request: HttpRequest, target: Transaction) -> Iterable[Related]:
        invoice = target.invoice
        return (
            Related("invoices.invoice", "PDF", pdf_url(invoice)),
            list_of("invoices.invoice", "Invoice", invoice_number=invoice.invoice_number),
            to_discrepancies(target),
            movements_of(target),
            evidence_of(target),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        # Joined, the table of users may be read first, and with it all sales of everybody.
        sales = super().get_queryset(request)
        assert isinstance(sales, TransactionQuerySet)
        return sales.with_status().prefetch_related("user")

    def impossible(self, target: Any) -> Iterable[str]:
        if target.status == Transaction.Status.VOIDED or target.reverses_id or target.corrects_id:
            return self.actions
        is_invoice = target.invoice.kind == Invoice.Kind.TAX_INVOICE
        return (
            *(() if is_invoice else ("credit", "bill_again")),
            *(() if target.status == Transaction.Status.COMPLETED else ("void", "bill_again")),
        )

    def has_void_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.VOID_SALE)

    @admin.action(description="Void: reverse it with a credit note", permissions=["void"], location=ON_LISTS_AND_PAGES)
    def void(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> HttpResponse | None:
        actor, metered = acting_user(request), queryset.filter(current_meter_reading__isnull=False)
        return self.ask(
            request,
            queryset,
            MeteredVoidForm if metered.exists() else VoidForm,
            "Void the sale",
            lambda made: f"voided by {made.invoice}",
            lambda sale, sent: services.void_transaction(actor=actor, data=services.NewVoid(sale.pk, **sent)),
            told_of_void,
        )

    def has_credit_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CREDIT_INVOICE)

    @admin.action(description="Credit a part of it", permissions=["credit"], location=ON_PAGES)
    def credit(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> HttpResponse | None:
        actor, sale = acting_user(request), queryset.select_related("invoice").get()
        return self.ask(
            request,
            queryset,
            credit_form(left_of(sale, sale.invoice), with_goods=actor.can(Capability.RETURN_GOODS)),
            "Credit a part of the invoice",
            lambda made: f"credited by {made.invoice}, S$ {shown(-made.invoice.total_amount)}",
            lambda sale, sent: services.credit_invoice(
                actor=actor, data=services.NewCredit(invoice=sale.invoice_id, **sent)
            ),
            told_of_credit,
        )

    @admin.action(description="Bill it again", permissions=["void"], location=ON_PAGES)
    def bill_again(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> HttpResponse | None:
        actor, sale = acting_user(request), queryset.select_related("invoice", "customer").get()
        return self.ask(
            request,
            queryset,
            bill_form(sale),
            "Credit the invoice and bill it again",
            lambda made: f"billed again by {made.invoice}, S$ {shown(made.invoice.total_amount)}",
            lambda sale, sent: services.bill_again(actor=actor, data=services.NewBill(sale.pk, **sent)),
            told_of_bill,
        )

    @admin.display(description="status")
    def state(self, sale: Any) -> str:
        if sale.reverses_id or sale.corrects_id:
            return badge("Reversal" if sale.reverses_id else "Credit", "off")
        status = Transaction.Status(sale.status)
        return badge(status.label, "good" if status == Transaction.Status.COMPLETED else "open")

    @admin.display(description="taken back by")
    def reversed_by(self, sale: Transaction) -> str:
        by = Transaction.objects.filter(Q(reverses=sale) | Q(corrects=sale)).order_by("pk")
        return format_html_join(", ", "{}", ((link_to(each),) for each in by))

    @admin.display(description="billed again by")
    def billed_by(self, sale: Transaction) -> str:
        by = Transaction.objects.filter(replaces=sale).first()
        return link_to(by) if by else "–"

    @admin.display(description="with GST", ordering="invoice__total_amount")
    def owed(self, sale: Transaction) -> Decimal:
        return sale.invoice.total_amount

    @admin.display(description="paid", boolean=True, ordering="payment_received")
    def paid(self, sale: Transaction) -> bool:
        return sale.payment_received

    @admin.display(description="invoice", ordering="invoice__invoice_number")
    def document(self, sale: Transaction) -> str:
        return link_to(sale.invoice)

    @admin.display(description="PDF")
    def pdf(self, sale: Transaction) -> str:
        return pdf_link(sale.invoice)

    @admin.display(description="shown otherwise in the field")
    def differs(self, sale: Transaction) -> str:
        return discrepancies_of(sale)

    @admin.display(description="customer")
    def site(self, sale: Transaction) -> str:
        return link_to(sale.customer, sale.customer_name)


@admin.register(DepositBalance)
class DepositBalanceAdmin(OfficeAdmin[DepositBalance]):
    """Balances of earlier releases that are no lots. Nothing moves them."""

    view_capability = Capability.VIEW_CUSTOMER_SITE
    menu = Menu.SALES
    list_display = ("customer", "equipment", "quantity", "amount")
    list_filter = ("equipment",)
    list_select_related = ("customer", "equipment")
    search_fields = ("customer__search_name", "equipment__search_name")
    search_help_text = "Customer's name or code, or the equipment's"
    ordering = ("customer__customer_code", "equipment__sku")
    fields = ("customer", "equipment", "quantity", "amount")

    def related(self, request: HttpRequest, target: DepositBalance) -> Iterable[Related]:
        return (list_of("transactions.transaction", "Sales", customer__id__exact=target.customer_id),)


class NewMeterForm(ModelForm[MeterReplacement]):
    """The old meter's last reading and the new one's first."""

    customer = forms.ModelChoiceField(
        Customer.objects.filter(meter_rate__isnull=False),
        widget=FoundByTyping(MeterReplacement._meta.get_field("customer"), admin.site),
    )
    final_reading = DecimalFormField(max_digits=12, decimal_places=2, min_value=0, max_value=READING.most)
    first_reading = DecimalFormField(max_digits=12, decimal_places=2, min_value=0, max_value=READING.most)

    class Meta:
        model = MeterReplacement
        fields = ("customer", "final_reading", "new_meter_number", "first_reading", "reason")


@admin.register(MeterReplacement)
class MeterReplacementAdmin(OfficeAdmin[MeterReplacement]):
    view_capability = Capability.VIEW_CUSTOMER_SITE
    menu = Menu.SALES
    list_display = (
        "customer", "occurred_at", "old_meter_number", "final_reading", "new_meter_number", "first_reading", "user",
    )  # fmt: skip
    list_select_related = ("customer", "user")
    search_fields = ("customer__search_name", "old_meter_number", "new_meter_number")
    search_help_text = "Customer's name or code, or a meter's number"
    ordering = ("-id",)
    add_form = NewMeterForm

    def related(self, request: HttpRequest, target: MeterReplacement) -> Iterable[Related]:
        return (evidence_of(target.customer),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.REPLACE_METER)

    def get_fields(self, request: HttpRequest, obj: MeterReplacement | None = None) -> FieldGroups:
        if obj is None:
            return ("customer", "final_reading", "new_meter_number", "first_reading", "reason")
        return (
            "customer", ("old_meter_number", "final_reading"), ("new_meter_number", "first_reading"), "final_bill",
            "reason", ("user", "occurred_at", "created_at"),
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: MeterReplacement | None = None) -> tuple[str, ...]:
        return () if obj is None else ("final_bill",)

    def save_model(
        self, request: HttpRequest, obj: MeterReplacement, form: ModelForm[MeterReplacement], change: bool
    ) -> None:
        actor = acting_user(request)
        sent = form.cleaned_data
        new = services.NewMeter(**{**sent, "customer": sent["customer"].pk})
        obj.pk = services.replace_meter(actor=actor, data=new).pk
        obj.refresh_from_db()

    @admin.display(description="last usage billed by")
    def final_bill(self, replacement: MeterReplacement) -> str:
        """As text: the sale may be one that its reader doesn't see."""
        return str(replacement.final_sale or "–")
