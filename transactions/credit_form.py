"""The office's form of a credit note in part: a line of the invoice each, in pieces or in money."""

from collections.abc import Iterator
from typing import Any

from django import forms

from foundation.limits import AMOUNT
from foundation.money import CENT, shown
from foundation.office.actions import ReasonForm
from foundation.office.numbers import DecimalFormField, IntegerFormField
from invoices.models import Invoice
from transactions.crediting import CreditLine, InvoiceLeft, LineLeft
from transactions.pricing import CARRIED


def credit_kind_field() -> forms.ChoiceField:
    return forms.TypedChoiceField(
        required=False,
        empty_value=Invoice.CreditKind.GENUINE,
        choices=[
            (Invoice.CreditKind.GENUINE, "Goods came back, or less is to be paid"),
            (Invoice.CreditKind.TAX_ERROR, "The invoice was wrong: a tax error"),
        ],
        initial=Invoice.CreditKind.GENUINE,
        label="For GST",
        help_text="The first counts in the GST period of today, a tax error in that of the invoice.",
    )


class CreditForm(ReasonForm):
    """Made for one invoice by `credit_form`. What it comes to are the ``lines`` of its cleaned data."""

    credit_kind = credit_kind_field()
    with_gst = forms.BooleanField(required=False, label="Amounts include GST")
    numbers: tuple[int, ...] = ()
    """Of the lines that something is left of."""

    def clean(self) -> dict[str, Any]:
        sent = self.cleaned_data
        lines = [*self._lines(sent)]
        if not lines and not self.errors:
            self.add_error(None, "Please say what is to be credited: pieces or an amount of a line.")
        said = {name: sent.get(name, "") for name in ("reason", "credit_kind")}
        return {**said, "lines": lines}

    def _lines(self, sent: dict[str, Any]) -> Iterator[CreditLine]:
        for number in self.numbers:
            pieces, amount = sent.get(f"pieces_{number}"), sent.get(f"amount_{number}")
            if pieces and amount:
                self.add_error(f"amount_{number}", "Pieces or an amount: please one of them.")
            elif pieces or amount:
                comes_back = bool(sent.get(f"back_{number}"))
                yield CreditLine(number, pieces, amount, bool(sent.get("with_gst")), comes_back)


def credit_form(left: InvoiceLeft, *, with_goods: bool) -> type[CreditForm]:
    """A form with the lines that something is left of. ``with_goods``: its reader may take pieces back into stock."""
    lines = [(number, line) for number, line in enumerate(left.lines, start=1) if line.amount > 0]
    fields = {name: field for number, line in lines for name, field in _fields(number, line, with_goods=with_goods)}
    return type("CreditFormOfInvoice", (CreditForm,), {**fields, "numbers": tuple(number for number, _ in lines)})


def _fields(number: int, line: LineLeft, *, with_goods: bool) -> Iterator[tuple[str, forms.Field]]:
    item = line.item
    name = f"Line {number}, {item.get_type_display()} {item.equipment_name}" if item else f"Line {number}, gas by meter"
    gst = "" if line.is_taxable else ", no GST"
    if item and line.quantity:
        yield f"pieces_{number}", IntegerFormField(
            required=False, min_value=1, max_value=line.quantity, label=f"{name}: pieces",
            help_text=f"Left: {line.quantity}, for {shown(line.amount)}{gst}.",
        )  # fmt: skip
        if with_goods and item.type in CARRIED:
            yield (
                f"back_{number}",
                forms.BooleanField(required=False, initial=True, label="These pieces come back onto the vehicle"),
            )
    yield f"amount_{number}", DecimalFormField(
        required=False, min_value=CENT, max_value=AMOUNT.most, decimal_places=2, label=f"{name}: amount",
        help_text=f"Left: {shown(line.amount)} before GST{gst}. Instead of pieces, where the price was wrong.",
    )  # fmt: skip
