"""What the tests of the office ask of its pages."""

from typing import Any

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.types import Answer, Json

MODELS = [model for model in admin.site._registry if model._meta.app_label not in ("admin", "auth")]


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(model: Any, page: str = "changelist", *args: object) -> str:
    label = model if isinstance(model, str) else model._meta.label_lower
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


def messages_of(response: Answer) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors_of(response: Answer) -> dict[str, list[str]]:
    """Why a form came back."""
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return errors


def form_of(client: Client, address: str) -> Json:
    """The values that a page's form would send back."""
    context = client.get(address).context
    form = context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    for formset in context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        values |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False
    }


def boxes_of(response: Answer) -> list[str]:
    """What a page asks, as each ticked box sends it."""
    return [question.value for question in response.context["questions"]]


def send_confirmed(client: Client, address: str, sent: Json) -> Answer:
    """Send a form, and tick each box that it comes back with."""
    answer: Answer = client.post(address, sent)
    if answer.status_code != 200 or not boxes_of(answer):
        return answer
    confirmed: Answer = client.post(address, {**sent, "confirm": boxes_of(answer)})
    return confirmed
