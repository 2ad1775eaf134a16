"""Who is behind the keys."""

from collections.abc import Iterable

from customers.models import Customer

FEW = 1_000
"""More keys than these aren't worth naming one by one: all customers are read."""


def customer_names(pks: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Code and name by primary key."""
    wanted = set(pks)
    customers = Customer.objects.order_by()
    if len(wanted) <= FEW:
        customers = customers.filter(pk__in=wanted)
    rows = customers.values_list("pk", "customer_code", "name").iterator(2_000)
    return {pk: (code, name) for pk, code, name in rows if pk in wanted}
