"""How a document is printed: our own fonts and style sheets, WeasyPrint's layout, bytes.

The same page gives the same bytes, in any process, time zone and locale, whichever fonts the machine has. So nothing
is taken from outside: the fonts are our own, and the PDF's dates are the document's.

The bytes also depend on the versions of the libraries that lay text out and compress it (WeasyPrint, Pango,
HarfBuzz, zlib). An upgrade may move a hair, so a stored PDF is never replaced by a newly rendered one.
"""

import os
import re
import struct
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import segno
from cssselect2 import ElementWrapper
from django.core.exceptions import ImproperlyConfigured
from django.template import Engine, Template

_FOLDER = Path(__file__).resolve().parent.parent / "templates" / "invoices"
_FONTS = _FOLDER / "fonts"

# fontconfig reads this when WeasyPrint is imported and whenever a FontConfiguration is made. It stays set:
# changing the environment later isn't safe beside other threads.
os.environ["FONTCONFIG_FILE"] = str(_FONTS / "fonts.conf")
with warnings.catch_warnings():
    # There are no fonts but those that we add, and HarfBuzz's subsetter isn't used: see `_SmallFonts`.
    warnings.filterwarnings("ignore", message="No fonts configured", category=UserWarning)
    warnings.filterwarnings("ignore", message="HarfBuzz-Subset", category=DeprecationWarning)
    try:
        from weasyprint import CSS, HTML
        from weasyprint.document import Document
        from weasyprint.images import SVGImage
        from weasyprint.pdf.fonts import Font
        from weasyprint.pdf.metadata import DocumentMetadata
        from weasyprint.text.ffi import ffi, fontconfig, pangoft2
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ImproperlyConfigured(
            f"Pango, which draws the invoices, is missing; `make setup` gets it. {error}"
        ) from None


