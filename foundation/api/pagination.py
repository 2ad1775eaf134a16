"""Pages that cost the same however long the list is."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

MAX_DEPTH = 10_000


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


class _Described:
    """Says in the schema how large a page may be."""

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)  # type: ignore[misc]  # DRF's, of which this is a part
        for parameter in parameters:
            if parameter["schema"]["type"] == "integer":
                parameter["schema"]["minimum"] = 1
        return parameters


class BoundedPagination(_Described, PageNumberPagination):
    """``count`` is exact to 10,000 rows and null beyond; pages reach 10,000 rows deep.

    Neither counting nor skipping ever touches more rows than that, so that a page of a list of a million
    rows costs what a page of ten thousand costs. Deeper pages: narrow the filter.
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.request = request
        page_size = self.get_page_size(request) or self.page_size
        number = self._page_number(request)
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

    def _page_number(self, request: Request) -> int:
        text = request.query_params.get(self.page_query_param, "1")
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
            raise NotFound("Invalid page.")
        return int(text)


class LedgerPagination(_Described, CursorPagination):
    """For ledgers that grow without end: newest first, by cursor, never counted."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> tuple[str, ...]:
        """The order that a period asks for, see `LedgerFilterSet`."""
        return tuple(queryset.query.order_by) or super().get_ordering(request, queryset, view)

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
