"""A page that is written as XML: its template, and how WeasyPrint reads it."""

import re
from xml.etree import ElementTree

from cssselect2 import ElementWrapper
from django.template import Engine, Template
from weasyprint.urls import URLFetcher

from invoices.pdf import TEMPLATES

NOTHING_FETCHED = URLFetcher(allowed_protocols=())
# Control characters and halves of surrogate pairs, which XML has no way to write.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        writable = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", xml)
        root = ElementTree.fromstring(writable)  # noqa: S314 -- our template, its values escaped
        self.base_url = None
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = root
