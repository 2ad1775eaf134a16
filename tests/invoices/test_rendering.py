"""The PDF: everything that the law and the customer want to read, the same bytes everywhere, nothing from outside."""

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from foundation.characters import unprintable
from invoices.rendering import render_invoice
from invoices.snapshot import InvoiceSnapshot, PaidBy
from testbed.snapshots import CUSTOMER, credit_note, line, snapshot
from tests.concurrency.races import at_once
from tests.types import Json

pytestmark = pytest.mark.any_engine

ROOT = Path(__file__).resolve().parent.parent.parent


def pages_of(invoice: InvoiceSnapshot) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(render_invoice(invoice))).pages]


def text_of(invoice: InvoiceSnapshot) -> str:
    return "\n".join(pages_of(invoice))


def test_a_tax_invoice_says_what_the_law_wants() -> None:
    text = text_of(snapshot())
    for wanted in (
        "Tax Invoice", "INV-20260120-000001", "20 Jan 2026", "TRX-20260120-000001",
        "HSH LPG Pte. Ltd.", "21 Tuas South Avenue 3", "Singapore 637366", "UEN 201992345C", "GST Reg. No. M2-0123456-7",
        "Ah Seng Seafood Restaurant Pte. Ltd.", "Blk 462 Clementi Avenue 3", "Singapore 120462", "C-000123",
        "LPG cylinder 12.7 kg", "Swap", "38.50", "77.00", "1,824.00", "Deposit, no GST",
        "MTR-00042", "1,234.00", "1,250.50", "16.50 m³", "2.105",
        "Total before GST", "2,055.73", "GST 9% on 1,935.73", "174.22", "Total payable with GST", "2,229.95",
        "Credit, 30 days", "19 Feb 2026", "Tan Wei Ming", "GBA 1234 X", "Please leave the empties at the back door.",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_a_credit_note_is_printed_positive_and_names_what_it_reverses() -> None:
    text = text_of(credit_note())
    for wanted in ("Credit Note", "CN-20260121-000001", "INV-20260120-000001", "20 Jan 2026", "2,229.95"):
        assert wanted in text
    assert "Tax Invoice" not in text
    assert "−" not in text
    assert "-2,229.95" not in text


def test_a_refund_inside_an_invoice_has_its_minus() -> None:
    refund = line("Cylinder returned", type="RETURN", condition="EMPTY", taxable=False, amount=Decimal("-60.00"))
    text = text_of(snapshot(lines=(line(), refund)))
    assert "−60.00" in text
    assert "Return (empty), no GST" in text


@pytest.mark.parametrize(
    ("payment_type", "received", "says"),
    [
        ("CASH", True, "Cash, received"),
        ("CASH", False, "Cash, due on delivery"),
        ("CREDIT", False, "Credit, 30 days"),
        ("CREDIT", True, "Credit, 30 days, received"),
    ],
)
def test_terms_of_payment(payment_type: str, received: bool, says: str) -> None:
    text = text_of(snapshot(payment_type=payment_type, payment_received=received))
    assert says in text
    assert ("Due date" in text) is (payment_type == "CREDIT" and not received)


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("金镬煮炒", {"Chinese"}),
        ("李記雞飯", {"Chinese"}),
        ("喆堃犇㗎", {"Rare-Chinese"}),
        ("山本榊", {"Chinese", "Rare-Chinese"}),
        ("김치찌개 식당", {"Korean"}),
        ("முருகன் உணவகம்", {"Tamil"}),
        ("ร้านอาหารไทย น้ำใจ", {"Thai"}),
        ("श्री कृष्णा भोजनालय", {"Devanagari"}),
        ("বাংলা রেস্তোরাঁ", {"Bengali"}),
        ("မြန်မာ စားသောက်ဆိုင်", {"Myanmar"}),
        ("ශ්‍රී ලංකා ආපනශාලාව", {"Sinhala"}),
        ("مطعم البركة", {"Arabic"}),
        ("ڤرنيݢا ڽاڽي", {"Arabic"}),
        ("ਪੰਜਾਬੀ ਢਾਬਾ", {"Gurmukhi"}),
        ("ગુજરાતી ભોજન", {"Gujarati"}),
        ("കേരള ഭക്ഷണശാല", {"Malayalam"}),
        ("ఆంధ్ర భోజనం", {"Telugu"}),
        ("Kedai Makan Haji Kassim", set()),
        ("Café Zoë", set()),
        ("Nguyễn Thị Đặng", set()),
    ],
)
def test_names_print_in_their_own_script(name: str, scripts: set[str], caplog: pytest.LogCaptureFixture) -> None:
    """With that script's own font beside the two of every invoice, and no character but by its outline."""
    pdf = render_invoice(snapshot(customer=replace(CUSTOMER, name=name)))
    assert set(fonts_of(pdf)) == {"", "-Semi-Bold", *(f"-{script}" for script in scripts)}
    assert not caplog.records
    assert unprintable(name) == ""
    assert len(pdf) < len(render_invoice(snapshot())) + 20_000


