"""Pushes, pulls and conflicts in JSON."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from customers.models import Customer, CustomerRate
from depots.serializers import DepotSerializer
from discrepancies.models import Discrepancy
from distribution.models import Distribution
from distribution.serializers import DistributionOut
from equipment.serializers import EquipmentSerializer
from foundation.api.fields import MomentField, StrictIntegerField, TextField
from foundation.api.inputs import Input
from foundation.api.queries import Query
from foundation.api.schema import ErrorSerializer
from foundation.operations.models import ClientOperation
from foundation.unreadable import is_unreadable
from inventory.models import Count, Inventory
from invoices.models import GstRate
from payments.models import CashCount, CashExpense, Payment
from sync.devices import DeviceSays
from sync.errors import ProtocolTooNew
from sync.models import MAX_NUMBER, Device, SyncConflict
from sync.operations import TYPES
from sync.reading import MAX_OFFSET, PROTOCOL
from sync.selectors import LISTED, METER_OF_CUSTOMER, PULLED_OF_CUSTOMER, PULLED_OF_RATE, as_sent, missing_numbers
from sync.services import CREATED, DUPLICATE, REJECTED, Envelope, Result
from transactions.models import Transaction
from transactions.selectors import moved_with
from transactions.serializers import MovedOut

MAX_OPERATIONS, MAX_PROTOCOL = 200, 1_000
STATUSES = [CREATED, DUPLICATE, REJECTED]
_DEVICE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


class DeviceIdField(TextField):
    """A device's id, in whatever case."""

    default_error_messages = {"characters": "1 to 64 letters, digits, and . _ : -"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="That the app gave this device and user, for ever: a UUID.", **kwargs)

    def to_internal_value(self, data: object) -> str:
        text = super().to_internal_value(data)
        if not _DEVICE_ID.fullmatch(text):
            self.fail("characters")
        return text.lower()


class LastNumberField(StrictIntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min_value=0, max_value=MAX_NUMBER, help_text="Of the last operation that the device recorded.", **kwargs
        )


class DeviceIn(Input):
    id = DeviceIdField()
    last_number = LastNumberField()


class OperationIn(Input):
    """One operation, as documented. What a push holds is understood one by one, so that one that isn't like this
    blocks no other."""

    type = serializers.ChoiceField(choices=TYPES)
    client_temp_id = serializers.CharField(max_length=64, help_text="The app's own id of this operation.")
    number = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_NUMBER,
        help_text="Protocol 2: its place among what this device recorded for this user, from 1.",
    )
    occurred_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it happened in the field, by the device's clock."
    )
    clock_offset_s = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=-MAX_OFFSET,
        max_value=MAX_OFFSET,
        help_text="Protocol 2: seconds to add to the device's clock to get the server's; null where it isn't known.",
    )
    data: Any = serializers.DictField(
        help_text="As the single endpoint takes it. A distribution.confirm has `distribution`: an id, or the "
        "client_temp_id of the operation that makes it; a vehicle.taken has `vehicle`, its number; a withdrawn has "
        "nothing. In protocol 2 a sale may have `based_on`: `last_reading` and `total_with_gst`, as they were shown, "
        "and the `cash` that changed hands; and `confirm`: what was asked at the door, and is meant so."
    )


class PushDocumentation(serializers.Serializer[Any]):
    protocol = serializers.IntegerField(
        required=False,
        default=1,
        min_value=1,
        max_value=MAX_PROTOCOL,
        help_text=f"The version of the protocol that the app speaks; this server's is {PROTOCOL}. Left out: 1.",
    )
    sent_at = serializers.DateTimeField(
        required=False, help_text="Protocol 2: the device's time as it sends this, whatever its clock says."
    )
    device = DeviceIn(required=False, help_text="Protocol 2: which device speaks.")
    operations = OperationIn(many=True, help_text=f"In the order in which they happened; at most {MAX_OPERATIONS}.")


class ProtocolField(StrictIntegerField):
    """The first field of a push: what follows may be named otherwise in a newer one."""

    def to_internal_value(self, data: Any) -> int:
        protocol = super().to_internal_value(data)
        if protocol > PROTOCOL:
            raise ProtocolTooNew(
                f"The app is newer than the server, which speaks version {PROTOCOL}. Nothing was kept: send it again "
                "when the server was upgraded.",
                attr="protocol",
            )
        return protocol


