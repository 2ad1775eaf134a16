"""Each number that anything names becomes a vehicle; each user's own one an assignment from the beginning."""

from django.db import migrations
from django.db.models import Max
from django.utils import timezone

from foundation import clock

NAMING = (
    ("accounts", "User"), ("inventory", "Location"), ("distribution", "Distribution"), ("transactions", "Transaction"),
    ("transactions", "Settlement"),
)  # fmt: skip


def import_numbers(apps, schema_editor):
    Vehicle, Assignment = apps.get_model("fleet", "Vehicle"), apps.get_model("fleet", "Assignment")
    User = apps.get_model("accounts", "User")
    named = {
        number.upper()
        for app, model in NAMING
        for number in apps.get_model(app, model)._default_manager.order_by().exclude(vehicle_no="")
        .values_list("vehicle_no", flat=True).distinct()
    }  # fmt: skip
    # Of the user who drives it; where nobody does, of the last load. The last one of each counts.
    loads = apps.get_model("distribution", "Distribution").objects.order_by().values_list("vehicle_no", "depot")
    depots = {number.upper(): depot for number, depot, _ in loads.annotate(last=Max("pk")).order_by("last")}
    driven = User.objects.exclude(depot=None).order_by("is_active", "pk").values_list("vehicle_no", "depot")
    depots |= {number.upper(): depot for number, depot in driven}
    known = {number: Vehicle.objects.create(number=number, depot_id=depots.get(number)) for number in sorted(named)}
    now = timezone.now()
    Assignment.objects.bulk_create(
        Assignment(
            user=user, depot_id=user.depot_id, vehicle=known[user.vehicle_no.upper()], created_at=now,
            date=clock.business_date(now),
        )
        for user in User.objects.exclude(vehicle_no="").order_by("pk")
    )  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0001_initial'),
        ('accounts', '0003_vehicle_since'),
        ('inventory', '0008_numbers_in_columns'),
        ('distribution', '0003_numbers_in_columns'),
        ('transactions', '0006_numbers_in_columns'),
    ]

    operations = [migrations.RunPython(import_numbers, migrations.RunPython.noop)]
