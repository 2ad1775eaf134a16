"""The proof that the books are right: every invariant, checked on the live data, read-only.

Each check yields a sentence for each break that it finds, and nothing where all is well. The database compares
and answers with broken rows alone, a window of primary keys at a time, so that neither memory nor a statement
grows with history.
"""

from collections.abc import Callable

from reports.verification.books import closed_books_stand, gst_returns_are_their_documents
from reports.verification.figures import Breaks, Watch
from reports.verification.meters import meter_chains_are_unbroken
from reports.verification.money import (
    amounts_add_up,
    cash_is_handed_in_with_its_count,
    every_invoice_has_its_sale,
    lots_are_what_their_lines_say,
    payments_settle_what_they_say,
    what_was_taken_back_is_no_more_than_was_billed,
)
from reports.verification.records import (
    documents_are_stored,
    everything_is_in_the_audit_log,
    ledgers_are_guarded,
    no_document_is_an_orphan,
    numbers_are_complete,
    numbers_can_be_read,
)
from reports.verification.stock import (
    balances_are_sums_of_movements,
    counts_are_what_the_books_say,
    cylinders_are_conserved,
    movements_are_those_of_their_documents,
    no_real_balance_is_negative,
)
from reports.verification.vehicles import everybody_drives_what_was_assigned

CHECKS: dict[str, Callable[[Watch], Breaks]] = {
    "Every number can be read": numbers_can_be_read,
    "Balances are the sums of their movements": balances_are_sums_of_movements,
    "Cylinders are conserved": cylinders_are_conserved,
    "No real balance is below zero": no_real_balance_is_negative,
    "Amounts add up from their lines": amounts_add_up,
    "Movements are those of their documents": movements_are_those_of_their_documents,
    "Counts are what the books say": counts_are_what_the_books_say,
    "Cash is handed in with the first count after it": cash_is_handed_in_with_its_count,
    "Payments settle what they say": payments_settle_what_they_say,
    "No more is taken back than was billed": what_was_taken_back_is_no_more_than_was_billed,
    "Deposits held are what their lines say": lots_are_what_their_lines_say,
    "Every invoice has its sale": every_invoice_has_its_sale,
    "Closed books are as they were": closed_books_stand,
    "GST returns are the sums of their documents": gst_returns_are_their_documents,
    "Meter chains are unbroken": meter_chains_are_unbroken,
    "Everybody drives what their assignments say": everybody_drives_what_was_assigned,
    "Numbers are complete": numbers_are_complete,
    "Every invoice has its PDF, unaltered": documents_are_stored,
    "No PDF is without an invoice": no_document_is_an_orphan,
    "Everything is in the audit log": everything_is_in_the_audit_log,
    "The database guards the ledgers": ledgers_are_guarded,
}
