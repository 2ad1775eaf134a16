"""The office's form to bill a sale again. It begins with what the sale was."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin

from customers.models import Customer
from equipment.models import Equipment
from foundation.limits import RATE, READING
from foundation.money import shown
from foundation.office.actions import LinesForm
from foundation.office.numbers import DecimalFormField, IntegerFormField
from foundation.office.texts import TextFormField
from foundation.office.widgets import FoundByTyping
from inventory.models import Condition
from invoices.snapshot import InvoiceSnapshot
from transactions.models import RateSource, Transaction, TransactionItem
from transactions.planning import NewSale
from transactions.pricing import SaleItem

Type = TransactionItem.Type
MORE_LINES = 2
_SOLD = [choice for choice in Type.choices if choice[0] not in (Type.SETOFF, Type.SHELL)]
_BY_HAND = frozenset({RateSource.OVERRIDE, RateSource.FIELD})
"""Prices that no list has: they stay unless they are changed."""


class BillForm(LinesForm):
    """Made for one sale by `bill_form`. What it comes to is the ``sale`` of its cleaned data."""

    items: tuple[TransactionItem, ...] = ()
    columns = ("Line", "Pieces", "Price each")
    lines_help = (
        "No pieces: it wasn't sold. No price: that of the sale's day, as the books know it. Empty lines: what else."
    )

    def clean(self) -> dict[str, Any]:
        sent = self.cleaned_data
        lines = [*self._lines(sent), *self._more_lines(sent)]
        if self.errors:
            return sent
        sale = NewSale(
            customer=sent["customer"].pk,
            items=lines,
            current_meter=sent.get("current_meter"),
            remarks=sent.get("remarks", ""),
        )
        return {"reason": sent["reason"], "sale": sale}

    def _lines(self, sent: dict[str, Any]) -> Iterator[SaleItem]:
        for number, item in enumerate(self.items, start=1):
            if pieces := sent.get(f"pieces_{number}"):
                rate = sent.get(f"rate_{number}")
                yield SaleItem(item.equipment_id, item.type, pieces, item.condition, rate, item.reason)

    def _more_lines(self, sent: dict[str, Any]) -> Iterator[SaleItem]:
        for number in range(1, MORE_LINES + 1):
            what, kind, pieces = (sent.get(f"{name}_more_{number}") for name in ("what", "type", "pieces"))
            if what and kind and pieces:
                yield SaleItem(what.pk, kind, pieces, "", sent.get(f"rate_more_{number}"))
            elif what or pieces:
                self.add_error(f"pieces_more_{number}", "Another line needs what, how it was sold, and how many.")


def bill_form(sale: Transaction) -> type[BillForm]:
    """A form that begins with what the sale was."""
    items = tuple(sale.items.select_related("equipment").exclude(type=Type.SETOFF))
    rows = [
        *((_told(item), (f"pieces_{number}", f"rate_{number}")) for number, item in enumerate(items, start=1)),
        *(
            ((f"what_more_{number}", f"type_more_{number}"), (f"pieces_more_{number}", f"rate_more_{number}"))
            for number in range(1, MORE_LINES + 1)
        ),
    ]
    fields = {
        "customer": forms.ModelChoiceField(
            Customer.objects.all(),
            initial=sale.customer_id,
            widget=FoundByTyping(Transaction._meta.get_field("customer"), admin.site),
        ),
        **{name: field for number, item in enumerate(items, start=1) for name, field in _fields(number, item)},
        **{name: field for number in range(1, MORE_LINES + 1) for name, field in _more_fields(number)},
        **dict(_reading(sale)),
        "remarks": TextFormField(max_length=1000, required=False, initial=sale.remarks),
    }
    return type("BillFormOfSale", (BillForm,), {**fields, "items": items, "rows": rows})


def _told(item: TransactionItem) -> str:
    condition = f", {Condition(item.condition).label.lower()}" if item.condition else ""
    return f"{item.get_type_display()} {item.equipment_name}{condition}, billed at {shown(item.rate)}"


def _rate(initial: Decimal | None = None) -> forms.Field:
    return DecimalFormField(required=False, min_value=0, max_value=RATE.most, decimal_places=2, initial=initial)


def _fields(number: int, item: TransactionItem) -> Iterator[tuple[str, forms.Field]]:
    yield f"pieces_{number}", IntegerFormField(required=False, min_value=0, initial=item.quantity)
    yield f"rate_{number}", _rate(item.rate if item.rate_source in _BY_HAND else None)


def _more_fields(number: int) -> Iterator[tuple[str, forms.Field]]:
    what = FoundByTyping(TransactionItem._meta.get_field("equipment"), admin.site)
    yield f"what_more_{number}", forms.ModelChoiceField(Equipment.objects.all(), required=False, widget=what)
    yield f"type_more_{number}", forms.ChoiceField(choices=_SOLD, required=False)
    yield f"pieces_more_{number}", IntegerFormField(required=False, min_value=1)
    yield f"rate_more_{number}", _rate()


def _reading(sale: Transaction) -> Iterator[tuple[str, forms.Field]]:
    meter = InvoiceSnapshot.from_json(sale.invoice.snapshot).meter
    if meter is None and not sale.customer.has_meter:
        return
    before = f"The one before it is {shown(meter.last_reading)}. " if meter else ""
    yield "current_meter", DecimalFormField(
        required=False, min_value=0, max_value=READING.most, decimal_places=2, label="The meter's reading",
        initial=meter.current_reading if meter else None,
        help_text=f"{before}Where the meter has moved on since, its usage is billed again as read, at the right rate.",
    )  # fmt: skip
