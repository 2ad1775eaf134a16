"""Invoices, their emails and GST rates in the office."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from accounts.requests import acting_user
from audit.admin import confirmations_of
from customers.search import SearchesDocuments
from discrepancies.admin import discrepancies_of
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.api.responses import pdf_file
from foundation.errors import DomainError
from foundation.office.actions import ON_LISTS_AND_PAGES, RemarksForm
from foundation.office.links import Related, badge, evidence_of, link_to, list_of
from foundation.office.master_data import MasterDataAdmin, standing_of, tell_of_rate
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from foundation.office.texts import EmailFormField
from invoices import services
from invoices.downloads import pdf_response
from invoices.models import EmailHold, GstRate, Invoice, InvoiceEmail
from invoices.selectors import INVOICE_NUMBERS, why_held

TONES = {Invoice.Status.PAID: "good", Invoice.Status.GENERATED: "open"}


EMAIL_TONES = {
    InvoiceEmail.Status.SENT: "good",
    InvoiceEmail.Status.HELD: "open",
    InvoiceEmail.Status.FAILED: "open",
    InvoiceEmail.Status.UNCERTAIN: "open",
}


class EmailForm(forms.Form):
    to = EmailFormField(required=False, help_text="Left empty: the customer's own address.")


class OpenFilter(admin.SimpleListFilter):
    title = "open"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Something is open"), ("overdue", "Overdue"), ("no", "Settled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        match self.value():
            case "yes":
                return queryset.filter(settled_on__isnull=True)
            case "overdue":
                return queryset.filter(_overdue())
            case "no":
                return queryset.filter(settled_on__isnull=False)
            case _:
                return queryset


class HeldFilter(admin.SimpleListFilter):
    title = "held"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Not to be emailed before it is released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        return queryset.filter(_held()) if self.value() == "yes" else queryset


class UnsentFilter(admin.SimpleListFilter):
    title = "unsent"
    parameter_name = "unsent"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Given up, and not asked for again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InvoiceEmail]) -> QuerySet[InvoiceEmail]:
        return queryset.filter(_unsent()) if self.value() == "yes" else queryset


PATIENCE = timedelta(minutes=15)


def _unsent() -> Q:
    later = InvoiceEmail.objects.filter(invoice=OuterRef("invoice"), pk__gt=OuterRef("pk"))
    given_up = Q(status__in=(InvoiceEmail.Status.FAILED, InvoiceEmail.Status.UNCERTAIN))
    # Nobody took it up: perhaps no worker is running.
    left_lying = Q(status=InvoiceEmail.Status.QUEUED, next_try_at__lt=clock.now() - PATIENCE)
    return ~Q(Exists(later)) & (given_up | left_lying)


def _held() -> Q:
    return Q(pk__in=EmailHold.objects.filter(released_at__isnull=True).values("invoice"))


def _overdue() -> Q:
    today = clock.business_date(clock.now())
    return Q(settled_on__isnull=True, due_on__lt=today, total_amount__gt=0)


def pdf_url(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_pdf", args=[invoice.pk])


def pdf_link(invoice: Invoice) -> str:
    return format_html('<a href="{}" target="_blank" rel="noopener">PDF</a>', pdf_url(invoice))


class InvoiceAdmin(SearchesDocuments[Invoice], OfficeAdmin[Invoice]):
    """All of an invoice's page but the money: `payments.admin` adds that and registers it."""

    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    is_found = True
    list_display = (
        "invoice_number", "kind", "state", "buyer", "date", "due_on", "subtotal", "gst_amount", "total_amount",
        "outstanding", "pdf",
    )  # fmt: skip
    list_filter = (OpenFilter, HeldFilter, "kind", "status", "depot")
    list_select_related = ()
    documents = INVOICE_NUMBERS
    search_help_text = "Beginning of the number, or the customer's name or code"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions: tuple[str, ...] = ("print_batch", "mark_printed", "send_by_email", "release")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("invoice_number", "kind", "state", "pdf"),
                    ("customer", "sale", "user", "depot"),
                    "differs",
                    "asked",
                    "hold",
                )
            },
        ),
        (
            "Amounts",
            {
                "fields": (
                    ("subtotal", "taxable_amount", "gst_rate", "gst_amount", "total_amount"),
                    ("settled_amount", "outstanding", "settled_on"),
                    ("credited_amount", "corrections", "corrects", "voided_on"),
                )
            },
        ),
        ("Dates", {"fields": (("date", "due_on"), ("generated_at", "printed_at", "emailed_at", "paid_at"))}),
        ("Stored document", {"fields": ("pdf_path", "pdf_sha256"), "classes": ("collapse",)}),
    )
    readonly_fields = ("sale", "pdf", "state", "outstanding", "differs", "asked", "hold", "corrections")

    def said(self, target: Invoice) -> str:
        return (
            f"{target.invoice_number}: {target.customer.name}, S$ {target.total_amount}, {target.get_status_display()}"
        )

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        yield "invoice overdue", "invoices overdue", {"open": "overdue"}, _overdue()
        yield "invoice to be released", "invoices to be released", {"held": "yes"}, _held()

    def related(self, request: HttpRequest, target: Invoice) -> Iterable[Related]:
        return (
            Related("invoices.invoice", "PDF", pdf_url(target)),
            list_of("invoices.payment", "Payments", allocations__invoice__id__exact=target.pk),
            list_of("invoices.invoiceemail", "Emails", invoice__id__exact=target.pk),
            evidence_of(target),
        )

    def get_urls(self) -> list[URLPattern]:
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        # Joined, the table of customers may be read first, and with it all their invoices.
        return super().get_queryset(request).defer("snapshot").prefetch_related("customer")

    @admin.action(description="Mark as printed", permissions=["send"], location=ON_LISTS_AND_PAGES)
    def mark_printed(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset.order_by("pk"),
            "marked as printed",
            lambda invoice: services.mark_printed(actor=actor, invoice_id=invoice.pk),
        )

    @admin.action(description="Print as one PDF", permissions=["send"])
    def print_batch(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        actor = acting_user(request)
        try:
            pdf = services.print_batch(actor=actor, invoice_ids=[invoice.pk for invoice in queryset.order_by("pk")])
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return None
        return pdf_file(pdf, "invoices.pdf")

    @admin.action(description="Send by email", permissions=["send"], location=ON_LISTS_AND_PAGES)
    def send_by_email(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            EmailForm,
            "Send by email",
            "queued; its emails tell what becomes of it",
            lambda invoice, sent: services.request_email(actor=actor, invoice_id=invoice.pk, to=sent["to"]),
        )

    def has_send_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SEND_DOCUMENT)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.RELEASE_EMAIL)

    @admin.action(description="Release", permissions=["release"], location=ON_LISTS_AND_PAGES)
    def release(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            RemarksForm,
            "Release for email",
            "released",
            lambda invoice, sent: services.release_email(actor=actor, invoice_id=invoice.pk, **sent),
            lambda invoice: filter(None, [why_held(invoice)]),
        )

    @admin.display(description="customer")
    def buyer(self, invoice: Invoice) -> str:
        return invoice.customer.name

    @admin.display(description="open")
    def outstanding(self, invoice: Invoice) -> Decimal:
        return invoice.outstanding_amount

    @admin.display(description="status", ordering="status")
    def state(self, invoice: Invoice) -> str:
        if invoice.state != Invoice.State.ISSUED:
            return badge(invoice.state.label, "open")
        status = Invoice.Status(invoice.status)
        return badge(status.label, TONES.get(status, "off"))

    @admin.display(description="taken back by")
    def corrections(self, invoice: Invoice) -> str:
        return format_html_join(", ", "{}", ((link_to(each),) for each in invoice.corrections.order_by("pk")))

    @admin.display(description="document")
    def pdf(self, invoice: Invoice) -> str:
        return pdf_link(invoice)

    @admin.display(description="sale")
    def sale(self, invoice: Invoice) -> str:
        try:
            return link_to(invoice.transaction)
        except ObjectDoesNotExist:
            return "–"

    @admin.display(description="unlikely")
    def asked(self, invoice: Invoice) -> str:
        try:
            return confirmations_of(invoice.transaction)
        except ObjectDoesNotExist:
            return "–"

    @admin.display(description="email")
    def hold(self, invoice: Invoice) -> str:
        hold = EmailHold.objects.filter(invoice=invoice).select_related("released_by").first()
        if hold is None:
            return "–"
        if hold.released_at is None:
            return format_html("{} {}", badge("Held", "open"), hold.because)
        return format_html("{} by {}: {}", badge("Released", "good"), hold.released_by, hold.remarks or "–")

    @admin.display(description="shown otherwise in the field")
    def differs(self, invoice: Invoice) -> str:
        try:
            return discrepancies_of(invoice.transaction)
        except ObjectDoesNotExist:
            return "–"


