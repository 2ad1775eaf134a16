"""Pages become PDFs: WeasyPrint's layout with our own style sheets, fonts and images."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from weasyprint import CSS
from weasyprint.css.targets import TargetCollector
from weasyprint.document import Document
from weasyprint.document import Page as LaidOut
from weasyprint.formatting_structure.build import build_formatting_structure
from weasyprint.html import UA_COUNTER_STYLE
from weasyprint.images import SVGImage
from weasyprint.layout import LayoutContext, layout_document
from weasyprint.pdf.metadata import DocumentMetadata

from invoices.pdf import TEMPLATES
from invoices.pdf.fonts import EmbeddedFonts, OwnFonts
from invoices.pdf.page import NOTHING_FETCHED, Page
from invoices.pdf.stack import with_room_on_the_stack
from invoices.pdf.styles import KeptStyles

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
        text = "\n".join((TEMPLATES / name).read_text("utf-8") for name in ("document.css", style))
        sheet, page_numbers = (CSS(string=css, url_fetcher=NOTHING_FETCHED) for css in (text, _PAGE_NUMBERS))
        self._sheets = {False: [sheet], True: [sheet, page_numbers]}
        self._styles: dict[bool, dict[object, Any]] = {False: {}, True: {}}
        logo = ElementTree.fromstring((TEMPLATES / "logo.svg").read_bytes())  # noqa: S314 -- our own file
        self._images = {"invoice:logo": SVGImage(logo, None, NOTHING_FETCHED, None)}

    def render(self, page: Page, metadata: DocumentMetadata, images: dict[str, object], *, is_long: bool) -> bytes:
        pages = self._lay_out(page, images, is_numbered=is_long)
        if (len(pages) > 1) != is_long:
            pages = self._lay_out(page, images, is_numbered=not is_long)
        document = Document(pages, metadata, NOTHING_FETCHED, self.fonts, {}, None)
        document.fonts = EmbeddedFonts()
        pdf: bytes = document.write_pdf()
        return pdf

    def _lay_out(self, page: Page, images: dict[str, object], *, is_numbered: bool) -> list[LaidOut]:
        """WeasyPrint's own steps. Page numbers stand in the margin: they never change what fits on a page."""
        every_image = self._images | images
        targets = TargetCollector()
        styles = KeptStyles(self._styles[is_numbered], page, self._sheets[is_numbered], self.fonts)
        context = LayoutContext(styles, lambda url, **_: every_image.get(url), self.fonts, UA_COUNTER_STYLE, targets)
        root = build_formatting_structure(
            page.etree_element, styles, context.get_image_from_uri, None, targets, UA_COUNTER_STYLE, context.footnotes
        )
        return [LaidOut(box) for box in layout_document(page, root, context)]


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
