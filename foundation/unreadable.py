"""A number in the books that can't be read: written by an older release on SQLite, or past this program.

It is a signalling NaN. Where figures are shown, everything that is reckoned with it becomes NaN too, no comparison with
it is true, and it is shown as what it is. A command that reckons with it is refused (`foundation.commands`).
"""

from decimal import Decimal, DefaultContext, InvalidOperation, getcontext, localcontext
from typing import Any, ClassVar

from foundation.errors import Conflict

WORD = "unreadable"
"""What people see in its place."""


class _Unreadable(Decimal):
    """It can stand in a set, unlike other signalling NaNs."""

    __hash__: ClassVar[Any] = object.__hash__


UNREADABLE = _Unreadable("sNaN")


class UnreadableRecord(Conflict):
    """Something that this needs can't be read in the books; verify_books names it."""

    code = "unreadable_record"


RAISED = (InvalidOperation, OverflowError)
"""By a command that reckons with one; an OverflowError where a count has more digits than anything holds."""


def is_unreadable(value: object) -> bool:
    return isinstance(value, Decimal) and not value.is_finite()


def show_what_can_not_be_read() -> None:
    """From now on: NaN instead of an exception, in this thread and in those to come."""
    for context in (DefaultContext, getcontext()):
        context.traps[InvalidOperation] = False


def refused_in_commands() -> Any:
    """A context in which reckoning with such a number raises InvalidOperation."""
    context = getcontext().copy()
    context.traps[InvalidOperation] = True
    return localcontext(context)