class PushIn(Input):
    protocol = ProtocolField(required=False, default=1, min_value=1, max_value=MAX_PROTOCOL)
    operations = serializers.ListField(child=serializers.JSONField(allow_null=True), max_length=MAX_OPERATIONS)

    def envelope(self) -> Envelope:
        """What the validated push says beside its operations."""
        sent = self.validated_data
        device = sent.get("device")
        return Envelope(sent["protocol"], sent.get("sent_at"), DeviceSays(**device) if device else None)


class PushOfDeviceIn(PushIn):
    """A push of protocol 2."""

    sent_at = MomentField()
    device = DeviceIn()


def push_in(body: Any) -> PushIn:
    """What reads a push: the protocol that it names decides which fields there are."""
    named = str(body.get("protocol", 1)) if isinstance(body, dict) else "1"
    is_of_device = named.isdecimal() and named.lstrip("0") not in ("", "1")
    return (PushOfDeviceIn if is_of_device else PushIn)(data=body)


class ResultOut(serializers.Serializer[Result]):
    """What became of one operation."""

    client_temp_id = serializers.CharField(help_text="Empty where the operation had none that could be read.")
    status = serializers.ChoiceField(choices=STATUSES)
    id = serializers.SerializerMethodField(
        help_text="Of the transaction, distribution, assignment, count, payment or expense; null when rejected or "
        "withdrawn."
    )
    number = serializers.SerializerMethodField(help_text="Its official number, where it has one.")
    invoice = serializers.SerializerMethodField(help_text="A sale's invoice: its id.")
    invoice_number = serializers.SerializerMethodField()
    pdf_url = serializers.SerializerMethodField(help_text="A sale's document; needs the same authorisation.")
    payments = serializers.SerializerMethodField(help_text="What changed hands with a sale: one for each method.")
    errors = ErrorSerializer(many=True, source="refusals")  # type: ignore[assignment]  # a field, not this serializer's own errors
    conflict = serializers.SerializerMethodField(help_text="The kept operation, when rejected.")

    def get_id(self, result: Result) -> int | None:
        return result.made.pk if result.made is not None and not isinstance(result.made, Device) else None

    def get_number(self, result: Result) -> str | None:
        is_numbered = isinstance(result.made, Transaction | Distribution | Count | CashCount | CashExpense | Payment)
        return str(result.made) if is_numbered else None

    def get_invoice(self, result: Result) -> int | None:
        return result.made.invoice_id if isinstance(result.made, Transaction) else None

    def get_invoice_number(self, result: Result) -> str | None:
        return result.made.invoice.invoice_number if isinstance(result.made, Transaction) else None

    def get_pdf_url(self, result: Result) -> str | None:
        if not isinstance(result.made, Transaction):
            return None
        request: Request | None = self.context.get("request")
        return str(reverse("invoice-pdf", args=[result.made.invoice_id], request=request))

    @extend_schema_field(MovedOut(many=True))
    def get_payments(self, result: Result) -> object:
        return MovedOut(moved_with(result.made), many=True).data if isinstance(result.made, Transaction) else []

    def get_conflict(self, result: Result) -> int | None:
        return result.conflict.pk if result.conflict is not None and result.made is None else None


class DifferenceOut(serializers.ModelSerializer[Discrepancy]):
    """What the app showed, and what was recorded, which stands: tell the driver."""

    class Meta:
        model = Discrepancy
        fields = ("code", "shown", "billed", "detail")
        read_only_fields = fields


class ResultOfDeviceOut(ResultOut):
    discrepancies = DifferenceOut(many=True, required=False, help_text="Protocol 2: what differs.")
    tried_again_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="Protocol 2: by itself, once there is what it lacked; withdraw the conflict if it did not happen.",
    )

    def to_representation(self, result: Result) -> dict[str, Any]:
        noted = self.context["discrepancies"].get(result.client_temp_id, ())
        return {**super().to_representation(result), "discrepancies": DifferenceOut(noted, many=True).data}


class HeardOut(serializers.Serializer[Device]):
    """How much of a device has come."""

    missing = serializers.SerializerMethodField(
        help_text=f"Numbers up to the last that never came, the first {LISTED}: send them again."
    )
    last_number = serializers.IntegerField(help_text="The highest that it said or sent.")

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_missing(self, device: Device) -> list[int]:
        return missing_numbers(device)


class PushOut(serializers.Serializer[Mapping[str, object]]):
    results = ResultOut(many=True, help_text="In the order of the operations.")


