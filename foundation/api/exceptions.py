"""API errors that Django REST framework lacks. Nothing here may import its views: they load the parsers."""

from rest_framework import status
from rest_framework.exceptions import APIException

from foundation.errors import Busy, DomainError, Invalid


class ApiDomainError(APIException):
    """A DomainError on its way to the client."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.detail, error.code)
        self.status_code = error.status
        self.attr = error.attr
        self.is_invalid_input = isinstance(error, Invalid)
        if isinstance(error, Busy):
            self.wait = error.retry_after_seconds


class PayloadTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = "The request's body is too large."
