"""Clients' operations in the office."""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from foundation.access.capabilities import Capability
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin
from foundation.operations.models import ClientOperation


@admin.register(ClientOperation)
class ClientOperationAdmin(OfficeAdmin[ClientOperation]):
    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.MACHINERY
    is_scoped = False
    list_display = ("id", "type", "client_temp_id", "user", "result_id", "created_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("client_temp_id", "user__search_name")


# What is queued is seen where it matters, in the outbox of emails; these rows are the worker's own.
admin.site.unregister(DBTaskResult)
