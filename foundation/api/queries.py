"""What a request's query string may hold: each parameter once, and none that the view doesn't know.

A filter that is misspelt would answer everything, and nobody would see it.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.exceptions import shown
from foundation.api.fields import StrictIntegerField
from foundation.api.inputs import Input
from foundation.api.once import HappensOnce, refuse_header

MAX_PAGE, MAX_PAGE_SIZE = 999_999_999, 200

if TYPE_CHECKING:
    _View = APIView
else:
    _View = object


class Query(Input):
    """The base of what a query string is read by. A parameter that is empty is left out."""


class PageQuery(Query):
    """Of the rows of one thing, page by page; the paginator reads it."""

    page = StrictIntegerField(
        required=False, min_value=1, max_value=MAX_PAGE, help_text="A page number within the paginated result set."
    )
    page_size = StrictIntegerField(
        required=False, min_value=1, max_value=MAX_PAGE_SIZE, help_text="Number of results to return per page."
    )


class KnownParametersOnly(_View):
    """Mixed into every view of the API, before the framework's own."""

    query: ClassVar[type[Query]] = Query

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            return  # the method itself is refused next
        if not isinstance(self, HappensOnce):
            refuse_header(request)
        sent, known = request.query_params, self.known_parameters()
        unknown = ErrorDetail("There is no such parameter.", "unknown_parameter")
        repeated = ErrorDetail("It stands twice: one value, please.", "repeated_parameter")
        errors = {name: [unknown] for name in sent if name not in known}
        errors |= {name: [repeated] for name in sent if name in known and len(sent.getlist(name)) > 1}
        if errors:
            raise ValidationError({shown(name): details for name, details in errors.items()})

    def known_parameters(self) -> set[str]:
        return set(self.query().fields)

    def asked(self) -> dict[str, Any]:
        """The parameters of ``query``, validated. Raises DRF's ValidationError."""
        serializer: serializers.BaseSerializer[Any] = self.query(data=self.request.query_params)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def refuse(parameter: str, detail: str, code: str = "invalid") -> ValidationError:
    """What to raise for a parameter that can't be meant so (400)."""
    return ValidationError({parameter: [ErrorDetail(detail, code)]})
