"""A depot with stock, drivers with loaded vehicles, customers: into an empty database, as a program of its own.

Prints what it made as JSON. Usage: prepare.py DRIVERS
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402

from foundation.access.capabilities import Role  # noqa: E402
from inventory.services import Entity, correct_inventory  # noqa: E402
from tests.factories import (  # noqa: E402
    CustomerFactory,
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)

PASSWORD = make_password("correct horse battery")

depot, cylinder = DepotFactory(), EquipmentFactory()
admin = UserFactory(role=Role.ADMIN, depot=depot, username="boss")
supervisor = UserFactory(role=Role.SUPERVISOR, depot=depot, username="supervisor")
drivers = [DriverFactory(depot=depot, username=f"driver{number}") for number in range(int(sys.argv[1]))]
for user in (admin, supervisor, *drivers):
    user.password = PASSWORD
    user.save()
for entity, entity_id in ((Entity.DEPOT, str(depot.pk)), *((Entity.VEHICLE, driver.vehicle_no) for driver in drivers)):
    correct_inventory(
        actor=admin, entity=entity, entity_id=entity_id, equipment_id=cylinder.pk, condition="FULL",
        quantity=20_000, reason="Opening balance",
    )  # fmt: skip
customers = [CustomerFactory() for _ in range(4)]
metered = [MeteredCustomerFactory() for _ in drivers]
print(
    json.dumps(
        {
            "depot": depot.pk,
            "equipment": cylinder.pk,
            "drivers": [driver.username for driver in drivers],
            "customers": [customer.pk for customer in customers],
            "metered": [customer.pk for customer in metered],
        }
    )
)
