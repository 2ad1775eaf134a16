"""Invoices and GST rates in the office."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html

from core.access import Capability
from core.office import MasterDataAdmin, OfficeAdmin, evidence_of, link_to
from invoices import services
from invoices.downloads import pdf_response
from invoices.models import GstRate, Invoice


def pdf_link(invoice: Invoice) -> str:
    url = reverse("admin:invoices_invoice_pdf", args=[invoice.pk])
    return format_html('<a href="{}" target="_blank" rel="noopener">PDF</a>', url)


@admin.register(Invoice)
class InvoiceAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_SALES
    list_display = (
        "invoice_number", "kind", "customer", "status", "subtotal", "gst_amount", "total_amount", "date", "due_on",
        "pdf",
    )  # fmt: skip
    list_filter = ("kind", "status")
    list_select_related = ("customer",)
    search_fields = ("invoice_number", "customer__name", "customer__customer_code")
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = (
        ("invoice_number", "kind", "status"), ("customer", "sale", "user"),
        ("subtotal", "gst_rate", "gst_amount", "total_amount"), ("date", "due_on"),
        ("generated_at", "printed_at", "emailed_at", "paid_at"), "pdf", ("pdf_path", "pdf_sha256"), "audit",
    )  # fmt: skip
    readonly_fields = ("sale", "pdf", "audit")

    def get_urls(self) -> list[Any]:
        own = path("<int:pk>/pdf/", self.admin_site.admin_view(self.show_pdf), name="invoices_invoice_pdf")
        return [own, *super().get_urls()]

    def show_pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document, for those who may see the invoice."""
        invoice = self.get_queryset(request).filter(pk=pk).first() if self.has_view_permission(request) else None
        if invoice is None:
            raise Http404
        return self._or_message(request, pdf_response, invoice)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("transaction").defer("snapshot")

    @admin.display(description="document")
    def pdf(self, invoice: Invoice) -> str:
        return pdf_link(invoice)

    @admin.display(description="sale")
    def sale(self, invoice: Invoice) -> str:
        try:
            return link_to(invoice.transaction)
        except ObjectDoesNotExist:
            return "–"

    @admin.display(description="audit")
    def audit(self, invoice: Invoice) -> str:
        return evidence_of(invoice)


@admin.register(GstRate)
class GstRateAdmin(MasterDataAdmin):
    """Rates are added, never changed: documents were issued under them."""

    list_display = ("rate", "valid_from")
    fields = ("rate", "valid_from")
    actions = ()
    create_command = services.add_gst_rate

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
