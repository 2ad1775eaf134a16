"""Every number that a form or an upload of the office takes: at its limit, one beyond, and none at all.

Never a failure, an error at the field, nothing beyond written.
"""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django import forms
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch

from customers.models import Customer
from payments.admin import GoodwillForm, PayBackForm
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, send_confirmed, url
from tests.conftest import Shop
from tests.factories import DepotFactory, VehicleFactory
from tests.imports.test_imports import uploaded
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db

SAVE = {"_save": "Save"}
WILD = ("1e400", "-1e400", "NaN", "sNaN", "-Infinity", "9" * 30, str(2**31), str(2**63), "0x10", "-1", "1" * 5_000)
"""No number that any of them takes."""
UNPLAIN = ("1e1", "\uff11\uff12", "1_0")
"""What Django reads as a number, and the API doesn't."""


def metered(_: Shop) -> Json:
    return {"customer": Customer.objects.exclude(meter_rate=None).latest("pk").pk, "new_meter_number": "N2"}


def a_rate(shop: Shop) -> Json:
    sent = {"rates-TOTAL_FORMS": 1, "rates-INITIAL_FORMS": 0, "rates-0-valid_from": "2026-05-05"}
    return {**sent, "rates-0-equipment": shop.cylinder.pk}


def from_a_date(rows: str) -> Json:
    return {f"{rows}-TOTAL_FORMS": 1, f"{rows}-INITIAL_FORMS": 0, f"{rows}-0-valid_from": "2035-05-05"}


def between_vehicles(shop: Shop) -> Json:
    full, empty = VehicleFactory(), VehicleFactory()
    shop.count("vehicle", full.number, 9999)
    return {"from_vehicle": full.pk, "to_vehicle": empty.pk}


ITEM = {"items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-0-condition": "FULL"}
NEW_CUSTOMER = {"name": "Kedai", "payment_type": "CREDIT", "payment_terms_days": 0, "version": 1}

