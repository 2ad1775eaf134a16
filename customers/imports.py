"""Customers and their contract rates from spreadsheets."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from rest_framework import serializers

from customers import services
from customers.models import Customer, CustomerRate
from customers.serializers import CustomerSerializer
from equipment.models import Equipment
from foundation.api.fields import RateField
from foundation.spreadsheets.importing import TableResource

_COLUMNS = (
    "customer_code", "name", "email", "phone", "address", "postal_code", "uen", "gst_registration_no",
    "payment_type", "payment_terms_days", "email_invoices", "meter_number", "meter_rate", "last_meter_reading",
    "is_active",
)  # fmt: skip


class CustomerTable(TableResource):
    """Known by their code; a row without one is a new customer, whose code is given out."""

    model = Customer
    serializer = CustomerSerializer
    columns = {name: name for name in _COLUMNS}
    keys = ("customer_code",)
    needed = ()

    def find(self, row: Mapping[str, object]) -> Customer | None:
        return Customer.objects.filter(customer_code=row.get("customer_code", "")).first()

    def check(self, target: Any, values: dict[str, object]) -> None:
        reading = values.get("last_meter_reading", target.last_meter_reading)
        if target.pk is not None and reading != target.last_meter_reading:
            raise ValidationError({"last_meter_reading": ["Only sales move the reading of a customer's meter."]})

    def create(self, actor: Any, values: dict[str, object]) -> Customer:
        return services.create_customer(actor=actor, values=values)

    def update(self, actor: Any, target: Any, changes: dict[str, object]) -> None:
        services.update_customer(actor=actor, pk=target.pk, changes=changes)


class RateRow(serializers.Serializer[None]):
    customer_code = serializers.SlugRelatedField(
        slug_field="customer_code", queryset=Customer.objects.all(), source="customer"
    )
    sku = serializers.SlugRelatedField(slug_field="sku", queryset=Equipment.objects.all(), source="equipment")
    valid_from = serializers.DateField()
    rate = RateField()


class RateTable(TableResource):
    """Known by customer, equipment and first date. What was agreed stays as it is."""

    model = CustomerRate
    serializer = RateRow
    columns = {
        "customer_code": "customer__customer_code",
        "sku": "equipment__sku",
        "valid_from": "valid_from",
        "rate": "rate",
    }
    keys = ("customer_code", "sku", "valid_from")
    needed = ("customer_code", "sku", "valid_from", "rate")

    def find(self, row: Mapping[str, object]) -> CustomerRate | None:
        try:
            first_day = date.fromisoformat(str(row.get("valid_from")))
        except ValueError:
            return None  # the serializer says so
        rates = CustomerRate.objects.select_related("customer", "equipment").filter(
            customer__customer_code=row.get("customer_code", ""), equipment__sku=row.get("sku", "")
        )
        return rates.filter(valid_from=first_day).order_by("-pk").first()

    def create(self, actor: Any, values: dict[str, Any]) -> CustomerRate:
        return services.set_contract_rate(
            actor=actor,
            customer_id=values["customer"].pk,
            equipment_id=values["equipment"].pk,
            rate=values["rate"],
            valid_from=values["valid_from"],
        )

    def update(self, actor: Model, target: object, changes: dict[str, object]) -> None:
        raise ValidationError(
            {"rate": ["Another rate was agreed on from this date on. One that was wrong is superseded by hand."]}
        )
