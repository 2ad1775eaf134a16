"""Money: what is billed, settled, and held against deposits."""

from collections import defaultdict
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    Case,
    DecimalField,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Sign
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from deposits.models import DepositLot, LotMovement
from invoices.models import Invoice
from payments.bag import Bag
from payments.models import Allocation, CashCount, CashExpense, Payment
from payments.services import CASH_COUNT_PREFIX
from reports.verification.figures import NUMBER, Breaks, Watch, in_dollars, is_rounded, unless, whole
from transactions.models import (
    DepositBalance,
    Transaction,
    TransactionItem,
)

_DECIMAL = DecimalField(max_digits=18, decimal_places=2)


_SAID = ("subtotal", "taxable_amount", "gst_amount", "total_amount")


def cash_is_handed_in_with_its_count(watch: Watch) -> Breaks:
    """With the first count of whoever took it that stands after it was taken; without one it is in the bag.

    What earlier releases handed in followed the order of arrival.
    """
    for window in watch.windows(CashCount):
        ours = CashCount.objects.standing().filter(window, count_number__startswith=f"{CASH_COUNT_PREFIX}-")
        for count in ours:
            left = Q(cash_count=None) | Q(cash_count__ordered_at__gt=count.ordered_at)
            for rows in Bag().filter(user=count.user_id):
                for row in rows.filter(ordered_at__gt=count.ordered_at, cash_count=count):
                    yield f"{row} was handed in with {count}, and taken afterwards"
                for row in rows.filter(left, ordered_at__lte=count.ordered_at):
                    yield f"{row} was taken before {count}, and not handed in with it"


def amounts_add_up(watch: Watch) -> Breaks:
    for window in watch.windows(Transaction, "transaction_id"):
        yield from _broken_lines(window)
    for window in watch.windows(Transaction):
        yield from _broken_sales(window)


def _broken_lines(window: Q) -> Breaks:
    """A line amounts to quantity x rate; what gives a deposit back is negative.

    What takes a line back in part has its own check.
    """
    kind = TransactionItem.Type
    sign = Case(When(type__in=(kind.RETURN, kind.SETOFF), then=Value(-1)), default=Value(1))
    right = Q(amount_cents=F("owed")) | Q(corrects__isnull=False)
    lines = TransactionItem.objects.filter(window).annotate(
        amount_cents=whole("amount", 100), owed=sign * F("quantity") * whole("rate", 100)
    )
    for line in lines.annotate(wrong=unless(right)).filter(wrong=1).select_related("transaction"):
        yield (
            f"{line.transaction.transaction_number}: line {line.pk} amounts to {line.amount}, "
            f"not {line.quantity} x {line.rate}"
        )


def _broken_sales(window: Q) -> Breaks:
    """Items, usage and total of a sale, and what its invoice makes of them."""
    sales = (
        Transaction.objects.filter(window)
        .order_by()
        .values("transaction_number", "invoice__invoice_number")
        .annotate(
            lines=_line_cents(),
            taxed_lines=_line_cents(taxable=True),
            items=whole("items_amount", 100),
            used=whole("usage", 100),
            read=Coalesce(
                whole("current_meter_reading", 100) - whole("last_meter_reading", 100), 0, output_field=NUMBER
            ),
            unit=Coalesce(whole("meter_rate", 10_000), 0, output_field=NUMBER),
            metered=whole("usage_amount", 100),
            total=whole("total_amount", 100),
            billed=whole("invoice__subtotal", 100),
            billed_taxable=whole("invoice__taxable_amount", 100),
            gst_rate=whole("invoice__gst_rate", 100),
            gst=whole("invoice__gst_amount", 100),
            owed=whole("invoice__total_amount", 100),
        )
        .annotate(taxable=F("metered") + F("taxed_lines"))
    )
    says = {name: KeyTextTransform(name, "invoice__snapshot") for name in ("number", "transaction_number")}
    says_cents = {name: whole(Cast(KeyTextTransform(name, "invoice__snapshot"), _DECIMAL), 100) for name in _SAID}
    rules = {
        "items amount {items}, lines add up to {lines}": Q(items=F("lines")),
        "usage {used}, readings say {read}": Q(used=F("read")),
        "usage amount {metered}, usage {used} at {unit} / 100": is_rounded("metered", F("used") * F("unit"), 10_000)
        | _keeps_meter,
        "total {total}, {metered} + {items}": Q(total=F("metered") + F("items")),
        "{invoice__invoice_number} bills {billed}, the sale {total}": Q(billed=F("total")),
        "{invoice__invoice_number}: taxable {billed_taxable}, the sale {taxable}": Q(billed_taxable=F("taxable")),
        "{invoice__invoice_number}: GST {gst} on {taxable} at {gst_rate} %": is_rounded(
            "gst", F("taxable") * F("gst_rate"), 10_000
        )
        | Q(corrects__isnull=False),
        "{invoice__invoice_number}: total {owed}, {billed} + {gst}": Q(owed=F("billed") + F("gst")),
        "{invoice__invoice_number}: the document says something else than the row": Q(
            invoice__invoice_number=says["number"],
            transaction_number=says["transaction_number"],
            billed=says_cents["subtotal"],
            billed_taxable=says_cents["taxable_amount"],
            gst=says_cents["gst_amount"],
            owed=says_cents["total_amount"],
        ),
    }
    flags = {f"wrong_{number}": unless(rule) for number, rule in enumerate(rules.values())}
    any_wrong = reduce(or_, (Q(**{flag: 1}) for flag in flags))
    for sale in sales.annotate(**flags).filter(any_wrong):
        shown = {name: in_dollars(value) for name, value in sale.items()}
        for flag, text in zip(flags, rules, strict=True):
            if sale[flag]:
                yield f"{sale['transaction_number']}: {text.format(**shown)}"


