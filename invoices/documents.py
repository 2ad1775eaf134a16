"""Where the PDFs lie: written once under a name that nobody can guess, never overwritten."""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pypdf import PdfWriter

from foundation.commands import on_rollback
from foundation.unreadable import UnreadableRecord
from invoices.errors import StorageUnavailable
from invoices.models import Invoice
from invoices.stamping import Stamp, stamp_of, stamped

FOLDER = "invoices"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """``path`` is relative to the storage; ``sha256`` in hexadecimal."""

    path: str
    sha256: str


def store(pdf: bytes, *, number: str, day: date) -> StoredDocument:
    """Write a document; a rollback of the running command takes it away again.

    Raises StorageUnavailable where it can't be written.
    """
    name = f"{FOLDER}/{day:%Y/%m/%d}/{number}-{secrets.token_hex(8)}.pdf"
    # Before the write: a disk that fills up leaves half a file behind.
    on_rollback(partial(_take_away, name))
    try:
        path = default_storage.save(name, ContentFile(pdf))
    except OSError as error:
        raise StorageUnavailable("The invoice can't be stored at the moment. Nothing was recorded.") from error
    return StoredDocument(path=path, sha256=hashlib.sha256(pdf).hexdigest())


def read(path: str, sha256: str) -> bytes:
    """The stored document. Raises StorageUnavailable where it can't be read, UnreadableRecord where it was altered."""
    try:
        with default_storage.open(path) as file:
            content: bytes = file.read()
    except OSError as error:
        raise StorageUnavailable("The document can't be read at the moment.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnreadableRecord(f"{path} isn't the document that was stored.")
    return content


def printed(invoice: Invoice, stamp: Stamp | None) -> bytes:
    """The stored document with its stamp, if it has one. Raises StorageUnavailable, UnreadableRecord."""
    pdf = read(invoice.pdf_path, invoice.pdf_sha256)
    return pdf if stamp is None else stamped(pdf, stamp, at=invoice.generated_at)


def merged(invoices: Iterable[Invoice]) -> bytes:
    """The documents as they are printed now, as one PDF in this order. Raises StorageUnavailable, UnreadableRecord."""
    merger = PdfWriter()
    for invoice in invoices:
        merger.append(BytesIO(printed(invoice, stamp_of(invoice))), import_outline=False)
    # The same fonts lie in each of them.
    merger.compress_identical_objects()
    content = BytesIO()
    merger.write(content)
    return content.getvalue()


def _take_away(path: str) -> None:
    """Where that fails too, an orphan stays for ``sweep_documents``: the refusal says what went wrong first."""
    try:
        discard(path)
    except OSError:
        logger.warning("A document of no invoice is left behind: %s", path, exc_info=True)


def discard(path: str) -> None:
    default_storage.delete(path)
