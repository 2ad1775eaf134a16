"""Sales in the office."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.access import Capability
from core.admin_site import Menu
from core.office import OfficeAdmin, ReadOnlyInline, Related, badge, evidence_of, link_to, list_of, movements_of
from invoices.admin import pdf_link, pdf_url
from transactions.models import Transaction, TransactionItem


class ItemInline(ReadOnlyInline):
    view_capability = Capability.VIEW_SALES
    model = TransactionItem
    fields = ("equipment_name", "type", "condition", "quantity", "rate", "rate_source", "amount", "taxable")
    readonly_fields = fields


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
class TransactionAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    inlines = (ItemInline,)
    list_display = (
        "transaction_number", "state", "customer_name", "user", "occurred_at", "total_amount", "owed", "paid",
        "document", "pdf",
    )  # fmt: skip
    list_filter = (StateFilter, "payment_type", "payment_received", "user__depot")
    list_select_related = ("user", "invoice")
    search_fields = ("transaction_number", "customer_name", "invoice__invoice_number", "vehicle_no")
    search_help_text = "Number of the sale or its invoice, customer's name, or vehicle"
    date_hierarchy = "date"
    ordering = ("-id",)
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

    def related(self, request: HttpRequest, target: Transaction) -> Iterable[Related]:
        invoice = target.invoice
        return (
            Related("invoices.invoice", "PDF", pdf_url(invoice)),
            list_of("invoices.invoice", "Invoice", invoice_number=invoice.invoice_number),
            movements_of(target),
            evidence_of(target),
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_status()

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
