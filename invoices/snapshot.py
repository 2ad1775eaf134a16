"""What an invoice says: every word and figure that its PDF prints, frozen when it is issued.

The snapshot is the whole input of the renderer. It is kept with the invoice as JSON, so that
the same document can be printed again years later, whatever became of the customer, the
prices or the company's address.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from foundation.unreadable import UnreadableRecord


@dataclass(frozen=True, slots=True)
class Party:
    """One side of the document. ``address`` may hold several lines."""

    name: str
    address: str = ""
    postal_code: str = ""
    uen: str = ""
    gst_registration_no: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One priced line. ``amount`` is signed as in the books: a refund is negative."""

    description: str
    sku: str
    type: str
    """SALE, SWAP, RETURN, REFILL, SERVICE, DEPOSIT, SHELL or SETOFF."""
    condition: str
    """For a RETURN: EMPTY or DAMAGED, else an empty string."""
    quantity: int
    rate: Decimal
    amount: Decimal
    taxable: bool


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """A billed meter reading, in the meter's own unit (m³)."""

    meter_number: str
    last_reading: Decimal
    current_reading: Decimal
    usage: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaidBy:
    """So much that changed hands by one method, also beyond what it settles: a size, for credit notes too."""

    method: str
    """CASH, PAYNOW, CARD or CHEQUE."""
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Correction:
    """What a credit note names of the tax invoice that it reverses. ``left``: it credits a part of it, and so much is
    left with GST. ``billed_again``: the number of the invoice that takes its place; empty: none does.
    """

    invoice_number: str
    issued_on: date
    reason: str
    left: Decimal | None = None
    billed_again: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What an invoice names of the one whose place it takes, and of the credit note that reversed that."""

    invoice_number: str
    issued_on: date
    credit_note: str
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceSnapshot:
    """The frozen content of a tax invoice or a credit note.

    Money is in Singapore dollars, signed as in the books: a credit note's amounts are negative
    here and printed positive. ``gst_rate`` is a percentage (``Decimal("9.00")``).
    Dates are Singapore's; date-times carry Singapore's offset.
    """

    kind: str
    """TAX_INVOICE, CREDIT_NOTE or COLLECTION_NOTE."""
    number: str
    transaction_number: str
    issued_at: datetime
    occurred_at: datetime
    due_on: date
    supplier: Party
    customer: Party
    customer_code: str
    lines: tuple[Line, ...]
    meter: MeterUsage | None
    subtotal: Decimal
    taxable_amount: Decimal
    gst_rate: Decimal
    gst_amount: Decimal
    total_amount: Decimal
    payment_type: str
    """CASH or CREDIT."""
    payment_terms_days: int
    payment_received: bool
    served_by: str
    vehicle_no: str
    remarks: str
    corrects: Correction | None = None
    paynow: str = ""
    """What the PayNow QR code says; empty: none is printed."""
    set_off: Decimal = Decimal("0.00")
    """How much of it another document settled at once. Earlier releases didn't say."""
    paid: Decimal | None = None
    """How much of it changed hands with it. None: of an earlier release, which didn't say."""
    paid_by: tuple[PaidBy, ...] = ()
    """How that changed hands. Earlier releases' documents, which don't say, were paid in cash."""
    rounding: Decimal = Decimal("0.00")
    """How much more cash that was than it settles, since it was rounded to coins; negative: less."""
    set_off_against: tuple[str, ...] = ()
    """The numbers of the documents that a refund is set off against."""
    replaces: Replaced | None = None
    """What it bills again."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; money as strings, times in ISO 8601."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The exact inverse of `to_json`. Raises UnreadableRecord for what that never wrote."""
        try:
            return cls._from_json(data)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UnreadableRecord("What the document says can't be read in the books.") from error

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Self:
        meter, corrects, replaces = data["meter"], data["corrects"], data.get("replaces")
        return cls(
            **{
                **data,
                **{name: Decimal(data[name]) for name in _MONEY},
                "set_off": Decimal(data.get("set_off", "0.00")),
                "paid": Decimal(data["paid"]) if data.get("paid") else None,
                "paid_by": tuple(PaidBy(each["method"], Decimal(each["amount"])) for each in data.get("paid_by", ())),
                "rounding": Decimal(data.get("rounding", "0.00")),
                "set_off_against": tuple(data.get("set_off_against", ())),
                "issued_at": datetime.fromisoformat(data["issued_at"]),
                "occurred_at": datetime.fromisoformat(data["occurred_at"]),
                "due_on": date.fromisoformat(data["due_on"]),
                "supplier": Party(**data["supplier"]),
                "customer": Party(**data["customer"]),
                "lines": tuple(
                    Line(**{**line, "rate": Decimal(line["rate"]), "amount": Decimal(line["amount"])})
                    for line in data["lines"]
                ),
                "meter": meter
                and MeterUsage(
                    meter_number=meter["meter_number"],
                    **{k: Decimal(v) for k, v in meter.items() if k != "meter_number"},
                ),
                "corrects": corrects and _correction(corrects),
                "replaces": replaces
                and Replaced(**{**replaces, "issued_on": date.fromisoformat(replaces["issued_on"])}),
            }
        )


def _correction(data: dict[str, Any]) -> Correction:
    left = data.get("left")
    return Correction(
        invoice_number=data["invoice_number"],
        issued_on=date.fromisoformat(data["issued_on"]),
        reason=data["reason"],
        left=Decimal(left) if left else None,
        billed_again=data.get("billed_again", ""),
    )


_MONEY = ("subtotal", "taxable_amount", "gst_rate", "gst_amount", "total_amount")


def _plain(value: object) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            return value
