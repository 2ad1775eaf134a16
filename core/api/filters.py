"""What list filters share."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
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
