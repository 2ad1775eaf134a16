"""Sales in JSON."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from deposits.models import DepositLot
from deposits.selectors import Holding
from fleet.serializers import VehicleNoField
from foundation.api.fields import (
    AmountField,
    IdField,
    MomentField,
    QuantityField,
    RateField,
    ReadingField,
    StrictChoiceField,
    StrictDecimalField,
    StrictIntegerField,
    TextField,
    many,
)
from foundation.api.inputs import Input
from foundation.limits import AMOUNT, LINES
from inventory.models import Condition
from invoices.models import Invoice
from invoices.serializers import InvoiceOut
from payments.models import Payment
from payments.serializers import ReferenceField, check_given, without_bad_given
from payments.tender import Tender
from transactions.models import (
    MeterReplacement,
    Transaction,
    TransactionItem,
)
from transactions.planning import Seen
from transactions.pricing import SaleItem
from transactions.selectors import MeterReading
from transactions.services import CreditLine, Goods, NewBill, NewCredit, NewMeter, NewSale

READING_KINDS = [("READING", "Reading"), ("VOIDED", "Taken back"), ("REPLACED", "Meter replaced")]
RETURN_CONDITIONS = [choice for choice in Condition.choices if choice[0] != Condition.FULL]


SOLD = [choice for choice in TransactionItem.Type.choices if choice[0] != TransactionItem.Type.SETOFF]
"""What can be asked for: what is set off of a deposit, the server says."""
_BACK = (TransactionItem.Type.RETURN, TransactionItem.Type.SWAP)


class SaleItemIn(Input):
    equipment = IdField()
    type = StrictChoiceField(choices=SOLD)
    quantity = QuantityField()
    rate = RateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="What the customer was shown. The server prices the line; another rate is refused. Of a RETURN: "
        "what one of them refunds. A SHELL has no listed price, and needs it.",
    )
    condition = StrictChoiceField(
        choices=RETURN_CONDITIONS,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of what comes back; for a RETURN only. Left out: EMPTY.",
    )
    reason = StrictChoiceField(
        choices=TransactionItem.Reason.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why the customer pays for a SHELL; for that only.",
    )
    returned_equipment = IdField(
        required=False,
        allow_null=True,
        default=None,
        help_text="What comes back instead, with a SWAP or RETURN: ours in another size, whose deposit is refunded "
        "while the new one's is charged, or another brand's, for which nothing is refunded.",
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, Any]:
        if attrs["condition"] and attrs["type"] != TransactionItem.Type.RETURN:
            raise serializers.ValidationError({"condition": "Only a RETURN has a condition."}, code="invalid")
        if bool(attrs["reason"]) != (attrs["type"] == TransactionItem.Type.SHELL):
            told = "Please say why the shell is paid for." if not attrs["reason"] else "Only a SHELL has a reason."
            raise serializers.ValidationError({"reason": told}, code="invalid")
        if attrs["returned_equipment"] is not None and attrs["type"] not in _BACK:
            told = "Something comes back only with a SWAP or RETURN."
            raise serializers.ValidationError({"returned_equipment": told}, code="invalid")
        return attrs


AT_THE_DOOR = [choice for choice in Payment.Method.choices if choice[0] != Payment.Method.BANK_TRANSFER]


class TenderIn(Input):
    """So much by one method, without a sign: taken, or paid out where a refund is due."""

    method = StrictChoiceField(choices=AT_THE_DOOR)
    amount = AmountField(help_text="What stays with the seller.")
    given = AmountField(
        required=False, allow_null=True, default=None, help_text="What was handed over: the receipt prints the change."
    )
    reference = ReferenceField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_given(attrs)
        return attrs


class PushedTenderIn(TenderIn):
    """It has changed hands: what can't have been given is left out, and nothing refused for it."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return without_bad_given(attrs)


