"""What the API's schema says of sales and of what stands at customers' sites."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from customers.errors import CustomerInactive
from deposits.errors import DepositRefunded
from discrepancies.errors import NeedsAnotherPerson
from equipment.errors import EquipmentInactive
from fleet.errors import VehicleInactive
from foundation.api.schema import conflicts
from foundation.operations.idempotency import RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import InsufficientStock
from invoices.openapi import INVOICE_EXAMPLE
from transactions.errors import (
    AlreadyCredited,
    AlreadyVoided,
    EmptySale,
    ExceedsInvoice,
    MeterMovedOn,
    MeterReadingDecreased,
    NoInvoice,
    NoMeter,
    RateMismatch,
)
from transactions.selectors import MAX_READINGS
from transactions.serializers import (
    BillAgainIn,
    BilledAgainOut,
    CreditIn,
    DepositsOut,
    HoldingOut,
    MeterReadingOut,
    NewMeterIn,
    ReplacedMeterOut,
    SaleIn,
    SaleOut,
    VoidIn,
)

_SMALL_SALE = OpenApiExample(
    "two cylinders",
    value={"customer": 1, "items": [{"equipment": 3, "type": "SWAP", "quantity": 2}]},
    request_only=True,
)
_SALE = OpenApiExample(
    "a delivery with a meter reading, made offline",
    value={
        "customer": 1,
        "client_temp_id": "0b1f6a52-44a0-4c8f-9f5e-5d0f6a3e7c21",
        "occurred_at": "2026-01-20T10:00:00+08:00",
        "current_meter": "1250.00",
        "payment_received": False,
        "remarks": "",
        "items": [
            {"equipment": 3, "type": "SALE", "quantity": 2, "rate": "28.50"},
            {"equipment": 3, "type": "RETURN", "quantity": 1, "condition": "DAMAGED"},
        ],
    },
    request_only=True,
)
_ITEM = {
    "id": 1201,
    "equipment": 3,
    "equipment_name": "14 kg POL cylinder",
    "type": "SALE",
    "condition": "",
    "reason": "",
    "quantity": 2,
    "rate": "28.50",
    "rate_source": "CONTRACT",
    "amount": "57.00",
    "taxable": True,
}
_TRANSACTION_EXAMPLE = {
    "id": 501,
    "transaction_number": "TRX-20260120-000001",
    "client_temp_id": "0b1f6a52-44a0-4c8f-9f5e-5d0f6a3e7c21",
    "status": "COMPLETED",
    "reverses": None,
    "corrects": None,
    "replaces": None,
    "customer": 1,
    "customer_name": "Ah Hock Chicken Rice",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle_no": "GBK1234A",
    "items": [_ITEM],
    "last_meter_reading": "1200.00",
    "current_meter_reading": "1250.00",
    "meter_rate": "2.1500",
    "usage": "50.00",
    "usage_amount": "107.50",
    "items_amount": "57.00",
    "total_amount": "164.50",
    "remarks": "",
    "payment_type": "CREDIT",
    "payment_received": False,
    "occurred_at": "2026-01-20T10:00:00+08:00",
    "created_at": "2026-01-20T10:00:02+08:00",
}
_TRANSACTION = OpenApiExample("a sale", value=_TRANSACTION_EXAMPLE, response_only=True, status_codes=["200"])
SALE_REFUSALS = (
    InsufficientStock, RateMismatch, MeterReadingDecreased, NoMeter, MeterMovedOn, EmptySale,
    CustomerInactive, EquipmentInactive, VehicleInactive, OccurredAtOutOfRange, RefusedBefore,
)  # fmt: skip
_CREATE: dict[str, Any] = {
    "tags": ["Sales"],
    "request": SaleIn,
    "responses": {
        201: SaleOut,
        **conflicts(*SALE_REFUSALS),
    },
    "examples": [
        _SMALL_SALE,
        _SALE,
        OpenApiExample(
            "recorded",
            value={"transaction": _TRANSACTION_EXAMPLE, "invoice": INVOICE_EXAMPLE, "refund": None, "payments": []},
            response_only=True,
            status_codes=["200", "201"],
        ),
    ],
}  # fmt: skip

transactions = extend_schema_view(
    list=extend_schema(
        summary="List transactions",
        description="Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, a SUPERVISOR those of their depot then, "
        "others their own.",
        tags=["Sales"],
        examples=[_TRANSACTION],
    ),
    retrieve=extend_schema(summary="Read a transaction", tags=["Sales"], examples=[_TRANSACTION]),
)

record_sale = extend_schema(
    summary="Record a sale",
    description="Stock, meter, price, number, invoice, PDF and audit in one commit, or nothing. "
    "The server prices every line: a RETURN refunds what was charged for what comes back, first what was lent without "
    "a deposit, then the oldest deposit. A refund that exceeds the sale has a document of its own (`refund`). "
    "`payments` names what changed hands: `GET /api/payments/{id}/receipt/` prints its receipt. With a "
    "`client_temp_id` it is safe to send again.",
    **_CREATE,
)

record_sale_at_old_path = extend_schema(
    summary="Record a sale (old path)",
    description="The same as `POST /api/transactions/`, for clients that call it here.",
    deprecated=True,
    **_CREATE,
)

void_sale = extend_schema(
    summary="Void a sale",
    description="ADMIN, and a SUPERVISOR for their depot's users. Records the reversal: the lines negated, the "
    "stock and the meter brought back, and a credit note that names the invoice and the reason. A sale is voided "
    "once.",
    tags=["Sales"],
    request=VoidIn,
    responses={
        201: SaleOut,
        **conflicts(
            AlreadyVoided,
            AlreadyCredited,
            DepositRefunded,
            MeterMovedOn,
            VehicleInactive,
            InsufficientStock,
            NeedsAnotherPerson,
        ),
    },
    examples=[
        OpenApiExample("a mistake", value={"reason": "Entered for the wrong customer"}, request_only=True),
        OpenApiExample(
            "the goods are gone",
            value={"reason": "Delivered to the wrong stall, not found again", "goods": "gone"},
            request_only=True,
        ),
        OpenApiExample(
            "the reversal",
            value={
                "transaction": {
                    **_TRANSACTION_EXAMPLE,
                    "id": 502,
                    "transaction_number": "TRX-20260120-000002",
                    "client_temp_id": None,
                    "reverses": 501,
                    "items": [{**_ITEM, "id": 1202, "quantity": -2, "amount": "-57.00"}],
                    "last_meter_reading": "1250.00",
                    "current_meter_reading": "1200.00",
                    "usage": "-50.00",
                    "usage_amount": "-107.50",
                    "items_amount": "-57.00",
                    "total_amount": "-164.50",
                    "remarks": "Entered for the wrong customer",
                },
                "invoice": {
                    **INVOICE_EXAMPLE,
                    "id": 481,
                    "invoice_number": "CN-20260120-000001",
                    "kind": "CREDIT_NOTE",
                    "credit_kind": "GENUINE",
                    "transaction": 502,
                    "subtotal": "-164.50",
                    "gst_amount": "-14.81",
                    "total_amount": "-179.31",
                    "settled_amount": "-179.31",
                    "outstanding_amount": "0.00",
                },
                "refund": None,
                "payments": [],
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

bill_again = extend_schema(
    summary="Bill a sale again",
    description="ADMIN, and a SUPERVISOR for their depot's users. Credits an invoice that was wrong, and bills what is "
    "right, in one commit, however long ago it was: another customer, price, quantity or reading. The new sale is of "
    "the same moment, seller, depot and vehicle; prices and the GST rate are those of that moment as the books know "
    "them now. What had settled the old invoice settles the new one: to another customer's goes what was taken with "
    "the sale and isn't found at the bank. The rest is credit. Where the meter has moved on since, its readings stand "
    "and their usage is billed again. With a `client_temp_id` it is safe to send again.",
    tags=["Sales"],
    request=BillAgainIn,
    responses={
        201: BilledAgainOut,
        **conflicts(
            NoInvoice, AlreadyVoided, AlreadyCredited, NeedsAnotherPerson, DepositRefunded, InsufficientStock,
            RateMismatch, MeterReadingDecreased, NoMeter, MeterMovedOn, EmptySale, CustomerInactive, EquipmentInactive,
            VehicleInactive, RefusedBefore,
        ),
    },
    examples=[
        OpenApiExample(
            "one cylinder too many was billed",
            value={
                "reason": "Two were delivered",
                "sale": {"customer": 1, "items": [{"equipment": 3, "type": "SALE", "quantity": 2}]},
            },
            request_only=True,
        ),
        OpenApiExample(
            "what takes its place",
            value={
                "transaction": {
                    **_TRANSACTION_EXAMPLE,
                    "id": 505,
                    "transaction_number": "TRX-20260120-000004",
                    "replaces": 501,
                },
                "invoice": {**INVOICE_EXAMPLE, "id": 484, "transaction": 505, "invoice_number": "INV-20260120-000002"},
                "refund": None,
                "payments": [],
                "credit": {
                    "transaction": {
                        **_TRANSACTION_EXAMPLE,
                        "id": 504,
                        "transaction_number": "TRX-20260120-000005",
                        "client_temp_id": None,
                        "reverses": 501,
                        "items": [{**_ITEM, "id": 1204, "quantity": -2, "amount": "-57.00"}],
                        "last_meter_reading": "1250.00",
                        "current_meter_reading": "1200.00",
                        "usage": "-50.00",
                        "usage_amount": "-107.50",
                        "items_amount": "-57.00",
                        "total_amount": "-164.50",
                        "remarks": "Two were delivered",
                    },
                    "invoice": {
                        **INVOICE_EXAMPLE,
                        "id": 483,
                        "invoice_number": "CN-20260120-000003",
                        "kind": "CREDIT_NOTE",
                        "credit_kind": "TAX_ERROR",
                        "transaction": 504,
                        "subtotal": "-164.50",
                        "gst_amount": "-14.81",
                        "total_amount": "-179.31",
                        "settled_amount": "-179.31",
                        "outstanding_amount": "0.00",
                    },
                },
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)  # fmt: skip

credit_invoice = extend_schema(
    summary="Credit a part of an invoice",
    description="ADMIN and ACCOUNTS, and a SUPERVISOR for their depot's users; pieces that come back not by ACCOUNTS. "
    "Records a credit note of some lines, in pieces or in "
    "money, at the invoice's own GST rate; at most what is left of each line and of the whole. It settles the invoice "
    "as far as that is open, the rest is the customer's credit. The meter stays where it is.",
    tags=["Invoices"],
    request=CreditIn,
    responses={
        201: SaleOut,
        **conflicts(
            NoInvoice,
            AlreadyVoided,
            ExceedsInvoice,
            DepositRefunded,
            VehicleInactive,
            InsufficientStock,
            NeedsAnotherPerson,
        ),
    },
    examples=[
        OpenApiExample(
            "one of two came back",
            value={"reason": "One was leaking", "lines": [{"line": 1, "quantity": 1}]},
            request_only=True,
        ),
        OpenApiExample(
            "a wrong price",
            value={
                "reason": "Billed at the old price",
                "lines": [{"line": 1, "amount": "4.36", "amount_includes_gst": True}],
            },
            request_only=True,
        ),
        OpenApiExample(
            "the credit note",
            value={
                "transaction": {
                    **_TRANSACTION_EXAMPLE,
                    "id": 503,
                    "transaction_number": "TRX-20260120-000003",
                    "client_temp_id": None,
                    "corrects": 501,
                    "items": [{**_ITEM, "id": 1203, "quantity": -1, "amount": "-28.50"}],
                    "last_meter_reading": None,
                    "current_meter_reading": None,
                    "meter_rate": None,
                    "usage": "0.00",
                    "usage_amount": "0.00",
                    "items_amount": "-28.50",
                    "total_amount": "-28.50",
                    "remarks": "One was leaking",
                },
                "invoice": {
                    **INVOICE_EXAMPLE,
                    "id": 482,
                    "invoice_number": "CN-20260120-000002",
                    "kind": "CREDIT_NOTE",
                    "credit_kind": "GENUINE",
                    "transaction": 503,
                    "corrects": 480,
                    "subtotal": "-28.50",
                    "gst_amount": "-2.57",
                    "total_amount": "-31.07",
                    "settled_amount": "-31.07",
                    "outstanding_amount": "0.00",
                },
                "refund": None,
                "payments": [],
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

_REPLACEMENT = {
    "id": 4,
    "client_temp_id": None,
    "customer": 1,
    "old_meter_number": "M-104233",
    "final_reading": "1263.40",
    "new_meter_number": "M-220871",
    "first_reading": "0.00",
    "reason": "Worn out",
    "user": 2,
    "occurred_at": "2026-03-02T09:30:00+08:00",
    "created_at": "2026-03-02T09:30:02+08:00",
}

replace_meter = extend_schema(
    summary="Replace a customer's meter",
    description="ADMIN and SUPERVISOR. The old meter's last usage is billed by a sale of its own, and the new one "
    "goes on from its first reading, in one commit. With a `client_temp_id` it is safe to send again.",
    tags=["Customers' sites"],
    request=NewMeterIn,
    responses={
        201: ReplacedMeterOut,
        **conflicts(
            NoMeter,
            MeterReadingDecreased,
            MeterMovedOn,
            CustomerInactive,
            OccurredAtOutOfRange,
        ),
    },
    examples=[
        OpenApiExample(
            "worn out",
            value={
                "final_reading": "1263.40",
                "new_meter_number": "M-220871",
                "first_reading": "0.00",
                "reason": "Worn out",
            },
            request_only=True,
        ),
        OpenApiExample(
            "replaced",
            value={"replacement": _REPLACEMENT, "sale": None},
            response_only=True,
            status_codes=["200", "201"],
        ),
    ],
)

read_meter_history = extend_schema(
    summary="Read a meter's history",
    description=f"The latest {MAX_READINGS} readings, voids and replacements, newest first.",
    tags=["Customers' sites"],
    responses=MeterReadingOut(many=True),
    examples=[
        OpenApiExample(
            "a reading",
            value={
                "kind": "READING",
                "occurred_at": "2026-01-20T10:00:00+08:00",
                "meter_number": "M-104233",
                "last_reading": "1200.00",
                "reading": "1250.00",
                "usage": "50.00",
                "transaction_number": "TRX-20260120-000001",
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
    filters=False,
)

read_deposits = extend_schema(
    summary="Read what a customer holds against deposits",
    tags=["Customers' sites"],
    responses=DepositsOut,
    examples=[
        OpenApiExample(
            "two cylinders",
            value={
                "customer": 1,
                "held": [
                    {
                        "equipment": 3,
                        "sku": "CYL-14-POL",
                        "equipment_name": "14 kg POL cylinder",
                        "quantity": 2,
                        "amount": "120.00",
                    }
                ],
                "total_amount": "120.00",
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
    filters=False,
)

read_holdings = extend_schema(
    summary="Read what a customer holds",
    description="By equipment: what stands at the site, what of it is on loan, without a deposit, and the deposits, "
    "the oldest first. A RETURN takes what is on loan first, then the oldest deposit at its own amount.",
    tags=["Customers' sites"],
    responses=HoldingOut(many=True),
    examples=[
        OpenApiExample(
            "three cylinders",
            value={
                "equipment": 3,
                "sku": "CYL-14-POL",
                "equipment_name": "14 kg POL cylinder",
                "at_site": 3,
                "on_loan": 1,
                "lots": [
                    {
                        "pieces": 2,
                        "amount": "80.00",
                        "document_number": "INV-20260120-000001",
                        "occurred_at": "2026-01-20T10:00:00+08:00",
                    }
                ],
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
    filters=False,
)