# By page and field: what else is sent, the largest number that is taken, the smallest that isn't.
FORMS: dict[tuple[str, str], tuple[Callable[[Shop], Json], str, str]] = {
    **{
        ("equipment.equipment add", name): (lambda _: {"sku": "NEW", "name": "N", "equipment_type": "CYLINDER"}, *ends)
        for name, ends in {
            "weight_kg": ("9999.99", "10000.00"),
            "default_rate": ("99999.99", "100000.00"),
            "deposit": ("99999.99", "100000.00"),
        }.items()
    },
    ("equipment.equipment change", "weight_kg"): (lambda _: {}, "9999.99", "10000.00"),
    ("equipment.equipment change", "default_rate"): (lambda _: {}, "99999.99", "100000.00"),
    ("equipment.equipment change", "deposit"): (lambda _: {}, "99999.99", "100000.00"),
    ("customers.customer add", "payment_terms_days"): (lambda _: NEW_CUSTOMER, "365", "366"),
    ("customers.customer add", "meter_rate"): (lambda _: NEW_CUSTOMER, "99999.9999", "100000.0000"),
    ("customers.customer add", "last_meter_reading"): (
        lambda _: {**NEW_CUSTOMER, "meter_rate": "1.0000"}, "99999999.99", "100000000.00",
    ),
    ("customers.customer change", "payment_terms_days"): (lambda _: {"payment_type": "CREDIT"}, "365", "366"),
    ("customers.customer change", "meter_rate"): (lambda _: {}, "99999.9999", "100000.0000"),
    ("equipment.equipment change", "prices-0-amount"): (
        lambda _: {**from_a_date("prices"), "prices-0-kind": "DEPOSIT"}, "99999.99", "100000.00",
    ),
    ("customers.customer change", "meter_rates-0-meter_rate"): (
        lambda _: from_a_date("meter_rates"), "99999.9999", "100000.0000",
    ),
    ("customers.customer add", "rates-0-rate"): (lambda shop: {**NEW_CUSTOMER, **a_rate(shop)}, "99999.99", "100000.00"),
    ("customers.customer change", "rates-0-rate"): (lambda shop: a_rate(shop), "99999.99", "100000.00"),
    ("inventory.inventory add", "counted"): (
        lambda shop: {"depot": shop.depot.pk, "equipment": shop.cylinder.pk, "condition": "EMPTY", "reason": "Counted"},
        "999999", "1000000",
    ),
    ("inventory.inventory change", "counted"): (lambda _: {"reason": "Counted"}, "999999", "1000000"),
    ("inventory.reorderlevel add", "quantity"): (
        lambda shop: {"depot": DepotFactory().pk, "equipment": shop.cylinder.pk}, "999999", "1000000",
    ),
    ("inventory.reorderlevel change", "quantity"): (lambda _: {}, "999999", "1000000"),
    ("inventory.depotwork add", "items-0-quantity"): (
        lambda shop: {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", **ITEM, "items-0-equipment": shop.cylinder.pk},
        "9999", "10000",
    ),
    ("inventory.vehicletransfer add", "items-0-quantity"): (
        lambda shop: {**between_vehicles(shop), "reason": "Ran short", **ITEM, "items-0-equipment": shop.cylinder.pk},
        "9999", "10000",
    ),
    ("invoices.gstrate add", "rate"): (lambda _: {"valid_from": "2030-01-01"}, "100.00", "100.01"),
    ("invoices.payment add", "amount"): (
        lambda shop: {"customer": shop.customer.pk, "method": "PAYNOW"}, "9999999.99", "10000000.00",
    ),
    ("payments.cashexpense add", "amount"): (lambda _: {"reason": "Petrol"}, "9999999.99", "10000000.00"),
    ("transactions.meterreplacement add", "final_reading"): (
        lambda shop: {**metered(shop), "first_reading": "0.00"}, "999999.00", "100000000.00",
    ),
    ("transactions.meterreplacement add", "first_reading"): (
        lambda shop: {**metered(shop), "final_reading": "5.00"}, "99999999.99", "100000000.00",
    ),
}  # fmt: skip
DEPENDS_ON_THE_KIND = ("inventory.depotwork add", "items-0-quantity", "10000")
"""A stock-take may count so many: the command says it, above the form."""
UNSEEN = {"version"}
"""Not typed: what the page was read as."""


def asked(client: Client) -> Iterator[tuple[str, str]]:
    """Each number that a page of the office asks for."""
    for model in MODELS:
        for page, keys in (("add", ()), ("change", (model._default_manager.latest("pk").pk,))):
            answer = client.get(url(model, page, *keys))
            if answer.status_code == 200:
                where = f"{model._meta.label_lower} {page}"
                yield from ((where, name) for name in numbers(answer.context["adminform"].form))
                for inline in answer.context["inline_admin_formsets"]:
                    prefix = inline.formset.prefix
                    if inline.has_add_permission:
                        yield from ((where, f"{prefix}-0-{name}") for name in numbers(inline.formset.empty_form))


def numbers(form: Any) -> list[str]:
    fields = form.base_fields
    return [name for name, field in fields.items() if isinstance(field, forms.IntegerField) and name not in UNSEEN]


def test_every_number_of_the_office_is_tried(office: Shop) -> None:
    assert {*asked(logged_in(office.admin))} == FORMS.keys()


ASKED_BY_ACTIONS = {
    (PayBackForm, "amount"): {"method": "CASH"},
    (GoodwillForm, "amount"): {"method": "CASH", "reason": "x"},
}


def test_every_number_that_an_action_asks_for_is_bounded() -> None:
    """The pages in between: what to pay, to void, to send."""
    waiting: list[type[Any]] = [forms.Form]
    seen: set[type[Any]] = set()
    asked_for: set[tuple[type[Any], str]] = set()
    while waiting:
        kind = waiting.pop()
        waiting += [each for each in kind.__subclasses__() if each not in seen]
        seen |= {*kind.__subclasses__()}
        if kind.__module__.endswith((".admin", ".actions")):
            asked_for |= {(kind, name) for name in numbers(kind)}
    assert asked_for == ASKED_BY_ACTIONS.keys()
    for (form, name), more in ASKED_BY_ACTIONS.items():
        for value, is_valid in (
            ("9999999.99", True),
            ("0.01", True),
            ("10000000.00", False),
            ("0.00", False),
            ("NaN", False),
            ("0.001", False),
            *((value, False) for value in UNPLAIN),
        ):
            assert form({**more, name: value}).is_valid() is is_valid, (form, value)


def sent(client: Client, at: tuple[str, str], more: Json, value: str) -> Answer:
    label, page = at[0].split()
    model = next(model for model in MODELS if model._meta.label_lower == label)
    address = url(model, page, *((model._default_manager.latest("pk").pk,) if page == "change" else ()))
    return send_confirmed(client, address, {**form_of(client, address), **more, at[1]: value, **SAVE})


def reasons(answer: Answer) -> set[str]:
    """The fields that a form came back for."""
    inlines = [
        f"{form.prefix}-{name}"
        for inline in answer.context["inline_admin_formsets"]
        for form in inline.formset.forms
        for name in form.errors
    ]
    return {*errors_of(answer), *inlines}


@pytest.mark.parametrize("at", FORMS, ids=" ".join)
def test_a_number_at_its_limit_is_taken(office: Shop, at: tuple[str, str]) -> None:
    more, most, _ = FORMS[at]
    answer = sent(logged_in(office.admin), at, more(office), most)
    assert answer.status_code == 302, reasons(answer)
    call_command("verify_books", stdout=StringIO())


@pytest.mark.parametrize("at", FORMS, ids=" ".join)
def test_what_is_beyond_is_refused_at_the_field(office: Shop, at: tuple[str, str], nothing_changes: Unchanged) -> None:
    client, more = logged_in(office.admin), FORMS[at][0](office)
    for value in (FORMS[at][2], *WILD, *UNPLAIN):
        with nothing_changes():
            answer = sent(client, at, more, value)
        field = "__all__" if (*at, value) == DEPENDS_ON_THE_KIND else at[1]
        assert (answer.status_code, reasons(answer)) == (200, {field}), value


# --- Uploads ---------------------------------------------------------------------------------------------

TABLES: dict[tuple[str, str], tuple[Callable[[Shop], Json], str, str]] = {
    ("customers.customer", "payment_terms_days"): (lambda _: {"name": "Kedai", "payment_type": "CREDIT"}, "365", "366"),
    ("customers.customer", "meter_rate"): (lambda _: {"name": "Kedai"}, "99999.9999", "100000"),
    ("customers.customer", "last_meter_reading"): (
        lambda _: {"name": "Kedai", "meter_rate": "1"}, "99999999.99", "100000000",
    ),
    ("customers.customerrate", "rate"): (
        lambda shop: {"customer_code": shop.customer.customer_code, "sku": shop.cylinder.sku, "valid_from": "2026-05-05"},
        "99999.99", "100000",
    ),
    **{
        ("equipment.equipment", name): (lambda _: {"sku": "NEW", "name": "N", "equipment_type": "CYLINDER"}, *ends)
        for name, ends in {
            "weight_kg": ("9999.99", "10000"), "default_rate": ("99999.99", "100000"), "deposit": ("99999.99", "100000"),
        }.items()
    },
}  # fmt: skip


def columns() -> Iterator[tuple[str, str]]:
    """Each number that an upload takes."""
    from django.contrib import admin
    from django.db import models

    for model in MODELS:
        try:
            url(model, "import")
        except NoReverseMatch:
            continue
        model_admin: Any = admin.site._registry[model]
        [resource] = model_admin.resource_classes
        for name, attribute in resource.columns.items():
            column = next((field for field in model._meta.concrete_fields if field.name == attribute), None)
            if isinstance(column, models.DecimalField | models.IntegerField) and not column.primary_key:
                yield model._meta.label_lower, name


def test_every_number_of_an_upload_is_tried() -> None:
    assert {*columns()} == TABLES.keys()


def upload(client: Client, at: tuple[str, str], more: Json, value: str) -> tuple[Answer, Answer | None]:
    """The trial run, and the import where it could be confirmed."""
    row = {**more, at[1]: value}
    trial = uploaded(client, at[0], ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    if (confirm := trial.context.get("confirm_form")) is None:
        return trial, None
    return trial, client.post(url(at[0], "process_import"), confirm.initial)


@pytest.mark.parametrize("at", TABLES, ids=" ".join)
def test_an_uploaded_number_at_its_limit_is_taken(office: Shop, at: tuple[str, str]) -> None:
    more, most, _ = TABLES[at]
    trial, imported = upload(logged_in(office.admin), at, more(office), most)
    assert imported is not None, trial.content.decode()
    assert imported.status_code == 302
    call_command("verify_books", stdout=StringIO())


@pytest.mark.parametrize("at", TABLES, ids=" ".join)
def test_an_upload_of_what_is_beyond_is_refused(office: Shop, at: tuple[str, str], nothing_changes: Unchanged) -> None:
    client, more = logged_in(office.admin), TABLES[at][0](office)
    for value in (TABLES[at][2], *WILD):
        with nothing_changes():
            trial, imported = upload(client, at, more, value)
        assert (trial.status_code, imported) == (200, None), value
