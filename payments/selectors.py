"""Where payments are found, and what they add up to."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F, Q

from accounts.models import User
from customers.models import Customer
from deposits.models import LotMovement
from foundation.money import ZERO, shown, sum_of, to_cents
from foundation.operations.ordering import numbered_above
from foundation.remains import tells_of
from invoices.models import Invoice
from payments.models import Allocation, CashCount, Payment
from payments.offsets import Open, Refunded, offsets

PAYMENT_NUMBERS = {"PAY": "pk", "": "reference"}
"""Which field holds the numbers of a prefix, see `customers.search`."""


def cash_in_bag(user: User) -> Decimal:
    """The cash that a user took and hasn't handed in."""
    bag = Payment.objects.filter(user=user, cash_count__isnull=True, method=Payment.Method.CASH)
    total: Decimal = bag.aggregate(total=sum_of("amount"))["total"]
    return total


def cash_expected(count: CashCount) -> Decimal:
    """What should have been in the bag at a count: the cash taken before it, and not before the one before it."""
    taken = Payment.objects.filter(user=count.user_id, method=Payment.Method.CASH)
    if count.status == CashCount.Status.SIGNED_OFF:
        taken = taken.filter(cash_count=count)
    else:
        # What its own device numbered above it comes behind it when it is signed off, whatever its time says.
        above = numbered_above(count)
        taken = taken.filter(ordered_at__lte=count.ordered_at).exclude(above)
        others = CashCount.objects.filter(user=count.user_id, ordered_at__lte=count.ordered_at).exclude(above)
        before = [each for each in others.exclude(status=CashCount.Status.REJECTED) if each.order < count.order]
        if before:
            taken = taken.filter(ordered_at__gt=max(before, key=lambda each: each.order).ordered_at)
    # SQLite adds decimals as floats.
    return to_cents(taken.aggregate(total=sum_of("amount"))["total"])


def expectation_seen_by(reader: User, count: CashCount) -> Decimal | None:
    """What should have been in an open count's bag by what is known so far, for who may decide about it.

    Whoever counted it isn't told; of a rejected one nobody is: it is counted again.
    """
    is_others = count.status == CashCount.Status.COUNTED and count.user_id != reader.pk
    if is_others and CashCount.objects.decidable_by(reader).filter(pk=count.pk).exists():
        return cash_expected(count)
    return None


def credit_of(customer: Customer) -> Decimal:
    """What a customer paid and nothing is settled with, yet."""
    unused = Payment.objects.filter(customer=customer, used_up_on__isnull=True)
    total: Decimal = unused.aggregate(total=sum_of(F("amount") - F("allocated_amount")))["total"]
    return total


def rounded_away(of: Q, days: Q) -> Decimal:
    """How much more cash came than it settled, of these payments on these days; negative: less, the company's loss."""
    roundings = Allocation.objects.filter(days, rounding_of__in=Payment.objects.filter(of, method=Payment.Method.CASH))
    # SQLite adds decimals as floats.
    return -to_cents(roundings.aggregate(total=sum_of("amount"))["total"]) + ZERO


def refunds_open(customer: Customer) -> Decimal:
    """What is left of a customer's credit notes: neither paid out nor set off."""
    notes = Invoice.objects.filter(customer=customer, settled_on__isnull=True, total_amount__lt=0)
    total: Decimal = notes.aggregate(total=sum_of(F("settled_amount") - F("total_amount")))["total"]
    return total


def paid_out_of(credit_note: Invoice) -> Decimal:
    """How much of a credit note was paid out, and not set off."""
    paid = Allocation.objects.filter(invoice=credit_note, payment__isnull=False)
    # SQLite adds decimals as floats.
    return -to_cents(paid.aggregate(total=sum_of("amount"))["total"]) + ZERO


def open_of_charges(lot_ids: Iterable[int]) -> dict[int, list[Open]]:
    """The invoices that charged these deposits, by lot, the first one first, each with what is open of it."""
    charges = LotMovement.objects.filter(lot__in=set(lot_ids), pieces__gt=0).order_by("pk")
    charged = list(charges.values_list("lot", "document_number"))
    invoices = Invoice.objects.filter(invoice_number__in={number for _, number in charged}, total_amount__gt=0)
    rows = invoices.values_list("pk", "invoice_number", "total_amount", "settled_amount")
    still = {number: Open(pk, number, total - settled) for pk, number, total, settled in rows}
    found: dict[int, list[Open]] = defaultdict(list)
    for lot, number in charged:
        if number in still:
            found[lot].append(still[number])
    return found


def offsets_of(credit_note: Invoice) -> dict[Open, Decimal]:
    """What is left of a refund, and has to be set off before any of it is paid out: its deposits' charges are open."""
    used = LotMovement.objects.filter(document_number=credit_note.invoice_number, pieces__lt=0)
    refunds = [Refunded(lot, -amount) for lot, amount in used.order_by("pk").values_list("lot", "amount")]
    charged_by = open_of_charges(refund.lot for refund in refunds)
    done = Allocation.objects.filter(credit_note=credit_note).order_by().values_list("invoice")
    # SQLite adds decimals as floats.
    set_off = {pk: to_cents(amount) for pk, amount in done.annotate(sum=sum_of("amount"))}
    return offsets(refunds, charged_by, most=-credit_note.outstanding_amount, set_off=set_off)


@tells_of(Customer)
def unused_credit(customer: Customer) -> Iterable[str]:
    """What a customer paid and nothing is settled with."""
    credit = credit_of(customer)
    return [f"S$ {shown(credit)} of credit"] if credit else []


@tells_of(User)
def counted_by(user: User) -> Iterable[str]:
    """The cash counts of a user that nobody has decided about."""
    rows = CashCount.objects.filter(user=user, status=CashCount.Status.COUNTED).order_by("pk")
    return [f"{row} is still to be signed off" for row in rows]


@tells_of(User)
def bag(user: User) -> Iterable[str]:
    """The cash that a user still has."""
    cash = cash_in_bag(user)
    return [f"S$ {shown(cash)} of cash in the bag"] if cash else []
