"""A page that is written as XML: its template, and how WeasyPrint reads it."""

from xml.etree import ElementTree

from cssselect2 import ElementWrapper
from django.template import Engine, Template
from weasyprint.urls import URLFetcher

from foundation.characters import legible
from invoices.pdf import TEMPLATES

NOTHING_FETCHED = URLFetcher(allowed_protocols=())


def template(name: str) -> Template:
    """A document's template. It knows no loader, so it can include nothing.

    Line breaks and indents are for who reads the file. The layout would only have to drop them.
    """
    lines = (TEMPLATES / name).read_text("utf-8").splitlines()
    return Engine().from_string("".join(line.strip() for line in lines))


class Page:
    """What the layout asks of a page.

    Python's C parser reads it in a fiftieth of the time that the HTML parser takes.
    """

    def __init__(self, xml: str) -> None:
        root = ElementTree.fromstring(legible(xml))  # noqa: S314 -- our template, its values escaped
        self.base_url = None
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = root
