"""Every named constraint: the database takes what is just allowed, and refuses what breaks this one alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, count
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import User
from core.packages import APPS
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Vehicle
from foundation.columns import column_checks
from foundation.ledger import guards
from inventory.models import Count, Location
from invoices.models import Invoice
from payments.models import CashExpense, Payment
from periods.models import GstReturn, Period
from settlements.models import Settlement
from sync.models import Device
from tests.types import Json
from transactions.models import TransactionItem

pytestmark = pytest.mark.django_db

Values = Json
Row = Values | Callable[[], Values]
CONSTRAINTS = {
    constraint.name: (model, constraint)
    for model in apps.get_models()
    if model.__module__.partition(".")[0] in APPS
    for constraint in model._meta.constraints
}
numbers = count(1)
CLOSED: Json = {
    "ends_on": date(2026, 1, 20),
    "closed_until": date(2026, 1, 20),
    "date": date(2026, 1, 21),
}
FILED: Json = {
    "ends_on": date(2026, 1, 20),
    "recorded_until": date(2026, 1, 20),
    "date": date(2026, 1, 23),
}


def a_row(model: type[models.Model], **given: Any) -> Any:
    """A row in which only what is given says anything; a value may be a callable that makes it."""
    values = {name: value() if callable(value) else value for name, value in given.items()}
    for field_ in model._meta.concrete_fields:
        if not (field_.name in values or field_.primary_key or field_.null or field_.has_default()):
            values[field_.name] = _anything(field_)
    [row] = model._base_manager.bulk_create([model(**values)])
    return row


def _anything(field_: Any) -> object:
    """A value that no other row has, where the column is a reference or unique."""
    if field_.is_relation:
        return a_row(field_.related_model)
    match field_.get_internal_type():
        case "CharField" | "EmailField" | "TextField":
            return f"n{next(numbers)}" if field_.unique else ""
        case "DateField":
            return date(2026, 1, next(numbers) % 28 + 1) if field_.unique else date(2026, 1, 20)
        case "DateTimeField":
            return timezone.now()
        case "JSONField":
            return {}
        case _:
            return next(numbers) if field_.unique else 0


@dataclass(frozen=True)
class Check:
    """Rows that are taken and refused; ``base`` says what other constraints of the table ask for."""

    taken: Sequence[Row]
    refused: Sequence[Row]
    base: Values = field(default_factory=dict)


def another(model: type[models.Model]) -> Callable[[], Any]:
    return lambda: a_row(model)


def not_below_zero(column: str, *, nullable: bool = False) -> Check:
    return Check([{column: 0}, *([{column: None}] if nullable else [])], [{column: "-0.01"}])


FOR_AN_INVOICE: Values = {"invoice": another(Invoice)}


def to_its_own_place() -> Values:
    place = a_row(Location)
    return {"from_location": place, "to_location": place, "from_condition": "FULL", "to_condition": "FULL"}


MOMENT = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
ADDED_UP: Values = {"opening": 10, "loaded": 20, "delivered": 7, "collected": 5, "unloaded": 11, "other": 2}
REFILLED: Values = {"from_condition": "EMPTY", "to_condition": "FULL"}
CHECKS = {
    "equipment_rate_not_negative": not_below_zero("default_rate", nullable=True),
    "equipment_deposit_not_negative": not_below_zero("deposit", nullable=True),
    "customer_meter_rate_not_negative": Check([{"meter_rate": 0}, {"meter_rate": None}], [{"meter_rate": "-0.0001"}]),
    "price_not_negative": not_below_zero("amount", nullable=True),
    "meter_rate_not_negative": Check([{"meter_rate": 0}, {"meter_rate": None}], [{"meter_rate": "-0.0001"}]),
    "customer_meter_reading_not_negative": not_below_zero("last_meter_reading", nullable=True),
    "customer_rate_not_negative": not_below_zero("rate", nullable=True),
    "inventory_not_negative": Check([{"quantity": 0}, {"quantity": -1, "may_be_negative": True}], [{"quantity": -1}]),
    "movement_quantity_positive": Check([{"quantity": 1}], [{"quantity": 0}], REFILLED),
    "movement_moves_something": Check(
        [lambda: {**to_its_own_place(), **REFILLED}, {"from_condition": "FULL", "to_condition": "FULL"}],
        [to_its_own_place],
        {"quantity": 1},
    ),
    "depot_work_goes_elsewhere_by_transfer": Check(
        [{"kind": "TRANSFER", "to_depot": another(Depot)}, {"kind": "REFILL"}],
        [{"kind": "TRANSFER"}, {"kind": "REFILL", "to_depot": another(Depot)}],
    ),
    "depot_work_item_moves_or_counts": Check(
        [{"quantity": 1}, {"quantity": -1}, {"quantity": 0, "expected": 0}],
        [{"quantity": 0}, {"quantity": -1, "expected": 0}],
    ),
    "assignment_not_ahead": Check(
        [{"from_at": MOMENT}, {"from_at": None}],
        [{"from_at": MOMENT + timedelta(microseconds=1)}],
        {"created_at": MOMENT},
    ),
    "deposit_lot_not_negative": Check(
        [{"pieces": 1, "amount": "0.00"}, {"pieces": 0, "amount": 0}],
        [{"pieces": -1, "amount": 0}, {"pieces": 1, "amount": "-0.01"}],
    ),
    "deposit_lot_empty_without_pieces": Check([{"pieces": 1, "amount": 1}], [{"pieces": 0, "amount": "0.01"}]),
    "lot_movement_moves_something": Check(
        [{"pieces": 1, "amount": 0}, {"pieces": 0, "amount": -1}], [{"pieces": 0, "amount": 0}]
    ),
    "lot_movement_has_one_direction": Check(
        [{"pieces": 1, "amount": 1}, {"pieces": -1, "amount": -1}, {"pieces": -1, "amount": 0}],
        [{"pieces": 1, "amount": -1}, {"pieces": -1, "amount": 1}, {"pieces": 0, "amount": 1}],
    ),
    "device_numbers_add_up": Check(
        [{"last_number": 0}, {"received": 2, "last_number": 2}, {"last_number": 9_999_999}],
        [{"received": -1}, {"received": 3, "last_number": 2}, {"last_number": 10_000_000}],
    ),
    "vehicle_transfer_goes_elsewhere": Check(
        [{}], [lambda: dict.fromkeys(("from_vehicle", "to_vehicle"), a_row(Vehicle))]
    ),
    "vehicle_transfer_item_quantity_positive": Check([{"quantity": 1}], [{"quantity": 0}]),
    "distribution_item_quantity_positive": Check([{"quantity": 1}], [{"quantity": 0}]),
    "gst_rate_is_a_percentage": Check([{"rate": 0}, {"rate": 100}], [{"rate": "-0.01"}, {"rate": "100.01"}]),
    "invoice_total_adds_up": Check(
        [{"total_amount": "10.90"}],
        [{"total_amount": "10.91"}, {"total_amount": "10.89"}, {"total_amount": "9.10"}],
        {"subtotal": "10.00", "gst_amount": "0.90"},
    ),
    "invoice_not_settled_beyond_its_total": Check(
        [
            *({"settled_amount": amount} for amount in ("0.00", "10.00")),
            *({"subtotal": -10, "total_amount": -10, "settled_amount": amount} for amount in ("0.00", "-10.00")),
        ],
        [
            *({"settled_amount": amount} for amount in ("-0.01", "10.01")),
            *({"subtotal": -10, "total_amount": -10, "settled_amount": amount} for amount in ("0.01", "-10.01")),
        ],
        {"subtotal": 10, "total_amount": 10},
    ),
    "invoice_not_credited_beyond_its_total": Check(
        [
            *({"credited_amount": amount} for amount in ("0.00", "10.00")),
            *({"subtotal": -10, "total_amount": -10, "credited_amount": amount} for amount in ("0.00", "-10.00")),
        ],
        [
            *({"credited_amount": amount} for amount in ("-0.01", "10.01")),
            *({"subtotal": -10, "total_amount": -10, "credited_amount": amount} for amount in ("0.01", "-10.01")),
        ],
        {"subtotal": 10, "total_amount": 10},
    ),
    "invoice_voided_with_nothing_left": Check(
        [{"credited_amount": 10, "voided_on": date(2026, 1, 21)}, {"credited_amount": 9}],
        [{"credited_amount": 9, "voided_on": date(2026, 1, 21)}],
        {"subtotal": 10, "total_amount": 10},
    ),
    "invoice_counts_by_its_issue": Check(
        [{"tax_point_on": date(2026, 1, 20)}, {"tax_point_on": date(2026, 1, 19), "gst_on": date(2025, 1, 1)}],
        [{"tax_point_on": date(2026, 1, 21)}, {"gst_on": date(2026, 1, 21)}],
        {"date": date(2026, 1, 20), "tax_point_on": date(2026, 1, 20), "gst_on": date(2026, 1, 20)},
    ),
    "invoice_credit_notes_say_their_kind": Check(
        [
            {"kind": "TAX_INVOICE", "credit_kind": ""},
            *({"kind": "CREDIT_NOTE", "credit_kind": kind} for kind in ("GENUINE", "TAX_ERROR")),
        ],
        [
            {"kind": "CREDIT_NOTE", "credit_kind": ""},
            {"kind": "TAX_INVOICE", "credit_kind": "GENUINE"},
            {"kind": "COLLECTION_NOTE", "credit_kind": "TAX_ERROR"},
        ],
    ),
    "period_ends_after_its_start": Check(
        [{"starts_on": None}, {"starts_on": date(2026, 1, 20)}],
        [{"starts_on": date(2026, 1, 21)}],
        CLOSED,
    ),
    "period_is_closed_or_reopened": Check(
        [
            {},
            *({"reopens": lambda: a_row(Period, **CLOSED), "closed_until": day} for day in (None, date(2025, 1, 1))),
        ],
        [
            {"closed_until": None},
            {"closed_until": date(2026, 1, 19)},
            {"reopens": lambda: a_row(Period, **CLOSED)},
        ],
        CLOSED,
    ),
    "period_is_closed_when_it_is_over": Check(
        [{"date": date(2026, 1, 21)}], [{"date": date(2026, 1, 20)}, {"date": date(2025, 1, 1)}], CLOSED
    ),
    "gst_return_ends_after_its_start": Check(
        [{"starts_on": date(2026, 1, 20)}], [{"starts_on": date(2026, 1, 21)}], FILED
    ),
    "gst_return_is_filed_when_its_period_is_over": Check(
        [{}, {"recorded_until": date(2026, 1, 22)}],
        [{"recorded_until": date(2026, 1, 19)}, {"recorded_until": date(2026, 1, 23)}],
        FILED,
    ),
    "gst_return_part_is_recorded_between": Check(
        [{"recorded_after": None}, {"recorded_after": date(2026, 1, 19)}],
        [{"recorded_after": date(2026, 1, 20)}, {"recorded_after": date(2026, 1, 21)}],
        {"recorded_until": date(2026, 1, 20), "gst_return": lambda: a_row(GstReturn, **FILED)},
    ),
    "cash_expense_is_negative_where_it_reverses": Check(
        [{"amount": "0.01"}, {"amount": "-0.01", "reverses": lambda: a_row(CashExpense, amount=1)}],
        [{"amount": 0}, {"amount": "-0.01"}, {"amount": "0.01", "reverses": lambda: a_row(CashExpense, amount=1)}],
    ),
    "payment_amount_not_zero": Check([{"amount": "0.01"}, {"amount": "-0.01"}], [{"amount": 0}]),
    "payment_not_allocated_beyond_its_amount": Check(
        [
            *({"amount": 10, "allocated_amount": amount} for amount in ("0.00", "10.00")),
            *({"amount": -10, "allocated_amount": amount} for amount in ("0.00", "-10.00")),
        ],
        [
            *({"amount": 10, "allocated_amount": amount} for amount in ("-0.01", "10.01")),
            *({"amount": -10, "allocated_amount": amount} for amount in ("0.01", "-10.01")),
        ],
    ),
    "payment_given_covers_it": Check(
        [{"given": None}, {"given": "10.00"}, {"given": "50.00"}], [{"given": "9.99"}], {"amount": 10}
    ),
    "payment_cash_is_not_banked": Check(
        [{"method": "CASH"}, {"method": "CHEQUE", "banked_on": date(2026, 1, 21), "bounced_on": date(2026, 1, 21)}],
        [{"method": "CASH", "banked_on": date(2026, 1, 21)}, {"method": "CASH", "bounced_on": date(2026, 1, 21)}],
        {"amount": 10},
    ),
    "allocation_rounds_by_less_than_a_coin": Check(
        [{"amount": "0.50"}, {"amount": "-0.50"}],
        [{"amount": "0.51"}, {"amount": "-0.51"}],
        FOR_AN_INVOICE | {"rounding_of": lambda: a_row(Payment, amount=1)},
    ),
    "allocation_amount_not_zero": Check(
        [{"amount": "0.01"}, {"amount": "-0.01"}], [{"amount": 0}], FOR_AN_INVOICE | {"credit_note": another(Invoice)}
    ),
    "allocation_has_one_source": Check(
        [
            {"payment": lambda: a_row(Payment, amount=1)},
            {"credit_note": another(Invoice)},
            {"rounding_of": lambda: a_row(Payment, amount=1)},
        ],
        [
            {},
            {"payment": lambda: a_row(Payment, amount=1), "credit_note": another(Invoice)},
            {"payment": lambda: a_row(Payment, amount=1), "rounding_of": lambda: a_row(Payment, amount=1)},
        ],
        FOR_AN_INVOICE | {"amount": "0.50"},
    ),
    "allocation_has_one_target": Check(
        [
            {"payment": lambda: a_row(Payment, amount=1), "invoice": another(Invoice)},
            {"payment": lambda: a_row(Payment, amount=1), "payout": lambda: a_row(Payment, amount=-1)},
            {"credit_note": another(Invoice), "invoice": another(Invoice)},
        ],
        [
            {"payment": lambda: a_row(Payment, amount=1)},
            {"credit_note": another(Invoice), "payout": lambda: a_row(Payment, amount=-1)},
            {
                "payment": lambda: a_row(Payment, amount=1),
                "invoice": another(Invoice),
                "payout": lambda: a_row(Payment, amount=-1),
            },
        ],
        {"amount": 1},
    ),
    "transaction_total_adds_up": Check(
        [{"total_amount": "12.50"}],
        [{"total_amount": "12.51"}, {"total_amount": "12.49"}, {"total_amount": "7.50"}],
        {"usage_amount": "10.00", "items_amount": "2.50"},
    ),
    "transaction_item_quantity_not_zero": Check(
        [{"quantity": 1}, {"quantity": -1}, {"quantity": 0, "corrects": lambda: a_row(TransactionItem, quantity=1)}],
        [{"quantity": 0}],
    ),
    "settlement_line_count_not_negative": Check([{"counted": 0}], [{"counted": -1}]),
    "settlement_line_adds_up": Check([{"expected": 19}], [{"expected": 18}, {"expected": 20}], ADDED_UP),
}

UNIQUE: dict[str, tuple[Values, Values]] = {
    "sequence_prefix_date_unique": ({"prefix": "INV", "date": date(2026, 1, 21)}, {"last_number": 9}),
    "ticket_number_unique": ({"prefix": "INV", "date": date(2026, 1, 21), "number": 7}, {}),
    "log_in_attempt_place_unique": ({"key": "a", "window": 7, "place": 7}, {}),
    "inventory_balance_unique": (
        {"location": another(Location), "equipment": another(Equipment), "condition": "FULL"},
        {"quantity": 9},
    ),
    "reorderlevel_unique": ({"depot": another(Depot), "equipment": another(Equipment)}, {"quantity": 9}),
    "deposit_balance_unique": (
        {"customer": another(Customer), "equipment": another(Equipment)},
        {"quantity": 9, "amount": 9},
    ),
    "settlement_line_unique": (
        {"settlement": another(Settlement), "equipment": another(Equipment), "condition": "FULL"},
        {"counted": 9},
    ),
    "device_unique": ({"user": another(User), "key": "a"}, {"last_number": 9}),
    "received_number_unique": ({"device": another(Device), "number": 7, "key": "a"}, {"client_temp_id": "b"}),
    "count_line_unique": (
        {"count": another(Count), "equipment": another(Equipment), "condition": "FULL"},
        {"quantity": 9},
    ),
    "feed_entity_unique": ({"entity": "customers.customer", "entity_id": 7}, {"position": 9}),
}
"""What may stand once, in values that `a_row` doesn't fill in, and what else may differ then."""


