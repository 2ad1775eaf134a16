"""Test data. Each factory makes something valid; a test names only what it is about."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Self

from django.db.models import Model

from accounts.models import User
from customers.models import Customer, CustomerRate, MeterRate, PaymentType
from depots.models import Depot
from equipment.models import Equipment, EquipmentPrice
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from tests.types import Json

PASSWORD = "correct horse battery staple"


class Factory[M: Model]:
    """Makes rows of one model. A default that is called gets a number, which is another one for each row."""

    def __init__(self, create: Callable[..., M], model: type[M], **defaults: object) -> None:
        self._create, self._model, self._defaults = create, model, defaults
        self._numbers = count()

    def variant(self, **defaults: object) -> Self:
        """The same but for these defaults. Its numbers are other ones than the original's."""
        made = type(self)(self._create, self._model, **self._defaults | defaults)
        made._numbers = self._numbers
        return made

    def __call__(self, **fields: Any) -> M:
        return self._create(**self._filled(fields))

    def build(self, **fields: Any) -> M:
        """Not saved."""
        return self._model(**self._filled(fields))

    def _filled(self, fields: Json) -> Json:
        number = next(self._numbers)
        missing = {name: default for name, default in self._defaults.items() if name not in fields}
        return fields | {name: it(number) if callable(it) else it for name, it in missing.items()}


DepotFactory = Factory(
    Depot.objects.create,
    Depot,
    code=lambda n: f"DEPOT{n}",
    name=lambda n: f"DEPOT{n} depot",
)


def _create_user(**fields: Any) -> User:
    """With the assignment that a vehicle is, from the beginning."""
    user = User.objects.create_user(**fields)
    if user.vehicle_no:
        vehicle, _ = Vehicle.objects.get_or_create(number=user.vehicle_no, defaults={"depot": user.depot})
        now = clock.now()
        today = clock.business_date(now)
        Assignment.objects.create(user=user, depot=user.depot, vehicle=vehicle, created_at=now, date=today)
    return user


VehicleFactory = Factory(
    Vehicle.objects.create,
    Vehicle,
    number=lambda n: f"GBV{n:04d}B",
    depot=lambda n: DepotFactory(),
)

UserFactory = Factory(
    _create_user,
    User,
    username=lambda n: f"user{n}",
    password=PASSWORD,
    first_name="Tan",
    last_name="Ah Beng",
    role=Role.DRIVER,
    depot=lambda n: DepotFactory(),
)

DriverFactory = UserFactory.variant(vehicle_no=lambda n: f"GBK{n:04d}A")


def _create_equipment(**fields: Any) -> Equipment:
    """With its prices, from the beginning."""
    equipment = Equipment.objects.create(**fields)
    for kind in EquipmentPrice.Kind:
        if (amount := getattr(equipment, kind.column)) is not None:
            EquipmentPrice.objects.create(equipment=equipment, kind=kind, amount=amount)
    return equipment


def priced(equipment: Equipment, *, since: datetime | None = None, **prices: Any) -> None:
    """What it costs, in its columns and since when. Without ``since`` ever since."""
    Equipment.objects.filter(pk=equipment.pk).update(**prices)
    for column, amount in prices.items():
        EquipmentPrice.objects.create(equipment=equipment, kind=column.upper(), amount=amount, valid_from=since)


def _create_customer(**fields: Any) -> Customer:
    """With the rate of the meter, from the beginning."""
    customer = Customer.objects.create(**fields)
    if customer.meter_rate is not None:
        MeterRate.objects.create(customer=customer, meter_rate=customer.meter_rate)
    return customer


EquipmentFactory = Factory(
    _create_equipment,
    Equipment,
    sku=lambda n: f"CYL-{n}",
    name=lambda n: f"LPG cylinder CYL-{n}",
    equipment_type=Equipment.Type.CYLINDER,
    weight_kg=Decimal("14.00"),
    default_rate=Decimal("28.50"),
    deposit=Decimal("60.00"),
)

CustomerFactory = Factory(
    _create_customer,
    Customer,
    customer_code=lambda n: f"CUST{n}",
    name=lambda n: f"Kopitiam {n}",
    address="1 Jalan Besar",
    postal_code="208787",
    payment_type=PaymentType.CASH,
)

MeteredCustomerFactory = CustomerFactory.variant(
    payment_type=PaymentType.CREDIT,
    payment_terms_days=30,
    meter_number=lambda n: f"M{n:06d}",
    meter_rate=Decimal("2.1500"),
    last_meter_reading=Decimal("1200.00"),
)

CustomerRateFactory = Factory(
    CustomerRate.objects.create,
    CustomerRate,
    customer=lambda n: CustomerFactory(),
    equipment=lambda n: EquipmentFactory(),
    rate=Decimal("25.00"),
    valid_from=date(2020, 1, 1),
)
