"""Where Django looks for models: each stands with what it belongs to."""

from foundation.changes import Change
from foundation.office.models import UploadedTable
from foundation.operations.models import ClientOperation

__all__ = ["Change", "ClientOperation", "UploadedTable"]
