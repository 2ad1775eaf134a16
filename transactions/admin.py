"""Sales, meters, deposits and day-ends in the office."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from customers.models import Customer
from customers.search import SearchesDocuments
from foundation.access.capabilities import Capability
from foundation.office.links import Related, badge, evidence_of, link_to, list_of, movements_of
from foundation.office.pages import ON_LISTS_AND_PAGES, OfficeAdmin, ReadOnlyInline, ReasonForm, may
from foundation.office.site import Menu
from invoices.admin import pdf_link, pdf_url
from transactions import services
from transactions.models import (
    DepositBalance,
    MeterReplacement,
    Settlement,
    SettlementLine,
    Transaction,
    TransactionItem,
)
from transactions.selectors import SALE_NUMBERS


class ItemInline(ReadOnlyInline):
    view_capability = Capability.VIEW_SALES
    model = TransactionItem
    fields = ("equipment_name", "type", "condition", "quantity", "rate", "rate_source", "amount", "taxable")
    readonly_fields = fields


class VoidForm(ReasonForm):
    return_stock = forms.BooleanField(
        required=False,
        initial=True,
        label="The goods come back",
        help_text="Not where they are gone for good: then only the money is reversed.",
    )


class StateFilter(admin.SimpleListFilter):
    """A sale's state is no column: it follows from whether a reversal of it exists."""

    title = "status"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Transaction.Status.choices, ("REVERSAL", "Reversal")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case None:
                return queryset
            case "REVERSAL":
                return queryset.filter(reverses__isnull=False)
            case status:
                return queryset.filter(reverses__isnull=True, reversal__isnull=status != Transaction.Status.VOIDED)


