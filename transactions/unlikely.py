"""What is unlikely of a sale: pure, as its plan is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from customers.errors import MeterNumberInUse
from equipment.errors import RateUnlikely
from equipment.unlikely import unlikely_rate
from foundation import clock
from foundation.confirmations import Question
from inventory.errors import ReferenceRepeated
from invoices.errors import AddressMissing, AmountUnlikely
from invoices.services import Billing
from invoices.unlikely import unaddressed, unlikely_amount
from payments.errors import MoneyNotFound
from transactions.errors import QuantityUnlikely, ReadingBeforeLast, TenderExceedsDue, UsageUnlikely
from transactions.models import RateSource
from transactions.pricing import PricedItem, Usage
from transactions.usage import Habit, days_between

IN_SALES = (
    UsageUnlikely, ReadingBeforeLast, QuantityUnlikely, RateUnlikely, AmountUnlikely, TenderExceedsDue,
    MoneyNotFound, ReferenceRepeated, AddressMissing,
)  # fmt: skip
IN_REPLACEMENTS = (UsageUnlikely, ReadingBeforeLast, AmountUnlikely, MeterNumberInUse, AddressMissing)
KEPT_IN_PUSHES = tuple(each for each in IN_SALES if each.is_kept)
_NAMED = (RateSource.OVERRIDE, RateSource.FIELD)
"""The prices that the seller says."""


def unlikely_in_sale(
    items: Sequence[PricedItem],
    usage: Usage | None,
    billing: Billing,
    moved: Decimal,
    habit: Habit | None,
    occurred_at: datetime,
    *,
    is_reported: bool,
    attr_of_money: str,
    last_seen: Decimal | None = None,
) -> Iterator[Question]:
    """All that is asked of one sale. ``moved`` was taken for it, ``habit`` is that of the meter that was read.

    ``is_reported``: it is told when it happened; without that it is now, and what others read in the same instant is no
    later than it.

    ``last_seen``: the reading before, where its seller saw one.
    """
    most = settings.UNLIKELY["QUANTITY"]
    asked = Counter[tuple[int, str, str]]()
    for item in items:
        asked[item.index, item.type, item.equipment.sku] += item.quantity
    # What was asked for in one line, whatever that comes to.
    largest = {index: (sku, quantity) for (index, _, sku), quantity in reversed(asked.items()) if quantity > most}
    for index in sorted({item.index for item in items}):
        if index in largest:
            sku, quantity = largest[index]
            detail = f"{quantity} × {sku} are more than {most:f} in one line."
            yield QuantityUnlikely(detail, attr=f"items.{index}.quantity", value=quantity)
        for item in items:
            if item.index == index and item.rate_source in _NAMED and (item.taxable or item.rate):
                yield from unlikely_rate(item.rate, item.listed_rate, attr=f"items.{index}.rate")
    if usage is not None and habit is not None:
        yield from _before_last(habit, occurred_at) if is_reported else ()
        yield from _unlikely_usage(usage, habit, occurred_at, last_seen)
    yield from unlikely_amount(billing.total_amount, attr="items" if items else "current_meter")
    buyer = billing.customer
    yield from unaddressed(
        name=buyer.name, address=buyer.address, taxable=billing.taxable_amount, total=billing.total_amount
    )
    if moved > billing.total_amount:
        yield from unlikely_amount(moved, attr=attr_of_money)


def _before_last(habit: Habit, occurred_at: datetime) -> Iterator[Question]:
    if habit.read_at is not None and occurred_at < habit.read_at:
        detail = f"A reading of {clock.in_words(habit.read_at)} is recorded already, and this one is from before it."
        yield ReadingBeforeLast(detail, attr="occurred_at", value=occurred_at)


def _unlikely_usage(usage: Usage, habit: Habit, occurred_at: datetime, last_seen: Decimal | None) -> Iterator[Question]:
    days = days_between(habit.since, occurred_at)
    if usage.quantity / days > habit.most_per_day:
        detail = (
            f"{usage.quantity} m³ in {days:.1f} days are {usage.quantity / days:.2f} a day; more than "
            f"{habit.most_per_day:f} a day are unlikely for this meter."
        )
        # Who saw another reading before has confirmed another usage.
        value = usage.current if last_seen in (None, usage.last) else usage.quantity
        yield UsageUnlikely(detail, attr="current_meter", value=value)
