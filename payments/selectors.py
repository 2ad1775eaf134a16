"""Where payments are found, and what they add up to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, QuerySet

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from deposits.models import LotMovement
from foundation.entities import entity_name
from foundation.money import ZERO, shown, sum_of, to_cents
from foundation.operations.ordering import numbered_above
from foundation.remains import tells_of
from invoices.models import Invoice
from payments.bag import Bag
from payments.models import Allocation, CashCount, CashExpense, Payment
from payments.offsets import Open, Refunded, offsets

Method = Payment.Method
PAYMENT_NUMBERS = {"PAY": "pk", "": "reference"}
"""Which field holds the numbers of a prefix, see `customers.search`."""
MOVED = "payments.payment.moved"
"""What the audit log calls money that was another customer's, see `services.releasing`."""


def cash_in_bag(user: User) -> Decimal:
    """The cash that a user took, less what was spent of it, and hasn't handed in."""
    return Bag().filter(user=user, cash_count__isnull=True).total


def cash_expected(count: CashCount) -> Decimal:
    """What should have been in the bag at a count: the cash of before it, and not of before the one before it."""
    return _bag_of(count).total


def _bag_of(count: CashCount) -> Bag:
    bag = Bag().filter(user=count.user_id)
    return bag.filter(cash_count=count) if count.status == CashCount.Status.SIGNED_OFF else bag.filter(_since(count))


def _since(count: CashCount) -> Q:
    """What lies between the count before and a count."""
    # What its own device numbered above it comes behind it when it is signed off, whatever its time says.
    above = numbered_above(count)
    between = Q(ordered_at__lte=count.ordered_at) & ~above
    others = CashCount.objects.filter(between, user=count.user_id).exclude(status=CashCount.Status.REJECTED)
    if before := [each for each in others if each.order < count.order]:
        between &= Q(ordered_at__gt=max(before, key=lambda each: each.order).ordered_at)
    return between


@dataclass(frozen=True, slots=True)
class MethodSums:
    """What was taken, and paid back, in one way. What takes a row back lowers what that row raised."""

    method: Payment.Method
    taken: Decimal
    paid_back: Decimal


@dataclass(frozen=True, slots=True)
class MoneyTaken:
    """What became of somebody's takings: in each way, and what was spent of the cash."""

    methods: Sequence[MethodSums]
    expenses: Decimal

    @property
    def cash(self) -> Decimal:
        """Less what was paid back."""
        is_cash = [each for each in self.methods if each.method == Payment.Method.CASH]
        return sum((each.taken - each.paid_back for each in is_cash), ZERO)

    @property
    def without_cash(self) -> Decimal:
        """Likewise."""
        return sum((each.taken - each.paid_back for each in self.methods), ZERO) - self.cash

    @property
    def cash_expected(self) -> Decimal:
        return self.cash - self.expenses


def money_taken(payments: QuerySet[Payment], expenses: QuerySet[CashExpense]) -> MoneyTaken:
    """These rows by method. A reversal undoes what it reverses: it is no payout."""
    is_taking = Q(amount__gt=0, reverses__isnull=True) | Q(amount__lt=0, reverses__isnull=False)
    rows = payments.order_by().values("method").annotate(taken=sum_of("amount", is_taking), all=sum_of("amount"))
    # SQLite adds decimals as floats.
    sums = {row["method"]: (to_cents(row["taken"]), to_cents(row["taken"] - row["all"])) for row in rows}
    spent = expenses.aggregate(total=sum_of("amount"))["total"]
    methods = [MethodSums(method, *sums.get(method, (ZERO, ZERO))) for method in Payment.Method]
    return MoneyTaken(methods, to_cents(spent))


def money_of(count: CashCount) -> MoneyTaken:
    """What was taken before a count and not before the one before it. Of cash it is what is handed in with it."""
    bag = _bag_of(count)
    others = Payment.objects.filter(_since(count), user=count.user_id).exclude(method=Payment.Method.CASH)
    return money_taken(bag.taken | others, bag.spent)


def money_seen_by(reader: User, count: CashCount) -> MoneyTaken | None:
    """`money_of` a count for who may see what should be in its bag."""
    is_signed = count.status == CashCount.Status.SIGNED_OFF
    return money_of(count) if is_signed or expectation_seen_by(reader, count) is not None else None


