"""Numbers under which Singapore knows a business: its UEN, and its number for GST.

A UEN has a check character (python-stdnum knows its three forms). How a GST number's is reckoned is published nowhere
that we found, so of one that is no UEN the form alone is looked at.
"""

import re
from typing import NamedTuple

from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.sg import uen

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015.]+")
_GST_NUMBER = re.compile(r"(M[0-9A-Z][0-9]{7}[0-9A-Z]|[0-9]{10})", re.ASCII)


class Numbered(NamedTuple):
    """A number as it is stored: in capitals, without spaces and hyphens. ``wrong``: why nobody can have it, if so."""

    number: str
    wrong: str = ""


def as_uen(text: str) -> Numbered:
    """A UEN, or none at all."""
    number = _bare(text)
    if not number:
        return Numbered("")
    try:
        # Beyond ASCII there are digits that only look like some.
        return Numbered(uen.validate(number if number.isascii() else ""))
    except InvalidChecksum:
        return Numbered(number, f"{text} is no UEN: its last character doesn't fit the others. Is one mistyped?")
    except (ValidationError, ValueError):
        return Numbered(number, f"{text} is no UEN: 53912345E, 201992345C and T03MC9021B are of its forms.")


def as_gst_number(text: str) -> Numbered:
    """A GST registration number, a UEN or of a form such as M2-1234567-8, or none at all."""
    number = _bare(text)
    if _GST_NUMBER.fullmatch(number) or not as_uen(text).wrong:
        return Numbered(number)
    return Numbered(number, f"{text} is no GST registration number: a UEN, or a form such as M2-1234567-8.")


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", text).upper()
