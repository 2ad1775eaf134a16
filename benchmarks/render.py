"""How long one invoice takes to print, step by step: `python -m benchmarks.render [--rounds 100]`.

The same one-page invoice, turn and turn about: first the naive way, then each measure on top of those before it. In a
process as the machine is, and in another one that can't find HarfBuzz's subsetter (a library of its own, which WeasyPrint
uses when it is there). Then each trick of our own that the steps don't show, with and without it, in processor time: one
that saves nothing goes.

Goals: ours <= 1.15 x WeasyPrint's bare render and write of the same page with everything cached; ours without the
subsetter <= 1.3 x ours with it; naive (without it, as on a fresh Debian) >= 5 x ours.
"""

import argparse
import base64
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

from benchmarks.harness import ROOT, Table, say

OURS, BARE, NAIVE = "ours, from snapshot to bytes", "WeasyPrint's bare render and write, all cached", "naive"


def ways(invoice: Any = None) -> dict[str, Callable[[], object]]:
    """The calls to measure, by name; each has what the one before it has. Without a snapshot it is the testbed's."""
    from django.template import Context
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    from invoices import rendering
    from invoices.pdf.fonts import OwnFonts
    from invoices.pdf.page import Page
    from invoices.pdf.qr import QrCode
    from testbed.snapshots import snapshot

    class AsWeasyPrint(HTML):  # type: ignore[misc]  # WeasyPrint has no types
        """Our page for WeasyPrint's own `render`."""

        def __init__(self, page: Page) -> None:  # and not HTML's own, which parses HTML
            self.__dict__ |= {**vars(page), "media_type": "print", "url_fetcher": inline}

        def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
            return []

    invoice = invoice or snapshot()
    markup = rendering._TEMPLATE.render(Context(rendering._context(invoice)))
    fonts = OwnFonts()
    folder = ROOT / "templates/invoices"
    style = "\n".join((folder / name).read_text("utf-8") for name in ("document.css", "invoice.css"))
    logo = f"data:image/svg+xml;base64,{base64.b64encode((folder / 'logo.svg').read_bytes()).decode()}"
    plain = markup.replace("invoice:logo", logo)
    styled = plain.replace("<body>", f"<head><style>{style}</style></head><body>")
    inline = URLFetcher(allowed_protocols=("data",))
    own_fonts = os.environ.pop("FONTCONFIG_FILE")
    system_fonts = FontConfiguration()
    os.environ["FONTCONFIG_FILE"] = own_fonts
    sheet = CSS(string=style, url_fetcher=inline)
    images: dict[str, object] = {"invoice:paynow": QrCode(invoice.paynow)} if invoice.paynow else {}

    def naive(**options: object) -> None:
        os.environ.pop("FONTCONFIG_FILE")
        HTML(string=styled, **options).write_pdf()
        os.environ["FONTCONFIG_FILE"] = own_fonts

    def cached(fonts: FontConfiguration, html: HTML | None = None) -> None:
        html = html or HTML(string=plain, url_fetcher=inline)
        html.render(font_config=fonts, stylesheets=[sheet], cache=images).write_pdf()

    bare = AsWeasyPrint(Page(plain))

    return {
        NAIVE: naive,
        "+ a fetcher that has no network": lambda: naive(url_fetcher=inline),
        "+ style sheet parsed once, one font configuration": lambda: cached(system_fonts),
        "+ small fonts of our own": lambda: cached(fonts),
        f"+ read as XML, no browser's style sheet: {BARE}": lambda: cached(fonts, bare),
        f"+ computed styles kept, outlines copied instead of subset: {OURS}": lambda: rendering.render_invoice(invoice),
    }


def bare_render(invoice: Any) -> Callable[[], object]:
    return next(call for name, call in ways(invoice).items() if name.endswith(BARE))


def medians(rounds: int) -> dict[str, float]:
    """The median milliseconds of processor time of each way: the two processes don't meet the same neighbours."""
    calls, order = list(ways().items()), random.Random(1)
    taken: dict[str, list[float]] = {name: [] for name, _ in calls}
    for _, call in calls * 5:
        call()
    # As a worker does once it has started. Else full collections, some 3 ms each, tend to meet one way only.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        # Whoever comes after the naive call finds the processor's caches cold: let that be each as often.
        order.shuffle(calls)
        for name, call in calls:
            taken[name].append(_processor_seconds(call))
    return {name: 1000 * statistics.median(seconds) for name, seconds in taken.items()}