def fonts_of(pdf: bytes) -> dict[str, set[int]]:
    """The numbers of the glyphs that a document takes of each font."""
    resources: list[Any] = [page["/Resources"] for page in PdfReader(BytesIO(pdf)).pages]
    fonts = [font.get_object() for its in resources for font in its["/Font"].values()]
    return {
        str(font["/BaseFont"]).partition("+HSH-Invoice")[2]: {
            int(number, 16)
            for number in re.findall(rb"^<([0-9a-f]{4})> <", font["/ToUnicode"].get_data(), re.MULTILINE)
        }
        for font in fonts
    }


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("Arabic", "محمد"),
        ("Bengali", "ক্ষ"),
        ("Devanagari", "क्ष"),
        ("Gujarati", "ક્ષ"),
        ("Gurmukhi", "ਪ੍ਰ"),
        ("Malayalam", "ക്ഷ"),
        ("Myanmar", "ရွှေ"),
        ("Sinhala", "ශ්‍රී"),
        ("Telugu", "క్ష"),
    ],
)
def test_letters_are_joined(script: str, word: str) -> None:
    """Glyphs that none of the letters has by itself."""
    joined, apart = (
        fonts_of(render_invoice(snapshot(customer=replace(CUSTOMER, name=name))))[f"-{script}"]
        for name in (word, " ".join(word))
    )
    assert joined - apart


def test_arabic_runs_from_right_to_left() -> None:
    """Glyphs are drawn from the left: the last letter first."""
    page: Any = PdfReader(BytesIO(render_invoice(snapshot(customer=replace(CUSTOMER, name="Kedai اب تث"))))).pages[0]
    [(key, font)] = [
        (key, font.get_object())
        for key, font in page["/Resources"]["/Font"].items()
        if font.get_object()["/BaseFont"].endswith("Arabic")
    ]
    letters = dict(re.findall(r"<(\w{4})> <(\w{4})>", font["/ToUnicode"].get_data().decode()))
    drawn = page.get_contents().get_data().decode("latin-1").partition(key)[2].partition("TJ")[0]
    assert "".join(chr(int(letters[glyph], 16)) for glyph in re.findall(r"<(\w{4})>", drawn)) == "اب تث"[::-1]


@pytest.mark.parametrize("text", ["👩", "ខ្មែរ", "ṛ", "\U00020000", "\u2800"])
def test_what_no_font_prints_is_told(text: str, caplog: pytest.LogCaptureFixture) -> None:
    render_invoice(snapshot(customer=replace(CUSTOMER, name=f"Kedai {text}")))
    missing = {record.args[0] for record in caplog.records if isinstance(record.args, tuple)}
    assert unprintable(f"Kedai {text} {text}") == "".join(dict.fromkeys(text))
    assert missing == set(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"payment_received": True}, "In cash"),
        ({"payment_received": False}, "By set-off"),
        ({"corrects": None, "payment_type": "CASH"}, "In cash"),
        ({"corrects": None, "payment_type": "CREDIT"}, "To your account"),
    ],
)
def test_how_an_earlier_credit_note_is_paid(changes: Json, says: str) -> None:
    text = text_of(credit_note(**changes))
    assert f"\nRefund {says}\n" in text
    assert "Due date" not in text


@pytest.mark.parametrize(
    ("set_off", "paid", "labels", "values"),
    [
        ("0.00", "0.00", "Refund", "To your account"),
        ("0.00", "2229.95", "Refund", "In cash"),
        ("0.00", "29.95", "Paid out\nRefund", "29.95 in cash\n2,200.00 to your account"),
        ("2229.95", "0.00", "Set off\nRefund", "2,229.95\nNone"),
        ("29.95", "2200.00", "Set off\nRefund", "29.95\n2,200.00 in cash"),
        ("29.95", "0.00", "Set off\nRefund", "29.95\n2,200.00 to your account"),
        ("29.95", "200.00", "Set off\nPaid out\nRefund", "29.95\n200.00 in cash\n2,000.00 to your account"),
    ],
)
def test_how_a_refund_is_settled(set_off: str, paid: str, labels: str, values: str) -> None:
    text = text_of(credit_note(corrects=None, set_off=Decimal(set_off), paid=Decimal(paid)))
    assert f", 09:05\n{beside(labels, values)}\n" in text


