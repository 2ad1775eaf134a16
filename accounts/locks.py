"""Row locks of users."""

from collections.abc import Iterable

from accounts.models import User
from foundation.infrastructure.shared_locks import share


def user(pk: int) -> User | None:
    return User.objects.select_for_update().filter(pk=pk).first()


def makers(pks: Iterable[int]) -> None:
    """Whom new rows will name as their users, shared: whoever takes over the bag of one of them waits."""
    share(User.objects.filter(pk__in={*pks}))


def users(pks: Iterable[int]) -> dict[int, User]:
    """The users by primary key, locked in that order."""
    rows = User.objects.select_for_update().filter(pk__in={*pks}).order_by("pk")
    return {row.pk: row for row in rows}