_keeps_meter = Q(used=0) & (Q(corrects__isnull=False) | Q(reverses__isnull=False) | Q(replaces__isnull=False))
"""A meter that has moved on stays where it is: only the money of its usage is taken back, and billed again."""


def what_was_taken_back_is_no_more_than_was_billed(watch: Watch) -> Breaks:
    """Of each document and each line; the GST of all that was credited is that of its amount, and no cent stays."""
    for window in watch.windows(Invoice):
        yield from _wrongly_taken_back(window)
    for window in watch.windows(Transaction, "transaction_id"):
        lines = (
            TransactionItem.objects.filter(window, corrections__isnull=False).distinct().select_related("transaction")
        )
        left = lines.annotate(
            pieces=F("quantity") + _taken_back(TransactionItem, F("quantity")),
            cents=whole("amount", 100) + _taken_back(TransactionItem, whole("amount", 100)),
        )
        for line in left.filter(Q(pieces__lt=0) | Q(cents__lt=0)):
            number, amount = line.transaction.transaction_number, in_dollars(line.cents)
            yield f"{number}: of line {line.pk} {line.pieces} for {amount} are left"


def _wrongly_taken_back(window: Q) -> Breaks:
    names = ("total_amount", "taxable_amount", "gst_amount")
    left = {f"{name}_left": whole(name, 100) + _taken_back(Invoice, whole(name, 100)) for name in names}
    documents = (
        Invoice.objects.filter(window)
        .filter(Q(corrections__isnull=False) | ~Q(credited_amount=0) | Q(voided_on__isnull=False))
        .distinct()
        .annotate(credited=whole("credited_amount", 100), total=whole("total_amount", 100), **left)
        .annotate(exact=F("taxable_amount_left") * whole("gst_rate", 100), sign=Sign("total_amount"))
        .defer("snapshot")
    )
    is_said = Q(credited=F("total") - F("total_amount_left"))
    is_void = Q(total_amount_left=0, voided_on__isnull=False) | ~Q(total_amount_left=0) & Q(voided_on__isnull=True)
    # The GST of an invoice is off by half a cent at most. Where a sum with GST was credited, its GST is rounded, and
    # with it what is left before GST is off; a line that is credited whole may take a cent of it more: by 1.5 × 1.09.
    off = F("gst_amount_left") * 20_000 - F("exact") * 2
    most = Value(40_000) + whole("gst_rate", 100) * 3
    is_taxed = Q(GreaterThanOrEqual(off, -most)) & Q(LessThanOrEqual(off, most))
    no_cent = ~Q(taxable_amount_left=0) | Q(gst_amount_left=0)
    is_less = Q(GreaterThanOrEqual(F("total_amount_left") * F("sign"), 0))
    right = is_said & is_void & is_taxed & no_cent & is_less
    for document in documents.annotate(wrong=unless(right)).filter(wrong=1):
        yield (
            f"{document.invoice_number}: {document.credited_amount} of {document.total_amount} is said to be taken back"
            f" (void since {document.voided_on}), left are {in_dollars(document.taxable_amount_left)} with GST"
            f" {in_dollars(document.gst_amount_left)}, {in_dollars(document.total_amount_left)} in all"
        )


def _taken_back(model: Any, amount: Any) -> Coalesce:
    """What the rows that correct a row of this model add up to."""
    of_it = model.objects.filter(corrects=OuterRef("pk")).order_by().values("corrects")
    return Coalesce(Subquery(of_it.annotate(sum=Sum(amount)).values("sum")), 0, output_field=NUMBER)


def _line_cents(**of: bool) -> Coalesce:
    """What the lines of a transaction add up to, in cents."""
    lines = TransactionItem.objects.filter(transaction=OuterRef("pk"), **of).order_by().values("transaction")
    return Coalesce(Subquery(lines.annotate(sum=Sum(whole("amount", 100))).values("sum")), 0, output_field=NUMBER)


def every_invoice_has_its_sale(watch: Watch) -> Breaks:
    for number in Invoice.objects.filter(transaction__isnull=True).values_list("invoice_number", flat=True):
        yield f"{number} bills no transaction"


