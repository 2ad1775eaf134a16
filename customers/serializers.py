"""Customers and their contract rates in JSON."""

import re
from collections.abc import Callable

from rest_framework import serializers

from customers.models import Customer, CustomerRate
from customers.services import CODE_PREFIX
from foundation.api.dated import DatedIn, DatedOut
from foundation.api.fields import (
    CodeField,
    EmailField,
    IdField,
    RateField,
    ReadingField,
    StrictChoiceField,
    StrictIntegerField,
    TextField,
)
from foundation.api.inputs import Input, KnownFieldsOnly
from foundation.limits import TERM_DAYS
from foundation.registration import Numbered, as_gst_number, as_uen

_GIVEN_OUT = re.compile(rf"{CODE_PREFIX}-\d{{8}}-\d{{6}}")


class CustomerSerializer(KnownFieldsOnly, serializers.ModelSerializer[Customer]):
    serializer_choice_field = StrictChoiceField

    customer_code = CodeField(Customer, required=False, help_text="Given out when none is sent.")
    name = TextField(max_length=200)
    email = EmailField(max_length=254, required=False, allow_blank=True)
    phone = TextField(max_length=32, required=False, allow_blank=True)
    address = TextField(max_length=250, required=False, allow_blank=True)
    uen = TextField(max_length=16, required=False, allow_blank=True)
    gst_registration_no = TextField(max_length=16, required=False, allow_blank=True)
    payment_terms_days = StrictIntegerField(min_value=0, max_value=int(TERM_DAYS.most), required=False)
    meter_number = TextField(max_length=32, required=False, allow_blank=True)
    meter_rate = RateField(
        decimal_places=4,
        required=False,
        allow_null=True,
        help_text="Price of a unit before GST; null: no meter.",
    )
    last_meter_reading = ReadingField(
        required=False,
        allow_null=True,
        help_text="Taken when the customer is added; afterwards only a sale moves it.",
    )
    version = StrictIntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Send back what you read: a stale one is refused."
    )

    class Meta:
        model = Customer
        fields = (
            "id", "customer_code", "name", "email", "phone", "address", "postal_code", "uen", "gst_registration_no",
            "payment_type", "payment_terms_days", "email_invoices", "meter_number", "meter_rate", "last_meter_reading",
            "is_active", "version", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at")

    def validate_customer_code(self, value: str) -> str:
        current = self.instance.customer_code if self.instance else None
        if value != current and _GIVEN_OUT.fullmatch(value):
            raise serializers.ValidationError("Codes of this form are given out by the system.", code="reserved")
        return value

    def validate_uen(self, value: str) -> str:
        return self._numbered(as_uen, "uen", value)

    def validate_gst_registration_no(self, value: str) -> str:
        return self._numbered(as_gst_number, "gst_registration_no", value)

    def _numbered(self, read: Callable[[str], Numbered], name: str, value: str) -> str:
        """One that was stored before this was looked at stays as it is, until it is changed."""
        if self.instance and value == getattr(self.instance, name):
            return value
        number, wrong = read(value)
        if wrong:
            raise serializers.ValidationError(wrong, code="invalid")
        return number


class CustomerRateIn(Input):
    equipment = IdField()
    rate = RateField(
        allow_null=True,
        help_text="Price of one before GST; null: the contract ends, and the default price counts again.",
    )
    valid_from = serializers.DateField(help_text="The first Singapore date on which it holds.")
    reason = TextField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why the contract ends, or was wrong: needed where a rate of the same date is superseded.",
    )


class CustomerRateOut(serializers.ModelSerializer[CustomerRate]):
    equipment_name = serializers.CharField(source="equipment.name", read_only=True)
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    is_superseded = serializers.BooleanField(read_only=True, help_text="Another one of the same date counts instead.")

    class Meta:
        model = CustomerRate
        fields = (
            "id",
            "customer",
            "equipment",
            "sku",
            "equipment_name",
            "rate",
            "valid_from",
            "reason",
            "is_superseded",
            "created_by",
            "created_at",
        )
        read_only_fields = fields


class MeterRateIn(DatedIn):
    meter_rate = RateField(
        decimal_places=4, allow_null=True, help_text="Price of a unit before GST; null: from then on no meter."
    )


class MeterRateOut(DatedOut):
    customer = serializers.IntegerField(source="row.customer_id", read_only=True)
    meter_rate = serializers.DecimalField(
        source="row.meter_rate", max_digits=10, decimal_places=4, read_only=True, allow_null=True
    )
