"""What of an app's own it has to know besides master data."""

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from distribution.models import Distribution
from inventory.models import Inventory, LocationKind


def own_stock(user: User) -> QuerySet[Any]:
    """The balances of the user's vehicle; none for a user without one."""
    stock: QuerySet[Any] = Inventory.objects.filter(
        location__kind=LocationKind.VEHICLE, location__vehicle_no=user.vehicle_no or None
    )
    return stock.order_by("equipment_id", "condition")


def own_drafts(user: User) -> QuerySet[Any]:
    drafts: QuerySet[Any] = Distribution.objects.filter(user=user, status=Distribution.Status.DRAFT)
    return drafts.select_related("depot", "user").prefetch_related("items__equipment").order_by("pk")
