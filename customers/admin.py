"""Customers in the office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from core.access import Capability
from core.office import MasterDataAdmin, evidence_of, link_to_list, may
from customers import services
from customers.models import Customer, CustomerRate


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Customer
        fields = (
            "customer_code", "name", "email", "phone", "address", "postal_code", "uen", "gst_registration_no",
            "payment_type", "payment_terms_days", "meter_number", "meter_rate", "last_meter_reading", "is_active",
            "version",
        )  # fmt: skip
        widgets = {"version": forms.HiddenInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "customer_code" in self.fields:
            self.fields["customer_code"].required = False
            self.fields["customer_code"].help_text = "Given out when left empty."


class RateInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """Agreed rates stay as they are; new ones are added."""

    model = CustomerRate
    fields = ("equipment", "rate", "valid_from", "created_by", "created_at")
    readonly_fields = ("created_by", "created_at")
    extra = 0
    verbose_name = "contract rate"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Capability.VIEW_MASTER_DATA)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Capability.MANAGE_MASTER_DATA)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("equipment", "created_by")


@admin.register(Customer)
class CustomerAdmin(MasterDataAdmin):
    form = CustomerForm
    inlines = (RateInline,)
    list_display = (
        "customer_code", "name", "payment_type", "payment_terms_days", "meter_number", "last_meter_reading",
        "postal_code", "is_active",
    )  # fmt: skip
    list_filter = ("payment_type", "is_active", ("meter_rate", admin.EmptyFieldListFilter))
    search_fields = ("customer_code", "name", "address", "postal_code", "phone", "meter_number", "uen")
    fieldsets = (
        (None, {"fields": ("customer_code", "name", "is_active", "version")}),
        ("Contact", {"fields": ("address", "postal_code", "phone", "email")}),
        ("Billing", {"fields": (("payment_type", "payment_terms_days"), ("uen", "gst_registration_no"))}),
        ("Gas meter", {"fields": (("meter_number", "meter_rate"), "last_meter_reading")}),
        ("Record", {"fields": ("sales", "documents", "stock", "audit")}),
    )
    create_command = services.create_customer
    update_command = services.update_customer
    deactivate_command = services.deactivate_customer

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        record = ("sales", "documents", "stock", "audit")
        return record if obj is None else ("last_meter_reading", *record)

    def changes_of(self, form: Any) -> dict[str, Any]:
        changes = super().changes_of(form)
        changes.pop("version", None)
        # What the page was read as, not what the row is now: somebody else may have changed it meanwhile.
        return {**changes, "version": form.cleaned_data["version"]} if changes else {}

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for new in formset.extra_forms:
            if new.has_changed():
                sent = new.cleaned_data
                services.set_contract_rate(
                    actor=request.user,  # type: ignore[arg-type]
                    customer_id=form.instance.pk,
                    equipment_id=sent["equipment"].pk,
                    rate=sent["rate"],
                    valid_from=sent["valid_from"],
                )

    @admin.display(description="sales")
    def sales(self, customer: Customer) -> str:
        return (
            link_to_list("transactions.transaction", "Sales", customer__id__exact=customer.pk) if customer.pk else "–"
        )

    @admin.display(description="documents")
    def documents(self, customer: Customer) -> str:
        return link_to_list("invoices.invoice", "Invoices", customer__id__exact=customer.pk) if customer.pk else "–"

    @admin.display(description="stock")
    def stock(self, customer: Customer) -> str:
        filters = {"location__customer__id__exact": customer.pk}
        return link_to_list("inventory.inventory", "Cylinders at the site", **filters) if customer.pk else "–"

    @admin.display(description="audit")
    def audit(self, customer: Customer) -> str:
        return evidence_of(customer) if customer.pk else "–"
