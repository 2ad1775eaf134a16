"""Sales in the office."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.access import Capability
from core.office import OfficeAdmin, evidence_of, link_to, may, movements_of
from invoices.admin import pdf_link
from transactions.models import Transaction, TransactionItem


class ItemInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = TransactionItem
    fields = ("equipment_name", "type", "condition", "quantity", "rate", "rate_source", "amount", "taxable")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Capability.VIEW_SALES)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Transaction)
class TransactionAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_SALES
    inlines = (ItemInline,)
    list_display = (
        "transaction_number", "customer_name", "user", "usage", "total_amount",
        "payment_received", "occurred_at", "document", "pdf",
    )  # fmt: skip
    list_filter = ("payment_type", "payment_received")
    list_select_related = ("user", "invoice")
    search_fields = ("transaction_number", "customer_name", "invoice__invoice_number", "vehicle_no")
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = (
        ("transaction_number", "document", "pdf"), ("site", "user", "vehicle_no"),
        ("meter_number", "last_meter_reading", "current_meter_reading"), ("meter_rate", "usage", "usage_amount"),
        ("items_amount", "total_amount"), ("payment_type", "payment_received"), "remarks",
        ("occurred_at", "created_at"), "client_temp_id", "movements", "audit",
    )  # fmt: skip
    readonly_fields = ("document", "pdf", "site", "movements", "audit")

    @admin.display(description="invoice")
    def document(self, sale: Transaction) -> str:
        return link_to(sale.invoice)

    @admin.display(description="document")
    def pdf(self, sale: Transaction) -> str:
        return pdf_link(sale.invoice)

    @admin.display(description="customer")
    def site(self, sale: Transaction) -> str:
        return link_to(sale.customer, sale.customer_name)

    @admin.display(description="stock")
    def movements(self, sale: Transaction) -> str:
        return movements_of(sale)

    @admin.display(description="audit")
    def audit(self, sale: Transaction) -> str:
        return evidence_of(sale)
