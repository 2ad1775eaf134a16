"""What an operation says, as it was sent, and when two say the same.

What is compared is the content as it was sent, never what a release makes of it: defaults change. An empty value says
nothing, so that what left a field out is the same as what sent it empty. How a number or a time is spelt says nothing
either.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from foundation import clock

NO_CONTENT = frozenset({"client_temp_id", "confirm", "based_on", "csrfmiddlewaretoken"})
"""What is no part of an operation: its id, what its sender has confirmed, and what they had seen."""
SECRETS = frozenset({"password", "new_password"})
"""What is stored nowhere, and yet tells two operations apart: by a digest that takes the server's own key to make."""

_SECRET = re.compile(r"passw(or)?d|passphrase|secret|token|credential", re.IGNORECASE)
"""Names of fields that may hold one, in what nobody understands."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)

_EMPTY: tuple[Any, ...] = ("", None, False, [], {})
_NONE_OF = frozenset({"allocations"})
"""Where an empty list says "none", and what is left out says "as it comes"; null is left out."""
_RENAMED = {"shares": "allocations"}
"""What release 0.1 stored under its own name: its name in the API."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,13})?", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})", re.ASCII)


def as_text(sent: Mapping[str, Any]) -> str:
    """What is stored: JSON, in one order."""
    content = {
        name: _digest(value) if name in SECRETS and value else value
        for name, value in sent.items()
        if name not in NO_CONTENT
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def without_secrets(sent: Any) -> Any:
    """What a client sent, at any depth with a digest in the place of what is named like a secret; twice is as once."""
    match sent:
        case dict():
            return {name: _hidden(it) if _SECRET.search(name) else without_secrets(it) for name, it in sent.items()}
        case list():
            return [without_secrets(each) for each in sent]
        case _:
            return sent


def _hidden(value: Any) -> Any:
    """An empty one, and what is a digest already, say nothing."""
    if value in _EMPTY or (isinstance(value, str) and _DIGEST.fullmatch(value)):
        return value
    return f"sha256:{_digest(value)}"


def _digest(secret: object) -> str:
    return salted_hmac(__name__, repr(secret), algorithm="sha256").hexdigest()


def mean_the_same(one: str, other: str) -> bool:
    """Do two stored contents say the same?"""
    return one == other or meaning(json.loads(one)) == meaning(json.loads(other))


def meaning(value: Any) -> Any:
    """Equal for what says the same, however it is spelt."""
    match value:
        case dict():
            said = {_RENAMED.get(name, name): meaning(it) for name, it in value.items() if name not in NO_CONTENT}
            return {name: it for name, it in said.items() if it not in _EMPTY or (it == [] and name in _NONE_OF)}
        case list():
            return [meaning(each) for each in value]
        case bool() | None:
            return value
        case int() | float():
            return meaning(str(value))
        case _:
            return _plain(value.strip())


def _plain(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return format(Decimal(text).normalize() + 0, "f")
    if _MOMENT.fullmatch(text) and (moment := _moment(text)) is not None:
        return moment
    return text


def _moment(text: str) -> str | None:
    try:
        moment = parse_datetime(text)
        return moment.astimezone(clock.SINGAPORE).isoformat() if moment else None
    except (ValueError, OverflowError):
        return None  # a day that no calendar has: it is what it says
