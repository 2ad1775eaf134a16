"""The reports, customers' statements and the front page in the office."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from rest_framework.serializers import ChoiceField, Serializer

from accounts.models import User
from accounts.requests import acting_user
from accounts.selectors import worked_within
from customers.models import Customer
from equipment.models import Equipment
from foundation.access.capabilities import Capability
from foundation.api.responses import pdf_file
from foundation.errors import DomainError
from foundation.office.generic import ModelChoiceField
from foundation.office.menu import Menu, OfficePage
from foundation.office.site import OfficeSite
from foundation.office.widgets import FoundByTyping
from foundation.unreadable import WORD, is_unreadable
from payments.models import Payment
from periods.models import GstReturn
from reports import figures
from reports.catalogue import REPORTS, Listed
from reports.figures import Statement
from reports.figures.receivables import BUCKETS, OLDEST
from reports.formats import report_file
from reports.front_page import front_page
from reports.report import Column, Figure, Kind, Report, Row, Value
from reports.serializers import StatementQuery
from reports.statements import print_statement

SHOWN_ROWS = 500
"""A page of more rows helps nobody; the files have them all."""

_DATES = ("date_from", "date_to", "as_of", "date")


class _PersonField(ModelChoiceField[User]):
    def label_from_instance(self, person: User) -> str:
        return f"{person.get_full_name()} ({person.username})"


def _customer(*, required: bool) -> forms.Field:
    """Found by typing."""
    select = FoundByTyping(Payment._meta.get_field("customer"), admin.site)
    return forms.ModelChoiceField(Customer.objects.all(), required=required, widget=select)


class QueryForm(forms.Form):
    """Asks for what a report's query takes; whether an answer will do, the query says."""

    def __init__(self, query: type[Serializer[Any]], request: HttpRequest) -> None:
        super().__init__(request.GET.dict())
        self._query, self._reader = query, acting_user(request)
        self.asked: dict[str, Any] = {}
        for name, field in query().fields.items():
            if name != "format":
                self.fields[name] = self._field(name, field)
        # Nothing is refused before it was asked.
        self.is_bound = all(self.data.get(name) for name, field in self.fields.items() if field.required)

    def _field(self, name: str, asked: object) -> forms.Field:
        if name in _DATES:
            widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            return forms.DateField(required=False, widget=widget)
        if name == "at":
            moment = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
            return forms.DateTimeField(required=False, widget=moment, label="At")
        if name == "customer":
            return _customer(required=False)
        if name == "equipment":
            return forms.ModelChoiceField(Equipment.objects.get_queryset().order_by("sku"), required=False)
        if name == "gst_return":
            returns = GstReturn.objects.get_queryset()
            return forms.ModelChoiceField(returns, required=False, label="GST return", empty_label="As it would be now")
        if name == "driver":
            people = worked_within(self._reader, Capability.REPORT_DRIVER_DAY)
            return _PersonField(people.order_by("username"))
        if isinstance(asked, ChoiceField):
            return forms.ChoiceField(choices=list(asked.choices.items()), required=False)
        raise NotImplementedError(name)

    def clean(self) -> None:
        if self.errors:
            return
        query = self._query()
        chosen = {name: value for name, value in self.cleaned_data.items() if name in query.fields}
        query = self._query(data={name: _as_sent(value) for name, value in chosen.items() if value not in (None, "")})
        if query.is_valid():
            self.asked = {name: value for name, value in query.validated_data.items() if name != "format"}
            # What was left out is shown as what it stands for.
            self.data = {**self.data, **{name: _as_shown(value) for name, value in self.asked.items()}}
        for name, errors in query.errors.items():
            self.add_error(name if name in self.fields else None, [str(error) for error in errors])


def _as_sent(value: object) -> object:
    if isinstance(value, Model):
        return value.pk
    return value.isoformat() if hasattr(value, "isoformat") else value


def _as_shown(value: object) -> object:
    return "" if value is None else value


def _page(
    request: HttpRequest, form: QueryForm, title: str, report: Report | None, files: Sequence[str]
) -> HttpResponseBase:
    chosen = request.GET.copy()
    chosen.pop("format", None)
    columns = _on_page(report) if report else []
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "report": report,
        "columns": columns,
        "files": [(kind.upper(), f"?{_with(chosen, kind)}") for kind in files],
        "rows": [_cells(columns, row) for row in report.rows[:SHOWN_ROWS]] if report else [],
        "totals": _cells(columns, report.totals) if report and report.totals else [],
        "hidden": max(len(report.rows) - SHOWN_ROWS, 0) if report else 0,
    }
    return TemplateResponse(request, "admin/report.html", context)


