"""Document numbers in the office."""

from django.contrib import admin

from core.access import Capability
from core.office import OfficeAdmin
from sequences.models import Sequence, Ticket


@admin.register(Sequence)
class SequenceAdmin(OfficeAdmin):
    view_capability = Capability.MANAGE_USERS
    list_display = ("prefix", "date", "last_number")
    list_filter = ("prefix",)
    date_hierarchy = "date"


@admin.register(Ticket)
class TicketAdmin(OfficeAdmin):
    view_capability = Capability.MANAGE_USERS
    list_display = ("prefix", "date", "number")
    list_filter = ("prefix",)
    date_hierarchy = "date"
