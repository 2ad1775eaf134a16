"""What list filters share."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as FormValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

MAX_SEARCH_LENGTH = 100


class BoundedSearchFilter(SearchFilter):
    """Refuses search texts that no person types."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        text = request.query_params.get(self.search_param, "")
        if len(text) > MAX_SEARCH_LENGTH:
            raise ValidationError(
                {"search": [f"Ensure this value has at most {MAX_SEARCH_LENGTH} characters."]}, code="max_length"
            )
        return super().filter_queryset(request, queryset, view)


class IdFilter(filters.NumberFilter):
    """A primary key in the query string; a number that no key can be is refused, not sent to the database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=2**63 - 1, decimal_places=0, **kwargs)


class _MomentField(IsoDateTimeField):
    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise FormValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(filters.IsoDateTimeFilter):
    """An instant in the query string. One that leaves the calendar in UTC is refused, not a crash."""

    field_class = _MomentField
