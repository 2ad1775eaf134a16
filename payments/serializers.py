"""Payments in JSON."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.models import Customer
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
from foundation.money import to_cents
from invoices.selectors import open_amount
from payments.models import Allocation, CashCount, CashExpense, Payment
from payments.receipts import WIDTHS
from payments.selectors import MethodSums, MoneyTaken, credit_of, refunds_open
from payments.services import CreditShare, NewCashCount, NewExpense, NewPayment, NewPayout, Share

_AMOUNT = serializers.DecimalField(max_digits=14, decimal_places=2)


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


def _wrong_given(attrs: Mapping[str, Any]) -> str:
    """Change is given of cash, and of more than is taken: what is wrong about it."""
    given = attrs["given"]
    if given is not None and attrs["method"] != Payment.Method.CASH:
        return "Change is given of cash alone."
    return "Less was handed over than was taken." if given is not None and given < attrs["amount"] else ""


def check_given(attrs: Mapping[str, Any]) -> None:
    """Raise ValidationError for what can't have been given."""
    if wrong := _wrong_given(attrs):
        raise serializers.ValidationError({"given": wrong}, code="invalid")


def without_bad_given(attrs: dict[str, Any]) -> dict[str, Any]:
    """The same without what can't have been given: the money that was taken changed hands all the same."""
    return {**attrs, "given": None} if _wrong_given(attrs) else attrs


class PaymentIn(SharesIn):
    customer = IdField()
    method = StrictChoiceField(choices=Payment.Method.choices)
    amount = AmountField(help_text="What it settles nothing of is kept as the customer's credit.")
    received_on = ReceivedOnField()
    reference = ReferenceField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
    given = AmountField(
        required=False, allow_null=True, default=None, help_text="What was handed over: the receipt prints the change."
    )
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it was taken. Left out: now."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_given(attrs)
        return attrs

    def command(self) -> NewPayment:
        """The validated payment, as the service takes it."""
        sent = {name: value for name, value in self.validated_data.items() if name != "allocations"}
        return NewPayment(**sent, shares=self.shares())


class PushedPaymentIn(PaymentIn):
    """Money that changed hands without a network."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return without_bad_given(attrs)


class ReasonIn(Input):
    reason = TextField(max_length=500)


class BankedIn(Input):
    banked_on = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The Singapore date on which the report has it. Left out: today.",
    )


class ReceiptQuery(Input):
    paper = StrictChoiceField(
        choices=["A4", *WIDTHS],
        required=False,
        default="A4",
        help_text="A4: a PDF. 58 or 80: HTML for a small printer's paper of so many mm.",
    )


class GoodwillIn(Input):
    amount = AmountField()
    reason = TextField(max_length=500)
    method = StrictChoiceField(choices=Payment.Method.choices, required=False, default=Payment.Method.CASH)


class PayoutIn(Input):
    customer = IdField()
    amount = AmountField()
    method = StrictChoiceField(choices=Payment.Method.choices, required=False, default=Payment.Method.CASH)
    reference = ReferenceField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")

    def command(self) -> NewPayout:
        """The validated payout, as the service takes it."""
        return NewPayout(**self.validated_data)


class CreditShareIn(Input):
    payment = IdField(required=False, allow_null=True, default=None)
    credit_note = IdField(required=False, allow_null=True, default=None)
    amount = AmountField()


class SetOffIn(Input):
    customer = IdField()
    credits = serializers.ListField(
        child=CreditShareIn(),
        required=False,
        allow_null=True,
        default=None,
        allow_empty=False,
        max_length=LINES,
        help_text="Payments and credit notes. Left out: all that is left of them, the oldest first.",
    )
    invoices = serializers.ListField(
        child=ShareIn(),
        required=False,
        allow_null=True,
        default=None,
        allow_empty=False,
        max_length=LINES,
        help_text="Left out: what has been owed for longest first.",
    )

    def command(self) -> dict[str, Any]:
        """The validated set-off, as the service takes it."""
        credits, invoices = self.validated_data["credits"], self.validated_data["invoices"]
        return {
            "customer_id": self.validated_data["customer"],
            "credits": None if credits is None else tuple(CreditShare(**share) for share in credits),
            "invoices": None if invoices is None else tuple(Share(**share) for share in invoices),
        }


class SetOffOut(serializers.Serializer[Customer]):
    """What a customer's account comes to afterwards."""

    customer = serializers.IntegerField(source="pk", read_only=True)
    open_amount = serializers.SerializerMethodField(help_text="Of invoices.")
    credit_amount = serializers.SerializerMethodField(help_text="Of payments and credit notes.")

    @extend_schema_field(_AMOUNT)
    def get_open_amount(self, customer: Customer) -> str:
        return str(to_cents(open_amount(customer)))

    @extend_schema_field(_AMOUNT)
    def get_credit_amount(self, customer: Customer) -> str:
        return str(to_cents(credit_of(customer) + refunds_open(customer)))


