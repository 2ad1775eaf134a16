"""Row locks of conflicts and of the feed."""

from sync.models import Feed, SyncConflict


def conflict(pk: int) -> SyncConflict:
    row: SyncConflict = SyncConflict.objects.select_for_update().get(pk=pk)
    return row


def feed() -> Feed:
    return Feed.objects.select_for_update().get()