def tricks(rounds: int) -> dict[str, tuple[float, float]]:
    """The median milliseconds of processor time of a document with and without each trick of ours."""
    import segno
    from django.template import Engine
    from weasyprint.images import SVGImage

    from invoices import rendering
    from invoices.pdf import page
    from invoices.pdf.styles import KeptStyles
    from testbed.snapshots import line, snapshot

    def svg(content: str) -> SVGImage:
        code = segno.make(content, error="m", micro=False, boost_error=False, mask=2).svg_inline(border=0)
        return SVGImage(ElementTree.fromstring(code), None, page.NOTHING_FETCHED, None)

    def any_mask(content: str, *, mask: int, **options: Any) -> Any:
        return make(content, **options)

    computed_anew = KeptStyles.__base__.set_computed_styles
    make, short = segno.make, snapshot()
    to_pay = snapshot(paynow="00020101021226380009SG.PAYNOW010120213201912345K030115204000053037025802SG5910HSH LPG")
    long = snapshot(lines=tuple(line(f"Cylinder number {number}") for number in range(40)))
    laid_out = Engine().from_string((ROOT / "templates/invoices/invoice.html").read_text("utf-8"))
    without = {
        "computed styles kept": (short, patch.object(KeptStyles, "set_computed_styles", computed_anew)),
        "template without line breaks": (short, patch.object(rendering, "_TEMPLATE", laid_out)),
        "QR code drawn, not an SVG": (to_pay, patch.object(rendering, "QrCode", svg)),
        "QR code's mask fixed": (to_pay, patch.object(segno, "make", any_mask)),
        "a guess whether it is long, 40 lines": (long, patch.object(rendering, "_looks_long", lambda _: False)),
    }
    beneath = rendering.render_document.__wrapped__  # type: ignore[attr-defined]  # its decorator's functools.wraps
    plain = patch.object(rendering, "render_document", beneath)
    # Which depth is unlucky changes with every version of Python and of the libraries: so look at a whole chunk of them.
    depths = {f"{depth} calls deep": (short, plain, depth) for depth in range(0, 150, 10)}
    cases = {name: (*case, 0) for name, case in without.items()} | depths
    taken: dict[tuple[str, bool], list[float]] = {(name, has): [] for name in cases for has in (True, False)}

    def once(name: str, has: bool) -> float:
        invoice, taken_out, depth = cases[name]
        with nullcontext() if has else taken_out:
            return _deep(depth, lambda: _processor_seconds(lambda: rendering.render_invoice(invoice)))

    for key in taken:
        once(*key)
    gc.collect()
    gc.freeze()
    order = random.Random(1)
    for _ in range(rounds):
        keys = list(taken)
        order.shuffle(keys)
        for key in keys:
            taken[key].append(once(*key))
    found = {
        name: (1000 * statistics.median(taken[name, True]), 1000 * statistics.median(taken[name, False]))
        for name in cases
    }
    worst = max(depths, key=lambda name: found[name][1] / found[name][0])
    deep = [found[name] for name in depths]
    mean = (statistics.mean(has for has, _ in deep), statistics.mean(lacks for _, lacks in deep))
    return {name: found[name] for name in without} | {
        "room on the stack, mean of 15 depths": mean,
        f"room on the stack, worst of them ({depths[worst][2]} calls deep)": found[worst],
    }


def _deep[T](depth: int, call: Callable[[], T]) -> T:
    return _deep(depth - 1, call) if depth else call()


def _processor_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def measure(rounds: int = 100) -> list[Table]:
    say("Printing …")
    found = []
    for hidden in (False, True):
        call = "import benchmarks.no_subsetter; " if hidden else ""
        call += f"import json; from benchmarks import render; print(json.dumps(render.medians({rounds})))"
        child = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", call], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        found.append(json.loads(child.stdout))
    there, hidden_from = found
    ours = next(name for name in there if name.endswith(OURS))
    bare = next(name for name in there if name.endswith(BARE))
    table = Table("One page of an invoice", ("", "CPU ms", "÷ ours", "without HarfBuzz's subsetter CPU ms", "÷ ours"))
    table.rows = [
        (name, there[name], there[name] / there[ours], hidden_from[name], hidden_from[name] / hidden_from[ours])
        for name in there
    ]
    table.notes.append(
        f"Ours is {there[ours] / there[bare]:.2f} of the bare render; without the subsetter "
        f"{hidden_from[ours] / there[ours]:.2f} of what it is with it; naive there {hidden_from[NAIVE] / hidden_from[ours]:.1f} of ours."
    )
    call = f"import json; from benchmarks import render; print(json.dumps(render.tricks({max(rounds // 3, 10)})))"
    child = subprocess.run([sys.executable, "-W", "ignore", "-c", call], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    costs = Table("What each trick of the PDF renderer saves", ("", "CPU ms with", "without", "÷ with"))
    costs.rows = [(name, has, lacks, lacks / has) for name, (has, lacks) in json.loads(child.stdout).items()]
    return [table, costs]


def main() -> None:
    parser = argparse.ArgumentParser(description="How long one invoice takes to print, step by step.")
    parser.add_argument("--rounds", type=int, default=100)
    for table in measure(parser.parse_args().rounds):
        print(table.markdown())


if __name__ == "__main__":
    main()