class AllocationOut(serializers.ModelSerializer[Allocation]):
    """Of payments `with_allocations`."""

    invoice = serializers.SerializerMethodField(
        help_text="What it settles. Null: a document that you may not see, or it was paid out."
    )
    invoice_number = serializers.SerializerMethodField()
    payout = serializers.SerializerMethodField(
        help_text="The payment by which it was paid out. Null: one that you may not see, or it settles a document."
    )

    class Meta:
        model = Allocation
        fields = ("invoice", "invoice_number", "payout", "amount", "date")
        read_only_fields = fields

    def get_invoice(self, allocation: Any) -> int | None:
        return allocation.invoice_id if allocation.is_visible else None

    def get_payout(self, allocation: Any) -> int | None:
        return allocation.payout_id if allocation.is_payout_visible else None

    def get_invoice_number(self, allocation: Any) -> str | None:
        return allocation.invoice.invoice_number if allocation.is_visible else None


class PaymentOut(serializers.ModelSerializer[Payment]):
    payment_number = serializers.CharField(source="__str__", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    credit_amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="What it settles nothing of, yet."
    )
    rounding = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        read_only=True,
        help_text="How much more came than it settles, since cash is rounded to coins; negative: less.",
    )
    reversal: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="The payment that takes this one back."
    )
    allocations = AllocationOut(many=True, read_only=True)

    class Meta:
        model = Payment
        fields = (
            "id", "payment_number", "client_temp_id", "customer", "customer_name", "method", "amount", "given",
            "rounding", "received_on", "banked_on", "bounced_on", "reference", "remarks", "user", "user_name", "depot",
            "is_on_the_spot", "is_goodwill", "reverses", "reversal", "allocated_amount", "credit_amount",
            "allocations", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ExpenseIn(Input):
    """What was paid from one's own cash bag."""

    amount = AmountField()
    reason = TextField(max_length=500, help_text="What it was for.")
    reference = TextField(
        max_length=64, required=False, allow_blank=True, default="", help_text="The receipt's number."
    )
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it was paid. Left out: now."
    )

    def command(self) -> NewExpense:
        """The validated expense, as the service takes it."""
        return NewExpense(**self.validated_data)


class ExpenseOut(serializers.ModelSerializer[CashExpense]):
    expense_number = serializers.CharField(source="__str__", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    reversal: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="The expense that takes this one back."
    )

    class Meta:
        model = CashExpense
        fields = (
            "id", "expense_number", "client_temp_id", "user", "user_name", "depot", "amount", "reason", "reference",
            "occurred_at", "cash_count", "reverses", "reversal", "created_at",
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


class MethodSumsOut(serializers.Serializer[MethodSums]):
    method = serializers.ChoiceField(choices=Payment.Method.choices, read_only=True)
    taken = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)
    paid_back = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)


class MoneyTakenOut(serializers.Serializer[MoneyTaken]):
    """Cash expected is what was taken in cash, less what was paid back in cash and the expenses."""

    methods = MethodSumsOut(many=True, read_only=True)
    expenses = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="Paid from the cash bag."
    )
    cash_expected = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)


class CashCountOut(serializers.ModelSerializer[CashCount]):
    """Of rows `with_handed_in`. ``expected`` of an open count, ``money`` and ``pending`` are in the context of one."""

    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    expected = serializers.SerializerMethodField(
        help_text="The cash taken before it, less expenses, and not handed in before."
    )
    variance = serializers.SerializerMethodField(help_text="Counted less expected; negative: missing.")
    money = serializers.SerializerMethodField(
        help_text="What was taken since the count before it, by method. Null in lists, and where `expected` is."
    )
    pending = PendingField(help_text="What is still on its way and may have happened before it. Null in lists.")
    pending_others = PendingOthersField()

    class Meta:
        model = CashCount
        fields = (
            "id", "count_number", "client_temp_id", "status", "user", "user_name", "depot", "cash", "expected",
            "variance", "money", "occurred_at", "created_at", "remarks", "decided_by", "decided_at", "decision_remarks",
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

    @extend_schema_field(MoneyTakenOut(allow_null=True))
    def get_money(self, count: CashCount) -> object:
        money = self.context.get("money")
        return None if money is None else MoneyTakenOut(money).data

    def _expected(self, count: Any) -> Decimal | None:
        is_handed_in = count.status == CashCount.Status.SIGNED_OFF
        expected: Decimal | None = count.handed_in if is_handed_in else self.context.get("expected")
        return expected


def _in_json(amount: Decimal | None) -> str | None:
    return None if amount is None else str(_MONEY.to_representation(amount))
