"""Which characters are stored: the same for all that is written, whichever way it comes."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from openpyxl import load_workbook
from rest_framework import serializers

from accounts.models import User
from core.packages import PACKAGES
from customers.models import Customer
from foundation.api.fields import TextField
from foundation.api.inputs import KnownFieldsOnly
from foundation.office.texts import TextFormField
from sync.models import SyncConflict
from tests.admin.conftest import furnished
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, url
from tests.conftest import Shop, post_confirmed
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

REFUSED = [
    "\x00", "\x07", "\x0b", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\udfff", "\ufdd0", "\ufffe",
    "\uffff", "\U0001fffe", "\U0010ffff",
]  # fmt: skip
STORED = ["\t", "\n", "\xad", "\u200d", "\u200e", "\u202a", "\ufeff", "\ufffd", "\U0001f600", "\U00020000", "\ue000"]
DECOMPOSED, COMPOSED = "Jose\u0301 \u1100\u1161", "Jos\xe9 \uac00"
INVISIBLE = ["\u200b", "\u3164", "\u3000\u2800", "\u200e\ufe0f", "\u1160", "\U000e0100", "\xad"]


def named(character: str) -> str:
    return f"The character U+{ord(character):04X} can't be stored."


def customer(shop: Shop, **sent: str) -> Answer:
    """As any client can write it: JSON's own escapes name what no encoding has."""
    body = json.dumps({"name": "Kedai", **sent})
    return shop.client_of(shop.admin).post("/api/customers/", body, content_type="application/json")


# --- The API -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", REFUSED, ids=ascii)
def test_a_character_that_is_not_stored_is_named(shop: Shop, character: str, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        answer = customer(shop, name=f"Ah {character}Seng", email=f"a@b{character}c.sg")
    assert answer.status_code == 400
    assert [tuple(error.values()) for error in answer.json()["errors"]] == [
        ("invalid", named(character), "name"),
        ("invalid", named(character), "email"),
    ]


@pytest.mark.parametrize("character", STORED, ids=ascii)
def test_every_other_character_is_stored(shop: Shop, character: str) -> None:
    name = f"Ah {character}Seng"
    assert post_confirmed(shop.client_of(shop.admin), "/api/customers/", {"name": name}).json()["name"] == name
    assert Customer.objects.latest("id").name == name


def test_text_is_stored_in_one_form(shop: Shop) -> None:
    assert customer(shop, name=DECOMPOSED).json()["name"] == COMPOSED


@pytest.mark.parametrize("nothing", INVISIBLE, ids=ascii)
def test_a_name_that_shows_nothing_is_none(shop: Shop, nothing: str) -> None:
    answer = customer(shop, name=f" {nothing} ")
    assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [("blank", "name")]
    assert customer(shop, address=nothing).json()["address"] == ""


def test_an_id_is_kept_as_it_was_sent(shop: Shop) -> None:
    """Two that differ in their form alone are two."""
    made = {customer(shop, client_temp_id=name).json()["id"] for name in (DECOMPOSED, COMPOSED, DECOMPOSED)}
    assert len(made) == 2
    assert customer(shop, client_temp_id="a\u2028").json()["errors"][0]["detail"] == named("\u2028")


def test_a_password_is_kept_as_it_was_sent(shop: Shop) -> None:
    user = shop.client_of(shop.admin).post(
        "/api/accounts/users/", {"username": "jo", "password": f"{DECOMPOSED} 9kx!", "role": "ADMIN"}
    )
    assert user.status_code == 201, user.content
    assert User.objects.get(username="jo").check_password(f"{DECOMPOSED} 9kx!")


def test_a_pushed_operation_obeys_and_is_kept(shop: Shop) -> None:
    def pushed(name: str, remarks: str) -> Any:
        item = {"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}
        data = {"customer": shop.customer.pk, "items": [item], "remarks": remarks}
        operation = {"type": "transaction.create", "client_temp_id": name, "data": data}
        answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [operation]})
        return answer.json()["results"][0]

    result = pushed("a", "Side\u2028door")
    assert (result["status"], result["errors"]) == (
        "rejected", [{"code": "invalid", "detail": named("\u2028"), "attr": "remarks"}]
    )  # fmt: skip
    assert SyncConflict.objects.get().code == "invalid"
    assert pushed("b", DECOMPOSED)["status"] == "created"
    assert Transaction.objects.get().remarks == COMPOSED


def input_fields(fields: Any, path: str) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    for name, field in fields.items():
        if not field.read_only:
            yield from _leaves(field, f"{path}.{name}")


def _leaves(field: Any, path: str) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    if isinstance(field, serializers.BaseSerializer) or hasattr(field, "child"):
        yield from input_fields(field.fields, path) if hasattr(field, "fields") else _leaves(field.child, path)
    else:
        yield path, field