class SaleIn(Input):
    """One visit at one customer. Needs ``items`` or ``current_meter``."""

    has_happened: ClassVar[bool] = False

    customer = IdField()
    vehicle = VehicleNoField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The number of the vehicle that it was sold from. Left out: the one that was assigned to the seller "
        "when it happened; with none, FIELD.",
    )
    items = many(SaleItemIn, required=False, default=list, max_length=LINES)
    current_meter = ReadingField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The meter's reading now; null where none was read.",
    )
    payment_received = serializers.BooleanField(
        required=False, default=False, help_text="Paid on the spot, all of it in cash."
    )
    tender = many(
        TenderIn,
        required=False,
        default=list,
        max_length=LINES,
        help_text="What changed hands, and how: all that is due or a part, beside `payment_received: false`. It "
        "settles this sale, then what the account has owed for longest. Where a refund is due it is paid out.",
    )
    remarks = TextField(max_length=1000, required=False, allow_blank=True, default="")
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it happened in the field. Left out: now."
    )

    def command(self) -> NewSale:
        """The validated sale, as the service takes it."""
        return NewSale(**self.said())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["payment_received"] and attrs["tender"]:
            told = "Either all of it is paid in cash, or the tender says what was paid."
            raise serializers.ValidationError({"payment_received": told}, code="invalid")
        cash = [each for each in attrs["tender"] if each["method"] == Payment.Method.CASH]
        if len(cash) > 1 and not self.has_happened:
            raise serializers.ValidationError({"tender": "Cash is said once."}, code="invalid")
        for more in cash[1:]:
            cash[0]["amount"] += more["amount"]
            attrs["tender"].remove(more)
        return attrs

    def said(self) -> dict[str, Any]:
        sent = self.validated_data
        items, tender = (
            tuple(SaleItem(**each) for each in sent["items"]),
            tuple(Tender(**each) for each in sent["tender"]),
        )
        return {**sent, "items": items, "tender": tender}


class BasedOnIn(Input):
    """What the app knew and showed."""

    last_reading = ReadingField(required=False, allow_null=True, default=None)
    total_with_gst = StrictDecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=-AMOUNT.most,
        max_value=AMOUNT.most,
        required=False,
        allow_null=True,
        default=None,
    )
    cash = StrictDecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=-AMOUNT.most,
        max_value=AMOUNT.most,
        required=False,
        allow_null=True,
        default=None,
        help_text="Where it was paid on the spot: what was taken; negative: what was paid out. Left out: the total. "
        "Beside a `tender` its sign says which of both that is.",
    )


class PushedSaleIn(SaleIn):
    """A sale that happened without a network: the goods are gone, whatever the app showed."""

    has_happened = True
    tender = many(PushedTenderIn, required=False, default=list, max_length=LINES)

    based_on = BasedOnIn(required=False, allow_null=True, default=None)

    def command(self) -> NewSale:
        said = self.said()
        seen = Seen(**(said.pop("based_on") or {}))
        return NewSale(**said, seen=seen)


class TransactionItemOut(serializers.ModelSerializer[TransactionItem]):
    condition = serializers.ChoiceField(
        choices=Condition.choices, allow_blank=True, read_only=True, help_text="Of a RETURN; else empty."
    )
    reason = serializers.ChoiceField(
        choices=TransactionItem.Reason.choices, allow_blank=True, read_only=True, help_text="Of a SHELL; else empty."
    )

    class Meta:
        model = TransactionItem
        fields = (
            "id", "equipment", "equipment_name", "type", "condition", "reason", "quantity", "rate", "rate_source",
            "amount", "taxable",
        )  # fmt: skip
        read_only_fields = fields


