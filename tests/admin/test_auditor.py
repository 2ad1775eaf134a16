"""An auditor in the office: every page opens, and nothing that is sent changes anything."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from foundation.access.capabilities import Role
from invoices.models import Invoice
from tests.admin.pages import MODELS, form_of, logged_in, url
from tests.conftest import Shop
from tests.factories import UserFactory
from tests.types import Unchanged

pytestmark = pytest.mark.django_db

OWN = {"login", "logout", "password_change", "password_change_done"}
"""About the reader alone."""


@pytest.fixture
def client(office: Shop) -> Client:
    return logged_in(UserFactory(role=Role.AUDITOR))


def addresses(patterns: Any) -> Iterator[tuple[str, Any]]:
    """Every address of the office: of its own pages, and of each model's for its last row."""
    for entry in patterns:
        if isinstance(entry, URLPattern):
            if entry.name and entry.name not in OWN:
                yield entry.name, entry.pattern
        else:
            yield from addresses(entry.url_patterns)


def walked() -> Iterator[str]:
    rows = {model._meta.label_lower.replace(".", "_"): model._default_manager.latest("pk").pk for model in MODELS}
    for name, _ in addresses(admin.site.urls[0]):
        of = next((pk for label, pk in rows.items() if name.startswith(f"{label}_")), None)
        for args in ([], [of], ["csv"]):
            try:
                yield reverse(f"admin:{name}", args=args)
            except NoReverseMatch:
                continue


def test_every_page_opens_to_be_read(client: Client) -> None:
    for model in MODELS:
        row = model._default_manager.latest("pk")
        for address in (url(model), url(model, "change", row.pk)):
            assert client.get(address).status_code == 200, address
        assert client.get(url(model, "add")).status_code == 403, model


def test_no_address_changes_anything(client: Client, nothing_changes: Unchanged) -> None:
    seen = set()
    with nothing_changes():
        for address in walked():
            client.post(address, {"post": "yes", "_save": "Save"})
            seen.add(address)
    assert len(seen) > 100


def test_no_action_is_offered_or_done(client: Client, nothing_changes: Unchanged) -> None:
    """Sent all the same, with an answer: whatever an action asks."""
    answers = {"_answered": "1", "reason": "x", "remarks": "x", "to": "a@example.sg", "confirm": ["x"]}
    with nothing_changes():
        for model in MODELS:
            row, own = model._default_manager.latest("pk"), admin.site._registry[model]
            assert not client.get(url(model)).context["cl"].formset, model
            for name in own.actions or ():
                sent = {"action": name, "_selected_action": [row.pk], "index": 0, **answers}
                client.post(url(model), sent)
                client.post(url(model, "change", row.pk), sent)
            page = client.get(url(model, "change", row.pk))
            assert not page.context.get("action_form"), model
            assert not page.context["has_change_permission"], model


def test_no_form_of_an_administrator_is_taken(office: Shop, client: Client, nothing_changes: Unchanged) -> None:
    boss = logged_in(office.admin)
    with nothing_changes():
        for model in MODELS:
            own = admin.site._registry[model]
            if own.has_add_permission(_request_of(boss)):
                sent = form_of(boss, url(model, "add"))
                assert client.post(url(model, "add"), sent).status_code == 403, model


def _request_of(client: Client) -> Any:
    return client.get("/admin/").wsgi_request


def test_an_invoice_is_read_but_not_printed_or_sent(client: Client, nothing_changes: Unchanged) -> None:
    invoice = Invoice.objects.latest("pk")
    with nothing_changes():
        assert client.get(url("invoices.invoice", "pdf", invoice.pk)).status_code == 200
        for name in ("mark_printed", "print_batch", "send_by_email"):
            client.post(url("invoices.invoice"), {"action": name, "_selected_action": [invoice.pk]})


@pytest.mark.parametrize(
    ("role", "groups"),
    [
        (Role.ACCOUNTS, {"Sales and invoices", "Cylinders", "Reports", "Master data", "People and evidence"}),
        (Role.AUDITOR, {"Sales and invoices", "Cylinders", "Reports", "Master data", "People and evidence",
                        "Behind the scenes"}),
    ],
)  # fmt: skip
def test_the_menu_is_the_roles(office: Shop, role: Role, groups: set[str]) -> None:
    page = logged_in(UserFactory(role=role)).get("/admin/")
    assert {group["name"] for group in page.context["app_list"]} == groups
