"""API errors that Django REST framework lacks. Nothing here may import its views: they load the parsers."""

from rest_framework import status
from rest_framework.exceptions import APIException

from foundation.errors import Busy, DomainError, Invalid

MAX_SHOWN = 64


def shown(name: str) -> str:
    """A name that a client made up, as an answer can repeat it: not too long, and text that can be encoded."""
    return name[:MAX_SHOWN].encode("utf-8", "replace").decode()


class ApiDomainError(APIException):
    """A DomainError on its way to the client."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.detail, error.code)
        self.status_code = error.status
        self.told = error.told
        self.is_invalid_input = isinstance(error, Invalid)
        if isinstance(error, Busy):
            self.wait = error.retry_after_seconds


class DuplicateKey(APIException):
    """A JSON object has a key twice."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "duplicate_key"

    def __init__(self, name: str) -> None:
        super().__init__(f'The key "{shown(name)}" stands twice in one object.')


class PayloadTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = "The request's body is too large."
