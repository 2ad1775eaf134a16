"""What the API's schema says of payments."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from discrepancies.errors import NeedsAnotherPerson
from foundation.api.schema import conflicts
from foundation.errors import AlreadyReversed
from foundation.operations.idempotency import RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import EarlierCountOpen
from inventory.serializers import DecisionIn, ReasonedDecisionIn
from invoices.openapi import INVOICE_EXAMPLE
from invoices.serializers import InvoiceOut
from payments.errors import (
    AlreadyPaid,
    CashCountDecided,
    ExceedsCredit,
    ExceedsOutstanding,
    NotBanked,
)
from payments.serializers import (
    BankedIn,
    CashCountIn,
    CashCountOut,
    ExpenseIn,
    ExpenseOut,
    GoodwillIn,
    PayIn,
    PaymentIn,
    PaymentOut,
    PayoutIn,
    ReasonIn,
    ReceiptQuery,
    SetOffIn,
    SetOffOut,
    SharesIn,
)

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
    "given": None,
    "rounding": "0.00",
    "received_on": "2026-02-10",
    "banked_on": None,
    "bounced_on": None,
    "reference": "FT26041-88121",
    "remarks": "",
    "user": 1,
    "user_name": "Lim Mei Ling",
    "depot": 1,
    "is_on_the_spot": False,
    "is_goodwill": False,
    "reverses": None,
    "reversal": None,
    "allocated_amount": "179.31",
    "credit_amount": "20.69",
    "allocations": [
        {
            "invoice": 480,
            "invoice_number": "INV-20260120-000001",
            "payout": None,
            "amount": "179.31",
            "date": "2026-02-10",
        }
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
        description="Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, a SUPERVISOR those of their depot then, "
        "others their own.",
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
        **conflicts(ExceedsOutstanding, ExceedsCredit, OccurredAtOutOfRange),
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

receipt = extend_schema(
    summary="Print a payment's receipt",
    description="What the books say of it now: what it settles, what is left of it, and the change. A payment out "
    "has a voucher. Invoices that you may not see are not named.",
    tags=["Payments"],
    parameters=[ReceiptQuery],
    responses={
        (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="`paper=A4`, or left out."),
        (200, "text/html"): OpenApiResponse(OpenApiTypes.STR, description="`paper=58` or `paper=80`."),
    },
)

bank_payment = extend_schema(
    summary="Say that the bank has a payment",
    description="ADMIN and ACCOUNTS, and a SUPERVISOR for their depot's: the bank's or the terminal's report has what "
    "somebody else "
    "took without cash, or the cheque was banked. Said again the day is corrected. What nobody has found is listed by "
    "`?unmatched=true`, reversed or not.",
    tags=["Payments"],
    request=BankedIn,
    responses={200: PaymentOut, **conflicts(AlreadyReversed)},
    examples=[
        OpenApiExample("in yesterday's report", value={"banked_on": "2026-02-11"}, request_only=True),
        OpenApiExample(
            "found", value={**_PAYMENT_EXAMPLE, "banked_on": "2026-02-11"}, response_only=True, status_codes=["200"]
        ),
    ],
)

unbank_payment = extend_schema(
    summary="Take back that the bank has a payment",
    description="By the same people, with a reason: it is listed again.",
    tags=["Payments"],
    request=ReasonIn,
    responses={200: PaymentOut, **conflicts(NotBanked, AlreadyReversed)},
    examples=[
        OpenApiExample("the wrong one", value={"reason": "That was PAY-000092"}, request_only=True),
        OpenApiExample("not found", value=_PAYMENT_EXAMPLE, response_only=True, status_codes=["200"]),
    ],
)

bounce_cheque = extend_schema(
    summary="Say that a cheque bounced",
    description="ADMIN and ACCOUNTS, and a SUPERVISOR for their depot's: the bank sent it back. It is reversed, and "
    "says since when "
    "it is bounced. Answers the reversal.",
    tags=["Payments"],
    request=ReasonIn,
    responses={201: PaymentOut, **conflicts(AlreadyReversed)},
    examples=[
        OpenApiExample("no funds", value={"reason": "Refer to drawer"}, request_only=True),
        OpenApiExample(
            "the reversal",
            value={
                **_PAYMENT_EXAMPLE,
                "id": 92,
                "payment_number": "PAY-000092",
                "method": "CHEQUE",
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

reverse_payment = extend_schema(
    summary="Reverse a payment",
    description="ADMIN and ACCOUNTS, and a SUPERVISOR for their depot's users: it was entered wrongly, or a cheque "
    "bounced. "
    "Answers the reversal; what the payment settled is open again. What the bank's report has is asked about.",
    tags=["Payments"],
    request=ReasonIn,
    responses={201: PaymentOut, **conflicts(AlreadyReversed, NeedsAnotherPerson)},
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

pay_out = extend_schema(
    summary="Pay a customer's credit back",
    description="ADMIN and ACCOUNTS: any; a SUPERVISOR: what their depot took; others: what they took themselves, in "
    "the way in "
    "which it came. Answers the payment, whose amount is negative; reversing it undoes it. With a `client_temp_id` it "
    "is safe to send again.",
    tags=["Payments"],
    request=PayoutIn,
    responses={201: PaymentOut, **conflicts(ExceedsCredit, NeedsAnotherPerson)},
    examples=[
        OpenApiExample(
            "after a sale was voided",
            value={"customer": 1, "amount": "30.00", "method": "CASH", "remarks": "Delivered to the wrong stall"},
            request_only=True,
        ),
        OpenApiExample(
            "paid out",
            value={
                **_PAYMENT_EXAMPLE,
                "id": 93,
                "payment_number": "PAY-000093",
                "method": "CASH",
                "amount": "-30.00",
                "reference": "",
                "remarks": "Delivered to the wrong stall",
                "allocated_amount": "-30.00",
                "credit_amount": "0.00",
                "allocations": [],
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

set_off_credit = extend_schema(
    summary="Set a customer's credit off against what is owed",
    description="What is left of payments and credit notes settles invoices, from today on. "
    "With a `client_temp_id` it is safe to send again.",
    tags=["Payments"],
    request=SetOffIn,
    responses={201: SetOffOut, **conflicts(ExceedsOutstanding, ExceedsCredit)},
    examples=[
        OpenApiExample("all of it, the oldest first", value={"customer": 1}, request_only=True),
        OpenApiExample(
            "a credit note against one invoice",
            value={
                "customer": 1,
                "credits": [{"credit_note": 512, "amount": "80.00"}],
                "invoices": [{"invoice": 480, "amount": "80.00"}],
            },
            request_only=True,
        ),
        OpenApiExample(
            "set off",
            value={"customer": 1, "open_amount": "99.31", "credit_amount": "0.00"},
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

MONEY_EXAMPLE = {
    "methods": [
        {"method": "CASH", "taken": "254.00", "paid_back": "30.00"},
        {"method": "PAYNOW", "taken": "62.13", "paid_back": "0.00"},
    ],
    "expenses": "18.00",
    "cash_expected": "206.00",
}

_COUNT_EXAMPLE = {
    "id": 27,
    "count_number": "CSH-20260120-000001",
    "client_temp_id": "c0a4bb8e-31f1-4b55-9c0e-6f0d3f1f7d20",
    "status": "COUNTED",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "cash": "205.50",
    "expected": None,
    "variance": None,
    "money": None,
    "occurred_at": "2026-01-20T18:06:00+08:00",
    "created_at": "2026-01-20T18:06:02+08:00",
    "remarks": "",
    "decided_by": None,
    "decided_at": None,
    "decision_remarks": "",
    "pending": [],
    "pending_others": 0,
}
_COUNT = OpenApiExample("a count", value=_COUNT_EXAMPLE, response_only=True, status_codes=["200", "201"])
_DECIDED = {"decided_by": 3, "decided_at": "2026-01-20T18:20:00+08:00"}

cash_counts = extend_schema_view(
    list=extend_schema(
        summary="List cash counts",
        description="Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF their "
        "depot's, others their own. What "
        "should be in an open count's bag, and what is still on its way, only the count itself shows.",
        tags=["Day-end"],
        examples=[_COUNT],
    ),
    retrieve=extend_schema(
        summary="Read a cash count",
        description="While it is open, who may sign it off sees `expected` and `variance` by what is known so far; for "
        "whoever counted they are null: the count is blind. Signed off, they say what was handed in with it: cash that "
        "was taken before and arrives later explains it.",
        tags=["Day-end"],
        examples=[_COUNT],
    ),
)

record_cash_count = extend_schema(
    summary="Count one's cash bag",
    description="A blind count of one's own bag at a moment. It is handed in when somebody else signs it off. An open "
    "count refuses no other one. With a `client_temp_id` it is safe to send again.",
    tags=["Day-end"],
    request=CashCountIn,
    responses={201: CashCountOut, **conflicts(OccurredAtOutOfRange, RefusedBefore)},
    examples=[
        OpenApiExample(
            "a count",
            value={"cash": "205.50", "client_temp_id": "c0a4bb8e-31f1-4b55-9c0e-6f0d3f1f7d20"},
            request_only=True,
        ),
        _COUNT,
    ],
)

sign_off_cash_count = extend_schema(
    summary="Sign off a cash count",
    description="DEPOT_STAFF and SUPERVISOR of the depot, and ADMIN, for somebody else's count. All cash taken before "
    "it is handed in with it, for good; what differs stays on record.",
    tags=["Day-end"],
    request=DecisionIn,
    responses={200: CashCountOut, **conflicts(CashCountDecided, EarlierCountOpen)},
    examples=[
        OpenApiExample("some is missing", value={"remarks": "Short by 0.50"}, request_only=True),
        OpenApiExample(
            "signed off",
            value={
                **_COUNT_EXAMPLE,
                **_DECIDED,
                "status": "SIGNED_OFF",
                "decision_remarks": "Short by 0.50",
                "expected": "206.00",
                "variance": "-0.50",
                "money": MONEY_EXAMPLE,
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

reject_cash_count = extend_schema(
    summary="Have a cash bag counted again",
    description="By the same people, and by who made it: a mistake is taken back before anybody decided. A rejected "
    "count leaves nothing.",
    tags=["Day-end"],
    request=ReasonedDecisionIn,
    responses={200: CashCountOut, **conflicts(CashCountDecided)},
    examples=[
        OpenApiExample("a slip", value={"remarks": "The coins were forgotten"}, request_only=True),
        OpenApiExample(
            "rejected",
            value={
                **_COUNT_EXAMPLE,
                **_DECIDED,
                "status": "REJECTED",
                "decision_remarks": "The coins were forgotten",
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

_EXPENSE_EXAMPLE = {
    "id": 12,
    "expense_number": "EXP-000012",
    "client_temp_id": None,
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "amount": "18.00",
    "reason": "Petrol",
    "reference": "R-20117",
    "occurred_at": "2026-01-20T11:40:00+08:00",
    "cash_count": None,
    "reverses": None,
    "reversal": None,
    "created_at": "2026-01-20T11:40:02+08:00",
}
_EXPENSE = OpenApiExample("an expense", value=_EXPENSE_EXAMPLE, response_only=True, status_codes=["200", "201"])

expenses = extend_schema_view(
    list=extend_schema(
        summary="List expenses",
        description="What was paid from cash bags. Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, "
        "SUPERVISOR and DEPOT_STAFF their "
        "depot's then, others their own.",
        tags=["Day-end"],
        examples=[_EXPENSE],
    ),
    retrieve=extend_schema(summary="Read an expense", tags=["Day-end"], examples=[_EXPENSE]),
)

record_expense = extend_schema(
    summary="Record an expense",
    description="Paid from one's own cash bag (petrol, parking): so much less is expected in it. It is handed in with "
    "the first count that stands after it was paid. With a `client_temp_id` it is safe to send again.",
    tags=["Day-end"],
    request=ExpenseIn,
    responses={201: ExpenseOut, **conflicts(OccurredAtOutOfRange, RefusedBefore)},
    examples=[
        OpenApiExample(
            "petrol",
            value={"amount": "18.00", "reason": "Petrol", "reference": "R-20117"},
            request_only=True,
        ),
        _EXPENSE,
    ],
)

reverse_expense = extend_schema(
    summary="Reverse an expense",
    description="It was entered wrongly. Whoever paid it may, until it is handed in; ADMIN, ACCOUNTS, and a "
    "SUPERVISOR for their "
    "depot's, at any time. Answers the reversal, which is in the same bag, or handed in with the same count.",
    tags=["Day-end"],
    request=ReasonIn,
    responses={201: ExpenseOut, **conflicts(AlreadyReversed)},
    examples=[
        OpenApiExample("a slip", value={"reason": "Paid by card, not from the bag"}, request_only=True),
        OpenApiExample(
            "the reversal",
            value={
                **_EXPENSE_EXAMPLE,
                "id": 13,
                "expense_number": "EXP-000013",
                "amount": "-18.00",
                "reason": "Paid by card, not from the bag",
                "reverses": 12,
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

refund_goodwill = extend_schema(
    summary="Pay a goodwill refund",
    description="ADMIN and SUPERVISOR. Pays out what nobody owes, with a reason: no deposit and no account is "
    "touched by it, and it is no refund of a deposit. Reversing the payment undoes it. With a `client_temp_id` it is "
    "safe to send again.",
    tags=["Payments"],
    request=GoodwillIn,
    responses={201: PaymentOut, **conflicts(RefusedBefore, NeedsAnotherPerson)},
    examples=[
        OpenApiExample(
            "for a cylinder that was never charged",
            value={"amount": "30.00", "reason": "Kept the cylinder for ten years", "method": "CASH"},
            request_only=True,
        ),
        OpenApiExample(
            "paid",
            value={
                **_PAYMENT_EXAMPLE,
                "id": 92,
                "payment_number": "PAY-000092",
                "method": "CASH",
                "amount": "-30.00",
                "reference": "",
                "remarks": "Kept the cylinder for ten years",
                "is_goodwill": True,
                "allocated_amount": "-30.00",
                "credit_amount": "0.00",
                "allocations": [],
            },
            response_only=True,
            status_codes=["200", "201"],
        ),
    ],
)