class PushOfDeviceOut(PushOut):
    """What a push of protocol 2 is answered."""

    results = ResultOfDeviceOut(many=True, help_text="In the order of the operations.")
    device = HeardOut(required=False, help_text="Protocol 2.")
    server_time = serializers.DateTimeField(required=False, help_text="Protocol 2: from which the app sets its offset.")


class PullQuery(Query):
    cursor = TextField(required=False, max_length=64, help_text="Of the last answer; left out: everything.")
    page_size = StrictIntegerField(required=False, default=500, min_value=1, max_value=2_000)
    device = DeviceIdField(required=False)
    last_number = LastNumberField(required=False)


class PulledGstRate(serializers.ModelSerializer[GstRate]):
    class Meta:
        model = GstRate
        fields = ("id", "rate", "valid_from")
        read_only_fields = fields

    def to_representation(self, instance: GstRate) -> dict[str, Any]:
        """Who isn't registered charges none, whatever the rates are."""
        row: dict[str, Any] = super().to_representation(instance)
        return row if settings.COMPANY_GST_REGISTERED else {**row, "rate": "0.00"}


class PulledRate(serializers.ModelSerializer[CustomerRate]):
    class Meta:
        model = CustomerRate
        fields = PULLED_OF_RATE
        read_only_fields = fields


class PulledLot(serializers.Serializer[None]):
    """A deposit that is held."""

    pieces = serializers.IntegerField(read_only=True)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)
    invoice = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="What charged it; null: nobody knows."
    )
    open_amount = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        read_only=True,
        help_text="Of that invoice: a refund is set off against it first.",
    )


class PulledHolding(serializers.Serializer[None]):
    """What a customer holds of one equipment. What is beyond the lots is on loan: it comes back first, at nothing."""

    equipment = serializers.IntegerField(read_only=True)
    at_site = serializers.IntegerField(read_only=True)
    lots = PulledLot(many=True, read_only=True, help_text="The oldest first, as they are refunded.")


class PulledCustomer(serializers.ModelSerializer[Customer]):
    # Documents what `customers_to_pull` reads.

    rates = PulledRate(
        many=True, read_only=True, help_text="In force today, and those that will be: each from its date."
    )

    holdings = PulledHolding(many=True, read_only=True)

    most_usage_per_day = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        read_only=True,
        allow_null=True,
        help_text="More m³ a day are asked about (`usage_unlikely`), a day being the least; null without a meter.",
    )
    metered_since = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Since when its usage counts: its last reading, or when it became known.",
    )

    class Meta:
        model = Customer
        fields = (*PULLED_OF_CUSTOMER, *METER_OF_CUSTOMER, "rates", "holdings")
        read_only_fields = fields

    def to_representation(self, instance: Any) -> Any:
        """Written by hand: a field for each value would take most of a first pull."""
        since = instance["metered_since"]
        return {
            **instance,
            "meter_rate": _text(instance["meter_rate"]),
            "last_meter_reading": _text(instance["last_meter_reading"]),
            "most_usage_per_day": _text(instance["most_usage_per_day"]),
            "metered_since": since and self.fields["metered_since"].to_representation(since),
            "rates": [{**rate, "rate": _text(rate["rate"])} for rate in instance["rates"]],
            "holdings": [
                {
                    **holding,
                    "lots": [
                        {**lot, "amount": _text(lot["amount"]), "open_amount": _text(lot["open_amount"])}
                        for lot in holding["lots"]
                    ],
                }
                for holding in instance["holdings"]
            ],
        }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else "NaN" if is_unreadable(value) else f"{value:f}"


class PulledStock(serializers.ModelSerializer[Inventory]):
    class Meta:
        model = Inventory
        fields = ("equipment", "condition", "quantity")
        read_only_fields = fields


class GoneOut(serializers.Serializer[None]):
    """Ids of rows that may not be used any more: take them out of the app."""

    depots = serializers.ListField(child=serializers.IntegerField())
    equipment = serializers.ListField(child=serializers.IntegerField())
    gst_rates = serializers.ListField(child=serializers.IntegerField())
    customers = serializers.ListField(child=serializers.IntegerField())


class UnlikelyOut(serializers.Serializer[Mapping[str, object]]):
    """From where a sale is asked about."""

    quantity = serializers.DecimalField(max_digits=12, decimal_places=2, source="QUANTITY", help_text="Of a line.")
    amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, source="AMOUNT", help_text="Of a document, with GST."
    )