class TransactionOut(serializers.ModelSerializer[Transaction]):
    status = serializers.ChoiceField(
        choices=Transaction.Status.choices, read_only=True, help_text="VOIDED: nothing is left of it."
    )
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    items = TransactionItemOut(many=True, read_only=True)

    class Meta:
        model = Transaction
        fields = (
            "id", "transaction_number", "client_temp_id", "status", "reverses", "corrects", "replaces", "customer",
            "customer_name", "user", "user_name", "depot", "vehicle_no", "items", "last_meter_reading",
            "current_meter_reading", "meter_rate", "usage", "usage_amount", "items_amount", "total_amount", "remarks",
            "payment_type", "payment_received", "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class RefundOut(serializers.Serializer[Mapping[str, object]]):
    """A refund beside a sale, and its document."""

    transaction = TransactionOut(read_only=True)
    invoice = InvoiceOut(read_only=True)


class MovedOut(serializers.ModelSerializer[Payment]):
    """What changed hands with a sale. Its receipt is that of the payment."""

    payment_number = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = Payment
        fields = ("id", "payment_number", "method", "amount")
        read_only_fields = fields


class SaleOut(serializers.Serializer[Mapping[str, object]]):
    """What one commit recorded: the sale and its document, and the refund that exceeds it, with its own."""

    transaction = TransactionOut(read_only=True)
    invoice = InvoiceOut(read_only=True)
    refund = RefundOut(read_only=True, allow_null=True)
    payments = MovedOut(
        many=True, read_only=True, help_text="What was taken with it, or (negative) paid out: one for each method."
    )


class BilledAgainOut(SaleOut):
    """What takes a sale's place, and what took that back."""

    credit = RefundOut(read_only=True)


def _credit_kind() -> StrictChoiceField:
    return StrictChoiceField(
        choices=Invoice.CreditKind.choices,
        required=False,
        default=Invoice.CreditKind.GENUINE,
        help_text="`GENUINE` (left out, this): goods came back, or less is to be paid; it counts in the GST period of "
        "its own date. `TAX_ERROR`: what was declared was wrong; it counts in the GST period of what it corrects.",
    )


class VoidIn(Input):
    reason = TextField(max_length=500, help_text="The credit note prints it.")
    goods = StrictChoiceField(
        choices=Goods.choices,
        required=False,
        help_text="What became of them. `never_left`: sold by mistake; taken back at the sale's own moment, so that "
        "counts since then explain it. `came_back` (left out, this): moved now. `gone`: only the money is reversed.",
    )
    keep_meter = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The meter has moved on since: only the money of the usage is reversed, the readings stand.",
    )
    credit_kind = _credit_kind()
    return_stock = serializers.BooleanField(
        required=False, help_text="The older way to say it: true is `came_back`, false is `gone`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        older = attrs.pop("return_stock", None)
        if older is not None:
            if "goods" in attrs:
                raise serializers.ValidationError(
                    {"return_stock": "Please say what became of the goods once, in goods."}, code="invalid"
                )
            attrs["goods"] = Goods.CAME_BACK if older else Goods.GONE
        return {"goods": Goods.CAME_BACK, **attrs}


class RightSaleIn(Input):
    """What is right: who bought what. When, from which vehicle, by whom and how it was paid stays as it was."""

    customer = IdField()
    items = many(SaleItemIn, required=False, default=list, max_length=LINES)
    current_meter = ReadingField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The meter's reading then. Where the meter has moved on since, the usage is billed again as it was.",
    )
    remarks = TextField(max_length=1000, required=False, allow_blank=True, default="")


class BillAgainIn(Input):
    reason = TextField(max_length=500, help_text="Both documents print it.")
    sale = RightSaleIn()

    def command(self, transaction_id: int) -> NewBill:
        sent = self.validated_data["sale"]
        items = tuple(SaleItem(**each) for each in sent["items"])
        return NewBill(transaction_id, self.validated_data["reason"], NewSale(**{**sent, "items": items}))


