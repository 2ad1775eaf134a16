"""JSON in, within bounds and with one meaning."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from foundation.api.exceptions import DuplicateKey, PayloadTooLarge

MAX_DEPTH = 64
"""Objects and lists within each other: many more than any body has, and few enough for whatever walks through them."""


class BoundedJSONParser(JSONParser):
    """Takes what every reader understands the same: no key twice in an object, no NaN, no number beyond a double.

    Refuses bodies over DATA_UPLOAD_MAX_MEMORY_SIZE (413) and nesting beyond MAX_DEPTH (400). The body is read up to
    the limit and no further, also when it is chunked and names no length.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, object] | None = None,
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge
        try:
            value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
        except RecursionError as error:
            raise _too_deep() from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        _require_bounds(value)
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two values they take."""
    made = dict(pairs)
    if len(made) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise DuplicateKey(name)
    return made


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _require_bounds(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if any(isinstance(part, float) and math.isinf(part) for part in level):
            raise ParseError("JSON parse error - a number is too large")
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> ParseError:
    return ParseError("JSON parse error - nested too deeply")
