"""A form of the office is recorded once, however often its button is pressed: each has an id of its own.

A double click, Back and Save, a page that is sent again: the same content under the same id is answered with what was
recorded. The id stays with a form that comes back because something was wrong with it.
"""

import re
from uuid import uuid4

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest

from foundation.office.confirm import FIELD as CONFIRM
from foundation.operations.idempotency import Operation

FIELD = "once"
_ID = re.compile(r"[0-9a-f]{32}")
_NO_CONTENT = frozenset(
    {FIELD, "index", "_save", "_continue", "_addanother", "_answered", "_popup", "_to_field", CONFIRM}
)


def new_id() -> str:
    return uuid4().hex


class FormOfActions(ActionForm):
    """Chooses an action for rows; what it then does to each row happens once."""

    once = forms.CharField(label="", required=False, initial=new_id, widget=forms.HiddenInput)


def sent_id(request: HttpRequest) -> str | None:
    """The id of the form that was sent, whichever of a page's forms that was."""
    names = (name for name in request.POST if name == FIELD or name.endswith(f"-{FIELD}"))
    found = (str(request.POST[name]) for name in names)
    return next((value for value in found if _ID.fullmatch(value)), None)


def operation_of(request: HttpRequest, name: str, target: object = None) -> Operation | None:
    """What the form that was sent does, as an operation that happens once; for each ``target`` where it has several."""
    once = sent_id(request)
    if once is None:
        return None
    sent = {key: request.POST.getlist(key) for key in request.POST if key not in _NO_CONTENT}
    sent = {key: values for key, values in sent.items() if not key.endswith(f"-{FIELD}")}
    if target is not None:
        sent = {key: values for key, values in sent.items() if key != "_selected_action"}
    return Operation(
        user=request.user,
        client_temp_id=once if target is None else f"{once}-{target}",
        type=f"office.{name}",
        sent={**sent, "target": str(target or "")},
        is_clients=False,
    )
