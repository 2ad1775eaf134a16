"""Who is behind the keys."""

from collections.abc import Iterable

from customers.models import Customer

BATCH = 5_000
"""A statement can't name any number of keys."""


def customer_names(pks: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Code and name by primary key."""
    wanted = sorted(pks)
    names: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), BATCH):
        batch = Customer.objects.filter(pk__in=wanted[start : start + BATCH])
        names |= {pk: (code, name) for pk, code, name in batch.values_list("pk", "customer_code", "name")}
    return names
