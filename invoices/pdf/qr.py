"""A QR code as an image of a page."""

import re
from typing import Any

import segno

_DARK = re.compile(b"\x01+")
_DRAWN = re.compile(rb"0 0 7 1 re (?:\d+ \d+ \d+ 1 re ?){100,}\sf")
"""The rectangles of a code as `QrCode` draws them: its first row begins with the corner that each of them has."""


class QrCode:
    """Drawn straight into the page: as an SVG image it would take a tenth of the whole invoice's time."""

    def __init__(self, content: str) -> None:
        # A fixed mask: any one can be read, and finding the most even one takes five times as long.
        self._rows = [
            bytes(row) for row in segno.make(content, error="m", micro=False, boost_error=False, mask=2).matrix
        ]

    def get_intrinsic_size(self, resolution: float, font_size: float) -> tuple[float, float, float]:
        return len(self._rows), len(self._rows), 1

    def draw(self, stream: Any, width: float, height: float, style: object) -> None:
        """Each run of dark modules of a row is a rectangle, written as one piece of the page's content."""
        stream.push_state()
        stream.transform(a=width / len(self._rows), d=height / len(self._rows))
        stream.set_color_rgb(0, 0, 0)
        runs = ((y, *run.span()) for y, row in enumerate(self._rows) for run in _DARK.finditer(row))
        stream.stream.append(" ".join(f"{start} {y} {end - start} 1 re" for y, start, end in runs).encode())
        stream.fill()
        stream.pop_state()


def crossed_out(content: bytes) -> bytes:
    """A page's content with a cross in the place of each code: nobody can scan that."""
    return _DRAWN.sub(_cross, content)


def _cross(drawn: re.Match[bytes]) -> bytes:
    side = 1 + max(int(row) for row in re.findall(rb"\d+ (\d+) \d+ 1 re", drawn[0]))
    return b"0.725 0.11 0.11 RG 2 w 1 1 %d %d re 1 1 m %d %d l 1 %d m %d 1 l S" % (*[side - 2] * 2, *[side - 1] * 4)
