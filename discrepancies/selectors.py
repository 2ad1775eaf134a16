"""What differs, by whose operation it was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from accounts.models import User
from discrepancies.models import Discrepancy


def discrepancies_by_operation(user: User, client_temp_ids: Iterable[str]) -> Mapping[str, list[Discrepancy]]:
    """A user's discrepancies by the client_temp_id of what they were noted with, in the order of noting."""
    found: dict[str, list[Discrepancy]] = defaultdict(list)
    names = {name for name in client_temp_ids if name}
    for each in Discrepancy.objects.filter(user=user, client_temp_id__in=names).order_by("pk"):
        found[each.client_temp_id].append(each)
    return found
