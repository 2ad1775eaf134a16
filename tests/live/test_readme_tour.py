"""The README's tour, as it stands, on a live site with the demo data."""

import re
import subprocess

import pytest

from testbed.servers import ROOT
from tests.contract.demo_site import demo_site

pytestmark = pytest.mark.any_engine

SHOWN = (
    '"sku":"CYL-14-POL"', '"transaction_number":"TRX-', '"rate":"36.00","rate_source":"CONTRACT","amount":"72.00"',
    '"gst_amount":"6.48","total_amount":"78.48"', "HTTP/1.1 200 OK", "Idempotent-Replayed: true", '"code":"insufficient_stock"',
    "500 asked", '"code":"rate_mismatch"', "36.00, not 30.00", "The books verify: 21 checks.",
)  # fmt: skip
"""In this order: what the tour shows beside its commands."""


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## A tour", 1)[1].split("## Where to read on", 1)[0]
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    return [line.replace("\n    ", "\n") for line in re.findall(r"^\$ ((?:.*\\\n)*.+)", blocks, re.MULTILINE)]


def test_the_tour_goes_as_it_is_told() -> None:
    asked = commands()
    assert len(asked) >= 8
    with demo_site() as site:
        script = "\n".join(["set -u", *asked]).replace("http://127.0.0.1:8000", f"http://127.0.0.1:{site.port}")
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=site.environment, capture_output=True, text=True, check=False
        )
    rest = done.stdout
    for shown in SHOWN:
        assert shown in rest, (shown, done.stdout, done.stderr)
        rest = rest.split(shown, 1)[1]
