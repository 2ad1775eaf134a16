"""Invoices and GST rates in the office."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html

from core.access import Capability
from core.admin_site import Menu
from core.errors import DomainError
from core.office import ON_LISTS_AND_PAGES, MasterDataAdmin, OfficeAdmin, Related, badge, evidence_of, link_to
from invoices import services
from invoices.downloads import pdf_response
from invoices.models import GstRate, Invoice

TONES = {Invoice.Status.PAID: "good", Invoice.Status.GENERATED: "open"}


def pdf_url(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_pdf", args=[invoice.pk])


def pdf_link(invoice: Invoice) -> str:
    return format_html('<a href="{}" target="_blank" rel="noopener">PDF</a>', pdf_url(invoice))


@admin.register(Invoice)
class InvoiceAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    list_display = (
        "invoice_number", "kind", "state", "customer", "date", "due_on", "subtotal", "gst_amount", "total_amount",
        "pdf",
    )  # fmt: skip
    list_filter = ("kind", "status", "user__depot")
    list_select_related = ("customer",)
    search_fields = ("invoice_number", "customer__name", "customer__customer_code")
    search_help_text = "Number, or the customer's name or code"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("mark_printed",)
    fieldsets = (
        (None, {"fields": (("invoice_number", "kind", "state", "pdf"), ("customer", "sale", "user"))}),
        ("Amounts", {"fields": (("subtotal", "gst_rate", "gst_amount", "total_amount"),)}),
        ("Dates", {"fields": (("date", "due_on"), ("generated_at", "printed_at", "emailed_at", "paid_at"))}),
        ("Stored document", {"fields": ("pdf_path", "pdf_sha256"), "classes": ("collapse",)}),
    )
    readonly_fields = ("sale", "pdf", "state")

    def related(self, request: HttpRequest, target: Invoice) -> Iterable[Related]:
        return (Related("invoices.invoice", "PDF", pdf_url(target)), evidence_of(target))

    def get_urls(self) -> list[Any]:
        own = path("<int:pk>/pdf/", self.admin_site.admin_view(self.show_pdf), name="invoices_invoice_pdf")
        return [own, *super().get_urls()]

    def show_pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document, for those who may see the invoice."""
        invoice = self.get_queryset(request).filter(pk=pk).first() if self.has_view_permission(request) else None
        if invoice is None:
            raise Http404
        try:
            return pdf_response(request, invoice)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:invoices_invoice_change", args=[invoice.pk]))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("snapshot")

    @admin.action(description="Mark as printed", permissions=["view"], location=ON_LISTS_AND_PAGES)
    def mark_printed(self, request: HttpRequest, queryset: Any) -> None:
        actor: Any = request.user
        self.each(
            request,
            queryset.order_by("pk"),
            "marked as printed",
            lambda invoice: services.mark_printed(actor=actor, invoice_id=invoice.pk),
        )

    @admin.display(description="status", ordering="status")
    def state(self, invoice: Invoice) -> str:
        status = Invoice.Status(invoice.status)
        return badge(status.label, TONES.get(status, "off"))

    @admin.display(description="document")
    def pdf(self, invoice: Invoice) -> str:
        return pdf_link(invoice)

    @admin.display(description="sale")
    def sale(self, invoice: Invoice) -> str:
        try:
            return link_to(invoice.transaction)
        except ObjectDoesNotExist:
            return "–"


@admin.register(GstRate)
class GstRateAdmin(MasterDataAdmin):
    """Rates are added, never changed: documents were issued under them."""

    list_display = ("rate", "valid_from")
    fields = ("rate", "valid_from", "as_read")
    actions = ()
    create_command = services.add_gst_rate

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
