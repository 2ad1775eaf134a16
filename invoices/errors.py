"""Why a document can't be issued or sent."""

from foundation.errors import Busy, Conflict


class StorageUnavailable(Busy):
    """The document can't be stored (disk full, read-only): the whole sale is refused."""

    code = "storage_unavailable"
    retry_after_seconds = 30


class NoEmailAddress(Conflict):
    """The customer has no email address, and none was sent."""

    code = "no_email_address"