@admin.register(Transaction)
class TransactionAdmin(SearchesDocuments, OfficeAdmin):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    inlines = (ItemInline,)
    is_found = True
    list_display = (
        "transaction_number", "state", "customer_name", "user", "occurred_at", "total_amount", "owed", "paid",
        "document", "pdf",
    )  # fmt: skip
    list_filter = (StateFilter, "payment_type", "payment_received", "user__depot")
    list_select_related = ("invoice",)
    documents = SALE_NUMBERS | {"": "vehicle_no"}
    search_help_text = "Beginning of the sale's or invoice's number, customer's name or code, or the vehicle"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("void",)
    fieldsets = (
        (None, {"fields": (("transaction_number", "state", "reverses", "reversed_by"),
                           ("site", "user", "vehicle_no"), ("occurred_at", "created_at"))}),
        ("Bill", {"fields": (("usage_amount", "items_amount", "total_amount", "owed"),
                             ("payment_type", "payment_received", "document", "pdf"), "remarks")}),
        ("Gas meter", {"fields": (("meter_number", "last_meter_reading", "current_meter_reading", "usage",
                                   "meter_rate"),)}),
        ("Sent by the app as", {"fields": ("client_temp_id",), "classes": ("collapse",)}),
    )  # fmt: skip
    readonly_fields = ("state", "reversed_by", "document", "pdf", "site", "owed")

    def said(self, target: Transaction) -> str:
        return f"{target.transaction_number}: {target.customer_name}, S$ {target.invoice.total_amount}"

    def related(self, request: HttpRequest, target: Transaction) -> Iterable[Related]:
        invoice = target.invoice
        return (
            Related("invoices.invoice", "PDF", pdf_url(invoice)),
            list_of("invoices.invoice", "Invoice", invoice_number=invoice.invoice_number),
            movements_of(target),
            evidence_of(target),
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Joined, the table of users may be read first, and with it all sales of everybody.
        return super().get_queryset(request).with_status().prefetch_related("user")

    def has_void_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.VOID_SALE)

    @admin.action(description="Void: reverse it with a credit note", permissions=["void"], location=ON_LISTS_AND_PAGES)
    def void(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        actor: Any = request.user
        return self.ask(
            request,
            queryset,
            VoidForm,
            "Void the sale",
            "voided",
            lambda sale, sent: services.void_transaction(actor=actor, transaction_id=sale.pk, **sent),
        )

    @admin.display(description="status")
    def state(self, sale: Any) -> str:
        if sale.reverses_id:
            return badge("Reversal", "off")
        status = Transaction.Status(sale.status)
        return badge(status.label, "open" if status == Transaction.Status.VOIDED else "good")

    @admin.display(description="reversed by")
    def reversed_by(self, sale: Transaction) -> str:
        return link_to(Transaction.objects.filter(reverses=sale).first())

    @admin.display(description="with GST", ordering="invoice__total_amount")
    def owed(self, sale: Transaction) -> str:
        return str(sale.invoice.total_amount)

    @admin.display(description="paid", boolean=True, ordering="payment_received")
    def paid(self, sale: Transaction) -> bool:
        return sale.payment_received

    @admin.display(description="invoice", ordering="invoice__invoice_number")
    def document(self, sale: Transaction) -> str:
        return link_to(sale.invoice)

    @admin.display(description="PDF")
    def pdf(self, sale: Transaction) -> str:
        return pdf_link(sale.invoice)

    @admin.display(description="customer")
    def site(self, sale: Transaction) -> str:
        return link_to(sale.customer, sale.customer_name)


@admin.register(DepositBalance)
class DepositBalanceAdmin(OfficeAdmin):
    """What customers hold against deposits. The lines of sales move it, nothing else."""

    view_capability = Capability.VIEW_CUSTOMER_SITE
    menu = Menu.SALES
    list_display = ("customer", "equipment", "quantity", "amount")
    list_filter = ("equipment",)
    list_select_related = ("customer", "equipment")
    search_fields = ("customer__name", "customer__customer_code", "equipment__sku")
    search_help_text = "Customer's name or code, or the equipment's"
    ordering = ("customer__customer_code", "equipment__sku")
    fields = ("customer", "equipment", "quantity", "amount")

    def related(self, request: HttpRequest, target: DepositBalance) -> Iterable[Related]:
        return (list_of("transactions.transaction", "Sales", customer__id__exact=target.customer_id),)


class NewMeterForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The old meter's last reading and the new one's first."""

    customer = forms.ModelChoiceField(
        Customer.objects.filter(meter_rate__isnull=False),
        widget=AutocompleteSelect(MeterReplacement._meta.get_field("customer"), admin.site),
    )

    class Meta:
        model = MeterReplacement
        fields = ("customer", "final_reading", "new_meter_number", "first_reading", "reason")


@admin.register(MeterReplacement)
class MeterReplacementAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_CUSTOMER_SITE
    menu = Menu.SALES
    list_display = (
        "customer", "occurred_at", "old_meter_number", "final_reading", "new_meter_number", "first_reading", "user",
    )  # fmt: skip
    list_select_related = ("customer", "user")
    search_fields = ("customer__name", "customer__customer_code", "old_meter_number", "new_meter_number")
    search_help_text = "Customer's name or code, or a meter's number"
    ordering = ("-id",)

    def related(self, request: HttpRequest, target: MeterReplacement) -> Iterable[Related]:
        return (evidence_of(target.customer),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.REPLACE_METER)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": NewMeterForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("customer", "final_reading", "new_meter_number", "first_reading", "reason")
        return (
            "customer", ("old_meter_number", "final_reading"), ("new_meter_number", "first_reading"), "final_bill",
            "reason", ("user", "occurred_at", "created_at"),
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("final_bill",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor: Any = request.user
        sent = form.cleaned_data
        new = services.NewMeter(**{**sent, "customer": sent["customer"].pk})
        obj.pk = services.replace_meter(actor=actor, data=new).value.pk
        obj.refresh_from_db()

    @admin.display(description="last usage billed by")
    def final_bill(self, replacement: MeterReplacement) -> str:
        """As text: the sale may be one that its reader doesn't see."""
        return str(replacement.final_sale or "–")


class SettlementLineInline(ReadOnlyInline):
    view_capability = Capability.VIEW_SETTLEMENTS
    model = SettlementLine
    fields = (
        "equipment", "condition", "opening", "loaded", "delivered", "collected", "unloaded", "other", "expected",
        "counted", "difference",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("equipment")

    @admin.display(description="variance")
    def difference(self, line: SettlementLine) -> str:
        return badge(f"{line.variance:+d}", "open") if line.variance else "–"


class RemarksForm(forms.Form):
    remarks = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class ReasonedForm(forms.Form):
    remarks = forms.CharField(
        max_length=500, label="To be counted again, because", widget=forms.Textarea(attrs={"rows": 2, "cols": 60})
    )


SETTLEMENT_TONES = {Settlement.Status.COUNTED: "open", Settlement.Status.SIGNED_OFF: "good"}


@admin.register(Settlement)
class SettlementAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    inlines = (SettlementLineInline,)
    is_found = True
    list_display = (
        "settlement_number", "state", "user", "vehicle_no", "depot", "cash_expected", "cash_counted", "cash_difference",
        "created_at", "decided_by",
    )  # fmt: skip
    list_filter = ("status", "depot")
    list_select_related = ("user", "depot", "decided_by")
    search_fields = ("settlement_number", "vehicle_no", "user__username")
    search_help_text = "Number, vehicle, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("sign_off", "reject")
    fields = (
        ("settlement_number", "state"), ("user", "vehicle_no", "depot"),
        ("cash_expected", "cash_counted", "cash_difference"), "remarks", "created_at", ("decided_by", "decided_at"),
        "decision_remarks",
    )  # fmt: skip
    readonly_fields = ("state", "cash_difference")

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        counted = Settlement.Status.COUNTED
        yield "day-end to sign off", "day-ends to sign off", {"status__exact": counted}, Q(status=counted)

    def related(self, request: HttpRequest, target: Settlement) -> Iterable[Related]:
        return (movements_of(target), evidence_of(target))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SIGN_OFF_SETTLEMENT)

    @admin.action(
        description="Sign off: bring the vehicle's stock to the count",
        permissions=["decide"],
        location=ON_LISTS_AND_PAGES,
    )
    def sign_off(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        actor: Any = request.user
        return self.ask(
            request,
            queryset,
            RemarksForm,
            "Sign off",
            "signed off",
            lambda day, sent: services.sign_off_settlement(actor=actor, settlement_id=day.pk, **sent),
        )

    @admin.action(description="Reject: have it counted again", permissions=["decide"], location=ON_LISTS_AND_PAGES)
    def reject(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        actor: Any = request.user
        return self.ask(
            request,
            queryset,
            ReasonedForm,
            "Reject",
            "rejected",
            lambda day, sent: services.reject_settlement(actor=actor, settlement_id=day.pk, **sent),
        )

    @admin.display(description="status", ordering="status")
    def state(self, settlement: Settlement) -> str:
        status = Settlement.Status(settlement.status)
        return badge(status.label.split(":")[0], SETTLEMENT_TONES.get(status, "off"))

    @admin.display(description="cash variance")
    def cash_difference(self, settlement: Settlement) -> str:
        return badge(f"{settlement.cash_variance:+}", "open") if settlement.cash_variance else "–"
