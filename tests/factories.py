"""Test data. Each factory makes something valid; a test names only what it is about."""

from datetime import date
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from customers.models import Customer, CustomerRate, PaymentType
from depots.models import Depot
from equipment.models import Equipment
from foundation.access.capabilities import Role

PASSWORD = "correct horse battery staple"


class DepotFactory(DjangoModelFactory[Depot]):
    class Meta:
        model = Depot

    code = factory.Sequence(lambda n: f"DEPOT{n}")
    name = factory.LazyAttribute(lambda depot: f"{depot.code} depot")


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = "Tan"
    last_name = "Ah Beng"
    role = Role.DRIVER
    depot = factory.SubFactory(DepotFactory)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", PASSWORD)
        return User.objects.create_user(*args, password=password, **kwargs)


class DriverFactory(UserFactory):
    role = Role.DRIVER
    vehicle_no = factory.Sequence(lambda n: f"GBK{n:04d}A")


class EquipmentFactory(DjangoModelFactory[Equipment]):
    class Meta:
        model = Equipment

    sku = factory.Sequence(lambda n: f"CYL-{n}")
    name = factory.LazyAttribute(lambda equipment: f"LPG cylinder {equipment.sku}")
    equipment_type = Equipment.Type.CYLINDER
    weight_kg = Decimal("14.00")
    default_rate = Decimal("28.50")
    deposit = Decimal("60.00")


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    customer_code = factory.Sequence(lambda n: f"CUST{n}")
    name = factory.Sequence(lambda n: f"Kopitiam {n}")
    address = "1 Jalan Besar"
    postal_code = "208787"
    payment_type = PaymentType.CASH


class MeteredCustomerFactory(CustomerFactory):
    payment_type = PaymentType.CREDIT
    payment_terms_days = 30
    meter_number = factory.Sequence(lambda n: f"M{n:06d}")
    meter_rate = Decimal("2.1500")
    last_meter_reading = Decimal("1200.00")


class CustomerRateFactory(DjangoModelFactory[CustomerRate]):
    class Meta:
        model = CustomerRate

    customer = factory.SubFactory(CustomerFactory)
    equipment = factory.SubFactory(EquipmentFactory)
    rate = Decimal("25.00")
    valid_from = date(2020, 1, 1)
