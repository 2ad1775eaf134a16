"""Answers that several views give."""

from typing import Any

from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED

REPLAYED = "Idempotent-Replayed"


def created(data: Any, *, replayed: bool) -> Response:
    """201 for what was made now; 200 and a header for what the same operation made before."""
    if replayed:
        return Response(data, status=HTTP_200_OK, headers={REPLAYED: "true"})
    return Response(data, status=HTTP_201_CREATED)