def subclasses(kind: type[Any]) -> set[type[Any]]:
    return {kind, *(each for child in kind.__subclasses__() for each in subclasses(child))}


def is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in PACKAGES


def test_every_text_of_the_api_is_checked() -> None:
    """But what a pattern says wholly; and one serializer is for the schema alone."""
    loose = {
        path
        for kind in subclasses(KnownFieldsOnly)
        if is_ours(kind) and issubclass(kind, serializers.Serializer) and kind.__subclasses__() == []
        for path, field in input_fields(kind().fields, kind.__name__)
        if isinstance(field, serializers.CharField) and not isinstance(field, TextField)
    }
    assert loose == {"CustomerSerializer.postal_code", "OperationIn.client_temp_id"}


# --- The office --------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\x07", "\u2028", "\ufffe"], ids=ascii)
def test_the_office_names_it_at_its_field(shop: Shop, character: str, nothing_changes: Unchanged) -> None:
    office, page = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    sent = {**form_of(office, page), "name": f"Ah {character}Seng", "email": f"a@b{character}c.sg"}
    with nothing_changes():
        answer = office.post(page, sent)
    assert errors_of(answer) == {"name": [named(character)], "email": [named(character)]}


def test_the_office_stores_the_same_form(shop: Shop) -> None:
    office, page = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    assert office.post(page, {**form_of(office, page), "name": DECOMPOSED}).status_code == 302
    assert Customer.objects.get(pk=shop.customer.pk).name == COMPOSED
    refused = office.post(page, {**form_of(office, page), "name": "\u200b \u3164"})
    assert errors_of(refused) == {"name": ["This field is required."]}


def test_every_text_of_the_office_is_checked(rf: RequestFactory, shop: Shop) -> None:
    request = rf.get("/")
    request.user = furnished(shop).admin
    pages = {
        (model, change): page.get_form(request, model._default_manager.first() if change else None, change=change)
        for model in MODELS
        for page in [admin.site.get_model_admin(model)]
        for change in (False, True)
        if (page.has_change_permission(request) if change else page.has_add_permission(request))
    }
    inlines = [
        formset.form
        for model in MODELS
        for formset, _ in admin.site.get_model_admin(model).get_formsets_with_inlines(request)
    ]
    # Of a form for a model the page makes the model's own fields anew.
    written = [kind for kind in subclasses(forms.BaseForm) if is_ours(kind) and hasattr(kind, "declared_fields")]
    fields = {
        f"{form.__name__}.{name}": field
        for forms_, of in (((*pages.values(), *inlines), "base_fields"), (written, "declared_fields"))
        for form in forms_
        for name, field in getattr(form, of).items()
    }
    loose = {
        name
        for name, field in fields.items()
        if isinstance(field, forms.CharField)
        and not isinstance(field, TextFormField)
        and not isinstance(field.widget, forms.HiddenInput)
    }
    assert loose <= {"LogInForm.username", "LogInForm.password"}


# --- Spreadsheets ------------------------------------------------------------------------------------


def test_a_table_names_its_cell(tmp_path: Path, shop: Shop, nothing_changes: Unchanged) -> None:
    table = tmp_path / "table.csv"
    arguments = ("customers", table, "--user", shop.admin.username, "--commit")
    table.write_text("name,phone\nAh Hock,1\nAh\ufffeSeng,2\n\u200b,3\n", encoding="utf-8")
    told = io.StringIO()
    with nothing_changes(), pytest.raises(CommandError):
        call_command("import_data", *arguments, stderr=told)
    assert re.findall(r"Line (\d), name.*", told.getvalue(), re.IGNORECASE) == ["3", "4"]
    assert named("\ufffe") in told.getvalue()
    table.write_text(f"name\n{DECOMPOSED}\n", encoding="utf-8")
    call_command("import_data", *arguments, stdout=told)
    assert Customer.objects.latest("id").name == COMPOSED


# --- What an earlier release stored ------------------------------------------------------------------


def test_an_old_row_stays_readable(shop: Shop) -> None:
    old = "Ah\u2028Seng\ufffe\x07" + " a long word" * 12 + "\u2029"
    Customer.objects.filter(pk=shop.customer.pk).update(name=old, address=old)
    api, office = shop.client_of(shop.admin), logged_in(shop.admin)
    assert api.get(f"/api/customers/{shop.customer.pk}/").json()["name"] == old
    assert office.get(url(Customer, "change", shop.customer.pk)).status_code == 200
    book = load_workbook(io.BytesIO(office.get(url(Customer, "export", "xlsx")).getvalue()))
    assert any("Ah\nSeng\ufffd\ufffd" in str(cell) for row in book.active.values for cell in row)
    assert api.patch(f"/api/customers/{shop.customer.pk}/", {"phone": "6123 4567"}).status_code == 200
