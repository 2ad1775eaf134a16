"""Values from a date on, on the page of what has them: all that there were and will be, and a row to add one."""

from datetime import date, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from foundation import clock
from foundation.access.capabilities import Capability
from foundation.dated import DatedValue
from foundation.office.generic import ModelForm
from foundation.office.links import badge
from foundation.office.pages import ReadOnlyInline, may
from foundation.office.texts import TextFormField


class DatedForm[V: DatedValue](ModelForm[V]):
    """Takes a date, which is its midnight."""

    valid_from = forms.DateField(widget=AdminDateWidget, label="from")
    reason = TextFormField(max_length=500, required=False, widget=forms.TextInput(attrs={"size": 16}))

    def clean_valid_from(self) -> datetime:
        day: date = self.cleaned_data["valid_from"]
        return clock.start_of(day)


class DatedInline[V: DatedValue, P: Model](ReadOnlyInline[V, P]):
    """Rows stay as they are; new ones are added once there is something that has them."""

    view_capability = Capability.VIEW_MASTER_DATA
    ordering: ClassVar[Any] = ("-valid_from", "-pk")
    standing_of: ClassVar[Any]
    """A static method: of what has them, what became of each row, a `Standing` by its id."""

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return obj is not None and may(request, Capability.MANAGE_MASTER_DATA)

    def get_queryset(self, request: HttpRequest) -> QuerySet[V]:
        return super().get_queryset(request).select_related("created_by")

    def get_formset(self, request: HttpRequest, obj: P | None = None, **kwargs: Any) -> Any:
        """Each request has its own inline."""
        self._standing = self.standing_of(obj) if obj is not None else {}
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description="")
    def state(self, row: V) -> SafeString | str:
        found = self._standing.get(row.pk)
        if found is None:
            return ""
        if found.is_in_force:
            return badge("counts now", "good")
        if found.is_superseded:
            return badge("superseded", "off")
        return "" if row.has_begun(clock.now()) else badge("will count", "open")

    @admin.display(description="entered")
    def entered(self, row: V) -> str:
        if row.pk is None or row.created_at is None:
            return "–"
        day = f"{clock.business_date(row.created_at):%-d %b %Y}".replace(" ", "\N{NO-BREAK SPACE}")
        return f"{day}, {row.created_by}" if row.created_by else day
