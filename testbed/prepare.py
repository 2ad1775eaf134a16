"""A depot with stock, drivers with loaded vehicles, customers: into an empty database, as a program of its own.

Prints what it made as JSON. Usage: prepare.py DRIVERS
"""

import json
import sys
from decimal import Decimal

import django

django.setup()

from django.contrib.auth.hashers import make_password

from accounts.models import User
from customers.models import Customer, MeterRate, PaymentType
from depots.models import Depot
from equipment.models import Equipment, EquipmentPrice
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import Condition
from inventory.services import Entity, correct_inventory

PASSWORD = make_password("correct horse battery")
DRIVERS = range(int(sys.argv[1]))

depot = Depot.objects.create(code="DEPOT0", name="DEPOT0 depot")
cylinder = Equipment.objects.create(
    sku="CYL-0", name="LPG cylinder CYL-0", equipment_type=Equipment.Type.CYLINDER, weight_kg=Decimal("14.00"),
    default_rate=Decimal("28.50"), deposit=Decimal("60.00"),
)  # fmt: skip
for kind in EquipmentPrice.Kind:
    EquipmentPrice.objects.create(equipment=cylinder, kind=kind, amount=getattr(cylinder, kind.column))
person = {"first_name": "Tan", "last_name": "Ah Beng", "depot": depot, "password": PASSWORD}
admin = User.objects.create(username="boss", role=Role.ADMIN, **person)
User.objects.create(username="supervisor", role=Role.SUPERVISOR, **person)
drivers = [
    User.objects.create(username=f"driver{number}", role=Role.DRIVER, vehicle_no=f"GBK{number:04d}A", **person)
    for number in DRIVERS
]
now = clock.now()
for driver in drivers:
    Assignment.objects.create(
        user=driver, depot=depot, vehicle=Vehicle.objects.create(number=driver.vehicle_no, depot=depot), created_at=now,
        date=clock.business_date(now),
    )  # fmt: skip
on_foot = [User.objects.create(username=f"on_foot{number}", role=Role.DRIVER, **person) for number in range(8)]
for entity, entity_id in ((Entity.DEPOT, str(depot.pk)), *((Entity.VEHICLE, driver.vehicle_no) for driver in drivers)):
    correct_inventory(
        actor=admin, entity=entity, entity_id=entity_id, equipment_id=cylinder.pk, condition=Condition.FULL,
        quantity=20_000, reason="Opening balance",
    )  # fmt: skip
place = {"address": "1 Jalan Besar", "postal_code": "208787"}
customers = [
    Customer.objects.create(
        customer_code=f"CUST{number}", name=f"Kopitiam {number}", payment_type=PaymentType.CASH, **place
    )
    for number in range(4)
]
metered = [
    Customer.objects.create(
        customer_code=f"METER{number}", name=f"Kopitiam {number} with a meter", payment_type=PaymentType.CREDIT,
        payment_terms_days=30, meter_number=f"M{number:06d}", meter_rate=Decimal("2.1500"),
        last_meter_reading=Decimal("1200.00"), **place,
    )
    for number in DRIVERS
]  # fmt: skip
MeterRate.objects.bulk_create(MeterRate(customer=each, meter_rate=each.meter_rate) for each in metered)
print(  # noqa: T201 -- for whoever started it
    json.dumps(
        {
            "depot": depot.pk,
            "equipment": cylinder.pk,
            "drivers": [driver.username for driver in drivers],
            "on_foot": [driver.username for driver in on_foot],
            "customers": [customer.pk for customer in customers],
            "metered": [customer.pk for customer in metered],
        }
    )
)
