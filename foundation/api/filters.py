"""What list filters share."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as FormValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

MAX_SEARCH_LENGTH = 100


class BoundedSearchFilter(SearchFilter):
    """Refuses search texts that no person types."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        self.refuse_long(request)
        return super().filter_queryset(request, queryset, view)

    def refuse_long(self, request: Request) -> None:
        text = request.query_params.get(self.search_param, "")
        if len(text) > MAX_SEARCH_LENGTH:
            raise ValidationError(
                {"search": [f"Ensure this value has at most {MAX_SEARCH_LENGTH} characters."]}, code="max_length"
            )


@extend_schema_field({"type": "integer", "minimum": 1})
class IdFilter(filters.NumberFilter):
    """A primary key in the query string; a number that no key can be is refused, not sent to the database."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, min_value=1, max_value=2**63 - 1, decimal_places=0, **kwargs)


class _MomentField(IsoDateTimeField):
    def clean(self, value: object) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise FormValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(filters.IsoDateTimeFilter):
    """An instant in the query string. One that leaves the calendar in UTC is refused, not a crash."""

    field_class = _MomentField


class LedgerFilterSet(filters.FilterSet):
    """A period in a list that grows is read in that period's own order, newest first.

    So one index both finds the rows and orders them, and a page of a year costs what a page of a day costs. By
    another order all rows of the period would have to be read and sorted.
    """

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        for name, asked in self.filters.items():
            if isinstance(asked, filters.DateFilter | MomentFilter) and self.form.cleaned_data[name] is not None:
                return queryset.order_by(f"-{asked.field_name}", "-pk")
        return queryset