class PullOut(serializers.Serializer[Mapping[str, object]]):
    cursor = serializers.CharField(help_text="Keep it with the rows, and send it with the next pull.")
    has_more = serializers.BooleanField(help_text="Pull again at once.")
    depots = DepotSerializer(many=True)
    equipment = EquipmentSerializer(many=True)
    gst_rates = PulledGstRate(many=True, help_text="One for each date: what is superseded is `gone`.")
    customers = PulledCustomer(many=True)
    gone = GoneOut()
    unlikely = UnlikelyOut(help_text="More than these, and of a meter, are asked about: `confirm` with the sale.")
    cash_rounding = serializers.DecimalField(
        max_digits=3, decimal_places=2, help_text="The smallest coin: cash is rounded to it. 0.00: to the cent."
    )
    stock = PulledStock(
        many=True, allow_null=True, help_text="All of the own vehicle's, on the last page; null on the others."
    )
    distributions = DistributionOut(
        many=True, allow_null=True, help_text="All own drafts, on the last page; null on the others."
    )


class PullOfDeviceOut(PullOut):
    """What a device is answered that says which one it is."""

    device = HeardOut(required=False, help_text="Where the pull names one.")
    server_time = serializers.DateTimeField(required=False, help_text="Likewise; 304 has it in its Date.")


class DeviceOut(serializers.ModelSerializer[Device]):
    """A device, and how much of it has come."""

    device = serializers.CharField(source="key", read_only=True, help_text="The id that the app gave it.")
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    missing = serializers.SerializerMethodField(help_text=f"Numbers that never came, the first {LISTED}.")

    class Meta:
        model = Device
        fields = (
            "id", "device", "user", "user_name", "protocol", "first_heard_at", "heard_at", "clock_offset_s",
            "last_number", "missing",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_missing(self, device: Device) -> list[int]:
        return missing_numbers(device)


class FirstOut(serializers.ModelSerializer[ClientOperation]):
    """The operation that a client_temp_id belongs to."""

    class Meta:
        model = ClientOperation
        fields = ("type", "result_type", "result_id", "created_at")
        read_only_fields = fields


_MOMENT = serializers.DateTimeField(allow_null=True)


class SyncConflictOut(serializers.ModelSerializer[SyncConflict]):
    """``happened_at`` of one conflict is in the context."""

    payload = serializers.SerializerMethodField(help_text="The operation as it was sent, whatever that was.")
    errors = ErrorSerializer(many=True, read_only=True)  # type: ignore[assignment]  # likewise
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    tried_again_until = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="By itself, once there is what it lacked."
    )
    first = FirstOut(
        read_only=True,
        allow_null=True,
        help_text="The operation that its client_temp_id belongs to, where that is another one: it can't be retried.",
    )
    happened_at = serializers.SerializerMethodField(
        help_text="When it happened by whoever let it happen, where they named another time than `occurred_at`, which "
        "is still the device's. Null in lists."
    )

    class Meta:
        model = SyncConflict
        fields = (
            "id", "client_temp_id", "protocol", "device", "number", "type", "payload", "errors", "code", "user",
            "user_name", "depot", "occurred_at", "corrected_at", "happened_at", "received_at", "request_id", "first",
            "status",
            "tried_again_until", "withdrawn_at", "withdrawn_because", "settled_at", "settled_by", "reason",
            "result_type", "result_id",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field({})
    def get_payload(self, conflict: SyncConflict) -> Any:  # what the schema says: anything
        return as_sent(conflict)

    @extend_schema_field(_MOMENT)
    def get_happened_at(self, conflict: SyncConflict) -> str | None:
        happened_at: datetime | None = self.context.get("happened_at")
        return None if happened_at is None else _MOMENT.to_representation(happened_at)


class RetryIn(Input):
    approve_rates = serializers.BooleanField(
        required=False, default=False, help_text="Take the rates that it names, though they aren't the listed ones."
    )
    ignore_unknown_fields = serializers.BooleanField(
        required=False, default=False, help_text="Leave out what it says beyond the fields that there are."
    )
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it happened, where the device's clock was wrong."
    )
    correct_site = serializers.BooleanField(
        required=False,
        default=False,
        help_text="More comes back from the customer's site than the books know: bring them to it, in the same commit.",
    )
    without_reading = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Leave out the meter reading of a sale that can't be recorded: the next one bills the usage.",
    )
    reason = TextField(
        max_length=500, required=False, allow_blank=True, default="", help_text="Of the correction; needed for it."
    )


class DismissIn(Input):
    reason = TextField(max_length=500)


class WithdrawIn(Input):
    reason = TextField(max_length=500)
