"""Reports in JSON, and what they are asked by."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from foundation import clock
from foundation.api.fields import IdField, MomentField, StrictChoiceField
from foundation.api.queries import Query
from foundation.unreadable import is_unreadable
from reports.figures import GroupBy
from reports.figures.day import COLUMNS as DAY_COLUMNS
from reports.figures.deposits import COLUMNS as DEPOSITS_COLUMNS
from reports.figures.gst import DOCUMENT_COLUMNS, F5_COLUMNS
from reports.figures.mispriced import COLUMNS as MISPRICED_COLUMNS
from reports.figures.receivables import COLUMNS as RECEIVABLES_COLUMNS
from reports.figures.sales import EQUIPMENT_COLUMNS, GST_COLUMNS, SALES_COLUMNS
from reports.figures.statement import Entry, Statement
from reports.figures.stock import CONSERVATION_COLUMNS, STOCK_COLUMNS
from reports.report import Column, Kind, Report

FORMATS = ("json", "csv", "xlsx")
STATEMENT_FORMATS = ("json", "pdf")
LONGEST = timedelta(days=3_660)
ENTRY_KINDS = [
    ("INVOICE", "Invoice"),
    ("CREDIT_NOTE", "Credit note"),
    ("COLLECTION_NOTE", "Collection note"),
    ("PAYMENT", "Payment"),
    ("ROUNDING", "Rounding of cash"),
]


class PiecesField(serializers.IntegerField):
    """So many pieces; null where they can't be read."""

    def to_representation(self, value: Any) -> Any:
        return None if is_unreadable(value) else super().to_representation(value)


_FIELDS: dict[Kind, Any] = {
    Kind.TEXT: lambda: serializers.CharField(allow_null=True),
    Kind.COUNT: lambda: PiecesField(allow_null=True),
    Kind.MONEY: lambda: serializers.DecimalField(max_digits=18, decimal_places=2, allow_null=True),
    Kind.RATE: lambda: serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True),
    Kind.DATE: lambda: serializers.DateField(allow_null=True),
    Kind.PRICE: lambda: serializers.DecimalField(max_digits=10, decimal_places=4, allow_null=True),
    Kind.ID: lambda: serializers.IntegerField(allow_null=True),
}


# --- What is asked -----------------------------------------------------------------------------------


class ReportQuery(Query):
    """``format`` is the answer's; the rest says what is added up."""

    format = StrictChoiceField(choices=FORMATS, required=False, default="json")


