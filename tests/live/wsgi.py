"""The application with points at which it may die: SIGKILL, in the middle of a sale, without a word.

The points take turns, so that each is reached: CRASH_CHANCE is the chance at the one whose turn it is. Each death is
noted in the file CRASH_LOG first.
"""

import os
import random
import signal
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from core.wsgi import application as application

CHANCE, LOG = float(os.environ["CRASH_CHANCE"]), os.environ["CRASH_LOG"]
# Not the forked one: every worker would die at the same points.
_CHANCE = random.SystemRandom()
_in_a_sale: ContextVar[bool] = ContextVar("in_a_sale", default=False)


POINTS = (
    "after the reservation",
    "after the layout",
    "before the claim",
    "before the locks",
    "after the locks",
    "before the numbers",
    "before the document",
    "after the document",
    "after the evidence",
    "before COMMIT",
    "after COMMIT",
)


def die_perhaps(point: str) -> None:
    if not _in_a_sale.get() or _CHANCE.random() >= CHANCE:
        return
    with open(LOG, "a+") as log:
        log.seek(0)
        if point != POINTS[len(log.readlines()) % len(POINTS)]:
            return
        log.write(f"{point}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def dying(module: Any, name: str, *, before: str = "", after: str = "") -> None:
    original: Callable[..., Any] = getattr(module, name)

    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if before:
            die_perhaps(before)
        result = original(*args, **kwargs)
        if after:
            die_perhaps(after)
        return result

    setattr(module, name, wrapper)


def install() -> None:
    from django.db import connections

    from customers import locks
    from foundation.operations.idempotency import Operation
    from invoices import documents
    from invoices.services import issuing
    from sync import operations
    from transactions import services
    from transactions.services import sales

    sell = services.create_customer_transaction_and_invoice

    def selling(**arguments: Any) -> Any:
        token = _in_a_sale.set(True)
        try:
            return sell(**arguments)
        finally:
            _in_a_sale.reset(token)

    dying(issuing, "reserve_numbers", after="after the reservation")
    dying(issuing, "render_invoice", after="after the layout")
    dying(Operation, "claim", before="before the claim")
    dying(locks, "visible_customer", before="before the locks", after="after the locks")
    dying(sales, "take_numbers", before="before the numbers")
    dying(documents, "store", before="before the document", after="after the document")
    dying(sales, "record", after="after the evidence")
    dying(type(connections["default"]), "commit", before="before COMMIT", after="after COMMIT")
    for module in (services, operations):  # where the view and the push look it up
        setattr(module, sell.__name__, selling)


install()
