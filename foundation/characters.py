"""Which characters there are: what may be stored, what our fonts print, and what a search takes for the same."""

import re
import unicodedata
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = tuple(sorted((Path(__file__).resolve().parent.parent / "templates" / "invoices" / "fonts").glob("*.ttf")))
"""What documents are printed with."""

# Control characters but tab and line breaks, separators of lines and paragraphs, halves of surrogate pairs, and what
# Unicode keeps for no character: XML has no way to write most of them, and the rest is never meant.
_REFUSED = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
# What is laid out and has nothing to draw: spaces, joiners, marks of direction, selectors of a variant.
_WITHOUT_OUTLINE = (
    r"\s\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    r"\U000e0100-\U000e01ef"
)
_DRAWN = re.compile(f"[^{_WITHOUT_OUTLINE}]")
# Letters and a symbol that look like spaces, too.
_BLANK = re.compile(rf"[{_WITHOUT_OUTLINE}\u115f\u1160\u17b4\u17b5\u2800\uffa0]*")


def refusal_of(text: str) -> str:
    """Why a text isn't stored, naming the first character that isn't; empty: it is."""
    found = _REFUSED.search(text)
    return f"The character U+{ord(found[0]):04X} can't be stored." if found else ""


def normal(text: str) -> str:
    """The text as all text of people is stored: in Unicode's form NFC, so that what looks the same is the same."""
    return unicodedata.normalize("NFC", text)


def legible(text: str) -> str:
    """An old row's text for a file: line breaks for the separators, and U+FFFD for what isn't stored any more."""
    return _REFUSED.sub(lambda found: "\n" if found[0] in "\u2028\u2029" else "\ufffd", text)


def is_blank(text: str) -> bool:
    """Is there nothing to see: spaces and invisible characters at most?"""
    return _BLANK.fullmatch(text) is not None


def unprintable(text: str) -> str:
    """The characters that no font of ours prints, each once, in their order. Empty: all of it can be printed."""
    printed = _printed()
    drawn = _DRAWN.findall(normal(text))
    return "".join(dict.fromkeys(it for it in drawn if ord(it) not in printed))


@cache
def _printed() -> frozenset[int]:
    return frozenset(code for file in FONTS for code in TTFont(file, lazy=True).getBestCmap())
