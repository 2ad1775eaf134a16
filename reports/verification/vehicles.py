"""Who drives what: the users' own columns beside the ledger of assignments."""

from django.db.models import F

from accounts.models import User
from fleet.models import Assignment, Vehicle
from inventory.models import Location, LocationKind
from reports.verification.figures import Breaks, Watch


def everybody_drives_what_was_assigned(watch: Watch) -> Breaks:
    """The vehicle on a user's row is that of their latest assignment, and cylinders are on known vehicles alone."""
    standing = Assignment.objects.standing().select_related("vehicle")
    latest = {each.user_id: each for each in standing.order_by(F("from_at").asc(nulls_first=True), "pk")}
    for user in User.objects.get_queryset().order_by("pk"):
        said = latest.get(user.pk)
        vehicle, since = (said.vehicle, said.from_at) if said else (None, None)
        number = vehicle.number if vehicle else ""
        if (user.vehicle_no, user.vehicle_since) != (number, since):
            yield f"{user} drives {user.vehicle_no or 'nothing'}, the assignments say {number or 'nothing'}"
    known = Vehicle.objects.values("number")
    for place in Location.objects.filter(kind=LocationKind.VEHICLE).exclude(vehicle_no__in=known):
        yield f"cylinders were on {place.vehicle_no}, which is no vehicle"
