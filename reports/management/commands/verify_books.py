"""``manage.py verify_books``: prove the invariants on the live data."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Max, Min, Q
from tqdm import tqdm

from foundation.commands import is_away, is_transient
from foundation.infrastructure.snapshots import consistent_reads
from foundation.observability.health import pending_migrations
from reports.verification import CHECKS
from reports.verification.figures import Breaks

SHOWN = 20


class Bar:
    """Shows on a terminal how far a check has come; elsewhere nothing."""

    def __init__(self, title: str) -> None:
        self.title = title

    def windows(self, model: Any, key: str = "pk", step: int = 20_000) -> Iterator[Q]:
        ends = model.objects.order_by().aggregate(first=Min("pk"), last=Max("pk"))
        if ends["first"] is None:
            return
        # disable=None: only where standard error is a terminal.
        for low in tqdm(range(ends["first"], ends["last"] + 1, step), self.title, disable=None, leave=False):
            yield Q(**{f"{key}__gte": low, f"{key}__lt": low + step})


def _found(breaks: Breaks) -> Breaks:
    """What a check finds, up to what can't be read: the first check names that, and the next goes on."""
    try:
        yield from breaks
    except (ArithmeticError, OperationalError) as error:
        if isinstance(error, OperationalError) and (is_away(error) or is_transient(error)):
            raise
        yield "it came to something that can't be read, and no further"


class Command(BaseCommand):
    help = "Proves that stock, money, numbers, documents and audit agree. Reads only; exit 1 on any break."

    def handle(self, *args: object, **options: object) -> None:
        if pending_migrations():
            raise CommandError("The database is not migrated: run migrate first.")
        broken = 0
        with consistent_reads():
            for title, check in CHECKS.items():
                breaks = list(islice(_found(check(Bar(title))), SHOWN + 1))
                self.stdout.write(f"{'broken' if breaks else 'ok':<7} {title}")
                for text in breaks[:SHOWN]:
                    self.stdout.write(f"        {text}")
                if len(breaks) > SHOWN:
                    self.stdout.write("        … and more")
                broken += bool(breaks)
        if broken:
            raise CommandError(f"The books do not verify: {broken} of {len(CHECKS)} checks are broken.")
        self.stdout.write(self.style.SUCCESS(f"The books verify: {len(CHECKS)} checks."))
