"""Commands that the office runs: from a form, for selected rows, or after asking on a page of their own.

What a rule refuses is said where it was asked for; the page's transaction has rolled back by then.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.commands import is_transient
from foundation.errors import Busy, DomainError
from foundation.office.generic import ModelAdmin, ModelForm

ON_LISTS_AND_PAGES = (admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM)
"""Where an action that suits one row as well as many is offered."""

_SAVES = ("_save", "_continue", "_addanother")
_ACTION_FIELDS = ("action", f"{admin.ActionLocation.CHANGE_FORM.value}-action", "_selected_action", "index")
"""What says which action was chosen for which rows."""


class RunsCommands[M: Model](ModelAdmin[M]):
    """Pages that run commands, and say what became of each."""

    add_form: type[ModelForm[M]] | None = None
    """The form of the page that adds, where it is another than the one that changes."""
    form_fields: ClassVar[Mapping[str, str]] = {}
    """Where a command's field has another name in the form: the refusal's ``attr`` → the form's field."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A refused form comes back as it was filled in, with the reason at its field."""
        view = super().changeform_view
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            refusal = error
        except OperationalError as error:
            # Inside the page's own transaction a command can't begin again by itself.
            if request.method != "POST" or not is_transient(error):
                raise
            refusal = Busy("The server is busy. Nothing was recorded; please try again.")
        if not any(name in request.POST for name in _SAVES):
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        request.office_refusal = refusal  # type: ignore[attr-defined]  # for the form of this request alone
        return view(request, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[M]]:
        if self.add_form is not None and not change:
            kwargs["form"] = self.add_form
        form = super().get_form(request, obj, change, **kwargs)
        refusal: DomainError | None = getattr(request, "office_refusal", None)
        return form if refusal is None else _refused(form, refusal, self.form_fields)

    def each(self, request: HttpRequest, targets: Iterable[M], done: str, act: Callable[[M], object]) -> None:
        """Run a command for each selected row, each in its own transaction, and say what became of it."""
        for target in targets:
            try:
                act(target)
            except DomainError as error:
                self.message_user(request, f"{target}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{target}: {done}.", messages.SUCCESS)

    def ask(
        self,
        request: HttpRequest,
        targets: QuerySet[M],
        form_class: type[forms.Form],
        title: str,
        done: str,
        act: Callable[[M, dict[str, Any]], object],
    ) -> HttpResponse | None:
        """Ask what a command needs to know on a page of its own, then run it for each selected row."""
        form = form_class(request.POST if "_answered" in request.POST else None)
        if form.is_bound and form.is_valid():
            self.each(request, targets.order_by("pk"), done, lambda target: act(target, form.cleaned_data))
            return None
        carried = [(name, value) for name in _ACTION_FIELDS for value in request.POST.getlist(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "targets": targets,
            "carried": carried,
            "opts": self.opts,
            "changelist_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/ask.html", context)


class ReasonForm(forms.Form):
    """Why: it goes into the evidence, and onto the document where there is one."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


def _refused[M: Model](form: type[ModelForm[M]], refusal: DomainError, names: Mapping[str, str]) -> type[ModelForm[M]]:
    class Refused(form):  # type: ignore[valid-type, misc]  # Django makes the form's class for each request
        def full_clean(self) -> None:
            super().full_clean()
            name = names.get(refusal.attr or "", refusal.attr)
            is_visible = name in self.fields and not self.fields[name].widget.is_hidden
            self.add_error(name if is_visible else None, refusal.detail)

    return Refused
