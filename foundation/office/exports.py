"""A list of the office as a file: the rows as they are filtered and ordered, the columns as they are shown."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags

from foundation.office.generic import ModelAdmin
from foundation.spreadsheets.writing import MOST_ROWS, Cell, Value, spreadsheet

_LINKS = {"action_checkbox", "pdf"}
"""Columns that are nothing outside the page."""

_AMOUNT = re.compile(r"[+-]?\d[\d,]*\.\d\d")
"""How a list writes an amount that it computes."""

Shown = str | Callable[[Any], str | bool]
"""What a list shows in a column: a field or method by its name, or a function of the row."""


class ExportsRows[M: Model](ModelAdmin[M]):
    """Adds CSV and Excel to a list of the office. As many rows as there are, read and sent a few hundred at a time."""

    is_exported = True

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_rows)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        own = [path("export/<str:file_format>/", view, name=name)]
        return [*own, *super().get_urls()]

    def export_rows(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        if file_format not in ("csv", "xlsx"):
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
            rows = changelist.get_queryset(request)
        except IncorrectLookupParameters:
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{back}?e=1")
        names = [name for name in changelist.list_display if name not in _LINKS]
        return spreadsheet(
            str(self.opts.verbose_name_plural).replace(" ", "-"),
            file_format,
            islice(self._table(names, rows), MOST_ROWS),
            widths=[20] * len(names),
        )

    def _table(self, names: Sequence[Shown], rows: QuerySet[M]) -> Iterator[list[Cell]]:
        yield [(str(label_for_field(name, self.model, self)).capitalize(), None) for name in names]
        for row in rows.iterator(chunk_size=500):
            yield [(self._value(name, row), None) for name in names]

    def _value(self, name: Shown, row: M) -> Value:
        field, _, value = lookup_field(name, row, self)
        if field is not None and field.is_relation:
            value = getattr(row, field.name)
        elif field is not None and getattr(field, "choices", None):
            value = display_for_field(value, field, "")
        match value:
            case bool():
                return "yes" if value else "no"
            case None | int() | Decimal() | date():
                return value
            case _:
                text = strip_tags(str(value))
                if field is None and _AMOUNT.fullmatch(text):
                    return Decimal(text.replace(",", ""))
                return "" if text == "–" else text