class _PeriodFields(Query):
    date_from = serializers.DateField(
        required=False, default=None, allow_null=True, help_text="Left out: the first of the last date's month."
    )
    date_to = serializers.DateField(required=False, default=None, allow_null=True, help_text="Left out: today.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        date_to = attrs["date_to"] or _today()
        date_from = attrs["date_from"] or date_to.replace(day=1)
        if date_from > date_to:
            raise serializers.ValidationError({"date_to": "The period ends before it begins."}, code="invalid")
        if date_to - date_from > LONGEST:
            raise serializers.ValidationError({"date_from": "A period has at most ten years."}, code="invalid")
        return {**attrs, "date_from": date_from, "date_to": date_to}


class PeriodQuery(_PeriodFields, ReportQuery):
    pass


class SalesQuery(PeriodQuery):
    group_by = StrictChoiceField(choices=GroupBy.choices, required=False, default=GroupBy.DAY)

    def validate_group_by(self, value: str) -> GroupBy:
        return GroupBy(value)


class GstReturnQuery(PeriodQuery):
    gst_return = IdField(
        required=False,
        default=None,
        allow_null=True,
        help_text="One that was filed, instead of the dates. Left out: as an F5 of these dates would be now.",
    )


class MispricedQuery(PeriodQuery):
    customer = IdField(required=False, default=None, allow_null=True)
    equipment = IdField(
        required=False, default=None, allow_null=True, help_text="Lines of it alone: neither meters nor GST rates."
    )


class MomentQuery(ReportQuery):
    at = MomentField(required=False, default=None, allow_null=True, help_text="With its offset. Left out: now.")


class AsOfQuery(ReportQuery):
    as_of = serializers.DateField(
        required=False, default=None, allow_null=True, help_text="The end of that Singapore date. Left out: today."
    )
    customer = IdField(required=False, default=None, allow_null=True)

    def validate_as_of(self, value: date | None) -> date:
        return value or _today()


class DriverDayQuery(ReportQuery):
    driver = IdField(required=False, default=None, allow_null=True, help_text="Left out: oneself.")
    date = serializers.DateField(required=False, default=None, allow_null=True, help_text="Left out: today.")

    def validate_date(self, value: object) -> object:
        return value or _today()


class StatementQuery(_PeriodFields):
    format = StrictChoiceField(choices=STATEMENT_FORMATS, required=False, default="json")


def _today() -> date:
    return clock.business_date(clock.now())


# --- What is answered --------------------------------------------------------------------------------


class FigureOut(serializers.Serializer[None]):
    """One figure beside the table."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, as in `columns`
    value = serializers.CharField(help_text="Money and counts alike, as a string.")


def _answer(name: str, *tables: tuple[Column, ...], totals: bool = True, figures: bool = False) -> Any:
    """The serializer of a report with these columns; of several tables, a row has null in the others' columns."""
    columns = {column.name: column for table in tables for column in table}

    def table_fields(names: Any) -> dict[str, Any]:
        made = {}
        for column_name in names:
            field = _FIELDS[columns[column_name].kind]()
            field.help_text = columns[column_name].label
            made[column_name] = field
        return made

    row = type(f"{name}RowOut", (serializers.Serializer,), table_fields(columns))
    total = type(
        f"{name}TotalsOut", (serializers.Serializer,), table_fields([n for n, c in columns.items() if c.is_summed])
    )
    fields = {
        "title": serializers.CharField(),
        "rows": row(many=True),
        **({"totals": total()} if totals else {}),
        **({"figures": FigureOut(many=True)} if figures else {}),
    }
    return type(f"{name}Out", (serializers.Serializer,), fields)


SalesSummaryOut = _answer("SalesSummary", SALES_COLUMNS, EQUIPMENT_COLUMNS, figures=True)
MispricedOut = _answer("Mispriced", MISPRICED_COLUMNS)
GstOut = _answer("Gst", GST_COLUMNS)
GstF5Out = _answer("GstF5", F5_COLUMNS, totals=False, figures=True)
GstDocumentsOut = _answer("GstDocuments", DOCUMENT_COLUMNS)
StockOut = _answer("Stock", STOCK_COLUMNS)
ConservationOut = _answer("Conservation", CONSERVATION_COLUMNS)
DriverDayOut = _answer("DriverDay", DAY_COLUMNS, figures=True)
ReceivablesOut = _answer("Receivables", RECEIVABLES_COLUMNS)
DepositsReportOut = _answer("DepositsReport", DEPOSITS_COLUMNS)


class EntryOut(serializers.Serializer[Entry]):
    date = serializers.DateField(source="day")
    kind = serializers.ChoiceField(choices=ENTRY_KINDS)
    number = serializers.CharField()
    details = serializers.CharField(allow_blank=True)
    due_on = serializers.DateField(allow_null=True, help_text="Of an invoice.")
    amount = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Raises the balance.")
    balance = serializers.DecimalField(max_digits=18, decimal_places=2)


class AgeingOut(serializers.Serializer[None]):
    """What is open at the end, by days overdue; together the closing balance."""

    current = serializers.DecimalField(max_digits=18, decimal_places=2)
    days_1_30 = serializers.DecimalField(max_digits=18, decimal_places=2)
    days_31_60 = serializers.DecimalField(max_digits=18, decimal_places=2)
    days_61_90 = serializers.DecimalField(max_digits=18, decimal_places=2)
    days_over_90 = serializers.DecimalField(max_digits=18, decimal_places=2)
    credit = serializers.DecimalField(max_digits=18, decimal_places=2)


class StatementOut(serializers.Serializer[Statement]):
    customer = serializers.IntegerField(source="customer.pk")
    customer_code = serializers.CharField(source="customer.customer_code")
    customer_name = serializers.CharField(source="customer.name")
    date_from = serializers.DateField()
    date_to = serializers.DateField()
    opening_balance = serializers.DecimalField(max_digits=18, decimal_places=2)
    entries = EntryOut(many=True)
    closing_balance = serializers.DecimalField(max_digits=18, decimal_places=2)
    ageing = AgeingOut()


def _told(value: object, is_count: bool) -> object:
    if not isinstance(value, Decimal):
        return value
    return None if is_count else str(value)


def as_json(report: Report, answer: Any) -> Any:
    """A report as the API tells it.

    The amounts of the rows have their cents already, and go as text; the renderer would write floats. With a field's
    object for each cell, a month by customer spent half its time here.
    """
    data = {"title": report.title, "rows": (), "totals": report.totals, "figures": report.figures}
    shaped = answer(data)
    counts = {name: isinstance(field, PiecesField) for name, field in shaped.fields["rows"].child.fields.items()}
    rows = [{name: _told(row.get(name), is_count) for name, is_count in counts.items()} for row in report.rows]
    return {**shaped.data, "rows": rows}
