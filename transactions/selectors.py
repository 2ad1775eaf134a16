"""What stands at a customer's site, and what its meter read."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from customers.models import Customer
from foundation import clock
from foundation.money import ZERO, sum_of
from invoices.models import Invoice
from payments.models import Payment
from transactions.crediting import InvoiceLeft, LineLeft, Taxed
from transactions.models import MeterReplacement, Transaction, TransactionItem

SALE_NUMBERS = {
    "TRX": "transaction_number", "INV": "invoice__invoice_number", "CN": "invoice__invoice_number"
}  # fmt: skip
"""Which field holds the numbers of a prefix, see `customers.search`."""

MAX_READINGS = 200
"""As many entries of a meter's history as the API answers at once."""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One entry of a meter's history. ``last_reading`` None: there was none before."""

    kind: str
    """READING, VOIDED (a sale that was taken back) or REPLACED (``last_reading`` is the old meter's final one)."""
    occurred_at: datetime
    meter_number: str
    last_reading: Decimal | None
    reading: Decimal | None
    usage: Decimal
    transaction_number: str


def sold_since(customer: int, *, happened_after: datetime, recorded_after: datetime) -> bool:
    """Was another sale to this customer made and recorded after that?"""
    sales = Transaction.objects.sales().filter(customer=customer)
    return sales.filter(occurred_at__gt=happened_after, created_at__gt=recorded_after).exists()


def left_of(sale: Transaction, invoice: Invoice) -> InvoiceLeft:
    """What no document has taken back of a sale's invoice; the caller's lock keeps it so."""
    taken = {
        line: (pieces, amount)
        for line, pieces, amount in TransactionItem.objects.filter(corrects__transaction=sale)
        .order_by()
        .values_list("corrects")
        .annotate(pieces=Sum("quantity"), sum=sum_of("amount"))
    }
    lines = []
    for item in sale.items.select_related("equipment").order_by("pk"):
        pieces, amount = taken.get(item.pk, (0, ZERO))
        lines.append(LineLeft(item, item.quantity + pieces, item.amount + amount, item.taxable))
    usage = Transaction.objects.filter(corrects=sale).aggregate(sum=sum_of("usage_amount"))["sum"]
    # Usage that is billed again has its readings elsewhere.
    if sale.current_meter_reading is not None or sale.usage_amount:
        lines.append(LineLeft(None, 0, sale.usage_amount + usage, is_taxable=True))
    notes = Invoice.objects.filter(corrects=invoice)
    credited = notes.aggregate(net=sum_of("taxable_amount"), gst=sum_of("gst_amount"))
    return InvoiceLeft(
        number=invoice.invoice_number,
        lines=lines,
        total=invoice.total_amount - invoice.credited_amount,
        gst_rate=invoice.gst_rate,
        billed=Taxed(invoice.taxable_amount, invoice.gst_amount),
        credited=Taxed(-credited["net"], -credited["gst"]),
    )


def moved_with(sale: Transaction) -> QuerySet[Payment]:
    """What was taken or paid out with a sale, in its commit: a payment for each method."""
    of_it = Payment.objects.filter(customer=sale.customer_id, user=sale.user_id, created_at=sale.created_at)
    # The day is that of an index.
    received_on = clock.business_date(sale.occurred_at)
    return of_it.filter(received_on=received_on, is_on_the_spot=True).order_by("pk")


def meter_history(customer: Customer, *, newest: int) -> list[MeterReading]:
    """The ``newest`` entries, the newest first, in the order of the books."""
    sales = Transaction.objects.filter(customer=customer).with_readings().order_by("-pk")[:newest]
    entries = [
        (
            (sale.pk, 0),
            MeterReading(
                kind="VOIDED" if sale.reverses_id else "READING",
                occurred_at=sale.occurred_at,
                meter_number=sale.meter_number,
                last_reading=sale.last_meter_reading,
                reading=sale.current_meter_reading,
                usage=sale.usage,
                transaction_number=sale.transaction_number,
            ),
        )
        for sale in sales
    ]
    entries += [
        (
            (replaced.follows_id or 0, replaced.pk),
            MeterReading(
                kind="REPLACED",
                occurred_at=replaced.occurred_at,
                meter_number=replaced.new_meter_number,
                last_reading=replaced.final_reading,
                reading=replaced.first_reading,
                usage=Decimal("0.00"),
                transaction_number="",
            ),
        )
        for replaced in MeterReplacement.objects.filter(customer=customer).order_by("-pk")[:newest]
    ]
    return [entry for _, entry in sorted(entries, key=lambda entry: entry[0], reverse=True)[:newest]]
