"""How long one invoice takes to print: `python benchmarks/render.py [--rounds 100]`.

Three ways print the same one-page invoice, turn and turn about:

- ours: `render_invoice`, warm, from snapshot to bytes;
- bare: WeasyPrint's render and write alone, of the parsed page, with fonts, styles and images cached;
- naive: `HTML(string).write_pdf()` with the system's fonts.

First as the machine is, then in a second process that can't find HarfBuzz's subsetter (a library of its own,
which WeasyPrint uses when it is there).

Targets: ours <= 1.15 x bare; ours without the subsetter <= 1.3 x ours with it; naive >= 5 x ours.
"""

import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def hide_harfbuzz_subsetter() -> None:
    """Let WeasyPrint find every library but that one."""
    from cffi import FFI

    open_library = FFI.dlopen

    def dlopen(self: FFI, name: str, flags: int = 0) -> object:
        if "harfbuzz" in name and "subset" in name:
            raise OSError(name)
        return open_library(self, name, flags)

    FFI.dlopen = dlopen


def ways() -> dict[str, Callable[[], object]]:
    """The calls to measure, by name."""
    from django.template import Context
    from weasyprint import HTML

    from invoices import press, rendering
    from tests.invoices.snapshots import snapshot

    invoice = snapshot()
    markup = rendering._TEMPLATE.render(Context(rendering._context(invoice)))
    bare, page = press.Press("invoice.css"), press.Page(markup)
    style = "\n".join(
        (ROOT / "templates/invoices" / name).read_text("utf-8") for name in ("document.css", "invoice.css")
    )
    logo = (ROOT / "templates/invoices/logo.svg").as_uri()
    string = markup.replace("<body>", f"<head><style>{style}</style></head><body>").replace("invoice:logo", logo)

    def naive() -> None:
        own_fonts = os.environ.pop("FONTCONFIG_FILE")
        HTML(string=string).write_pdf()
        os.environ["FONTCONFIG_FILE"] = own_fonts

    return {
        "ours": lambda: rendering.render_invoice(invoice),
        "bare": lambda: bare._lay_out(page, {}, is_numbered=False).write_pdf(),
        "naive": naive,
    }


def measure(rounds: int) -> dict[str, float]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description="How long one invoice takes to print.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--without-subsetter", action="store_true", help="one process only, without that library")
    arguments = parser.parse_args()
    if arguments.without_subsetter:
        hide_harfbuzz_subsetter()
    medians = measure(arguments.rounds)
    print("without HarfBuzz's subsetter" if arguments.without_subsetter else "as the machine is")
    for name, milliseconds in medians.items():
        ratio = milliseconds / medians["ours"]
        print(f"  {name:5} {milliseconds:7.1f} ms  {ratio:6.2f} x ours", flush=True)
    if not arguments.without_subsetter:
        again = [__file__, "--rounds", str(arguments.rounds), "--without-subsetter"]
        subprocess.run([sys.executable, "-W", "ignore", *again], check=True)


if __name__ == "__main__":
    main()
