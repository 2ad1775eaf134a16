"""Pages become PDFs: WeasyPrint's layout with our own style sheets, fonts and images."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from xml.etree import ElementTree

from weasyprint import CSS
from weasyprint.document import Document
from weasyprint.images import SVGImage
from weasyprint.pdf.metadata import DocumentMetadata

from invoices.pdf import TEMPLATES
from invoices.pdf.fonts import EmbeddedFonts, OwnFonts
from invoices.pdf.page import NOTHING_FETCHED, Page
from invoices.pdf.stack import with_room_on_the_stack

_PAGE_NUMBERS = """
html { string-set: document attr(title) }
@page {
  @bottom-left { content: string(document); vertical-align: middle; }
  @bottom-right {
    content: "Page " counter(page) " of " counter(pages); vertical-align: middle; text-align: right;
  }
}
"""


@with_room_on_the_stack
def render_document(
    markup: str,
    style: str,
    *,
    title: str,
    author: str,
    at: datetime,
    images: dict[str, object] | None = None,
    is_long: bool = False,
) -> bytes:
    """The PDF of a page that is written as XML, with one of our style sheets.

    ``at`` is the document's time, ``images`` are more than those of every document, and ``is_long`` is a guess whether
    one page won't do: a wrong one costs a second layout and changes nothing else.
    """
    moment = at.isoformat(timespec="seconds")
    metadata = DocumentMetadata(title=title, authors=[author], created=moment, modified=moment, lang="en-SG")
    with _renderer_with(style) as renderer:
        return renderer.render(Page(markup), metadata, images or {}, is_long=is_long)


class Renderer:
    """What is costly to make and good for every document. Not for two threads at once: Pango isn't."""

    def __init__(self, style: str) -> None:
        self.fonts = OwnFonts()
        sheets = [(TEMPLATES / name).read_text("utf-8") for name in ("document.css", style)]
        self._style = CSS(string="\n".join(sheets), url_fetcher=NOTHING_FETCHED)
        self._page_numbers = CSS(string=_PAGE_NUMBERS, url_fetcher=NOTHING_FETCHED)
        logo = ElementTree.fromstring((TEMPLATES / "logo.svg").read_bytes())  # noqa: S314 -- our own file
        self._images = {"invoice:logo": SVGImage(logo, None, NOTHING_FETCHED, None)}

    def render(self, page: Page, metadata: DocumentMetadata, images: dict[str, object], *, is_long: bool) -> bytes:
        document = self.lay_out(page, images, is_numbered=is_long)
        if (len(document.pages) > 1) != is_long:
            document = self.lay_out(page, images, is_numbered=not is_long)
        document.metadata = metadata
        document.fonts = EmbeddedFonts()
        pdf: bytes = document.write_pdf()
        return pdf

    def lay_out(self, page: Page, images: dict[str, object], *, is_numbered: bool) -> Document:
        """Page numbers stand in the margin: they never change what fits on a page."""
        return page.render(
            font_config=self.fonts,
            stylesheets=[self._style, self._page_numbers] if is_numbered else [self._style],
            cache=self._images | images,
        )


_idle: dict[str, list[Renderer]] = defaultdict(list)


@contextmanager
def _renderer_with(style: str) -> Iterator[Renderer]:
    """A renderer with this style sheet that no other thread is using. One that failed isn't used again."""
    try:
        renderer = _idle[style].pop()
    except IndexError:
        renderer = Renderer(style)
    yield renderer
    _idle[style].append(renderer)
