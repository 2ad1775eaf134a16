"""Depots in the office."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest

from depots import services
from depots.models import Depot
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin


@admin.register(Depot)
class DepotAdmin(MasterDataAdmin[Depot]):
    list_display = ("code", "name", "address", "is_active")
    list_filter = ("is_active",)
    search_fields = ("search_name",)
    fields = ("code", "name", "address", "is_active", "as_read")
    create_command = services.create_depot
    update_command = services.update_depot
    deactivate_command = services.deactivate_depot

    def related(self, request: HttpRequest, target: Depot) -> Iterable[Related]:
        return (
            list_of("inventory.inventory", "Stock", location__depot__id__exact=target.pk),
            list_of("distribution.distribution", "Distributions", depot__id__exact=target.pk),
            evidence_of(target),
        )
