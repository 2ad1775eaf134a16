"""Why a document can't be issued."""

from core.errors import Busy


class StorageUnavailable(Busy):
    """The document can't be stored (disk full, read-only): the whole sale is refused."""

    code = "storage_unavailable"
    retry_after_seconds = 30
