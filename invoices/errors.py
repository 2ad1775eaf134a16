"""Why a document can't be issued, sent or settled."""

from foundation.errors import Busy, Conflict


class StorageUnavailable(Busy):
    """The document can't be stored (disk full, read-only): the whole sale is refused."""

    code = "storage_unavailable"
    retry_after_seconds = 30


class AlreadyPaid(Conflict):
    """Nothing is open of this invoice any more."""

    code = "already_paid"


class ExceedsOutstanding(Conflict):
    """More is allocated to an invoice than is open of it."""

    code = "exceeds_outstanding"


class ExceedsCredit(Conflict):
    """More is allocated than is left of the payment."""

    code = "exceeds_credit"


class AlreadyReversed(Conflict):
    """This payment was reversed already, or is a reversal itself."""

    code = "already_reversed"


class NoEmailAddress(Conflict):
    """The customer has no email address, and none was sent."""

    code = "no_email_address"
