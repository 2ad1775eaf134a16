"""Where Django looks for models: each stands with what it belongs to."""

from foundation.changes import Change
from foundation.office.models import UploadedTable
from foundation.operations.models import ClientOperation
from foundation.spreadsheets.models import ImportedTable

__all__ = ["Change", "ClientOperation", "ImportedTable", "UploadedTable"]
