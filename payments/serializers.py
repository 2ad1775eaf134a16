"""Payments in JSON."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.fields import (
    AmountField,
    IdField,
    MomentField,
    StrictChoiceField,
    StrictDecimalField,
    TextField,
)
from foundation.api.inputs import Input
from foundation.api.responses import PendingField, PendingOthersField
from foundation.limits import BALANCE, LINES
from payments.models import Allocation, CashCount, Payment
from payments.services import NewCashCount, NewPayment, Share


class ReceivedOnField(serializers.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, allow_null=True, default=None, help_text="A Singapore date. Left out: today.", **kwargs
        )


class ReferenceField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=64,
            required=False,
            allow_blank=True,
            default="",
            help_text="Cheque number, the bank's reference, …",
            **kwargs,
        )


class PayIn(Input):
    method = StrictChoiceField(choices=Payment.Method.choices, required=False, default=Payment.Method.CASH)
    amount = AmountField(required=False, allow_null=True, default=None, help_text="Left out: all that is open.")
    received_on = ReceivedOnField()
    reference = ReferenceField()


class ShareIn(Input):
    invoice = IdField()
    amount = AmountField()


class SharesIn(Input):
    allocations = serializers.ListField(
        child=ShareIn(),
        required=False,
        allow_null=True,
        default=None,
        max_length=LINES,
        help_text="Left out: the oldest open invoices first.",
    )

    def shares(self) -> tuple[Share, ...] | None:
        sent = self.validated_data["allocations"]
        return None if sent is None else tuple(Share(**share) for share in sent)


class PaymentIn(SharesIn):
    customer = IdField()
    method = StrictChoiceField(choices=Payment.Method.choices)
    amount = AmountField(help_text="What it settles nothing of is kept as the customer's credit.")
    received_on = ReceivedOnField()
    reference = ReferenceField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")

    def command(self) -> NewPayment:
        """The validated payment, as the service takes it."""
        sent = {name: value for name, value in self.validated_data.items() if name != "allocations"}
        return NewPayment(**sent, shares=self.shares())


class ReasonIn(Input):
    reason = TextField(max_length=500)


class GoodwillIn(Input):
    amount = AmountField()
    reason = TextField(max_length=500)
    method = StrictChoiceField(choices=Payment.Method.choices, required=False, default=Payment.Method.CASH)


class AllocationOut(serializers.ModelSerializer[Allocation]):
    invoice_number = serializers.CharField(source="invoice.invoice_number", read_only=True)

    class Meta:
        model = Allocation
        fields = ("invoice", "invoice_number", "amount", "date")
        read_only_fields = fields


class PaymentOut(serializers.ModelSerializer[Payment]):
    payment_number = serializers.CharField(source="__str__", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    credit_amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="What it settles nothing of, yet."
    )
    reversal: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="The payment that takes this one back."
    )
    allocations = AllocationOut(many=True, read_only=True)

    class Meta:
        model = Payment
        fields = (
            "id", "payment_number", "client_temp_id", "customer", "customer_name", "method", "amount", "received_on",
            "reference", "remarks", "user", "user_name", "depot", "is_on_the_spot", "is_goodwill", "reverses",
            "reversal", "allocated_amount", "credit_amount", "allocations", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class BagField(StrictDecimalField):
    """What was found in a cash bag, from 0.00 dollars."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=2, min_value=Decimal(0), max_value=BALANCE.most, help_text="In the cash bag."
        )


class CashCountIn(Input):
    """A blind count of one's own bag."""

    cash = BagField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it was counted. Left out: now."
    )

    def command(self) -> NewCashCount:
        """The validated count, as the service takes it."""
        return NewCashCount(**self.validated_data)


_MONEY = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)


class CashCountOut(serializers.ModelSerializer[CashCount]):
    """Of rows `with_handed_in`. ``expected`` of an open count, and ``pending``, are in the context of one."""

    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    expected = serializers.SerializerMethodField(help_text="The cash taken before it and not handed in before.")
    variance = serializers.SerializerMethodField(help_text="Counted less expected; negative: missing.")
    pending = PendingField(help_text="What is still on its way and may have happened before it. Null in lists.")
    pending_others = PendingOthersField()

    class Meta:
        model = CashCount
        fields = (
            "id", "count_number", "client_temp_id", "status", "user", "user_name", "depot", "cash", "expected",
            "variance", "occurred_at", "created_at", "remarks", "decided_by", "decided_at", "decision_remarks",
            "pending", "pending_others",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(_MONEY)
    def get_expected(self, count: CashCount) -> str | None:
        return _in_json(self._expected(count))

    @extend_schema_field(_MONEY)
    def get_variance(self, count: CashCount) -> str | None:
        expected = self._expected(count)
        return _in_json(None if expected is None else count.cash - expected)

    def _expected(self, count: Any) -> Decimal | None:
        is_handed_in = count.status == CashCount.Status.SIGNED_OFF
        expected: Decimal | None = count.handed_in if is_handed_in else self.context.get("expected")
        return expected


def _in_json(amount: Decimal | None) -> str | None:
    return None if amount is None else str(_MONEY.to_representation(amount))
