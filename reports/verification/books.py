"""Closed books and filed GST returns are what they were."""

from periods.models import GstReturn, GstReturnPart, Period
from periods.selectors import held_between, part_of, parts_of
from reports.verification.figures import Breaks, Watch


def closed_books_stand(watch: Watch) -> Breaks:
    """A period holds what it held when it was closed."""
    for period in Period.objects.filter(reopens__isnull=True).order_by("step"):
        held = held_between(period.starts_on, period.ends_on)
        if (held.documents, held.billed, held.received) != (period.documents, period.billed, period.received):
            yield (
                f"The books {period} were closed with {period.documents} documents of {period.billed} and "
                f"{period.received} received, and hold {held.documents} of {held.billed} and {held.received}."
            )


def gst_returns_are_their_documents(watch: Watch) -> Breaks:
    """Each part of a return is the sum of its documents, and each return the sum of its parts."""
    for part in GstReturnPart.objects.select_related("gst_return").order_by("pk"):
        now = part_of(part.starts_on, part.ends_on, part.recorded_after, part.recorded_until)
        if (now.documents, now.box_1, now.box_6) != (part.documents, part.box_1, part.box_6):
            yield (
                f"The {part.gst_return} declared {part.box_1} and GST {part.box_6} of {part}; its documents come to "
                f"{now.box_1} and {now.box_6}."
            )
    for filed in GstReturn.objects.prefetch_related("parts").order_by("step"):
        parts = parts_of(filed)
        boxes = sum(part.box_1 for part in parts), sum(part.box_6 for part in parts)
        if boxes != (filed.box_1, filed.box_6):
            yield f"The {filed} says {filed.box_1} and GST {filed.box_6}; its parts come to {boxes[0]} and {boxes[1]}."