def _with_room_on_the_stack[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    """Call ``function`` with Python's own stack empty for half a megabyte.

    CPython keeps its frames in chunks of 16 KB, which it asks of the system and gives back one by one. Where a
    busy loop happens to stand on the border of two chunks, each of its calls does both: depending on how deep the
    caller is (and a web server is deep), a page took 25 or 37 ms. A frame of 320 KB makes CPython take one chunk of
    512 KB, and all of the layout's frames fit in the rest.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(  # type: ignore[attr-defined]  # a wrapper has one all the same
        co_stacksize=320_000 // struct.calcsize("P")
    )
    return call


@_with_room_on_the_stack
def print_document(
    markup: str,
    style: str,
    *,
    title: str,
    author: str,
    at: datetime,
    images: dict[str, Any] | None = None,
    is_long: bool = False,
) -> bytes:
    """The PDF of a page that is written as XML, with one of our style sheets.

    ``at`` is the document's time, ``images`` are more than those of every document, and ``is_long`` is a guess whether
    one page won't do: a wrong one costs a second layout and changes nothing else.
    """
    moment = at.isoformat(timespec="seconds")
    metadata = DocumentMetadata(title=title, authors=[author], created=moment, modified=moment, lang="en-SG")
    with _press_of(style) as press:
        return press.print(Page(markup), metadata, images or {}, is_long=is_long)


class _OwnFonts(FontConfiguration):  # type: ignore[misc]  # WeasyPrint has no types
    """The fonts that the repository ships, and no other."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("latin-regular.ttf", "latin-semibold.ttf", "chinese.ttf", "tamil.ttf"):
            if not fontconfig.FcConfigAppFontAddFile(self._config, os.fsencode(_FONTS / name)):
                raise FileNotFoundError(f"The invoices' font {name} is missing or damaged.")
        pangoft2.pango_fc_font_map_config_changed(ffi.cast("PangoFcFontMap *", self.font_map))


class _SmallFont(Font):  # type: ignore[misc]  # WeasyPrint has no types
    """A font that is embedded by copying the outlines that occur, see `_keep_glyphs`.

    WeasyPrint's own way is HarfBuzz's subsetter or, where that library is missing, fontTools: the two give
    other bytes, and the latter takes longer than all the rest of the page.
    """

    file_content: bytes

    def subset(self, to_unicode: dict[int, str], hinting: bool) -> None:
        self.file_content = _keep_glyphs(self.file_content, to_unicode)


class _SmallFonts(dict[int, Any]):
    """A document's fonts; WeasyPrint puts each in when its first character is painted."""

    def __setitem__(self, key: int, font: Font) -> None:
        font.__class__ = _SmallFont
        super().__setitem__(key, font)


class Page(HTML):  # type: ignore[misc]  # WeasyPrint has no types
    """A page that is written as XML and whose style sheet says everything.

    Python's C parser reads it in a fiftieth of the time that the HTML parser takes, and a browser's default
    style sheet below ours would make a fifth of all the work.
    """

    def __init__(self, xml: str) -> None:  # and not HTML's own, which parses HTML
        writable = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", xml)
        root = ElementTree.fromstring(writable)  # noqa: S314 -- our template, its values escaped
        self.base_url = None
        self.url_fetcher = _NOTHING_FETCHED
        self.media_type = "print"
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = root

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return []


class QrCode:
    """A QR code, drawn straight into the page: as an SVG image it would take longer than the rest of the invoice."""

    def __init__(self, content: str) -> None:
        # A fixed mask: any one can be read, and finding the most even one takes five times as long.
        self._rows = [
            bytes(row) for row in segno.make(content, error="m", micro=False, boost_error=False, mask=2).matrix
        ]

    def get_intrinsic_size(self, resolution: float, font_size: float) -> tuple[float, float, float]:
        return len(self._rows), len(self._rows), 1

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Each run of dark modules of a row is a rectangle, written as one piece of the page's content."""
        stream.push_state()
        stream.transform(a=width / len(self._rows), d=height / len(self._rows))
        stream.set_color_rgb(0, 0, 0)
        runs = ((y, *run.span()) for y, row in enumerate(self._rows) for run in _DARK.finditer(row))
        stream.stream.append(" ".join(f"{start} {y} {end - start} 1 re" for y, start, end in runs).encode())
        stream.fill()
        stream.pop_state()


class Press:
    """What is costly to make and good for every invoice. Not for two threads at once: Pango isn't."""

    def __init__(self, style: str) -> None:
        self._fonts = _OwnFonts()
        sheets = [(_FOLDER / name).read_text("utf-8") for name in ("document.css", style)]
        self._style = CSS(string="\n".join(sheets), url_fetcher=_NOTHING_FETCHED)
        self._page_numbers = CSS(string=_PAGE_NUMBERS, url_fetcher=_NOTHING_FETCHED)
        logo = ElementTree.fromstring((_FOLDER / "logo.svg").read_bytes())  # noqa: S314 -- our own file
        self._images = {"invoice:logo": SVGImage(logo, None, _NOTHING_FETCHED, None)}

    def print(self, page: Page, metadata: DocumentMetadata, images: dict[str, Any], *, is_long: bool) -> bytes:
        document = self._lay_out(page, images, is_numbered=is_long)
        if (len(document.pages) > 1) != is_long:
            document = self._lay_out(page, images, is_numbered=not is_long)
        document.metadata = metadata
        document.fonts = _SmallFonts()
        pdf: bytes = document.write_pdf()
        return pdf

    def _lay_out(self, page: Page, images: dict[str, Any], *, is_numbered: bool) -> Document:
        """Page numbers stand in the margin: they never change what fits on a page."""
        return page.render(
            font_config=self._fonts,
            stylesheets=[self._style, self._page_numbers] if is_numbered else [self._style],
            cache=self._images | images,
        )


_idle_presses: dict[str, list[Press]] = defaultdict(list)


@contextmanager
def _press_of(style: str) -> Iterator[Press]:
    """A press with this style sheet that no other thread is using. One that failed isn't used again."""
    try:
        press = _idle_presses[style].pop()
    except IndexError:
        press = Press(style)
    yield press
    _idle_presses[style].append(press)


def template(name: str) -> Template:
    """A document's template. It knows no loader, so it can include nothing."""
    return Engine().from_string(_compact((_FOLDER / name).read_text("utf-8")))


def _keep_glyphs(font: bytes, glyphs: Iterable[int]) -> bytes:
    """A TrueType file with the outlines of ``glyphs`` alone. They keep their numbers, the rest are blank.

    Enough for a PDF, which finds glyphs by number. Counts on fonts made by `scripts/subset_fonts.py`, whose
    glyphs don't refer to one another and have no hints.
    """
    tables = {
        tag: memoryview(font)[offset : offset + length]
        for tag, offset, length in (
            struct.unpack_from(">4s4xII", font, 12 + 16 * index)
            for index in range(struct.unpack_from(">H", font, 4)[0])
        )
    }
    head, hhea, maxp = (bytearray(tables[tag]) for tag in (b"head", b"hhea", b"maxp"))
    (available,) = struct.unpack_from(">H", maxp, 4)
    (metric_count,) = struct.unpack_from(">H", hhea, 34)
    (has_long_offsets,) = struct.unpack_from(">H", head, 50)
    # A character that the font lacks is asked for under a number past the end; it prints as glyph 0.
    kept = sorted({0, *(glyph for glyph in glyphs if glyph < available)})
    count = kept[-1] + 1
    outlines, offsets, metrics = bytearray(), [0], bytearray(4 * count)
    for glyph in kept:
        if has_long_offsets:
            start, end = struct.unpack_from(">2I", tables[b"loca"], 4 * glyph)
        else:
            start, end = (2 * half for half in struct.unpack_from(">2H", tables[b"loca"], 2 * glyph))
        offsets += [len(outlines)] * (glyph + 1 - len(offsets))
        outlines += tables[b"glyf"][start:end]
        outlines += bytes(-len(outlines) % 4)
        offsets.append(len(outlines))
        bearing = 4 * glyph + 2 if glyph < metric_count else 4 * metric_count + 2 * (glyph - metric_count)
        metrics[4 * glyph : 4 * glyph + 2] = tables[b"hmtx"][4 * min(glyph, metric_count - 1) :][:2]
        metrics[4 * glyph + 2 : 4 * glyph + 4] = tables[b"hmtx"][bearing : bearing + 2]
    struct.pack_into(">H", maxp, 4, count)
    struct.pack_into(">H", hhea, 34, count)
    struct.pack_into(">I", head, 8, 0)
    struct.pack_into(">H", head, 50, 1)
    return _font_file(
        {
            b"glyf": bytes(outlines),
            b"head": bytes(head),
            b"hhea": bytes(hhea),
            b"hmtx": bytes(metrics),
            b"loca": struct.pack(f">{len(offsets)}I", *offsets),
            b"maxp": bytes(maxp),
        }
    )


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    """A TrueType file of these tables, sorted by tag."""
    count, power = len(tables), len(tables).bit_length() - 1
    directory = struct.pack(">I4H", 0x00010000, count, 16 << power, power, 16 * count - (16 << power))
    start = position = len(directory) + 16 * count
    body, total = bytearray(), 0
    for tag, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        checksum = _checksum(padded)
        directory += struct.pack(">4s3I", tag, checksum, position, len(table))
        if tag == b"head":
            adjustment = position - start + 8
        body += padded
        position += len(padded)
        total += checksum
    struct.pack_into(">I", body, adjustment, (0xB1B0AFBA - total - _checksum(directory)) & 0xFFFFFFFF)
    return directory + body


def _checksum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & 0xFFFFFFFF


def _compact(template: str) -> str:
    """Line breaks and indents are for who reads the template. The layout would only have to drop them."""
    return "".join(line.strip() for line in template.splitlines())


_DARK = re.compile(b"\x01+")
_NOTHING_FETCHED = URLFetcher(allowed_protocols=())
# Control characters and halves of surrogate pairs, which XML has no way to write.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PAGE_NUMBERS = """
html { string-set: document attr(title) }
@page {
  @bottom-left { content: string(document); vertical-align: middle; }
  @bottom-right {
    content: "Page " counter(page) " of " counter(pages); vertical-align: middle; text-align: right;
  }
}
"""
