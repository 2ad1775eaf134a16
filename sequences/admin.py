"""Document numbers in the office."""

from django.contrib import admin

from foundation.access.capabilities import Capability
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin
from sequences.models import Sequence, Ticket


@admin.register(Sequence)
class SequenceAdmin(OfficeAdmin[Sequence]):
    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.MACHINERY
    is_scoped = False
    list_display = ("prefix", "date", "last_number")
    list_filter = ("prefix",)
    search_fields = ("prefix",)
    date_hierarchy = "date"


@admin.register(Ticket)
class TicketAdmin(OfficeAdmin[Ticket]):
    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.MACHINERY
    is_scoped = False
    list_display = ("__str__", "prefix", "date", "number")
    list_filter = ("prefix",)
    search_fields = ("prefix", "=number")
    date_hierarchy = "date"
