"""Row locks of sales and settlements."""

from transactions.models import Settlement, Transaction


def transaction(transaction_id: int) -> Transaction:
    row: Transaction = Transaction.objects.select_for_update().get(pk=transaction_id)
    return row


def settlement(settlement_id: int) -> Settlement:
    row: Settlement = Settlement.objects.select_for_update().get(pk=settlement_id)
    return row