def beside(labels: str, values: str) -> str:
    return "\n".join(f"{label} {value}" for label, value in zip(labels.split("\n"), values.split("\n"), strict=True))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"set_off": Decimal("2229.95")}, "Set off 2,229.95\nPayment None"),
        ({"set_off": Decimal("29.95")}, "Set off 29.95\nPayment 2,200.00 due"),
        (
            {"set_off": Decimal("29.95"), "paid": Decimal("2200.00")},
            "Set off 29.95\nPayment 2,200.00 in cash, received",
        ),
        ({"set_off": Decimal("29.95"), "paid": Decimal("0.00")}, "Set off 29.95\nPayment 2,200.00 due"),
        ({"paid": Decimal("29.95")}, "Received 29.95 in cash\nPayment 2,200.00 due"),
        ({"paid": Decimal("2229.95"), "payment_type": "CASH"}, "Payment Cash, received"),
        ({"paid": Decimal("0.00"), "payment_type": "CASH"}, "Payment Cash, due on delivery"),
        ({"paid": Decimal("2229.95"), "payment_terms_days": 1}, "Payment Credit, 1 day, received"),
        ({"corrects": credit_note().corrects}, "Payment Due: it was paid out"),
        ({"corrects": credit_note().corrects, "paid": Decimal("0.00"), "payment_type": "CASH"}, "Payment 2,229.95 due"),
    ],
)
def test_how_an_invoice_is_settled(changes: Json, says: str) -> None:
    text = text_of(snapshot(**changes))
    assert f"\n{says}\n" in text
    assert ("Due date" in text) is ("due" in says.lower() and changes.get("payment_type") != "CASH")


@pytest.mark.parametrize(
    ("changes", "labels", "values"),
    [
        ((("PAYNOW", "2229.95"),), "Received\nPayment", "2,229.95 by PayNow\nReceived in full"),
        ((("CARD", "29.95"),), "Received\nPayment", "29.95 by card\n2,200.00 due"),
        ((("CASH", "2300.00"),), "Received\nPayment", "2,300.00 in cash\nReceived in full"),
        (
            (("CHEQUE", "2000.00"), ("CASH", "229.95")),
            "Received\nReceived\nPayment",
            "2,000.00 by cheque\n229.95 in cash\nReceived in full",
        ),
    ],
)
def test_how_it_was_paid_is_printed(changes: tuple[tuple[str, str], ...], labels: str, values: str) -> None:
    paid_by = tuple(PaidBy(method, Decimal(amount)) for method, amount in changes)
    paid = min(sum((each.amount for each in paid_by), Decimal(0)), Decimal("2229.95"))
    assert f"\n{beside(labels, values)}\n" in text_of(snapshot(paid_by=paid_by, paid=paid))


def test_a_rounding_to_coins_is_printed_beside_the_total() -> None:
    said = {"paid": Decimal("2229.95"), "paid_by": (PaidBy("CASH", Decimal("2229.90")),), "rounding": Decimal("-0.05")}
    text = text_of(snapshot(**said))
    assert "\nReceived 2,229.90 in cash\nCash\nrounding\n−0.05\nPayment Received in full\n" in text
    assert "2,229.95" in text
    assert InvoiceSnapshot.from_json(snapshot(**said).to_json()) == snapshot(**said)


def test_each_label_stands_beside_its_value_however_they_wrap() -> None:
    rounded = snapshot(
        paid=Decimal("2229.95"), paid_by=(PaidBy("CASH", Decimal("2229.90")),), rounding=Decimal("-0.05")
    )
    heights = heights_of(render_invoice(rounded))
    assert heights["rounding"] != heights["Cash"]
    for label, value in (
        ("Cash", "−0.05"),
        ("Payment", "Received in full"),
        ("Served by", "Tan Wei Ming · GBA 1234 X"),
    ):
        assert heights[label] == heights[value], label


def heights_of(pdf: bytes) -> dict[str, float]:
    """How high on the page each piece of text stands."""
    heights: dict[str, float] = {}

    def keep(text: str, page: list[float], at: list[float], *more: object) -> None:
        heights.setdefault(text.strip(), round(at[5], 1))

    PdfReader(BytesIO(pdf)).pages[0].extract_text(visitor_text=keep)
    return heights