def payments_settle_what_they_say(watch: Watch) -> Breaks:
    """What is settled of an invoice, and used of a payment, is the sum of the allocations."""
    for window in watch.windows(Invoice):
        invoices = Invoice.objects.filter(window).annotate(
            settled=whole("settled_amount", 100),
            total=whole("total_amount", 100),
            allocated=_allocated("invoice") - _allocated("credit_note"),
        )
        is_settled = Q(settled=F("total"))
        right = Q(settled=F("allocated")) & (
            is_settled & Q(settled_on__isnull=False) | ~is_settled & Q(settled_on__isnull=True, paid_at__isnull=True)
        )
        for invoice in invoices.annotate(wrong=unless(right)).filter(wrong=1).defer("snapshot"):
            yield (
                f"{invoice.invoice_number}: {invoice.settled_amount} of {invoice.total_amount} settled"
                f" (since {invoice.settled_on}), allocations say {in_dollars(invoice.allocated)}"
            )
    for window in watch.windows(Payment):
        payments = Payment.objects.filter(window).annotate(
            used=whole("allocated_amount", 100),
            all=whole("amount", 100),
            allocated=_allocated("payment") - _allocated("payout"),
        )
        settled = Q(is_goodwill=True, used=F("all"), allocated=0) | Q(is_goodwill=False, used=F("allocated"))
        is_over = Q(used=F("all")) | Q(reverses__isnull=False) | Q(reversal__isnull=False)
        right = settled & (is_over & Q(used_up_on__isnull=False) | ~is_over & Q(used_up_on__isnull=True))
        for payment in payments.annotate(wrong=unless(right)).filter(wrong=1):
            yield (
                f"{payment}: {payment.allocated_amount} of {payment.amount} used,"
                f" allocations say {in_dollars(payment.allocated)}"
            )
    for model in (Payment, CashExpense):
        for reversal in model.objects.filter(reverses__isnull=False).exclude(amount=-F("reverses__amount")):
            yield f"{reversal} of {reversal.amount} reverses another amount"


def _allocated(source: str) -> Coalesce:
    """What a row's allocations add up to, in cents."""
    of_it = Allocation.objects.filter(**{source: OuterRef("pk")}).order_by().values(source)
    return Coalesce(Subquery(of_it.annotate(sum=Sum(whole("amount", 100))).values("sum")), 0, output_field=NUMBER)


def lots_are_what_their_lines_say(watch: Watch) -> Breaks:
    """A lot is the sum of its movements; and all lots of a customer and an equipment come to the lines of their sales.

    With what earlier releases kept and is no lot.
    """
    for window in watch.windows(DepositLot):
        moved = LotMovement.objects.filter(lot=OuterRef("pk")).order_by().values("lot")
        lots = DepositLot.objects.filter(window).annotate(
            cents=whole("amount", 100),
            moved_pieces=Coalesce(Subquery(moved.annotate(sum=Sum("pieces")).values("sum")), 0),
            moved_cents=Coalesce(
                Subquery(moved.annotate(sum=Sum(whole("amount", 100))).values("sum")), 0, output_field=NUMBER
            ),
        )
        right = Q(pieces=F("moved_pieces"), cents=F("moved_cents"), pieces__gte=0, cents__gte=0)
        wrong = lots.annotate(wrong=unless(right)).filter(wrong=1)
        for pk, customer, pieces, amount, moved_pieces, moved_cents in wrong.values_list(
            "pk", "customer", "pieces", "amount", "moved_pieces", "moved_cents"
        ):
            yield (
                f"lot {pk} of customer {customer} is {pieces} for {amount}, its movements say "
                f"{moved_pieces} for {in_dollars(moved_cents)}"
            )
    sums: dict[tuple[int, int], int] = defaultdict(int)
    kind = TransactionItem.Type
    lines = TransactionItem.objects.filter(type__in=(kind.DEPOSIT, kind.RETURN, kind.SETOFF)).order_by()
    for window in watch.windows(Transaction, "transaction_id"):
        for customer, equipment, cents in (
            lines.filter(window)
            .values_list("transaction__customer_id", "equipment_id")
            .annotate(cents=Sum(whole("amount", 100)))
        ):
            sums[customer, equipment] += cents or 0
    held: dict[tuple[int, int], int] = defaultdict(int)
    for model in (DepositLot, DepositBalance):
        for customer, equipment, cents in (
            model.objects.order_by()
            .values_list("customer_id", "equipment_id")
            .annotate(cents=Sum(whole("amount", 100)))
        ):
            held[customer, equipment] += cents or 0
    for customer, equipment in sorted(sums.keys() | held.keys()):
        said, kept = sums[customer, equipment], held[customer, equipment]
        if said != kept:
            yield (
                f"customer {customer}, equipment {equipment}: {in_dollars(kept)} of deposits held, lines say "
                f"{in_dollars(said)}"
            )
