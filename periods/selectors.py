"""Which documents a GST return is made of, and what turned up for a period whose return was filed.

A document counts in the period of its ``gst_on``, and was recorded on its ``date``. What was recorded up to the day of
which a return tells is in that return; what came later is an error of the period, and is declared by the next F5 or by
an F7. Ledger days don't move: so a return says the same whenever it is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Count, Q

from foundation import clock
from foundation.money import ZERO, sum_of, to_cents
from invoices.models import Invoice
from payments.models import Payment
from periods.models import GstReturn, GstReturnPart

DAY = timedelta(days=1)
UNDER_WAY = timedelta(hours=1)
"""So long after midnight a command may still be under way that began before."""
MOST_GST_IN_ERROR = Decimal(3000)
MOST_VALUE_IN_ERROR = Decimal("0.05")
"""Of box 4. IRAS, "Correcting errors made in GST return (filing GST F7)": what the next F5 may correct."""
Form = GstReturn.Form


def last_recorded_day(now: datetime) -> date:
    """The last day of which nothing will be recorded any more."""
    return clock.business_date(now - UNDER_WAY) - DAY


@dataclass(frozen=True, slots=True)
class Held:
    """What the books hold of some days."""

    documents: int
    billed: Decimal
    received: Decimal


def held_between(starts_on: date | None, ends_on: date) -> Held:
    """By their ledger days, both included; ``starts_on`` None: since ever."""
    days = Q(date__lte=ends_on) & (Q(date__gte=starts_on) if starts_on else Q())
    billed = Invoice.objects.filter(days).aggregate(documents=Count("pk"), sum=sum_of("total_amount"))
    received = Payment.objects.filter(days).aggregate(sum=sum_of("amount"))
    return Held(billed["documents"], to_cents(billed["sum"]), to_cents(received["sum"]))


@dataclass(frozen=True, slots=True)
class Part:
    """Documents that count in a period and were recorded between two days, and what they come to."""

    starts_on: date
    ends_on: date
    recorded_after: date | None
    recorded_until: date
    documents: int
    box_1: Decimal
    box_6: Decimal


def counting(starts_on: date, ends_on: date, recorded_after: date | None, recorded_until: date) -> Q:
    """Of documents: which count in a period and were recorded between two days. A collection note counts nowhere."""
    counts = Q(gst_on__gte=starts_on, gst_on__lte=ends_on, date__lte=recorded_until)
    later = Q() if recorded_after is None else Q(date__gt=recorded_after)
    return counts & later & ~Q(kind=Invoice.Kind.COLLECTION_NOTE)


def part_of(starts_on: date, ends_on: date, recorded_after: date | None, recorded_until: date) -> Part:
    found = Invoice.objects.filter(counting(starts_on, ends_on, recorded_after, recorded_until)).aggregate(
        documents=Count("pk"), box_1=sum_of("taxable_amount"), box_6=sum_of("gst_amount")
    )
    sums = to_cents(found["box_1"]), to_cents(found["box_6"])
    return Part(starts_on, ends_on, recorded_after, recorded_until, found["documents"], *sums)


@dataclass(frozen=True, slots=True)
class Errors:
    """What turned up for periods whose F5 was filed, a part of each; and may the next F5 correct it?"""

    parts: Sequence[Part]
    filed: Sequence[GstReturn]
    """The F5 of each part."""

    @property
    def gst(self) -> Decimal:
        """The net GST in error of all of them together."""
        return sum((part.box_6 for part in self.parts), ZERO)

    @property
    def may_be_in_next_f5(self) -> bool:
        return not self.too_much

    @property
    def too_much(self) -> str:
        """Why they may not; empty: they may."""
        if abs(self.gst) > MOST_GST_IN_ERROR:
            return f"The net GST in error is S$ {self.gst}, more than S$ {MOST_GST_IN_ERROR}."
        for part, filed in zip(self.parts, self.filed, strict=True):
            if abs(part.box_1) > MOST_VALUE_IN_ERROR * filed.box_4:
                most = to_cents(MOST_VALUE_IN_ERROR * filed.box_4)
                return f"S$ {part.box_1} of supplies in error are more than 5 % of box 4 of the {filed}, S$ {most}."
        return ""


def errors_until(day: date) -> Errors:
    """What was recorded by the end of a day for periods that were filed, and is in no return yet."""
    filed = GstReturn.objects.filter(form=Form.F5).order_by("starts_on")
    known = {(each.starts_on, each.ends_on): each for each in filed}
    covered = declared_until()
    parts = [part_of(*period, covered[period], day) for period in known if covered[period] < day]
    found = [part for part in parts if part.documents]
    return Errors(found, [known[part.starts_on, part.ends_on] for part in found])


def declared_until() -> dict[tuple[date, date], date]:
    """Of each period that was filed: up to which ledger day its documents are in a return."""
    until: dict[tuple[date, date], date] = {}
    for part in GstReturnPart.objects.order_by("recorded_until"):
        until[part.starts_on, part.ends_on] = part.recorded_until
    return until


def declared_of(starts_on: date, ends_on: date, *, step: int | None = None) -> list[GstReturnPart]:
    """What was declared of a period by its own returns, up to one of them; not what other periods' F5s corrected."""
    own = Q(gst_return__starts_on=starts_on, gst_return__ends_on=ends_on)
    parts = GstReturnPart.objects.filter(own, starts_on=starts_on, ends_on=ends_on)
    return [*(parts if step is None else parts.filter(gst_return__step__lte=step))]


def parts_of(gst_return: GstReturn) -> list[GstReturnPart]:
    """All that a return is the sum of: an F7 tells the whole of its period anew."""
    if gst_return.form == Form.F5:
        return [*gst_return.parts.all()]
    return declared_of(gst_return.starts_on, gst_return.ends_on, step=gst_return.step)


def documents_in(parts: Iterable[Part | GstReturnPart]) -> Q:
    """Which documents some parts are made of."""
    return reduce(
        or_,
        (counting(each.starts_on, each.ends_on, each.recorded_after, each.recorded_until) for each in parts),
        Q(pk__in=()),
    )


def draft(starts_on: date, ends_on: date, errors: Errors, *, until: date) -> list[Part]:
    """What an F5 of a period would be made of, where it told of all that was recorded by the end of a day.

    ``errors`` are those until then: where it may, it corrects those of earlier periods.
    """
    corrected = errors.parts if errors.may_be_in_next_f5 else ()
    return [part_of(starts_on, ends_on, None, until), *(part for part in corrected if part.ends_on < starts_on)]