def test_the_credit_note_of_a_void_says_what_goes_to_the_account() -> None:
    text = text_of(credit_note(set_off=Decimal("29.95"), paid=Decimal("0.00"), payment_received=False))
    assert "\nSet off 29.95\nRefund 2,200.00 to your account\n" in text


def test_what_is_left_to_pay_stands_beside_the_code() -> None:
    text = text_of(snapshot(paynow="x", set_off=Decimal("29.95"), paid=Decimal("200.00")))
    assert "S$ 2,000.00" in " ".join(text.split())


def test_a_collection_note_says_from_whom_and_asks_for_nothing() -> None:
    returned = line("Cylinder returned", type="RETURN", condition="EMPTY", taxable=False, amount=Decimal("0.00"))
    text = text_of(snapshot(kind="COLLECTION_NOTE", lines=(returned,), meter=None, payment_type="CREDIT"))
    for wanted in ("Collection Note", "Collected\nfrom", "Neither charged nor refunded", "Served by"):
        assert wanted in text
    for other in ("Tax Invoice", "Credit Note", "Bill to", "Payment", "Due date", "Delivered", "Total before GST"):
        assert other not in text


def test_a_refund_names_what_it_is_set_off_against() -> None:
    text = text_of(credit_note(corrects=None, set_off=Decimal("1.00"), set_off_against=("INV-1", "INV-2")))
    assert "Set off against INV-1, INV-2." in text
    assert "Set off against" not in text_of(credit_note())


def test_an_earlier_snapshot_set_nothing_off() -> None:
    said = snapshot().to_json()
    for name in ("set_off", "set_off_against", "paid", "paid_by", "rounding"):
        del said[name]
    assert InvoiceSnapshot.from_json(said) == snapshot()
    later = snapshot(set_off=Decimal("1.50"), paid=Decimal("0.00"), set_off_against=("INV-1",))
    assert InvoiceSnapshot.from_json(later.to_json()) == later


def test_what_is_printed_is_what_was_billed() -> None:
    """Also where it was rounded, or told otherwise, in another time."""
    assert "174.21" in text_of(snapshot(gst_amount=Decimal("174.21")))


@pytest.mark.parametrize(
    "name",
    [
        "金镬煮炒", "李記雞飯", "喆堃犇㗎", "김치찌개 식당", "முருகன் உணவகம்", "กรุงเทพ", "दिल्ली ढाबा", "মিষ্টি", "ရန်ကုန်", "ශ්‍රී ලංකා",
        "مطعم البركة", "ਪੰਜਾਬੀ ਢਾਬਾ", "ગુજરાતી ભોજન", "കേരള ഭക്ഷണശാല", "ఆంధ్ర భోజనం", "Kedai Makan Haji Kassim", "Café Zoë",
    ],
)  # fmt: skip
def test_names_can_be_searched_for(name: str) -> None:
    """Where a script joins or reorders letters, not every word reads back as it was written; these do."""
    assert name in text_of(snapshot(customer=replace(CUSTOMER, name=name)))


def test_the_same_snapshot_is_the_same_bytes_in_any_process_zone_and_locale(tmp_path: Path) -> None:
    program = (
        "import hashlib; from testbed.snapshots import snapshot; from invoices.rendering import render_invoice;"
        "from dataclasses import replace; s = snapshot();"
        "s = replace(s, customer=replace(s.customer, name='金镬 முருகன்'));"
        "print(hashlib.sha256(render_invoice(s)).hexdigest())"
    )
    here = snapshot(customer=replace(CUSTOMER, name="金镬 முருகன்"))
    digests = {hashlib.sha256(render_invoice(here)).hexdigest() for _ in range(2)}
    for extra in (
        {"TZ": "UTC"},
        {"TZ": "America/New_York", "LC_ALL": "C"},
        {"HOME": str(tmp_path), "LANG": "ta_IN.UTF-8"},
    ):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **extra}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, check=True
        )
        assert run.stderr == b""
        digests.add(run.stdout.decode().strip())
    assert len(digests) == 1


def test_fonts_are_embedded_without_weasyprints_subsetters(monkeypatch: pytest.MonkeyPatch) -> None:
    """They differ from machine to machine: HarfBuzz's where it is installed, else fontTools'."""

    def refused(*args: object) -> None:
        raise AssertionError("WeasyPrint made the subset")

    monkeypatch.setattr("weasyprint.pdf.fonts.Font.subset", refused)
    assert "Tax Invoice" in text_of(snapshot())


