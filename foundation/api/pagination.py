"""Pages that cost the same however long the list is."""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as FormValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.queries import MAX_PAGE_SIZE, refuse

MAX_DEPTH = 10_000
PAGE_SIZE = "page_size"


class _UncountedPage(list[object]):
    """One page of rows, and whether another one follows."""

    def __init__(self, rows: list[object], *, number: int, has_next: bool) -> None:
        super().__init__(rows)
        self.number = number
        self._has_next = has_next

    def has_next(self) -> bool:
        return self._has_next

    def has_previous(self) -> bool:
        return self.number > 1

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1


class _Bounded:
    """How large a page may be; another size is refused."""

    page_size: int | None = 50
    page_size_query_param: str | None = PAGE_SIZE
    max_page_size: int | None = MAX_PAGE_SIZE

    def get_page_size(self, request: Request) -> int | None:
        size = _number(request, PAGE_SIZE)
        if size is not None and size > MAX_PAGE_SIZE:
            raise refuse(PAGE_SIZE, f"Ensure this value is less than or equal to {MAX_PAGE_SIZE}.", "max_value")
        return size or self.page_size

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)  # type: ignore[misc]  # DRF's, of which this is a part
        for parameter in parameters:
            if parameter["schema"]["type"] == "integer":
                parameter["schema"]["minimum"] = 1
            if parameter["name"] == PAGE_SIZE:
                parameter["schema"]["maximum"] = MAX_PAGE_SIZE
        return parameters


def _number(request: Request, parameter: str) -> int | None:
    """A number from 1 in the query string; None where it is left out."""
    text = request.query_params.get(parameter, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise refuse(parameter, "A whole number from 1, please.")
    return int(text)


class BoundedPagination(_Bounded, PageNumberPagination):
    """``count`` is exact to 10,000 rows and null beyond; pages reach 10,000 rows deep.

    Neither counting nor skipping ever touches more rows than that, so that a page of a list of a million
    rows costs what a page of ten thousand costs. Deeper pages: narrow the filter.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.request = request
        page_size = self.get_page_size(request) or MAX_PAGE_SIZE
        number = _number(request, self.page_query_param) or 1
        start = (number - 1) * page_size
        if start >= MAX_DEPTH:
            raise NotFound(f"Pages reach {MAX_DEPTH:,} rows deep. Please narrow the filter.")
        # By the key alone: what the rows are annotated with would be worked out for each that is counted.
        counted = queryset.order_by().values("pk")[: MAX_DEPTH + 1].count()
        self.count = counted if counted <= MAX_DEPTH else None
        if start and start >= counted:
            raise NotFound("Invalid page.")
        rows = list(queryset[start : start + page_size + 1])
        end = start + page_size
        page = _UncountedPage(rows[:page_size], number=number, has_next=len(rows) > page_size and end < MAX_DEPTH)
        self.page: Any = page
        return page

    def get_paginated_response(self, data: object) -> Response:
        return Response(
            {
                "count": self.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, object]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["required"] = ["count", "next", "previous", "results"]
        described["properties"]["count"] = {
            "type": ["integer", "null"],
            "example": 123,
            "description": "Exact to 10,000; null beyond.",
        }
        return _with_nullable_links(described)


class LedgerPagination(_Bounded, CursorPagination):
    """For ledgers that grow without end: newest first, by cursor, never counted."""

    ordering = "-id"

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> tuple[str, ...]:
        """The order that a period asks for, see `LedgerFilterSet`."""
        self.model = queryset.model
        return tuple(queryset.query.order_by) or super().get_ordering(request, queryset, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Refuses what isn't one of ours: it names a value of the column that the list is ordered by."""
        try:
            # The framework's own leaves out what isn't of base 64, and takes nothing for the first page.
            b64decode(request.query_params.get(self.cursor_query_param, ""), validate=True)
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                value = self.model._meta.get_field(self.ordering[0].lstrip("-")).to_python(cursor.position)
                if isinstance(value, datetime):
                    value.astimezone(UTC)
        except (NotFound, FormValidationError, ValueError, OverflowError) as error:
            raise refuse(self.cursor_query_param, "This is no cursor of this list.") from error
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, object]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["required"] = ["next", "previous", "results"]
        return _with_nullable_links(described)


def _with_nullable_links(described: dict[str, Any]) -> dict[str, Any]:
    """As OpenAPI 3.1 says null, which the framework doesn't know yet; its example of a cursor ends in a stray quote."""
    for link in ("next", "previous"):
        said = described["properties"][link]
        said |= {"type": ["string", "null"], "example": said["example"].rstrip('"')}
        said.pop("nullable", None)
    return described
