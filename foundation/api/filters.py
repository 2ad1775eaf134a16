"""What list filters share: what can't be meant so is refused, never left out."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError as FormValidationError
from django.db import models
from django.db.models import QuerySet
from django.utils.dateparse import parse_date
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import OrderingFilter, SearchFilter, search_smart_split
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.fields import MAX_ID, require_no_null
from foundation.api.queries import refuse
from foundation.characters import refusal_of
from foundation.searching import with_phones_joined

MAX_SEARCH_LENGTH = 100
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BoundedSearchFilter(SearchFilter):
    """Refuses search texts that no person types."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        self.require_sane(request)
        return super().filter_queryset(request, queryset, view)

    def get_search_terms(self, request: Request) -> list[str]:
        asked = with_phones_joined(request.query_params.get(self.search_param, ""))
        return search_smart_split(asked)  # type: ignore[arg-type]  # the stubs say a list, which it makes of a text

    def require_sane(self, request: Request) -> None:
        text = request.query_params.get(self.search_param, "")
        if len(text) > MAX_SEARCH_LENGTH:
            detail = f"Ensure this value has at most {MAX_SEARCH_LENGTH} characters."
            raise refuse(self.search_param, detail, "max_length")
        if refusal := refusal_of(text):
            raise refuse(self.search_param, refusal, "invalid")


class KnownOrdering(OrderingFilter):
    """Refuses an order that the list hasn't; the framework would take its default without a word."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        known = [name for name, _ in self.get_valid_fields(queryset, view, {"request": request})]
        asked = list(fields)
        for field in asked:
            if field.removeprefix("-") not in known:
                detail = f"Not a valid order: one of {', '.join(known)}; with - before it: from the last."
                raise refuse(self.ordering_param, detail, "invalid_choice")
        return asked


class _IdFormField(forms.Field):
    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if not _DIGITS.fullmatch(value) or not 1 <= int(value) <= MAX_ID:
            raise FormValidationError(f"A whole number from 1 to {MAX_ID}, please.", code="invalid")
        return int(value)


@extend_schema_field({"type": "integer", "minimum": 1})
class IdFilter(filters.Filter):
    """A primary key in the query string; a number that no key can be is refused, not sent to the database."""

    field_class = _IdFormField


class _BooleanFormField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if value.lower() not in _BOOLEANS:
            raise FormValidationError("Either true or false, please.", code="invalid")
        return _BOOLEANS[value.lower()]


class YesNoFilter(filters.BooleanFilter):
    """True or false; the framework's own takes anything else for neither, and answers everything."""

    field_class = _BooleanFormField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=forms.TextInput, **kwargs)


class _DayFormField(forms.Field):
    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            day = parse_date(value)
        except ValueError:
            day = None
        if day is None:
            raise FormValidationError("A date is YYYY-MM-DD.", code="invalid")
        return day


class DayFilter(filters.DateFilter):
    """A date as ISO 8601 writes it; the framework's own takes 01/02/2026 for the second of January."""

    field_class = _DayFormField


class _MomentField(IsoDateTimeField):
    def clean(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().clean(require_no_null(value))
            return moment and moment.astimezone(UTC)
        except (OverflowError, ValueError) as error:
            raise FormValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(filters.IsoDateTimeFilter):
    """An instant in the query string. One that leaves the calendar in UTC is refused, not a crash."""

    field_class = _MomentField


class ApiFilterSet(filters.FilterSet):
    """Filters of columns that are named in ``Meta.fields`` are as strict as those that are written out."""

    FILTER_DEFAULTS: ClassVar[dict[Any, Any]] = {
        **filters.FilterSet.FILTER_DEFAULTS,
        models.BooleanField: {"filter_class": YesNoFilter},
    }

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> filters.Filter:
        """A text that is longer than its column is refused."""
        made = super().filter_for_field(field, field_name, lookup_expr)
        if isinstance(made, filters.CharFilter):
            return filters.CharFilter(field_name=field_name, max_length=field.max_length)
        return made


class LedgerFilterSet(ApiFilterSet):
    """A period in a list that grows is read in that period's own order, newest first.

    So one index both finds the rows and orders them, and a page of a year costs what a page of a day costs. By
    another order all rows of the period would have to be read and sorted.
    """

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        for name, asked in self.filters.items():
            if isinstance(asked, DayFilter | MomentFilter) and self.form.cleaned_data[name] is not None:
                return queryset.order_by(f"-{asked.field_name}", "-pk")
        return queryset


class FilterBackend(filters.DjangoFilterBackend):
    """Names its parameters as the framework's own backends do; ``filterset_fields`` make an `ApiFilterSet`."""

    filterset_base = ApiFilterSet

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        filterset = self.get_filterset_class(view, view.queryset)
        return [{"name": name} for name in filterset.base_filters] if filterset is not None else []
