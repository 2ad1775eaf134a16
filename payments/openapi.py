"""What the API's schema says of payments."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from foundation.api.schema import conflicts
from invoices.openapi import INVOICE_EXAMPLE
from invoices.serializers import InvoiceOut
from payments.errors import AlreadyPaid, AlreadyReversed, ExceedsCredit, ExceedsOutstanding
from payments.serializers import PayIn, PaymentIn, PaymentOut, ReasonIn, SharesIn

_PAID = {
    **INVOICE_EXAMPLE,
    "status": "paid",
    "settled_amount": "179.31",
    "outstanding_amount": "0.00",
    "paid_at": "2026-02-10T15:30:00+08:00",
}

_PAYMENT_EXAMPLE = {
    "id": 91,
    "payment_number": "PAY-000091",
    "client_temp_id": None,
    "customer": 1,
    "customer_name": "Ah Hock Chicken Rice",
    "method": "BANK_TRANSFER",
    "amount": "200.00",
    "received_on": "2026-02-10",
    "reference": "FT26041-88121",
    "remarks": "",
    "user": 1,
    "user_name": "Lim Mei Ling",
    "depot": 1,
    "is_on_the_spot": False,
    "reverses": None,
    "reversal": None,
    "allocated_amount": "179.31",
    "credit_amount": "20.69",
    "allocations": [
        {"invoice": 480, "invoice_number": "INV-20260120-000001", "amount": "179.31", "date": "2026-02-10"}
    ],
    "created_at": "2026-02-10T15:30:00+08:00",
}

_PAYMENT = OpenApiExample("a payment", value=_PAYMENT_EXAMPLE, response_only=True, status_codes=["200", "201"])

pay_invoice = extend_schema(
    summary="Mark an invoice as paid",
    description="Records a payment of what is open, or of a part of it; of a credit note it is paid out.",
    tags=["Payments"],
    request=PayIn,
    responses={200: InvoiceOut, **conflicts(AlreadyPaid, ExceedsOutstanding)},
    examples=[
        OpenApiExample("in cash", value={}, request_only=True),
        OpenApiExample(
            "a part, by PayNow",
            value={"method": "PAYNOW", "amount": "100.00", "received_on": "2026-02-10", "reference": "PN-2231"},
            request_only=True,
        ),
        OpenApiExample("paid", value=_PAID, response_only=True, status_codes=["200"]),
    ],
)

payments = extend_schema_view(
    list=extend_schema(
        summary="List payments",
        description="Newest first: an ADMIN sees all, a SUPERVISOR those of their depot then, others their own.",
        tags=["Payments"],
        examples=[_PAYMENT],
    ),
    retrieve=extend_schema(summary="Read a payment", tags=["Payments"], examples=[_PAYMENT]),
)

record_payment = extend_schema(
    summary="Record a payment",
    description="Settles the named invoices, or the oldest open ones; what is left is kept as credit. "
    "With a `client_temp_id` it is safe to send again.",
    tags=["Payments"],
    request=PaymentIn,
    responses={
        201: PaymentOut,
        **conflicts(ExceedsOutstanding, ExceedsCredit),
    },
    examples=[
        OpenApiExample(
            "cash on account",
            value={"customer": 1, "method": "CASH", "amount": "50.00"},
            request_only=True,
        ),
        OpenApiExample(
            "a transfer for one invoice",
            value={
                "customer": 1,
                "method": "BANK_TRANSFER",
                "amount": "200.00",
                "received_on": "2026-02-10",
                "reference": "FT26041-88121",
                "allocations": [{"invoice": 480, "amount": "179.31"}],
            },
            request_only=True,
        ),
        _PAYMENT,
    ],
)

allocate_payment = extend_schema(
    summary="Settle invoices with a payment's credit",
    tags=["Payments"],
    request=SharesIn,
    responses={200: PaymentOut, **conflicts(ExceedsOutstanding, ExceedsCredit, AlreadyReversed)},
    examples=[OpenApiExample("the oldest first", value={}, request_only=True), _PAYMENT],
)

reverse_payment = extend_schema(
    summary="Reverse a payment",
    description="ADMIN, and a SUPERVISOR for their depot's users: it was entered wrongly, or a cheque bounced. "
    "Answers the reversal; what the payment settled is open again.",
    tags=["Payments"],
    request=ReasonIn,
    responses={201: PaymentOut, **conflicts(AlreadyReversed)},
    examples=[
        OpenApiExample("a bounced cheque", value={"reason": "Cheque returned by the bank"}, request_only=True),
        OpenApiExample(
            "the reversal",
            value={
                **_PAYMENT_EXAMPLE,
                "id": 92,
                "payment_number": "PAY-000092",
                "amount": "-200.00",
                "reverses": 91,
                "allocated_amount": "-179.31",
                "credit_amount": "-20.69",
                "allocations": [],
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)
