"""What cash bags hold. Whatever comes into a bag or leaves it is a kind of row here, and nowhere else is one named."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from django.db.models import Max, Q, QuerySet

from foundation.money import shown, sum_of, to_cents
from payments.models import CashExpense, Payment


class Bag:
    """Rows of cash: what was taken and paid back in cash, and what was spent of it; those that meet what is asked."""

    def __init__(self, taken: QuerySet[Payment] | None = None, spent: QuerySet[CashExpense] | None = None) -> None:
        self.taken = Payment.objects.filter(method=Payment.Method.CASH) if taken is None else taken
        self.spent = CashExpense.objects.get_queryset() if spent is None else spent

    def __iter__(self) -> Iterator[QuerySet[Any]]:
        """By kind."""
        yield from (self.taken, self.spent)

    def filter(self, *conditions: Q, **more: Any) -> Self:
        return type(self)(self.taken.filter(*conditions, **more), self.spent.filter(*conditions, **more))

    def exclude(self, *conditions: Q, **more: Any) -> Self:
        return type(self)(self.taken.exclude(*conditions, **more), self.spent.exclude(*conditions, **more))

    @property
    def total(self) -> Decimal:
        taken, spent = (rows.aggregate(total=sum_of("amount"))["total"] for rows in self)
        # SQLite adds decimals as floats.
        return to_cents(taken - spent)

    @property
    def latest(self) -> datetime | None:
        """The last moment in the order of what happened."""
        found = [rows.aggregate(latest=Max("ordered_at"))["latest"] for rows in self]
        return max((moment for moment in found if moment), default=None)

    @property
    def counts(self) -> set[int | None]:
        """What they are handed in with, None: they are in the bag."""
        return {pk for rows in self for pk in rows.values_list("cash_count", flat=True)}

    def hand_in(self, count_id: int | None) -> None:
        for rows in self:
            rows.update(cash_count=count_id)


BagRow = Payment | CashExpense


def is_in_bags(row: BagRow) -> bool:
    """Whether a row is one of those of `Bag`."""
    return isinstance(row, CashExpense) or row.method == Payment.Method.CASH


def in_words(row: BagRow) -> str:
    """A row of a bag with its amount, and of whom or for what: no longer than a discrepancy tells."""
    what = f"for {row.reason[:80]}" if isinstance(row, CashExpense) else f"of {row.customer}"
    return f"S$ {shown(row.amount)} {what}"
