"""Row locks of users."""

from accounts.models import User


def user(pk: int) -> User:
    row: User = User.objects.select_for_update().get(pk=pk)
    return row
