"""Row locks of payments, and of the accounts that they change.

Whoever changes what is settled holds the customer's lock first: a customer's account is changed by one at a time.
"""

from collections.abc import Iterable

from accounts import locks as user_locks
from customers import locks as customer_locks
from customers.models import Customer
from invoices.models import Invoice
from payments.models import Allocation, CashCount, CashExpense, Payment


def customer_of_invoice(invoice_id: int) -> Customer:
    return customer_locks.customer(Invoice.objects.values_list("customer_id", flat=True).get(pk=invoice_id))


def customer_of_payment(payment_id: int) -> Customer:
    return customer_locks.customer(Payment.objects.values_list("customer_id", flat=True).get(pk=payment_id))


def bag_of_expense(expense_id: int) -> CashExpense:
    """The expense, under the lock of whose bag it was paid from: nobody signs that off meanwhile."""
    user_locks.users(CashExpense.objects.filter(pk=expense_id).values_list("user_id", flat=True))
    row: CashExpense = CashExpense.objects.select_related("user").get(pk=expense_id)
    return row


def payments(payment_ids: Iterable[int]) -> list[Payment]:
    """In primary-key order."""
    return list(Payment.objects.select_for_update().filter(pk__in=set(payment_ids)).order_by("pk"))


def payments_of(invoice_id: int) -> list[Payment]:
    """What has settled an invoice, in primary-key order."""
    settling = Allocation.objects.filter(invoice=invoice_id, payment__isnull=False)
    return payments(settling.values_list("payment_id", flat=True))


def cash_count(pk: int) -> CashCount:
    row: CashCount = CashCount.objects.select_for_update().get(pk=pk)
    return row