IN_COLUMNS = {check.name: model for model, _ in CONSTRAINTS.values() for check in column_checks(model)}


def refused(name: str, model: type[models.Model], values: Values) -> None:
    """By the constraint; SQLite tells the columns of a unique one and not its name."""
    constraint = CONSTRAINTS[name][1]
    told = name
    if connection.vendor == "sqlite" and isinstance(constraint, models.UniqueConstraint):
        fields: list[Any] = [model._meta.get_field(name) for name in constraint.fields]
        told = ", ".join(f"{model._meta.db_table}.{field.column}" for field in fields)
    with pytest.raises(IntegrityError, match=rf"\b{told}\b"), transaction.atomic():
        a_row(model, **values)


def test_each_constraint_has_its_rows() -> None:
    checks = {name for name, (_, rule) in CONSTRAINTS.items() if isinstance(rule, models.CheckConstraint)}
    assert checks - IN_COLUMNS.keys() == {*CHECKS}
    assert {name for name, (_, rule) in CONSTRAINTS.items() if isinstance(rule, models.UniqueConstraint)} == {*UNIQUE}
    assert {*CONSTRAINTS} == {*CHECKS, *UNIQUE, *IN_COLUMNS}


@pytest.mark.parametrize("name", CHECKS)
def test_the_database_checks(name: str) -> None:
    check, model = CHECKS[name], CONSTRAINTS[name][0]
    for values in check.taken:
        a_row(model, **{**check.base, **(values() if callable(values) else values)})
    for values in check.refused:
        refused(name, model, {**check.base, **(values() if callable(values) else values)})


