"""Places that hold stock."""

from typing import ClassVar

from django.db import models

from foundation.master_data import MasterDataQuerySet, code_validator
from foundation.searching import SearchText


class Depot(models.Model):
    """A place that holds stock: HSH's own, or a supplier's from which drivers load."""

    entity = "depots.depot"

    is_announced: ClassVar[bool] = True

    code = models.CharField(max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=250, blank=True)
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is out of use.")
    search_name = SearchText("code", "name", "address")

    objects = MasterDataQuerySet.as_manager()

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code
