"""Invoices to print in tests and benchmarks."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from invoices.snapshot import Correction, InvoiceSnapshot, Line, MeterUsage, Party

SINGAPORE = timezone(timedelta(hours=8))

SUPPLIER = Party(
    name="HSH LPG Pte. Ltd.",
    address="21 Tuas South Avenue 3\n#02-08 Gas Hub",
    postal_code="637366",
    uen="201992345C",
    gst_registration_no="M2-0123456-7",
    email="billing@hsh.example",
    phone="+65 6861 2345",
)
CUSTOMER = Party(
    name="Ah Seng Seafood Restaurant Pte. Ltd.",
    address="Blk 462 Clementi Avenue 3\n#01-552",
    postal_code="120462",
    uen="200892345M",
    gst_registration_no="200892345M",
)
METER = MeterUsage(
    meter_number="MTR-00042",
    last_reading=Decimal("1234.000"),
    current_reading=Decimal("1250.500"),
    usage=Decimal("16.500"),
    rate=Decimal("2.1050"),
    amount=Decimal("34.73"),
)


def line(description: str = "LPG cylinder 12.7 kg", **changes: Any) -> Line:
    """Two swapped cylinders at 38.50, unless told otherwise."""
    return replace(
        Line(
            description=description,
            sku="CYL-127",
            type="SWAP",
            condition="",
            quantity=2,
            rate=Decimal("38.50"),
            amount=Decimal("77.00"),
            taxable=True,
        ),
        **changes,
    )


def snapshot(**changes: Any) -> InvoiceSnapshot:
    """A cash sale of three lines and a meter reading; ``changes`` replace fields as they stand."""
    return replace(
        InvoiceSnapshot(
            kind="TAX_INVOICE",
            number="INV-20260120-000001",
            transaction_number="TRX-20260120-000001",
            issued_at=datetime(2026, 1, 20, 10, 42, 7, tzinfo=SINGAPORE),
            occurred_at=datetime(2026, 1, 20, 10, 38, tzinfo=SINGAPORE),
            due_on=date(2026, 2, 19),
            supplier=SUPPLIER,
            customer=CUSTOMER,
            customer_code="C-000123",
            lines=(
                line(),
                line(
                    "LPG cylinder 50 kg",
                    sku="CYL-50",
                    type="SALE",
                    quantity=12,
                    rate=Decimal("152.00"),
                    amount=Decimal("1824.00"),
                ),
                line(
                    "Cylinder deposit, 50 kg",
                    sku="CYL-50",
                    type="DEPOSIT",
                    quantity=1,
                    rate=Decimal("120.00"),
                    amount=Decimal("120.00"),
                    taxable=False,
                ),
            ),
            meter=METER,
            subtotal=Decimal("2055.73"),
            taxable_amount=Decimal("1935.73"),
            gst_rate=Decimal("9.00"),
            gst_amount=Decimal("174.22"),
            total_amount=Decimal("2229.95"),
            payment_type="CREDIT",
            payment_terms_days=30,
            payment_received=False,
            served_by="Tan Wei Ming",
            vehicle_no="GBA 1234 X",
            remarks="Please leave the empties at the back door.",
        ),
        **changes,
    )


def credit_note(**changes: Any) -> InvoiceSnapshot:
    """The reversal of `snapshot`: every amount negated."""
    sale = snapshot()
    return replace(
        sale,
        **{
            "kind": "CREDIT_NOTE",
            "number": "CN-20260121-000001",
            "transaction_number": "TRX-20260121-000004",
            "issued_at": datetime(2026, 1, 21, 9, 5, tzinfo=SINGAPORE),
            "occurred_at": datetime(2026, 1, 21, 9, 5, tzinfo=SINGAPORE),
            "lines": tuple(replace(sold, quantity=-sold.quantity, amount=-sold.amount) for sold in sale.lines),
            "meter": replace(METER, usage=-METER.usage, amount=-METER.amount),
            "subtotal": -sale.subtotal,
            "taxable_amount": -sale.taxable_amount,
            "gst_amount": -sale.gst_amount,
            "total_amount": -sale.total_amount,
            "corrects": Correction(sale.number, date(2026, 1, 20), "Delivered to the wrong outlet"),
            "remarks": "",
            **changes,
        },
    )