class CreditLineIn(Input):
    line = StrictIntegerField(
        min_value=1, max_value=LINES + 1, help_text="Counted from 1 as printed; the meter's usage is the last."
    )
    quantity = QuantityField(required=False, help_text="So many pieces; or an amount.")
    amount = AmountField(required=False, help_text="So much of the line, as a size; the pieces stay.")
    amount_includes_gst = serializers.BooleanField(required=False, default=False)
    return_stock = serializers.BooleanField(
        required=False, default=True, help_text="The pieces come back onto the sale's vehicle, now."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("quantity" in attrs) == ("amount" in attrs):
            raise serializers.ValidationError(
                {"quantity": "Please send a quantity, or an amount: one of them."}, code="invalid"
            )
        return attrs


class CreditIn(Input):
    reason = TextField(max_length=500, help_text="The credit note prints it.")
    lines = many(CreditLineIn, allow_empty=False, max_length=LINES + 1)
    credit_kind = _credit_kind()

    def command(self, invoice_id: int) -> NewCredit:
        sent = self.validated_data
        lines = [CreditLine(**line) for line in sent["lines"]]
        return NewCredit(invoice=invoice_id, reason=sent["reason"], lines=lines, credit_kind=sent["credit_kind"])


class NewMeterIn(Input):
    final_reading = ReadingField(help_text="Of the meter that goes: what it moved since its last reading is billed.")
    new_meter_number = TextField(max_length=32)
    first_reading = ReadingField(help_text="Of the meter that comes: where its usage begins.")
    reason = TextField(max_length=500, required=False, allow_blank=True, default="")
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")

    def command(self, customer_id: int) -> NewMeter:
        return NewMeter(customer=customer_id, **self.validated_data)


class MeterReplacementOut(serializers.ModelSerializer[MeterReplacement]):
    class Meta:
        model = MeterReplacement
        fields = (
            "id", "client_temp_id", "customer", "old_meter_number", "final_reading", "new_meter_number",
            "first_reading", "reason", "user", "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ReplacedMeterOut(serializers.Serializer[Mapping[str, object]]):
    """What one commit recorded. ``sale`` is null where the old meter hadn't moved."""

    replacement = MeterReplacementOut(read_only=True)
    sale = SaleOut(read_only=True, allow_null=True)


class MeterReadingOut(serializers.Serializer[list[MeterReading]]):  # with many=True
    """One entry of a meter's history."""

    kind = serializers.ChoiceField(choices=READING_KINDS)
    occurred_at = serializers.DateTimeField()
    meter_number = serializers.CharField()
    last_reading = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    reading = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    usage = serializers.DecimalField(max_digits=12, decimal_places=2)
    transaction_number = serializers.CharField(allow_blank=True)


class DepositBalanceOut(serializers.Serializer[Holding]):  # with many=True
    """So many pieces for so much, in all of the lots."""

    equipment = serializers.IntegerField(source="equipment.pk")
    sku = serializers.CharField(source="equipment.sku")
    equipment_name = serializers.CharField(source="equipment.name")
    quantity = serializers.IntegerField(source="pieces")
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)


class LotOut(serializers.Serializer[DepositLot]):  # with many=True
    """A deposit that is held. ``visible`` in the context: the numbers of documents that its reader may see."""

    pieces = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    document_number = serializers.SerializerMethodField(
        help_text="What charged it; empty: nobody knows, or a document that you may not see."
    )
    occurred_at = serializers.DateTimeField()

    def get_document_number(self, lot: DepositLot) -> str:
        return lot.document_number if lot.document_number in self.context["visible"] else ""


class HoldingOut(serializers.Serializer[list[Holding]]):  # with many=True
    """What a customer holds of one equipment: the oldest lot is refunded first, after what is on loan."""

    equipment = serializers.IntegerField(source="equipment.pk")
    sku = serializers.CharField(source="equipment.sku")
    equipment_name = serializers.CharField(source="equipment.name")
    at_site = serializers.IntegerField()
    on_loan = serializers.IntegerField(help_text="Of them without a deposit.")
    lots = LotOut(many=True)


class DepositsOut(serializers.Serializer[Mapping[str, object]]):
    """What a customer holds against deposits."""

    customer = serializers.IntegerField()
    held = DepositBalanceOut(many=True)
    total_amount = serializers.DecimalField(max_digits=12, decimal_places=2)
