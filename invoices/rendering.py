"""The invoice as a PDF: one pure function from the frozen snapshot to bytes.

The same snapshot gives the same bytes, in any process, time zone and locale, whichever fonts the machine has.
So nothing is taken from outside: the fonts are our own, dates are written here and not by the locale,
and the PDF's dates are the invoice's.

The bytes also depend on the versions of the libraries that lay text out and compress it (WeasyPrint, Pango,
HarfBuzz, zlib). An upgrade may move a hair, so a stored PDF is never replaced by a newly rendered one.
"""

import os
import re
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import segno
from cssselect2 import ElementWrapper
from django.template import Context, Engine

from invoices.snapshot import InvoiceSnapshot, Line, MeterUsage, Party

_FOLDER = Path(__file__).resolve().parent.parent / "templates" / "invoices"
_FONTS = _FOLDER / "fonts"

# fontconfig reads this when WeasyPrint is imported and whenever a FontConfiguration is made. It stays set:
# changing the environment later isn't safe beside other threads.
os.environ["FONTCONFIG_FILE"] = str(_FONTS / "fonts.conf")
with warnings.catch_warnings():
    # There are no fonts but those that we add, and HarfBuzz's subsetter isn't used: see `_SmallFonts`.
    warnings.filterwarnings("ignore", message="No fonts configured", category=UserWarning)
    warnings.filterwarnings("ignore", message="HarfBuzz-Subset", category=DeprecationWarning)
    from weasyprint import CSS, HTML
    from weasyprint.document import Document
    from weasyprint.images import SVGImage
    from weasyprint.pdf.fonts import Font
    from weasyprint.pdf.metadata import DocumentMetadata
    from weasyprint.text.ffi import ffi, fontconfig, pangoft2
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

_SINGAPORE = timezone(timedelta(hours=8))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ROWS_KEPT_TOGETHER = 8
_ROWS_KEPT_WITH_TOTALS = 2


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
def render_invoice(snapshot: InvoiceSnapshot) -> bytes:
    """The PDF of a tax invoice or a credit note, A4, on as many pages as it takes."""
    page = _Page(_TEMPLATE.render(Context(_context(snapshot))))
    issued_at = snapshot.issued_at.astimezone(_SINGAPORE).isoformat(timespec="seconds")
    metadata = DocumentMetadata(
        title=f"{_title(snapshot)} {snapshot.number}",
        authors=[snapshot.supplier.name],
        created=issued_at,
        modified=issued_at,
        lang="en-SG",
    )
    images = {"invoice:paynow": _QrCode(snapshot.paynow)} if snapshot.paynow else {}
    with _press() as press:
        return press.print(page, metadata, images, is_long=_looks_long(snapshot))


def _looks_long(invoice: InvoiceSnapshot) -> bool:
    """A guess whether one page won't do. A wrong one costs a second layout and changes nothing else."""
    return len(invoice.lines) > 20 or len(invoice.remarks) > 3000


# --- What the document says ---------------------------------------------------------------------


def _context(invoice: InvoiceSnapshot) -> dict[str, Any]:
    """The template's words and figures, all of them strings, so that no locale has a say in their form."""
    is_credit = invoice.kind == "CREDIT_NOTE"
    # In the books a credit note's amounts are negative; on paper its title says so already.
    sign = -1 if is_credit else 1
    rows = [_line(line, sign) for line in invoice.lines]
    if invoice.meter:
        rows.append(_meter_row(invoice.meter, sign))
    split = len(rows) - _ROWS_KEPT_WITH_TOTALS if len(rows) > _ROWS_KEPT_TOGETHER else 0
    fact_labels, fact_values = zip(*_facts(invoice, is_credit=is_credit), strict=True)
    return {
        "title": _title(invoice),
        "number": invoice.number,
        "supplier": _party(invoice.supplier),
        "customer_label": "Credit to" if is_credit else "Bill to",
        "customer": _party(invoice.customer, f"Customer {invoice.customer_code}"),
        "fact_labels": "\n".join(fact_labels),
        "fact_values": "\n".join(fact_values),
        "correction": invoice.corrects
        and f"This {_title(invoice).lower()} reverses {'tax invoice' if is_credit else 'credit note'}"
        f" {invoice.corrects.invoice_number} of {_day(invoice.corrects.issued_on)}.\n"
        f"Reason: {invoice.corrects.reason}",
        "row_groups": [rows[:split], rows[split:]] if split else [rows],
        "sum_labels": f"Total before GST\nGST {_plain(invoice.gst_rate)}% on {_money(sign * invoice.taxable_amount)}",
        "sums": f"{_money(sign * invoice.subtotal)}\n{_money(sign * invoice.gst_amount)}",
        "total_label": "Total credited with GST" if is_credit else "Total payable with GST",
        "total": _money(sign * invoice.total_amount),
        "remarks": invoice.remarks.strip(),
        "paynow": invoice.paynow
        and f"Scan with your bank's app: amount and reference are filled in.\n"
        f"UEN {invoice.supplier.uen} \N{MIDDLE DOT} S$ {_money(invoice.total_amount)} \N{MIDDLE DOT} {invoice.number}",
    }


def _title(invoice: InvoiceSnapshot) -> str:
    return "Credit Note" if invoice.kind == "CREDIT_NOTE" else "Tax Invoice"


def _party(party: Party, *more: str) -> dict[str, str]:
    rows = [
        ", ".join(row.strip(" ,") for row in party.address.splitlines() if row.strip()),
        party.postal_code and f"Singapore {party.postal_code}",
        _dotted(
            party.uen and f"UEN {party.uen}",
            party.gst_registration_no and f"GST Reg. No. {party.gst_registration_no}",
        ),
        _dotted(party.phone, party.email),
        *more,
    ]
    return {"name": party.name, "details": "\n".join(row for row in rows if row)}


