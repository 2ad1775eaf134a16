"""Why money can't be taken, allocated or taken back."""

from foundation.confirmations import Question
from foundation.errors import Conflict


class AlreadyPaid(Conflict):
    """Nothing is open of this invoice any more."""

    code = "already_paid"


class ExceedsOutstanding(Conflict):
    """More is allocated to an invoice than is open of it."""

    code = "exceeds_outstanding"


class ExceedsCredit(Conflict):
    """More is allocated than is left of the payment."""

    code = "exceeds_credit"


class MoneyNotFound(Question):
    """What is paid back came without cash, and nobody has found it in the bank's report yet."""

    code = "money_not_found"


class PaymentRepeated(Question):
    """The same person recorded equal money minutes before, and neither has a reference that tells them apart."""

    code = "payment_repeated"


class DateUnlikely(Question):
    """Money is said to have come long before it is entered: the year or the month may be a slip."""

    code = "date_unlikely"


class MoneyBanked(Question):
    """The bank's report has what is to be reversed: the money moved."""

    code = "money_banked"


class NotBanked(Conflict):
    """Nobody has said of this payment that the bank has it."""

    code = "not_banked"


class CashCountDecided(Conflict):
    """This count was signed off or rejected already."""

    code = "cash_count_decided"
