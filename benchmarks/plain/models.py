from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models


class Row(models.Model):
    # Said for the type checker, which knows the models of our settings alone.
    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True


class Counter(Row):  # noqa: DJ008 -- nobody looks at one
    name = models.CharField(max_length=8, unique=True)
    value = models.PositiveIntegerField(default=0)


class Customer(Row):  # noqa: DJ008 -- nobody looks at one
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=250)
    last_meter_reading = models.DecimalField(max_digits=12, decimal_places=2)
    meter_rate = models.DecimalField(max_digits=10, decimal_places=4)


class Equipment(Row):  # noqa: DJ008 -- nobody looks at one
    name = models.CharField(max_length=200)
    rate = models.DecimalField(max_digits=10, decimal_places=2)


class Stock(Row):  # noqa: DJ008 -- nobody looks at one
    user = models.ForeignKey(User, models.PROTECT)
    equipment = models.ForeignKey(Equipment, models.PROTECT)
    quantity = models.IntegerField()


class Sale(Row):  # noqa: DJ008 -- nobody looks at one
    number = models.CharField(max_length=32, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT)
    user = models.ForeignKey(User, models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)


class Item(Row):  # noqa: DJ008 -- nobody looks at one
    sale = models.ForeignKey(Sale, models.CASCADE, related_name="items")
    equipment = models.ForeignKey(Equipment, models.PROTECT)
    type = models.CharField(max_length=8)
    quantity = models.PositiveIntegerField()
    rate = models.DecimalField(max_digits=10, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)


class Invoice(Row):  # noqa: DJ008 -- nobody looks at one
    number = models.CharField(max_length=32, unique=True)
    sale = models.OneToOneField(Sale, models.PROTECT)
    gst = models.DecimalField(max_digits=12, decimal_places=2)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    pdf = models.FileField(upload_to="plain/")
