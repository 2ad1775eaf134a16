"""A QR code as an image of a page."""

import re
from typing import Any

import segno

_DARK = re.compile(b"\x01+")


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
