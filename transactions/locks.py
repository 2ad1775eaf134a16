"""Row locks of sales."""

from transactions.models import Transaction


def transaction(transaction_id: int) -> Transaction:
    row: Transaction = Transaction.objects.select_for_update().get(pk=transaction_id)
    return row
