"""Depots in the office."""

from django.contrib import admin

from core.office import MasterDataAdmin, evidence_of, link_to_list
from depots import services
from depots.models import Depot


@admin.register(Depot)
class DepotAdmin(MasterDataAdmin):
    list_display = ("code", "name", "address", "is_active", "stock")
    list_filter = ("is_active",)
    search_fields = ("code", "name", "address")
    fields = ("code", "name", "address", "is_active", "stock", "audit")
    readonly_fields = ("stock", "audit")
    create_command = services.create_depot
    update_command = services.update_depot
    deactivate_command = services.deactivate_depot

    @admin.display(description="stock")
    def stock(self, depot: Depot) -> str:
        return link_to_list("inventory.inventory", "Stock", location__depot__id__exact=depot.pk) if depot.pk else "–"

    @admin.display(description="audit")
    def audit(self, depot: Depot) -> str:
        return evidence_of(depot) if depot.pk else "–"
