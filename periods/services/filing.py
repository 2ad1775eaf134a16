"""A GST return is filed: what it declares is kept, document by document."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import IntegrityError
from django.db.models import Q

from accounts.models import User
from audit.services import record
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import TryAgain, command
from foundation.confirmations import Question
from foundation.errors import Invalid
from foundation.money import ZERO
from foundation.operations.idempotency import client_temp_id, idempotent
from invoices.models import Invoice
from periods.errors import AlreadyFiled, EarlierDocuments, ErrorsLeftOut, NothingToCorrect
from periods.models import GstReturn, GstReturnPart
from periods.selectors import DAY, Errors, Part, declared_of, draft, errors_until, last_recorded_day

Form = GstReturn.Form


@dataclass(frozen=True, slots=True)
class NewReturn:
    """Which form of which period was filed; both days are in it. ``reference``: IRAS's acknowledgement number."""

    form: str
    starts_on: date
    ends_on: date
    reference: str = ""


@command
@idempotent
def file_return(*, actor: User, data: NewReturn) -> GstReturn:
    """Keep what was declared to IRAS: by an F5 of the next period, or by an F7 of one that was filed.

    It declares what counts in the period and was recorded by the last day that is over. An F5 corrects the errors of
    earlier periods too, where they are few enough for that (`Errors.too_much`); an F7 those of its own period.

    Idempotent by (actor, client_temp_id). Of two at once one waits for the other. Raises Denied, Invalid, AlreadyFiled,
    NothingToCorrect, Unconfirmed.
    """
    if not actor.can(Capability.CLOSE_BOOKS):
        raise denied(actor, Capability.CLOSE_BOOKS)
    now = clock.now()
    until = last_recorded_day(now)
    if data.ends_on < data.starts_on:
        raise Invalid("The period ends before it begins.", attr="ends_on")
    if data.ends_on > until:
        raise Invalid(f"The period isn't over: {until} is the last day that is.", attr="ends_on")
    errors = errors_until(until)
    parts = _parts_of_f5(data, errors, until) if data.form == Form.F5 else _parts_of_f7(data, errors)
    answers = confirmations.require(_asked(data, errors))
    before = [] if data.form == Form.F5 else declared_of(data.starts_on, data.ends_on)
    declared: list[Part | GstReturnPart] = [*before, *parts]
    last = GstReturn.objects.first()
    try:
        filed: GstReturn = GstReturn.objects.create(
            step=last.step + 1 if last else 1,
            form=data.form,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            recorded_until=until,
            box_1=sum((part.box_1 for part in declared), ZERO),
            box_6=sum((part.box_6 for part in declared), ZERO),
            reference=data.reference,
            user=actor,
            client_temp_id=client_temp_id(),
            created_at=now,
            date=clock.business_date(now),
        )
    except IntegrityError as error:
        raise TryAgain from error
    GstReturnPart.objects.bulk_create(GstReturnPart(gst_return=filed, **asdict(part)) for part in parts)
    record(
        actor=actor,
        action="periods.gst_return.filed",
        target=filed,
        after={
            "form": data.form,
            "starts_on": data.starts_on,
            "ends_on": data.ends_on,
            "box_1": filed.box_1,
            "box_6": filed.box_6,
            "reference": data.reference,
        },
        answers=answers,
    )
    return filed


def _parts_of_f5(data: NewReturn, errors: Errors, until: date) -> Sequence[Part]:
    """Periods follow one another without a gap."""
    last = GstReturn.objects.filter(form=Form.F5).order_by("-ends_on").first()
    if last is not None:
        if data.starts_on <= last.ends_on:
            raise AlreadyFiled(f"The {last} was filed: what turned up since is corrected by an F7.", attr="starts_on")
        if data.starts_on != last.ends_on + DAY:
            raise Invalid(f"The next period begins on {last.ends_on + DAY}.", attr="starts_on")
    return draft(data.starts_on, data.ends_on, errors, until=until)


def _parts_of_f7(data: NewReturn, errors: Errors) -> Sequence[Part]:
    if not GstReturn.objects.filter(form=Form.F5, starts_on=data.starts_on, ends_on=data.ends_on).exists():
        raise NothingToCorrect("No F5 of exactly this period was filed.", attr="starts_on")
    found = [part for part in errors.parts if (part.starts_on, part.ends_on) == (data.starts_on, data.ends_on)]
    if not found:
        raise NothingToCorrect("Nothing has turned up for this period since it was declared.", attr="starts_on")
    return found


def _asked(data: NewReturn, errors: Errors) -> Iterator[Question]:
    if data.form == Form.F7:
        return
    if not GstReturn.objects.exists():
        earlier = Invoice.objects.filter(~Q(kind=Invoice.Kind.COLLECTION_NOTE), gst_on__lt=data.starts_on).count()
        if earlier:
            detail = f"{earlier} documents count before {data.starts_on}: no return here declares them."
            yield EarlierDocuments(detail, attr="starts_on", value=earlier)
    if errors.too_much:
        detail = f"{errors.too_much} They aren't in this return: each period needs its F7."
        yield ErrorsLeftOut(detail, attr="starts_on", value=errors.gst)
