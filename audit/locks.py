"""Every row lock of the audit log."""

from typing import Any

from django.db.models import QuerySet


def settled(records: QuerySet[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    """These records, once every transaction that is adding one of them has committed or rolled back.

    On SQLite the caller's transaction is the only one that writes.
    """
    return list(records.select_for_update())
