"""Customers and their contract rates in the office."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.requests import acting_user
from customers import services
from customers.imports import CustomerTable, RateTable
from customers.models import Customer, CustomerRate, MeterRate
from customers.selectors import meter_rates_of
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.limits import RATE
from foundation.office.dated import DatedForm, DatedInline
from foundation.office.generic import ModelForm
from foundation.office.imports import ImportsTables
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import LegibleForm, MasterDataAdmin, standing_of
from foundation.office.menu import Menu
from foundation.office.numbers import DecimalFormField
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
from foundation.office.texts import TextFormField
from foundation.registration import Numbered, as_gst_number, as_uen


class CustomerForm(LegibleForm[Customer]):
    """What it was read as is the row's ``version`` here: the command compares it under the row's lock."""

    class Meta:
        model = Customer
        fields = (
            "customer_code", "name", "email", "phone", "address", "postal_code", "uen", "gst_registration_no",
            "payment_type", "payment_terms_days", "email_invoices", "meter_number", "meter_rate", "last_meter_reading",
            "is_active", "version",
        )  # fmt: skip
        widgets = {"version": forms.HiddenInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "customer_code" in self.fields and self.instance.pk is None:
            self.fields["customer_code"].required = False
            self.fields["customer_code"].help_text = "Given out when left empty."

    def clean_uen(self) -> str:
        return self._numbered(as_uen, "uen")

    def clean_gst_registration_no(self) -> str:
        return self._numbered(as_gst_number, "gst_registration_no")

    def _numbered(self, read: Callable[[str], Numbered], name: str) -> str:
        """One that was stored before this was looked at stays as it is, until it is changed."""
        sent: str = self.cleaned_data[name]
        if name not in self.changed_data:
            return sent
        number, wrong = read(sent)
        if wrong:
            raise forms.ValidationError(wrong)
        return number


class RateForm(ModelForm[CustomerRate]):
    """A rate from a date on, or the contract's end: which of them is said, and no empty cell ends a contract."""

    rate = DecimalFormField(max_digits=10, decimal_places=2, min_value=0, max_value=RATE.most, required=False)
    ends = forms.BooleanField(required=False, label="Contract ends")
    reason = TextFormField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if "rate" in sent and (sent["rate"] is None) != bool(sent.get("ends")):
            self.add_error("rate", "A rate, or that the contract ends: please one of them.")
        return sent


class MeterRateForm(DatedForm[MeterRate]):
    meter_rate = DecimalFormField(max_digits=10, decimal_places=4, min_value=0, max_value=RATE.most, required=False)


class MeterRateInline(DatedInline[MeterRate, Customer]):
    model = MeterRate
    form = MeterRateForm
    fields = ("meter_rate", "valid_from", "reason", "entered", "state")
    readonly_fields = ("entered", "state")

    standing_of = staticmethod(meter_rates_of)


class RateInline(ReadOnlyInline[CustomerRate, Customer]):
    """Agreed rates stay as they are; new ones are added."""

    view_capability = Capability.VIEW_MASTER_DATA
    model = CustomerRate
    form = RateForm
    fields = ("equipment", "rate", "ends", "valid_from", "reason", "standing", "agreed_by", "created_at")
    readonly_fields = ("standing", "agreed_by", "created_at")
    verbose_name = "contract rate"

    def has_add_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return may(request, Capability.MANAGE_MASTER_DATA)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerRate]:
        rates: Any = super().get_queryset(request)
        shown: QuerySet[CustomerRate] = rates.with_standing().select_related("equipment", "created_by")
        return shown

    @admin.display(description="contract ends", boolean=True)
    def ends(self, rate: CustomerRate) -> bool:
        return rate.rate is None

    @admin.display(description="counts")
    def standing(self, rate: CustomerRate) -> str:
        return standing_of(rate)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "equipment":
            kwargs["queryset"] = Equipment.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="agreed by")
    def agreed_by(self, rate: CustomerRate) -> str:
        return str(rate.created_by or "–")


