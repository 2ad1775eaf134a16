"""What a month's reports cost as the books grow: `python benchmarks/month.py` on a database that `history.py` filled.

Times every report of the API for the last month (the best of three, in this process, without HTTP), and reads from the
plans of its statements which tables were read from end to end.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from django.conf import settings
from django.db import connection

from accounts.models import User
from benchmarks.history import LAST_DAY
from benchmarks.plans import watched
from core.access import Role
from core.clock import SINGAPORE
from customers.models import Customer
from reports import figures
from reports.figures import GroupBy
from reports.front_page import front_page
from transactions.models import Transaction

RUNS = 3
MONTH = {"date_from": LAST_DAY - timedelta(days=30), "date_to": LAST_DAY}


def reports() -> Iterator[tuple[str, Callable[[], Any]]]:
    admin = User.objects.get_queryset().filter(role=Role.ADMIN).first()
    driver = User.objects.get_queryset().filter(role=Role.DRIVER).first()
    customer = Customer.objects.filter(invoices__date=LAST_DAY - timedelta(days=1)).first()
    assert admin
    assert driver
    assert customer
    for group in GroupBy:
        yield f"sales-summary by {group}", partial(figures.sales_summary, admin, group_by=group, **MONTH)
    yield "gst", lambda: figures.gst(admin, **MONTH)
    yield "stock, now", lambda: figures.stock(admin)
    a_month_ago = datetime.combine(MONTH["date_from"], datetime.min.time(), SINGAPORE)
    yield "stock, a month ago", lambda: figures.stock(admin, at=a_month_ago)
    yield "conservation, a month ago", lambda: figures.conservation(at=a_month_ago)
    yield "driver-day", lambda: figures.driver_day(driver, day=LAST_DAY - timedelta(days=1))
    yield "receivables, now", lambda: figures.receivables(admin, as_of=LAST_DAY)
    yield "receivables, a month ago", lambda: figures.receivables(admin, as_of=MONTH["date_from"])
    yield "deposits, now", lambda: figures.deposits(as_of=LAST_DAY)
    yield "deposits, a month ago", lambda: figures.deposits(as_of=MONTH["date_from"])
    yield "statement", lambda: figures.statement(customer, **MONTH)
    yield "the office's front page", lambda: front_page(admin)


def main() -> None:
    settings.DEBUG = False
    print(f"{Transaction.objects.count():,} transactions, {connection.vendor}")
    for name, make in reports():
        with watched() as scanned:
            make()
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            make()
            times.append(time.perf_counter() - began)
        said = f"reads all of {', '.join(sorted(scanned))}" if scanned else ""
        print(f"{name:<28}{min(times) * 1000:>10,.1f} ms  {said}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