def test_the_same_instant_in_another_offset_prints_singapores_time() -> None:
    invoice = snapshot()
    elsewhere = replace(
        invoice, issued_at=invoice.issued_at.astimezone(UTC), occurred_at=invoice.occurred_at.astimezone(UTC)
    )
    assert render_invoice(elsewhere) == render_invoice(invoice)


def test_an_instant_late_in_the_day_in_utc_is_singapores_next_day() -> None:
    evening = datetime(2026, 1, 25, 16, 30, tzinfo=UTC)
    text = text_of(snapshot(issued_at=evening, occurred_at=evening))
    assert "26 Jan 2026, 00:30" in text
    assert "25 Jan" not in text


def test_a_snapshot_survives_json() -> None:
    for invoice in (snapshot(), credit_note(), snapshot(meter=None)):
        assert InvoiceSnapshot.from_json(invoice.to_json()) == invoice


HOSTILE = [
    "<img src='file:///etc/passwd'/>",
    "<link rel='attachment' href='file:///etc/passwd'/>",
    "<object data='http://127.0.0.1:9/x'></object>",
    "</td></tr></table><script>alert(1)</script>",
    "</style><style>@import url(http://127.0.0.1:9/x.css);</style>",
    "{% include '/etc/passwd' %}{{ settings.SECRET_KEY }}",
    "&xxe; &amp; <!DOCTYPE x [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]>",
    "]]> <![CDATA[ x",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_printed_and_fetches_nothing(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    party = replace(CUSTOMER, name=hostile, address=hostile, uen=hostile, email=hostile, phone=hostile)
    invoice = snapshot(
        customer=party, supplier=party, remarks=hostile, served_by=hostile, vehicle_no=hostile, lines=(line(hostile),)
    )
    pdf = render_invoice(invoice)
    reader = PdfReader(BytesIO(pdf))
    text = "".join(page.extract_text() for page in reader.pages)
    assert text.replace("\n", "").replace(" ", "").count(hostile.replace(" ", "")) >= 3
    assert "root:" not in text
    assert not reader.attachments
    assert all(secret not in pdf for secret in (b"root:x", b"/etc/passwd)"))


@pytest.mark.parametrize(
    "odd",
    [
        "a\x00b",
        "a\x07b",
        "\ud800",
        "‮evil",
        "e\u0301",
        "👩‍👩‍👧",
        "x" * 500,
        "\t\n\r",
        "\ufffe",
        f"{'a long word ' * 12}\u2028b",
        f"{'a long word ' * 12}\u2029b",
    ],
)
def test_odd_characters_never_fail(odd: str) -> None:
    """Of some the reader can't tell what they say; there is the one page with its text all the same."""
    [page] = pages_of(snapshot(remarks=odd, customer=replace(CUSTOMER, name=odd)))
    assert len(page) > 500


def test_a_long_invoice_is_numbered_and_quick() -> None:
    invoice = snapshot(lines=tuple(line(f"Cylinder number {n}") for n in range(200)), remarks="word " * 2_000)
    render_invoice(snapshot())
    # Its own work: what else the machine does is no matter of the invoice's.
    started = time.process_time()
    pages = pages_of(invoice)
    assert time.process_time() - started < 4
    assert len(pages) > 4
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
    headed = ["Description" in page for page in pages if "Cylinder number" in page]
    assert len(headed) > 4
    assert all(headed)
    assert "Page" not in text_of(snapshot())


def test_totals_do_not_stand_alone_on_a_page() -> None:
    for count in range(15, 40):
        pages = pages_of(snapshot(lines=tuple(line(f"Cylinder number {n}") for n in range(count)), remarks=""))
        last = next(page for page in pages if "Total payable" in page)
        assert re.search("Cylinder number|Gas by meter", last)


def test_styles_are_computed_for_the_first_document_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    render_invoice(snapshot(paynow="1"))

    def refused(*args: object, **more: object) -> None:
        raise AssertionError("a style was computed anew")

    monkeypatch.setattr("weasyprint.css.StyleFor.set_computed_styles", refused)
    assert "INV-2" in text_of(snapshot(number="INV-2", customer=CUSTOMER, paynow="2"))


def test_threads_print_side_by_side() -> None:
    expected = render_invoice(snapshot())
    printed = at_once(lambda _: [render_invoice(snapshot()) for _ in range(6)], 4)
    assert printed == [[expected] * 6] * 4


def test_memory_stays_flat() -> None:
    import resource

    for _ in range(20):
        render_invoice(snapshot())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        render_invoice(snapshot())
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 8 * 1024