@admin.register(InvoiceEmail)
class InvoiceEmailAdmin(OfficeAdmin[InvoiceEmail]):
    view_capability = Capability.VIEW_SALES
    menu = Menu.SALES
    list_display = ("invoice", "to", "state", "attempts", "requested_by", "requested_at", "sent_at", "last_error")
    list_filter = (UnsentFilter, "status")
    list_select_related = ("invoice", "requested_by")
    search_fields = ("invoice__invoice_number", "to")
    search_help_text = "Invoice's number, or address"
    ordering = ("-id",)
    actions = ("send_again",)
    fields = (
        ("invoice", "to", "state"), ("requested_by", "requested_at"), ("attempts", "next_try_at", "lease_until"),
        "last_error", "sent_at", "message_id",
    )  # fmt: skip
    readonly_fields = ("state",)

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        yield "email not sent", "emails not sent", {"unsent": "yes"}, _unsent()

    def related(self, request: HttpRequest, target: InvoiceEmail) -> Iterable[Related]:
        return (list_of("invoices.invoice", "Invoice", id__exact=target.invoice_id), evidence_of(target.invoice))

    def has_send_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SEND_DOCUMENT)

    @admin.action(description="Send again", permissions=["send"], location=ON_LISTS_AND_PAGES)
    def send_again(self, request: HttpRequest, queryset: QuerySet[InvoiceEmail]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset.order_by("pk"),
            "queued",
            lambda email: services.request_email(actor=actor, invoice_id=email.invoice_id, to=email.to),
        )

    @admin.display(description="status", ordering="status")
    def state(self, email: InvoiceEmail) -> str:
        status = InvoiceEmail.Status(email.status)
        return badge(status.label, EMAIL_TONES.get(status, "off"))


@admin.register(GstRate)
class GstRateAdmin(MasterDataAdmin[GstRate]):
    """Rates are added, never changed: documents were issued under them."""

    list_display = ("rate", "valid_from", "standing", "reason")
    fields = ("rate", "valid_from", "reason", "as_read")
    actions = ()
    create_command = services.add_gst_rate

    def get_queryset(self, request: HttpRequest) -> QuerySet[GstRate]:
        rates: Any = super().get_queryset(request)
        shown: QuerySet[GstRate] = rates.with_standing()
        return shown

    def response_add(self, request: HttpRequest, obj: GstRate, *args: Any, **kwargs: Any) -> HttpResponse:
        tell_of_rate(request, obj, obj.valid_from)
        return super().response_add(request, obj, *args, **kwargs)

    @admin.display(description="counts")
    def standing(self, rate: GstRate) -> str:
        return standing_of(rate)

    def has_change_permission(self, request: HttpRequest, obj: GstRate | None = None) -> bool:
        return False