def expenses_of(count: CashCount) -> QuerySet[CashExpense]:
    """What was spent of the cash that is in a count's bag, in the order of what happened; taken back: not at all."""
    spent = _bag_of(count).spent.filter(reverses__isnull=True, reversal__isnull=True)
    return spent.order_by("ordered_at", "pk")


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


def makers_of_credit(source: Payment | Invoice) -> set[int]:
    """The primary keys of those who made what is left of a payment, or of a credit note, the customer's credit.

    Who took back what it had settled; who recorded it, as far as it never settled anything.
    """
    settling = Q(credit_note=source) if isinstance(source, Invoice) else Q(payment=source)
    freed = list(Allocation.objects.filter(settling, amount__lt=0).values_list("user_id", "amount"))
    left = -source.outstanding_amount if isinstance(source, Invoice) else source.credit_amount
    never_settled = left > -sum((amount for _, amount in freed), ZERO)
    return {user for user, _ in freed} | ({_recorded_by(source)} if never_settled else set())


def _recorded_by(source: Payment | Invoice) -> int:
    """A note is its seller's, and money that was moved to another customer is of who took it: who wrote the one, or
    moved the other, stands in the audit log.
    """
    row, about = (source, Q(action=MOVED)) if isinstance(source, Payment) else (source.transaction, Q())
    of_it = AuditLog.objects.filter(about, entity_type=entity_name(row), entity_id=row.pk).order_by("pk")
    return of_it.values_list("user_id", flat=True).first() or source.user_id


def serves(user: User, customer: Customer) -> bool:
    """Has somebody recorded a document of a customer, or their money?"""
    money = Payment.objects.filter(user=user, customer=customer, is_goodwill=False)
    return Invoice.objects.filter(user=user, customer=customer).exists() or money.exists()


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


def unfound_of(invoices: Iterable[int]) -> dict[int, list[Payment]]:
    """What settles these invoices and came without cash, where nobody has found it at the bank; by invoice."""
    standing = Payment.objects.filter(banked_on__isnull=True, reverses__isnull=True, reversal__isnull=True)
    rows = Allocation.objects.filter(invoice__in=set(invoices), payment__in=standing.exclude(method=Method.CASH))
    sums = rows.order_by("payment").values_list("invoice", "payment").annotate(total=sum_of("amount"))
    # SQLite adds decimals as floats.
    settling = [(invoice, payment) for invoice, payment, total in sums if to_cents(total)]
    payments = Payment.objects.in_bulk({payment for _, payment in settling})
    found: dict[int, list[Payment]] = defaultdict(list)
    for invoice, payment in settling:
        found[invoice].append(payments[payment])
    return found


def unfound_of_refund(credit_note: Invoice) -> list[Payment]:
    """Likewise what paid the deposits that a refund gives back."""
    used = LotMovement.objects.filter(document_number=credit_note.invoice_number, pieces__lt=0)
    charges = open_of_charges(used.values_list("lot", flat=True))
    found = unfound_of(charge.invoice for each in charges.values() for charge in each)
    return [*{payment.pk: payment for each in found.values() for payment in each}.values()]


def offsets_of(credit_note: Invoice) -> dict[Open, Decimal]:
    """What is left of a refund, and has to be set off before any of it is paid out: its deposits' charges are open."""
    used = LotMovement.objects.filter(document_number=credit_note.invoice_number, pieces__lt=0)
    refunds = [Refunded(lot, -amount) for lot, amount in used.order_by("pk").values_list("lot", "amount")]
    charged_by = open_of_charges(refund.lot for refund in refunds)
    done = Allocation.objects.filter(credit_note=credit_note).order_by().values_list("invoice")
    # SQLite adds decimals as floats.
    set_off = {pk: to_cents(amount) for pk, amount in done.annotate(sum=sum_of("amount"))}
    return offsets(refunds, charged_by, most=-credit_note.outstanding_amount, set_off=set_off)


def names_of(reader: User, charges: Iterable[Open]) -> list[str]:
    """The invoices by their numbers, and those that the reader may not see as another one."""
    rows = list(charges)
    visible = Invoice.objects.visible_to(reader).filter(pk__in=[row.invoice for row in rows])
    seen = set(visible.values_list("pk", flat=True))
    return [row.number if row.invoice in seen else "another invoice" for row in rows]


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
