"""From any failure to the one error shape, in one place."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler, exception_handler
from rest_framework import status

from foundation.api.exceptions import ApiDomainError, PayloadTooLarge
from foundation.commands import is_away, is_transient
from foundation.errors import Busy, DomainError

__all__ = ["Formatter", "Handler", "exception_handler", "not_found"]


class Handler(ExceptionHandler):
    """Maps domain errors by their kind, and a database that is busy or away to 503."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, RequestDataTooBig):
            return PayloadTooLarge()
        if isinstance(exc, OperationalError | InterfaceError) and (is_transient(exc) or is_away(exc)):
            exc = Busy("The server is busy. Please try again.")
        if isinstance(exc, DomainError):
            return ApiDomainError(exc)
        return super().convert_known_exceptions(exc)


class Formatter(ExceptionFormatter):
    """A domain error tells its own errors."""

    def run(self) -> Any:
        data = super().run()
        if isinstance(self.exc, ApiDomainError):
            data["errors"] = self.exc.told
            if self.exc.is_invalid_input:
                data["type"] = "validation_error"
        return data


@csrf_exempt  # as every API view: no cookie opens anything here
def not_found(request: HttpRequest) -> JsonResponse:
    """The answer for a path under /api/ that leads nowhere."""
    return JsonResponse(
        {"type": "client_error", "errors": [{"code": "not_found", "detail": "Not found.", "attr": None}]},
        status=status.HTTP_404_NOT_FOUND,
    )
