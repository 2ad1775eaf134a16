"""Pages to change master data, through the same commands as the API."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from foundation import clock
from foundation.access.capabilities import Capability
from foundation.office.generic import ModelForm
from foundation.office.links import badge
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from foundation.remains import remaining
from foundation.unreadable import WORD, is_unreadable

LONGEST_LIST = timedelta(days=3_600)
"""A list of documents is of ten years at most."""


class LegibleForm[M: Model](ModelForm[M]):
    """A number that can't be read is shown as such, and stays as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unreadable = {name for name in self.fields if is_unreadable(self.initial.get(name))}
        for name in self.unreadable:
            self.fields[name] = forms.CharField(disabled=True, required=False, label=self.fields[name].label)
            self.initial[name] = WORD

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        return {name: value for name, value in sent.items() if name not in self.unreadable}

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own, without types
        return excluded | self.unreadable


class MasterDataForm[M: Model](LegibleForm[M]):
    """Carries what it was read as: the page of somebody who read earlier can't undo what others changed since."""

    as_read = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = _digest(forms.model_to_dict(self.instance, fields=self._meta.fields))
        if "as_read" in self.fields:
            self.fields["as_read"].initial = self.current

    def clean(self) -> dict[str, Any]:
        sent = super().clean()
        if sent.pop("as_read", "") != self.current and self.instance.pk:
            name = self.instance._meta.verbose_name
            raise ValidationError(f"This {name} was changed meanwhile by somebody else. Please read the page again.")
        return sent


def _digest(values: Mapping[str, object]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()


def standing_of(rate: Any) -> str:
    """Of a row that was read with its standing, whether it counts; a new one says nothing yet."""
    is_superseded = getattr(rate, "is_superseded", None)
    if is_superseded is None:
        return "–"
    if is_superseded:
        return badge("Superseded", "off")
    is_to_come = rate.valid_from > clock.business_date(clock.now())
    return badge("Will count", "open") if is_to_come else badge("Counts", "good")


def tell_of_rate(request: HttpRequest, rate: Any, since: date, **filters: int) -> None:
    """What a rate that counts since a past date leaves to correct, with a link to the list of it."""
    if not (told := remaining(rate)):
        return
    first = max(since, clock.business_date(clock.now()) - LONGEST_LIST)
    asked = urlencode({**{name: str(value) for name, value in filters.items()}, "date_from": first.isoformat()})
    address = f"{reverse('admin:reports_mispriced')}?{asked}"
    messages.warning(request, format_html('{}. <a href="{}">See which</a>.', "; ".join(told), address))


class MasterDataAdmin[M: Model](OfficeAdmin[M]):
    """Editable by those who manage it, through the same commands as the API."""

    view_capability = Capability.VIEW_MASTER_DATA
    menu = Menu.MASTER_DATA
    manage_capability: ClassVar[Capability] = Capability.MANAGE_MASTER_DATA
    form: type[ModelForm[M]] = MasterDataForm
    create_command: ClassVar[Callable[..., Model]]
    update_command: ClassVar[Callable[..., Model]]
    deactivate_command: ClassVar[Callable[..., Model]]
    actions: Any = ("deactivate",)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().changeform_view(request, *args, **kwargs)
        # Only now all of the page is recorded.
        if answer.status_code == HTTPStatus.FOUND:
            for rate, since, filters in getattr(request, "office_rates", ()):
                tell_of_rate(request, rate, since, **filters)
        return answer

    def tell_at_the_end(self, request: HttpRequest, rate: Model, since: date, **filters: int) -> None:
        """What a rate of this page leaves to correct is said once all of the page is recorded."""
        told = [*getattr(request, "office_rates", ()), (rate, since, filters)]
        request.office_rates = told  # type: ignore[attr-defined]  # for the answer to this request alone

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, self.manage_capability)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return may(request, self.manage_capability)

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        if change:
            changes = self.changes_of(form)
            if changes:
                type(self).update_command(actor=request.user, pk=obj.pk, changes=changes)
        else:
            obj.pk = type(self).create_command(actor=request.user, **self.new_of(form)).pk
        # As the command left it: with the code it gave out, without what it refused to take over.
        obj.refresh_from_db()
        if change and "is_active" in form.changed_data:
            self._tell(request, obj)

    def new_of(self, form: ModelForm[M]) -> dict[str, Any]:
        """The create command's arguments from a valid form."""
        return {"values": form.cleaned_data}

    def changes_of(self, form: ModelForm[M]) -> dict[str, Any]:
        """The update command's changes from a valid form."""
        return {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        command = type(self).deactivate_command
        self.each(request, queryset, "deactivated", lambda target: command(actor=request.user, pk=target.pk))
        for target in queryset.all():
            self._tell(request, target)

    def _tell(self, request: HttpRequest, target: Any) -> None:
        """What is left to do about an inactive row."""
        # A reorder level is given up, and has no state.
        left = [] if getattr(target, "is_active", False) else remaining(target)
        if left:
            self.message_user(request, f"{target}: {'; '.join(left)}.", messages.WARNING)
