"""Pull everything, page by page: `python benchmarks/pull.py`, on the database of the settings (see history.py).

Prints rows, pages, seconds, the largest page, and how much the process grew: pages bound the memory.
"""

import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from rest_framework.test import APIClient

from accounts.models import User


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    client = APIClient(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_ENCODING="gzip")
    client.force_authenticate(User.objects.order_by("pk").first())
    client.get("/api/sync/pull/")  # what is loaded once
    before, began, cursor = peak_mib(), time.perf_counter(), ""
    rows = pages = largest = packed = 0
    while True:
        answer = client.get(f"/api/sync/pull/?page_size=2000{cursor}")
        page = answer.data
        rows += sum(len(page[kind]) for kind in ("depots", "equipment", "gst_rates", "customers"))
        pages, packed, largest = pages + 1, packed + len(answer.content), max(largest, len(answer.content))
        cursor = f"&cursor={page['cursor']}"
        if not page["has_more"]:
            break
    took = time.perf_counter() - began
    print(
        f"{rows:,} rows in {pages} pages and {took:.1f} s; {packed / 2**20:.1f} MiB gzipped, the largest page ", end=""
    )
    print(f"{largest / 2**20:.2f} MiB; the process grew by {peak_mib() - before:.0f} MiB")


if __name__ == "__main__":
    main()
