"""How long one invoice takes to print, step by step: `python -m benchmarks.render [--rounds 100]`.

The same one-page invoice, turn and turn about: first the naive way, then each measure on top of those before it. In a
process as the machine is, and in another one that can't find HarfBuzz's subsetter (a library of its own, which WeasyPrint
uses when it is there).

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

from benchmarks.harness import ROOT, Table, say

OURS, BARE, NAIVE = "ours, from snapshot to bytes", "WeasyPrint's bare render and write, all cached", "naive"


def ways() -> dict[str, Callable[[], object]]:
    """The calls to measure, by name; each has what the one before it has."""
    from django.template import Context
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    from invoices import press, rendering
    from testbed.snapshots import snapshot

    invoice = snapshot()
    markup = rendering._TEMPLATE.render(Context(rendering._context(invoice)))
    bare, page = press.Press("invoice.css"), press.Page(markup)
    folder = ROOT / "templates/invoices"
    style = "\n".join((folder / name).read_text("utf-8") for name in ("document.css", "invoice.css"))
    logo = f"data:image/svg+xml;base64,{base64.b64encode((folder / 'logo.svg').read_bytes()).decode()}"
    plain = markup.replace("invoice:logo", logo)
    styled = plain.replace("<body>", f"<head><style>{style}</style></head><body>")
    inline = URLFetcher(allowed_protocols=("data",))
    own_fonts = os.environ.pop("FONTCONFIG_FILE")
    system_fonts = FontConfiguration()
    os.environ["FONTCONFIG_FILE"] = own_fonts
    sheet, images = CSS(string=style, url_fetcher=inline), {}  # type: ignore[var-annotated]  # WeasyPrint's own

    def naive(**options: object) -> None:
        os.environ.pop("FONTCONFIG_FILE")
        HTML(string=styled, **options).write_pdf()
        os.environ["FONTCONFIG_FILE"] = own_fonts

    def cached(fonts: FontConfiguration) -> None:
        html = HTML(string=plain, url_fetcher=inline)
        html.render(font_config=fonts, stylesheets=[sheet], cache=images).write_pdf()

    return {
        NAIVE: naive,
        "+ a fetcher that has no network": lambda: naive(url_fetcher=inline),
        "+ style sheet parsed once, one font configuration": lambda: cached(system_fonts),
        "+ small fonts of our own": lambda: cached(bare._fonts),
        f"+ read as XML, no browser's style sheet: {BARE}": lambda: bare._lay_out(
            page, {}, is_numbered=False
        ).write_pdf(),
        f"+ outlines copied instead of subset: {OURS}": lambda: rendering.render_invoice(invoice),
    }


def bare_render() -> Callable[[], object]:
    return next(call for name, call in ways().items() if name.endswith(BARE))


def medians(rounds: int) -> dict[str, float]:
    """The median milliseconds of each way."""
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
            started = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - started)
    return {name: 1000 * statistics.median(seconds) for name, seconds in taken.items()}


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
    table = Table("One page of an invoice", ("", "ms", "÷ ours", "without HarfBuzz's subsetter ms", "÷ ours"))
    table.rows = [
        (name, there[name], there[name] / there[ours], hidden_from[name], hidden_from[name] / hidden_from[ours])
        for name in there
    ]
    table.notes.append(
        f"Ours is {there[ours] / there[bare]:.2f} of the bare render; without the subsetter "
        f"{hidden_from[ours] / there[ours]:.2f} of what it is with it; naive there {hidden_from[NAIVE] / hidden_from[ours]:.1f} of ours."
    )
    return [table]


def main() -> None:
    parser = argparse.ArgumentParser(description="How long one invoice takes to print, step by step.")
    parser.add_argument("--rounds", type=int, default=100)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