@pytest.mark.parametrize("name", UNIQUE)
def test_the_database_takes_each_once(name: str) -> None:
    """One value that differs is enough."""
    model = CONSTRAINTS[name][0]
    if connection.vendor == "sqlite":
        guards.remove()  # they refuse what a ledger has already before the constraint does
    key, others = UNIQUE[name]
    same = {column: value() if callable(value) else value for column, value in key.items()}
    a_row(model, **same)
    for column in same:
        a_row(model, **{other: value for other, value in same.items() if other != column})
    refused(name, model, {**same, **others})


def condition_in_the_database(table: str, name: str) -> str:
    """What stands behind CHECK in SQLite's own record of a table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
        _, _, rest = cursor.fetchone()[0].partition(f'CONSTRAINT "{name}" CHECK ')
    depths = accumulate({"(": 1, ")": -1}.get(character, 0) for character in rest)
    return str(rest[: next(index for index, depth in enumerate(depths) if depth == 0) + 1])


@pytest.mark.any_engine
@pytest.mark.parametrize("name", IN_COLUMNS)
def test_the_database_takes_what_a_column_holds(name: str) -> None:
    """All of it and nothing beyond. MariaDB's columns refuse that themselves."""
    model = IN_COLUMNS[name]
    numbers = {
        field.name: Decimal(2**31 - 1)
        if not isinstance(field, models.DecimalField)
        else Decimal(10**field.max_digits - 1).scaleb(-field.decimal_places)
        for field in model._meta.concrete_fields
        if isinstance(field, models.DecimalField | models.IntegerField) and field.column
    }
    condition = condition_in_the_database(model._meta.db_table, name)
    checked = [column for column in numbers if f'"{column}"' in condition]
    assert checked
    for column in checked:
        step = Decimal("0.0001")
        unsigned = isinstance(model._meta.get_field(column), models.PositiveIntegerField)  # has a CHECK of Django's own
        for sign in (1,) if unsigned else (1, -1):
            for value, allowed in ((numbers[column], 1), (numbers[column] + step, 0)):
                row = ", ".join(
                    f'CAST({sign * value if each == column else 0} AS NUMERIC) AS "{each}"' for each in checked
                )
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT {condition} FROM (SELECT {row})")
                    assert cursor.fetchone() == (allowed,), (column, value)


def test_every_number_of_a_ledger_s_document_is_checked() -> None:
    """But for what other checks bound, what a person can't write, and keys."""
    unchecked = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in APPS
        for field in model._meta.concrete_fields
        if isinstance(field, models.DecimalField)
        if not any(f"{field.name}__lte" in str(check.condition) for check in column_checks(model))
    }
    assert unchecked == {"invoices.GstRate.rate", "invoices.Invoice.gst_rate"}
