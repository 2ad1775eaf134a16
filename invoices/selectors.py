"""Which GST rate applies, where numbers are found, and which documents belong to nothing."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import F

from customers.models import Customer
from foundation import clock
from foundation.money import shown, sum_of
from foundation.observability.metrics import gauge
from foundation.remains import tells_of
from invoices.documents import FOLDER
from invoices.models import EmailHold, GstRate, Invoice, InvoiceEmail

ORPHAN_AFTER = timedelta(minutes=10)
"""A younger PDF without an invoice may belong to a sale that is being committed right now."""

INVOICE_NUMBERS = {"INV": "invoice_number", "CN": "invoice_number", "TRX": "transaction__transaction_number"}
"""Which field holds the numbers of a prefix, see `customers.search`."""


@gauge("hsh_emails_queued", "Emails that wait to be sent, those that are tried again included.")
def emails_queued() -> int:
    return InvoiceEmail.objects.filter(status=InvoiceEmail.Status.QUEUED).count()


@gauge("hsh_emails_oldest_seconds", "How long the oldest of them has been due.")
def longest_wait() -> float:
    due = InvoiceEmail.objects.filter(status=InvoiceEmail.Status.QUEUED, next_try_at__lte=clock.now())
    oldest = due.order_by("next_try_at").values_list("next_try_at", flat=True).first()
    return (clock.now() - oldest).total_seconds() if oldest else 0


def gst_rate_on(day: date) -> Decimal:
    """The rate in per cent in force on a Singapore date, of one date the latest; 0.00 before the first one.

    A company that isn't registered charges none: 0.00 on every date.
    """
    if not settings.COMPANY_GST_REGISTERED:
        return Decimal("0.00")
    rate = GstRate.objects.filter(valid_from__lte=day).order_by("-valid_from", "-id").first()
    return rate.rate if rate else Decimal("0.00")


def gst_rate_day(*, tax_point_on: date, delivered_on: date) -> date:
    """The date whose rate a supply bears: its tax point, or by the setting its delivery (GST Act 1993, s 39B).

    Between the two the rate may have changed.
    """
    return delivered_on if settings.GST_TRANSITION_BY_DELIVERY else tax_point_on


def gst_rates() -> Callable[[date], Decimal]:
    """`gst_rate_on` for many dates: all rates are read at once."""
    if not settings.COMPANY_GST_REGISTERED:
        return gst_rate_on
    begun = dict(GstRate.objects.order_by("valid_from", "id").values_list("valid_from", "rate"))
    days = [*begun]

    def on(day: date) -> Decimal:
        at = bisect_right(days, day)
        return begun[days[at - 1]] if at else Decimal("0.00")

    return on


def why_held(invoice: Invoice) -> str:
    """Why a document isn't emailed before it is released; empty: nothing holds it."""
    hold = EmailHold.objects.filter(invoice=invoice, released_at__isnull=True).first()
    return hold.because if hold else ""


def open_amount(customer: Customer) -> Decimal:
    """What a customer's open invoices add up to."""
    owed = Invoice.objects.filter(customer=customer, settled_on__isnull=True, total_amount__gt=0)
    total: Decimal = owed.aggregate(total=sum_of(F("total_amount") - F("settled_amount")))["total"]
    return total


@tells_of(Customer)
def unsettled(customer: Customer) -> Iterator[str]:
    """What a customer owes, and is owed by credit notes."""
    still = Invoice.objects.filter(customer=customer, settled_on__isnull=True)
    open_ = F("total_amount") - F("settled_amount")
    for what, documents in (
        ("open of invoices", still.filter(total_amount__gt=0)),
        ("open of credit notes", still.filter(total_amount__lt=0)),
    ):
        amount = documents.aggregate(total=sum_of(open_))["total"]
        if amount:
            yield f"S$ {shown(abs(amount))} {what}"


def orphaned_documents(*, older_than: timedelta = ORPHAN_AFTER) -> Iterator[str]:
    """The stored PDFs, a folder at a time, that no invoice names."""
    settled = clock.now() - older_than
    for folder, names in _folders(FOLDER):
        paths = {f"{folder}/{name}" for name in names if name.endswith(".pdf")}
        known = set(Invoice.objects.filter(pdf_path__in=paths).values_list("pdf_path", flat=True)) if paths else set()
        for path in sorted(paths - known):
            modified = _modified(path)
            if modified is not None and modified <= settled:
                yield path


def is_orphan(path: str) -> bool:
    return not Invoice.objects.filter(pdf_path=path).exists()


def _modified(path: str) -> datetime | None:
    """None where a rollback has taken its document away since the folder was listed."""
    try:
        return default_storage.get_modified_time(path)
    except FileNotFoundError:
        return None


def _folders(root: str) -> Iterator[tuple[str, list[str]]]:
    try:
        folders, files = default_storage.listdir(root)
    except FileNotFoundError:
        return
    yield root, files
    for folder in folders:
        yield from _folders(f"{root}/{folder}")
