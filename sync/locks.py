"""Row locks of devices, of conflicts and of the feed."""

from accounts.models import User
from sync.models import Device, Feed, SyncConflict


def device(user: User, key: str) -> Device:
    row: Device = Device.objects.select_for_update().get(user=user, key=key)
    return row


def conflict(pk: int) -> SyncConflict:
    row: SyncConflict = SyncConflict.objects.select_for_update().get(pk=pk)
    return row


def feed() -> Feed:
    return Feed.objects.select_for_update().get()
