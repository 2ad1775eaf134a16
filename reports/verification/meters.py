"""Meters: a chain of readings without a gap."""

from django.db.models import (
    Case,
    F,
    OuterRef,
    Q,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce

from customers.models import Customer
from reports.verification.figures import NUMBER, Breaks, Watch
from transactions.models import (
    MeterReplacement,
    Transaction,
)


def meter_chains_are_unbroken(watch: Watch) -> Breaks:
    """Each reading begins where the one before ended, or where a new meter began in between."""
    readings = Transaction.objects.with_readings()
    before = readings.filter(customer=OuterRef("customer"), pk__lt=OuterRef("pk")).order_by("-pk")
    for window in watch.windows(Transaction):
        chained = (
            readings.filter(window)
            .annotate(
                before=Subquery(before.values("pk")[:1]), ended=Subquery(before.values("current_meter_reading")[:1])
            )
            .annotate(**_meter_put_in("customer", "before"))
            .annotate(begins=Case(When(meter_put_in__isnull=False, then=F("new_reading")), default=F("ended")))
        )
        broken = _differ("last_meter_reading", "begins")
        # The first of a customer's readings begins wherever the meter stood when the customer came.
        for sale in chained.filter(Q(before__isnull=False) | Q(meter_put_in__isnull=False)).filter(broken):
            yield f"{sale.transaction_number} starts at {sale.last_meter_reading}, the reading before was {sale.begins}"
    latest = readings.filter(customer=OuterRef("pk")).order_by("-pk")
    for window in watch.windows(Customer):
        customers = (
            Customer.objects.filter(window)
            .annotate(
                before=Subquery(latest.values("pk")[:1]), ended=Subquery(latest.values("current_meter_reading")[:1])
            )
            .annotate(**_meter_put_in("pk", "before"))
            .annotate(read=Case(When(meter_put_in__isnull=False, then=F("new_reading")), default=F("ended")))
        )
        broken = _differ("last_meter_reading", "read")
        for customer in customers.filter(Q(before__isnull=False) | Q(meter_put_in__isnull=False)).filter(broken):
            stands, read = customer.last_meter_reading, customer.read
            yield f"{customer.customer_code} stands at {stands}, its last sale read {read}"


def _meter_put_in(customer: str, before: str) -> dict[str, Subquery]:
    """The last meter that was put in right after a transaction (by the name of its key; null: before the first)."""
    follows = Coalesce(OuterRef(before), 0, output_field=NUMBER)
    replaced = (
        MeterReplacement.objects.filter(customer=OuterRef(customer))
        .annotate(after=Coalesce(F("follows_id"), 0, output_field=NUMBER))
        .filter(after=follows)
        .order_by("-pk")
    )
    return {
        "meter_put_in": Subquery(replaced.values("pk")[:1]),
        "new_reading": Subquery(replaced.values("first_reading")[:1]),
    }


def _differ(first: str, second: str) -> Q:
    """One of them is missing, or both are there and not equal."""
    one_missing = Q(**{f"{first}__isnull": True, f"{second}__isnull": False}) | Q(
        **{f"{first}__isnull": False, f"{second}__isnull": True}
    )
    both = Q(**{f"{first}__isnull": False, f"{second}__isnull": False})
    return one_missing | both & ~Q(**{first: F(second)})
