"""Commands that the office runs: from a form, for selected rows, or after asking on a page of their own.

What a rule refuses is said where it was asked for; the page's transaction has rolled back by then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.messages.storage import default_storage
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from foundation.commands import command, is_transient
from foundation.confirmations import Unconfirmed, said, together
from foundation.errors import Busy, DomainError, Invalid
from foundation.office import confirm, once
from foundation.office.generic import ModelAdmin, ModelForm
from foundation.office.texts import TextFormField
from foundation.operations.idempotency import IdempotencyConflict, is_replayed, named, result_of

ON_LISTS_AND_PAGES = (admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM)
"""Where an action that suits one row as well as many is offered."""

ON_PAGES = (admin.ActionLocation.CHANGE_FORM,)
"""Where one is offered that suits one row alone."""

_TOLD = "_messages"
"""Where Django keeps what a request's page says above all else."""

_SAVES = ("_save", "_continue", "_addanother")
_ACTION_FIELDS = ("action", f"{admin.ActionLocation.CHANGE_FORM.value}-action", "_selected_action", "index")
"""What says which action was chosen for which rows."""


Done = str | Callable[[Any], str]
"""What is said of a row for which a command was run: of what that made, where that has a number."""


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class RunsCommands[M: Model](ModelAdmin[M]):
    """Pages that run commands, and say what became of each."""

    action_form = once.FormOfActions
    add_form: type[ModelForm[M]] | None = None
    """The form of the page that adds, where it is another than the one that changes."""
    runs_several = False
    """Whether the form runs more than one command: what they ask is asked at once."""
    form_fields: ClassVar[Mapping[str, str]] = {}
    """Where a command's field has another name in the form: the refusal's ``attr`` → the form's field."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A form happens once. A refused one comes back as it was filled in, with the reason at its field."""

        def view() -> HttpResponse:
            return super(RunsCommands, self).changeform_view(request, object_id, *args, **kwargs)

        if request.method != "POST":
            return view()
        if not any(name in request.POST for name in _SAVES):
            return self._sent_back_if_refused(request, view)
        operation = once.operation_of(request, f"{self.opts.model_name}.{'change' if object_id else 'add'}")
        try:
            earlier = operation.earlier_result() if operation else None
            if earlier is None:
                with named(operation), said(confirm.ticked(request), by=request.user):
                    answer = self._refused_if_need_be(request, view)
                # Two at once: what was valid may have become so only for the first.
                earlier = operation.earlier_result() if operation and answer.status_code == HTTPStatus.OK else None
        except IdempotencyConflict as conflict:
            return self._given_back(request, conflict, view, object_id)
        return answer if earlier is None else self._recorded_already(request, earlier)

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Keys that are none come from no list of ours: they name nothing."""
        if not all(_is_key(sent) for sent in request.POST.getlist("_selected_action")):
            self.message_user(request, "What was selected is not in this list.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse | None = super().response_action(request, *args, **kwargs)
        return answer

    def _sent_back_if_refused(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return view()
        except (DomainError, OperationalError) as error:
            self.message_user(request, _refusal(error).detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _refused_if_need_be(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            if not self.runs_several:
                return view()
            # One command around those of the page: asked at the end, none of them is recorded.
            return command(together()(view))()
        except IdempotencyConflict:
            raise
        except (DomainError, OperationalError) as error:
            # What the page said of itself happened no more than the rest of it.
            setattr(request, _TOLD, default_storage(request))
            request.office_refusal = _refusal(error)  # type: ignore[attr-defined]  # for the form of this request alone
            if isinstance(error, Unconfirmed):
                _add_boxes(request, error)
        with named(None):
            return view()

    def _given_back(
        self,
        request: HttpRequest,
        conflict: IdempotencyConflict,
        view: Callable[[], HttpResponse],
        object_id: str | None,
    ) -> HttpResponse:
        """Something else was recorded by this form: it is shown, and what was filled in now is kept for another go.

        A page that changes something begins anew: what it was filled in from is no more.
        """
        if object_id is not None:
            self.message_user(
                request,
                "This page was saved before, with other content, and nothing was saved now. This is how it is now: "
                "please change it again.",
                messages.WARNING,
            )
            return HttpResponseRedirect(request.get_full_path())
        self._say(request, result_of(conflict.first), "was recorded by this form already.", messages.WARNING)
        request.office_once = once.new_id()  # type: ignore[attr-defined]  # likewise
        request.office_refusal = Invalid(  # type: ignore[attr-defined]  # likewise
            "This form was sent before, with other content. Save it again to record what it says now as well."
        )
        return view()

    def _recorded_already(self, request: HttpRequest, made: Model) -> HttpResponse:
        self._say(request, made, "was recorded already.", messages.INFO)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if isinstance(made, self.model):
            return HttpResponseRedirect(reverse(f"{name}_change", args=[made.pk]))
        return HttpResponseRedirect(reverse(f"{name}_changelist"))

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        return None if is_replayed() else super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        return None if is_replayed() else super().log_change(request, obj, message)

    def _say(self, request: HttpRequest, made: Model | None, what: str, level: int) -> None:
        if isinstance(made, self.model):
            url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[made.pk])
            self.message_user(request, format_html('<a href="{}">{}</a> {}', url, made, what), level)
        else:
            self.message_user(request, f"{made or 'Another one'} {what}", level)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        fresh: str | None = getattr(request, "office_once", None)
        context["once"] = fresh or once.sent_id(request) or once.new_id()
        context |= _boxes(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[M]]:
        if self.add_form is not None and not change:
            kwargs["form"] = self.add_form
        form = super().get_form(request, obj, change, **kwargs)
        refusal: DomainError | None = getattr(request, "office_refusal", None)
        return form if refusal is None else _refused(form, refusal, self.form_fields)

    def each(self, request: HttpRequest, targets: Iterable[M], done: Done, act: Callable[[M], object]) -> bool:
        """Run a command for each selected row, each in its own transaction and once, and say what became of it.

        Answers whether all were refused by a rule. What it asks first, `ask` and `run` ask on their page.
        """
        is_any_refused, is_any_done = False, False
        for target in targets:
            operation = once.operation_of(request, f"{self.opts.model_name}.action", target.pk)
            try:
                with named(operation), said(confirm.ticked(request, target), by=request.user):
                    made = act(target)
            except Unconfirmed as asked:
                _add_boxes(request, asked, target)
            except IdempotencyConflict:
                self.message_user(request, f"{target}: this form was sent before, with other content.", messages.ERROR)
            except DomainError as error:
                is_any_refused = True
                self.message_user(request, f"{target}: {error.detail}", messages.ERROR)
            else:
                is_any_done = True
                again = " already" if operation is not None and operation.is_replayed else ""
                told = done if isinstance(done, str) else done(made)
                self.message_user(request, f"{target}: {told}{again}.", messages.SUCCESS)
        return is_any_refused and not is_any_done

    def ask(
        self,
        request: HttpRequest,
        targets: QuerySet[M],
        form_class: type[forms.Form],
        title: str,
        done: Done,
        act: Callable[[M, dict[str, Any]], object],
        tell: Callable[[M], Iterable[str]] = lambda target: (),
    ) -> HttpResponse | None:
        """Ask what a command needs to know on a page of its own, then run it for each selected row.

        Where a rule refuses all of them the page comes back as it was filled in. ``tell``: what is to be known of a row
        before, a line each.
        """
        form = form_class(request.POST if "_answered" in request.POST else None)
        if form.is_bound and form.is_valid():
            are_refused = self.each(
                request, targets.order_by("pk"), done, lambda target: act(target, form.cleaned_data)
            )
            if not are_refused and not _boxes(request)["questions"]:
                return None
        return self._ask(request, targets, form, title, tell)

    def run(
        self,
        request: HttpRequest,
        targets: QuerySet[M],
        title: str,
        done: str,
        act: Callable[[M], object],
        tell: Callable[[M], Iterable[str]] = lambda target: (),
    ) -> HttpResponse | None:
        """The same for a command that needs to know nothing: only what it asks has a page."""
        self.each(request, targets.order_by("pk"), done, act)
        return self._ask(request, targets, forms.Form(), title, tell) if _boxes(request)["questions"] else None

    def _ask(
        self,
        request: HttpRequest,
        targets: QuerySet[M],
        form: forms.Form,
        title: str,
        tell: Callable[[M], Iterable[str]] = lambda target: (),
    ) -> HttpResponse:
        carried = [(name, value) for name in _ACTION_FIELDS for value in request.POST.getlist(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "targets": [(target, [*tell(target)]) for target in targets],
            "carried": carried,
            "once": once.sent_id(request) or once.new_id(),
            "opts": self.opts,
            "changelist_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            **_boxes(request),
        }
        return TemplateResponse(request, "admin/ask.html", context)


class ReasonForm(forms.Form):
    """Why: it goes into the evidence, and onto the document where there is one."""

    reason = TextFormField(max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class LinesForm(ReasonForm):
    """Whose lines are shown as a table: of each its label, or the fields that say what it is, then its fields."""

    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str | tuple[str, ...], tuple[str, ...]]] = ()

    @property
    def table(self) -> list[tuple[str, list[forms.BoundField], list[forms.BoundField]]]:
        return [
            (
                "" if isinstance(label, tuple) else label,
                [self[name] for name in label] if isinstance(label, tuple) else [],
                [self[name] for name in names],
            )
            for label, names in self.rows
        ]

    @property
    def outside(self) -> list[forms.BoundField]:
        """The fields of no line."""
        inside = {name for label, names in self.rows for name in (*(label if isinstance(label, tuple) else ()), *names)}
        return [field for field in self if field.name not in inside]


class RemarksForm(forms.Form):
    """What there is to say about a decision, if anything."""

    remarks = TextFormField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class ReasonedForm(forms.Form):
    """Why something is to be counted again."""

    remarks = TextFormField(
        max_length=500, label="To be counted again, because", widget=forms.Textarea(attrs={"rows": 2, "cols": 60})
    )


def _add_boxes(request: HttpRequest, asked: Unconfirmed, target: Model | None = None) -> None:
    boxes = [confirm.Box.of(question, target) for question in asked.questions]
    request.office_questions = [*_boxes(request)["questions"], *boxes]  # type: ignore[attr-defined]  # of this request


def _boxes(request: HttpRequest) -> dict[str, list[Any]]:
    """What the page asks, and what was ticked on the one before."""
    asked: list[confirm.Box] = getattr(request, "office_questions", [])
    return {"questions": asked, "ticked": request.POST.getlist(confirm.FIELD)}


def _refusal(error: DomainError | OperationalError) -> DomainError:
    """What to tell. Inside the page's own transaction a command can't begin again by itself."""
    if isinstance(error, DomainError):
        return error
    if not is_transient(error):
        raise error
    return Busy("The server is busy. Nothing was recorded; please try again.")


def _refused[M: Model](form: type[ModelForm[M]], refusal: DomainError, names: Mapping[str, str]) -> type[ModelForm[M]]:
    class Refused(form):  # type: ignore[valid-type, misc]  # Django makes the form's class for each request
        def full_clean(self) -> None:
            super().full_clean()
            for error in refusal.told:
                name = names.get(error["attr"] or "", error["attr"])
                is_visible = name in self.fields and not self.fields[name].widget.is_hidden
                # What its box above says isn't said again: here stands where it comes from.
                detail = "Unlikely: please confirm it above." if "confirmable" in error else error["detail"]
                self.add_error(name if is_visible else None, detail)

    return Refused