@admin.register(Customer)
class CustomerAdmin(ImportsTables, MasterDataAdmin[Customer]):
    resource_classes = (CustomerTable,)
    form = CustomerForm
    inlines = (RateInline, MeterRateInline)
    is_found = True
    list_display = (
        "customer_code", "name", "payment_type", "payment_terms_days", "meter_number", "last_meter_reading",
        "postal_code", "is_active",
    )  # fmt: skip
    list_filter = ("payment_type", "is_active", ("meter_rate", admin.EmptyFieldListFilter))
    search_fields = ("search_name", "search_contact")
    search_help_text = "Code, name, address, postal code, phone, meter number, or UEN"
    fieldsets = (
        (None, {"fields": ("customer_code", "name", "is_active", "version")}),
        ("Contact", {"fields": ("address", "postal_code", "phone", "email")}),
        (
            "Billing",
            {"fields": (("payment_type", "payment_terms_days"), "email_invoices", ("uen", "gst_registration_no"))},
        ),
        ("Gas meter", {"fields": (("meter_number", "meter_rate"), "last_meter_reading")}),
    )
    create_command = services.create_customer
    update_command = services.update_customer
    deactivate_command = services.deactivate_customer
    runs_several = True

    def get_inlines(self, request: HttpRequest, obj: Customer | None) -> Any:
        return [inline for inline in self.inlines if obj is not None or inline is not MeterRateInline]

    def said(self, target: Customer) -> str:
        return f"{target.name}, {target.customer_code}, {target.address}"

    def related(self, request: HttpRequest, target: Customer) -> Iterable[Related]:
        yield from self._accounts(request, target)
        yield from (
            list_of("transactions.transaction", "Sales", customer__id__exact=target.pk),
            list_of("invoices.invoice", "Invoices", customer__id__exact=target.pk),
            list_of("invoices.payment", "Payments", customer__id__exact=target.pk),
            list_of("transactions.depositbalance", "Deposits held", customer__id__exact=target.pk),
            list_of("transactions.meterreplacement", "Meters replaced", customer__id__exact=target.pk),
            list_of("inventory.inventory", "Cylinders at the site", location__customer__id__exact=target.pk),
            list_of("customers.customerrate", "Contract rates", customer__id__exact=target.pk),
            evidence_of(target),
        )

    def _accounts(self, request: HttpRequest, target: Customer) -> Iterable[Related]:
        if may(request, Capability.VIEW_STATEMENT):
            address = f"{reverse('admin:reports_statement')}?customer={target.pk}"
            yield Related("customers.customer", "Statement of account", address)

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        return () if obj is None else ("last_meter_reading",)

    def changes_of(self, form: ModelForm[Customer]) -> dict[str, Any]:
        changes = super().changes_of(form)
        changes.pop("version", None)
        # What the page was read as, not what the row is now: somebody else may have changed it meanwhile.
        return {**changes, "version": form.cleaned_data["version"]} if changes else {}

    def save_formset(self, request: HttpRequest, form: ModelForm[Customer], formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for new in formset.extra_forms:
            if new.has_changed() and formset.model is MeterRate:
                sent = new.cleaned_data
                meter_rate = services.set_meter_rate(
                    actor=acting_user(request),
                    customer_id=form.instance.pk,
                    meter_rate=sent["meter_rate"],
                    valid_from=clock.business_date(sent["valid_from"]),
                    reason=sent["reason"],
                )
                self.tell_at_the_end(request, meter_rate, meter_rate.day, customer=meter_rate.customer_id)
            elif new.has_changed():
                sent = new.cleaned_data
                rate = services.set_contract_rate(
                    actor=acting_user(request),
                    customer_id=form.instance.pk,
                    equipment_id=sent["equipment"].pk,
                    rate=sent["rate"],
                    valid_from=sent["valid_from"],
                    reason=sent["reason"],
                )
                self.tell_at_the_end(
                    request, rate, rate.valid_from, customer=rate.customer_id, equipment=rate.equipment_id
                )


@admin.register(CustomerRate)
class CustomerRateAdmin(ImportsTables, OfficeAdmin[CustomerRate]):
    """All customers' rates to search; they are agreed on a customer's own page, or imported."""

    resource_classes = (RateTable,)

    view_capability = Capability.VIEW_MASTER_DATA
    menu = Menu.MASTER_DATA
    list_display = ("customer", "equipment", "rate", "valid_from", "standing", "reason", "created_by", "created_at")
    list_filter = ("equipment",)
    list_select_related = ("customer", "equipment", "created_by")
    search_fields = ("customer__search_name", "equipment__search_name")
    search_help_text = "Customer's code or name, or the equipment's"
    date_hierarchy = "valid_from"
    ordering = ("customer__customer_code", "equipment__sku", "-valid_from", "-id")
    fields = ("customer", "equipment", "rate", "valid_from", "reason", "standing", "created_by", "created_at")
    readonly_fields = ("standing",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerRate]:
        rates: Any = super().get_queryset(request)
        shown: QuerySet[CustomerRate] = rates.with_standing()
        return shown

    @admin.display(description="counts")
    def standing(self, rate: CustomerRate) -> str:
        return standing_of(rate)


@admin.register(MeterRate)
class MeterRateAdmin(OfficeAdmin[MeterRate]):
    """All meters' rates to search; they are set on a customer's own page."""

    view_capability = Capability.VIEW_MASTER_DATA
    menu = Menu.MASTER_DATA
    list_display = ("customer", "meter_rate", "valid_from", "reason", "created_by", "created_at")
    list_select_related = ("customer", "created_by")
    search_fields = ("customer__search_name",)
    search_help_text = "Customer's code or name"
    ordering = ("customer__customer_code", "-valid_from", "-pk")
    fields = ("customer", "meter_rate", "valid_from", "reason", "created_by", "created_at")