def _facts(invoice: InvoiceSnapshot, *, is_credit: bool) -> list[tuple[str, str]]:
    """Labels and values stand side by side, line by line: only the last may be too long for a line."""
    facts = [
        ("Date", _day(invoice.issued_at.astimezone(_SINGAPORE))),
        ("Transaction", invoice.transaction_number),
        ("Recorded" if is_credit else "Delivered", _moment(invoice.occurred_at)),
        ("Refund" if is_credit else "Payment", _payment(invoice, is_credit=is_credit)),
    ]
    if invoice.payment_type == "CREDIT" and not is_credit:
        facts.append(("Due date", _day(invoice.due_on)))
    if server := _dotted(invoice.served_by, invoice.vehicle_no):
        facts.append(("Served by", server))
    return facts


def _payment(invoice: InvoiceSnapshot, *, is_credit: bool) -> str:
    if invoice.corrects:
        number = invoice.corrects.invoice_number
        return "In cash" if invoice.payment_received else f"Set off against {number}"
    if is_credit:
        return "In cash" if invoice.payment_type == "CASH" else "To your account"
    if invoice.payment_type == "CASH":
        return "Cash, received" if invoice.payment_received else "Cash, due on delivery"
    days = invoice.payment_terms_days
    terms = f"Credit, {days} {'day' if days == 1 else 'days'}"
    return f"{terms}, received" if invoice.payment_received else terms


def _line(line: Line, sign: int) -> dict[str, str]:
    """Quantity and rate have no sign of their own: what is given back shows in the amount."""
    kind = line.type.capitalize()
    if line.condition:
        kind += f" ({line.condition.lower()})"
    return {
        "what": line.description,
        "type": kind if line.taxable else f"{kind}, no GST",
        "quantity": f"{abs(line.quantity):,}",
        "rate": _decimals(abs(line.rate)),
        "amount": _money(sign * line.amount),
    }


def _meter_row(meter: MeterUsage, sign: int) -> dict[str, str]:
    return {
        "what": f"Gas by meter {meter.meter_number}",
        "detail": (
            f"Last reading {_decimals(meter.last_reading)} m³\nCurrent reading {_decimals(meter.current_reading)} m³"
        ),
        "type": "Usage",
        "quantity": f"{_decimals(abs(meter.usage))} m³",
        "rate": _decimals(abs(meter.rate)),
        "amount": _money(sign * meter.amount),
    }


def _dotted(*parts: str) -> str:
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace("-", "\N{MINUS SIGN}")


def _decimals(value: Decimal) -> str:
    """At least two decimals, and as many more as say something."""
    plain = _plain(value)
    return _money(value) if len(plain.partition(".")[2]) <= 2 else plain


def _plain(value: Decimal) -> str:
    """Without zeros that say nothing: 9.00 is 9."""
    whole, _, decimals = f"{value:,f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _moment(moment: datetime) -> str:
    moment = moment.astimezone(_SINGAPORE)
    return f"{_day(moment)}, {moment:%H:%M}"


# --- How it is printed ---------------------------------------------------------------------------


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


class _Page(HTML):  # type: ignore[misc]  # WeasyPrint has no types
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


class _QrCode:
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


class _Press:
    """What is costly to make and good for every invoice. Not for two threads at once: Pango isn't."""

    def __init__(self) -> None:
        self._fonts = _OwnFonts()
        self._style = CSS(string=(_FOLDER / "invoice.css").read_text("utf-8"), url_fetcher=_NOTHING_FETCHED)
        self._page_numbers = CSS(string=_PAGE_NUMBERS, url_fetcher=_NOTHING_FETCHED)
        logo = ElementTree.fromstring((_FOLDER / "logo.svg").read_bytes())  # noqa: S314 -- our own file
        self._images = {"invoice:logo": SVGImage(logo, None, _NOTHING_FETCHED, None)}

    def print(self, page: _Page, metadata: DocumentMetadata, images: dict[str, Any], *, is_long: bool) -> bytes:
        document = self._lay_out(page, images, is_numbered=is_long)
        if (len(document.pages) > 1) != is_long:
            document = self._lay_out(page, images, is_numbered=not is_long)
        document.metadata = metadata
        document.fonts = _SmallFonts()
        pdf: bytes = document.write_pdf()
        return pdf

    def _lay_out(self, page: _Page, images: dict[str, Any], *, is_numbered: bool) -> Document:
        """Page numbers stand in the margin: they never change what fits on a page."""
        return page.render(
            font_config=self._fonts,
            stylesheets=[self._style, self._page_numbers] if is_numbered else [self._style],
            cache=self._images | images,
        )


_idle_presses: list[_Press] = []


@contextmanager
def _press() -> Iterator[_Press]:
    """A press that no other thread is using, an idle one or a new one. One that failed isn't used again."""
    try:
        press = _idle_presses.pop()
    except IndexError:
        press = _Press()
    yield press
    _idle_presses.append(press)


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
_TEMPLATE = Engine().from_string(_compact((_FOLDER / "invoice.html").read_text("utf-8")))
_PAGE_NUMBERS = """
html { string-set: document attr(title) }
@page {
  @bottom-left { content: string(document); vertical-align: middle; }
  @bottom-right {
    content: "Page " counter(page) " of " counter(pages); vertical-align: middle; text-align: right;
  }
}
"""