def _with(chosen: QueryDict, kind: str) -> str:
    chosen["format"] = kind
    return str(chosen.urlencode())


def _on_page(report: Report) -> list[Column]:
    """What leads on stands beside what it is about: at the end of a long row nobody would find it."""
    first, *others = report.columns
    return [first, *sorted(others, key=lambda column: column.kind is not Kind.ID)]


def _cells(columns: Sequence[Column], row: Row) -> list[tuple[str, object]]:
    return [(column.kind.value, _cell(column, row.get(column.name))) for column in columns]


def _cell(column: Column, value: Value) -> object:
    if column.kind is Kind.ID and value is not None:
        page = reverse(f"admin:{column.opens.replace('.', '_')}_change", args=[value])
        return format_html('<a href="{}">{}</a>', page, column.says)
    if column.kind is Kind.PRICE and isinstance(value, Decimal):
        return WORD if is_unreadable(value) else f"{value:f}"
    return value


def _show_report(request: HttpRequest, listed: Listed) -> HttpResponseBase:
    form = QueryForm(listed.query, request)
    report = None
    if form.is_valid():
        try:
            report = listed.of(acting_user(request), **form.asked)
        except DomainError as error:
            form.add_error(None, error.detail)
    file_format = request.GET.get("format", "")
    if report is not None and file_format in ("csv", "xlsx"):
        return report_file(report, file_format)
    return _page(request, form, listed.title, report, ("csv", "xlsx") if report else ())


# --- A customer's account ------------------------------------------------------------------------------


class StatementForm(QueryForm):
    def __init__(self, request: HttpRequest) -> None:
        super().__init__(StatementQuery, request)
        self.fields = {"customer": _customer(required=True), **self.fields}
        self.is_bound = bool(self.data.get("customer"))


def _show_statement(request: HttpRequest) -> HttpResponseBase:
    form = StatementForm(request)
    report = None
    if form.is_valid():
        account = figures.statement(form.cleaned_data["customer"], **form.asked)
        if request.GET.get("format") == "pdf":
            return pdf_file(print_statement(account), f"statement-{account.date_from}-{account.date_to}.pdf")
        report = _account(account)
    return _page(request, form, "Statement of account", report, ("pdf",) if report else ())


def _account(account: Statement) -> Report:
    return Report(
        name="statement",
        title=f"{account.customer.name}, {account.date_from} to {account.date_to}",
        parameters={},
        columns=(
            Column("day", "Date", Kind.DATE),
            Column("number", "Document"),
            Column("details", "Details"),
            Column("due_on", "Due", Kind.DATE),
            Column("amount", "Amount", Kind.MONEY),
            Column("balance", "Balance", Kind.MONEY),
        ),
        rows=[
            {
                "day": entry.day,
                "number": entry.number,
                "details": "Rounding of cash" if entry.kind == "ROUNDING" else entry.details,
                "due_on": entry.due_on,
                "amount": entry.amount,
                "balance": entry.balance,
            }
            for entry in account.entries
        ],
        figures=(
            Figure("opening_balance", "Opening balance", Kind.MONEY, account.opening_balance),
            Figure("closing_balance", "Closing balance", Kind.MONEY, account.closing_balance),
            *(
                Figure(name, label, Kind.MONEY, account.ageing[name])
                for name, label in (*((name, label) for name, label, _ in BUCKETS), OLDEST, ("credit", "Credit"))
            ),
        ),
    )


# --- Where they are ------------------------------------------------------------------------------------


_site = admin.site
assert isinstance(_site, OfficeSite)  # see INSTALLED_APPS
for _listed in REPORTS:
    _site.add_page(
        OfficePage(
            f"reports/{_listed.name}",
            _listed.title,
            Menu.REPORTS,
            _listed.capability,
            partial(_show_report, listed=_listed),
        )
    )
_site.add_page(
    OfficePage("reports/statement", "Statement of account", Menu.REPORTS, Capability.VIEW_STATEMENT, _show_statement)
)
_site.figures = lambda request: front_page(acting_user(request))
