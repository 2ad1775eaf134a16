"""Each field of each write × each bad value: a 4xx in the one shape, and nothing changed."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User
from fleet.models import Assignment
from foundation.access.capabilities import Role
from tests.conftest import ClientOf, client_for, error_of, fingerprint
from tests.factories import (
    PASSWORD,
    CustomerFactory,
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    UserFactory,
    VehicleFactory,
)
from tests.types import Answer, Json

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stub_pdf")]

MEGABYTE = "x" * 1_000_000
NOT_A_TEXT: list[object] = [None, [], {}, True, 7, MEGABYTE, "a\x00b", "\ud800", "a\u2028b", "a\x7fb", "\ufffe"]
NOT_A_NUMBER = [
    "",
    "x",
    [],
    {},
    True,
    False,
    "１２",
    "1_000",
    "٣",
    "1e3",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    " 5x",
]
NOT_A_COUNT = [None, *NOT_A_NUMBER, -1, 0, 1.5, "1.5", 10**20, 10**30, 1e-9, 1e30, "9" * 5_000, MEGABYTE]
NOT_AN_ID = [*NOT_A_COUNT, 999_999, 2**63]
NOT_MONEY = [*NOT_A_NUMBER, -1, "-0.01", 10**20, 10**30, 1e-9, "0.001", 1e30, "9" * 5_000, MEGABYTE]
NOT_A_CHOICE: list[object] = [None, "", "x", [], {}, True, 0, -1, MEGABYTE, "a\x00b", "\ud800", "sale", "🦄"]
NOT_A_MOMENT = [
    "", "x", [], {}, True, 0, 1e30, MEGABYTE, "2026-01-20", "2026-01-20T10:00:00", "2026-02-30T10:00:00+08:00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2000-01-01T00:00:00Z", "9998-01-01T00:00:00Z",
    "2026-01-20T10:00:00+99:00",
]  # fmt: skip
_NEVER: list[object] = ["0001-01-01", "1999-12-31", "2206-01-01"]
"""No rate or price counts from there."""
NOT_A_DATE: list[object] = [
    None,
    "",
    "x",
    [],
    {},
    True,
    0,
    20260120,
    MEGABYTE,
    "2026-02-30",
    "2026-01-20T10:00:00+08:00",
    "0000-01-01",
]
NOT_A_BOOLEAN: list[object] = [None, "", "x", [], {}, -1, 10**30, MEGABYTE]
NOT_A_LIST_OF_ITEMS: list[object] = [None, "", "x", {}, True, 7, [None], ["x"], [7], [[]], [{}]]
NO_VEHICLE: list[object] = [
    "", " ", [], {}, True, 7, "ü", "GBK/1234", "x", "x" * 17, "GBX4040X", MEGABYTE, "a\x00b", "\ud800",
]  # fmt: skip
"""Null is none of them: the one that was assigned, or none."""
NOT_A_CLIENT_ID = ["", [], {}, True, 7, "x" * 65, MEGABYTE, "a\x00b", "\ud800", "a\u2028b"]

World = dict[str, int]

ITEM = {
    "equipment": NOT_AN_ID,
    "quantity": NOT_A_COUNT,
}
WRITES: dict[str, tuple[str, str, Callable[[World], Json], dict[str, list[Any]]]] = {
    "sale": (
        "post",
        "/api/transactions/",
        lambda w: {
            "customer": w["customer"],
            "current_meter": "100.00",
            "payment_received": True,
            "remarks": "At the back door",
            "client_temp_id": "a",
            "items": [{"equipment": w["equipment"], "type": "RETURN", "quantity": 1, "rate": "0.00", "condition": "EMPTY"}],
        },
        {
            "customer": NOT_AN_ID,
            "vehicle": NO_VEHICLE,
            "current_meter": NOT_MONEY,
            "payment_received": NOT_A_BOOLEAN,
            "tender": [
                "", "x", {}, True, 7, [None], ["x"], [[]], [{}], [{"method": "CASH"}], [{"method": "X", "amount": "1.00"}],
                [{"method": "CASH", "amount": "0.00"}], [{"method": "CASH", "amount": "1.00", "given": "x"}],
            ],
            "remarks": NOT_A_TEXT,
            "occurred_at": NOT_A_MOMENT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "items": NOT_A_LIST_OF_ITEMS,
            "items.0.equipment": NOT_AN_ID,
            "items.0.quantity": NOT_A_COUNT,
            "items.0.type": NOT_A_CHOICE,
            "items.0.rate": NOT_MONEY,
            "items.0.condition": [value for value in NOT_A_CHOICE if value not in ("",)] + ["FULL"],
        },
    ),
    "distribution": (
        "post",
        "/api/distributions/",
        lambda w: {
            "depot": w["depot"],
            "remarks": "Morning",
            "client_temp_id": "b",
            "items": [{"equipment": w["equipment"], "direction": "OUT", "condition": "FULL", "quantity": 1}],
        },
        {
            "depot": NOT_AN_ID,
            "vehicle": NO_VEHICLE,
            "remarks": NOT_A_TEXT,
            "occurred_at": NOT_A_MOMENT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "items": [*NOT_A_LIST_OF_ITEMS, []],
            "items.0.equipment": NOT_AN_ID,
            "items.0.quantity": NOT_A_COUNT,
            "items.0.direction": NOT_A_CHOICE,
            "items.0.condition": NOT_A_CHOICE,
        },
    ),
    "correction": (
        "post",
        "/api/inventories/update-inventory/",
        lambda w: {
            "entity": "depot",
            "entity_id": w["depot"],
            "equipment_id": w["equipment"],
            "condition": "FULL",
            "quantity": 3,
            "reason": "Counted",
        },
        {
            "entity": NOT_A_CHOICE,
            "entity_id": [None, "", [], {}, True, -1, 0, 1.5, 999_999, 10**20, 10**30, "x", "１２", MEGABYTE, "a\x00b", "\ud800"],
            "equipment_id": NOT_AN_ID,
            "condition": NOT_A_CHOICE,
            "quantity": [value for value in NOT_A_COUNT if value != 0],
            "reason": [*NOT_A_TEXT, "", "   "],
        },
    ),
    "payout": (
        "post",
        "/api/payouts/",
        lambda w: {"customer": w["customer"], "amount": "1.00", "method": "PAYNOW", "client_temp_id": "back"},
        {
            "customer": NOT_AN_ID,
            "method": NOT_A_CHOICE,
            "amount": [None, 0, "0.00", *NOT_MONEY],
            "reference": [*NOT_A_TEXT, "x" * 65],
            "remarks": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "set-off": (
        "post",
        "/api/set-offs/",
        lambda w: {"customer": w["customer"], "client_temp_id": "off"},
        {
            "customer": NOT_AN_ID,
            "credits": ["", "x", [], {}, True, 7, [None], ["x"], [[]], [{}], [{"amount": "1.00"}], [{"payment": 1}]],
            "invoices": ["", "x", [], {}, True, 7, [None], ["x"], [[]], [{}], [{"amount": "1.00"}], [{"invoice": 1}]],
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "payment": (
        "post",
        "/api/payments/",
        lambda w: {
            "customer": w["customer"],
            "method": "PAYNOW",
            "amount": "12.00",
            "reference": "PN-1",
            "remarks": "Early",
            "client_temp_id": "c",
            "allocations": [{"invoice": w["invoice"], "amount": "1.00"}],
        },
        {
            "customer": NOT_AN_ID,
            "method": NOT_A_CHOICE,
            "amount": [None, 0, "0.00", *NOT_MONEY],
            "received_on": [value for value in NOT_A_DATE if value is not None] + ["2999-01-01", "1999-01-01"],
            "given": ["0.00", "11.99", *NOT_MONEY],
            "reference": [*NOT_A_TEXT, "x" * 65],
            "occurred_at": NOT_A_MOMENT,
            "remarks": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "allocations": ["", "x", {}, True, 7, [None], ["x"], [[]], [{}]],
            "allocations.0.invoice": NOT_AN_ID,
            "allocations.0.amount": [None, 0, *NOT_MONEY, "12.01", "999999.00"],
        },
    ),
    "pay": (
        "post",
        "/api/invoices/{invoice}/pay/",
        lambda w: {"method": "CASH", "amount": "1.00"},
        {
            "method": NOT_A_CHOICE,
            "amount": [0, *NOT_MONEY, "999999.00"],
            "received_on": [value for value in NOT_A_DATE if value is not None] + ["2999-01-01"],
            "reference": [*NOT_A_TEXT, "x" * 65],
        },
    ),
    "print-batch": (
        "post",
        "/api/invoices/print-batch/",
        lambda w: {"invoices": [w["invoice"]]},
        {"invoices": [None, "", "x", {}, True, 7, [], [None], ["x"], [[]], [{}], [999_999], [2**63], [-1], [1] * 201]},
    ),
    "email": (
        "post",
        "/api/invoices/{invoice}/email/",
        lambda w: {"to": "a@b.sg"},
        {"to": ["", None, [], {}, True, "x", MEGABYTE, "a\x00@b.sg", "a@b\r\nBcc: c@d.sg", "a@b.sg, c@d.sg"]},
    ),
    "void": (
        "post",
        "/api/transactions/{sale}/void/",
        lambda w: {"reason": "Entered twice", "return_stock": False},
        {
            "reason": [*NOT_A_TEXT, "", "  ", "x" * 501],
            "return_stock": NOT_A_BOOLEAN,
            "goods": [*NOT_A_CHOICE, "gone", "came_back"],  # said twice
            "keep_meter": NOT_A_BOOLEAN,
        },
    ),
    "credit": (
        "post",
        "/api/invoices/{other_invoice}/credit/",
        lambda w: {"reason": "Leaking", "lines": [{"line": 1, "quantity": 1, "return_stock": False}]},
        {
            "reason": [*NOT_A_TEXT, "", "  ", "x" * 501],
            "lines": NOT_A_LIST_OF_ITEMS,
            "lines.0.line": [*NOT_A_COUNT, 2],
            "lines.0.quantity": NOT_A_COUNT,
            "lines.0.amount": ["1.00", *NOT_MONEY],  # said twice
            "lines.0.amount_includes_gst": NOT_A_BOOLEAN,
            "lines.0.return_stock": NOT_A_BOOLEAN,
        },
    ),
    "replace meter": (
        "post",
        "/api/customers/{customer}/replace-meter/",
        lambda w: {"final_reading": "110.00", "new_meter_number": "M-2", "first_reading": "0.00", "reason": "Old"},
        {
            "final_reading": [None, *NOT_MONEY],
            "new_meter_number": [*NOT_A_TEXT, "", "x" * 33],
            "first_reading": [None, *NOT_MONEY],
            "reason": NOT_A_TEXT,
            "occurred_at": NOT_A_MOMENT,
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "settlement": (
        "post",
        "/api/settlements/",
        lambda w: {
            "cash": "0.00",
            "counts": [{"equipment": w["equipment"], "condition": "FULL", "quantity": 1}],
            "client_temp_id": "d",
        },
        {
            "cash": [None, *NOT_MONEY],
            "remarks": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "counts": [None, "", "x", {}, True, 7, [None], ["x"], [[]], [{}]],
            "counts.0.equipment": NOT_AN_ID,
            "counts.0.condition": NOT_A_CHOICE,
            "counts.0.quantity": [value for value in NOT_A_COUNT if value != 0],
        },
    ),
    "vehicle count": (
        "post",
        "/api/vehicle-counts/",
        lambda w: {
            "vehicle": "GBV1V",
            "counts": [{"equipment": w["equipment"], "condition": "FULL", "quantity": 1}],
            "client_temp_id": "vc",
        },
        {
            "vehicle": [[], {}, True, 7, MEGABYTE, "a\x00b", "\ud800", "GBX9X", ""],
            "remarks": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "occurred_at": NOT_A_MOMENT,
            "counts": [None, "", "x", {}, True, 7, [None], ["x"], [[]], [{}]],
            "counts.0.equipment": NOT_AN_ID,
            "counts.0.condition": NOT_A_CHOICE,
            "counts.0.quantity": [value for value in NOT_A_COUNT if value != 0],
        },
    ),
    "vehicle count rejection": (
        "post",
        "/api/vehicle-counts/{vehicle_count}/reject/",
        lambda w: {"remarks": "Again"},
        {"remarks": [*NOT_A_TEXT, "", "  ", "x" * 501]},
    ),
    "vehicle count sign-off": (
        "post",
        "/api/vehicle-counts/{other_vehicle_count}/sign-off/",
        lambda w: {"remarks": "Right"},
        {"remarks": [*NOT_A_TEXT, "x" * 501]},
    ),
    "cash count": (
        "post",
        "/api/cash-counts/",
        lambda w: {"cash": "0.00", "client_temp_id": "cc"},
        {
            "cash": [None, *NOT_MONEY],
            "remarks": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "occurred_at": NOT_A_MOMENT,
        },
    ),
    "cash count rejection": (
        "post",
        "/api/cash-counts/{cash_count}/reject/",
        lambda w: {"remarks": "Again"},
        {"remarks": [*NOT_A_TEXT, "", "  ", "x" * 501]},
    ),
    "cash count sign-off": (
        "post",
        "/api/cash-counts/{other_cash_count}/sign-off/",
        lambda w: {"remarks": "Right"},
        {"remarks": [*NOT_A_TEXT, "x" * 501]},
    ),
    "expense": (
        "post",
        "/api/expenses/",
        lambda w: {"amount": "1.00", "reason": "Petrol", "client_temp_id": "ex"},
        {
            "amount": [None, *NOT_MONEY, "0.00", "-1.00"],
            "reason": [*NOT_A_TEXT, "", "  ", "x" * 501],
            "reference": [*NOT_A_TEXT, "x" * 65],
            "client_temp_id": NOT_A_CLIENT_ID,
            "occurred_at": NOT_A_MOMENT,
        },
    ),
    "reopening": (
        "post",
        "/api/periods/{period}/reopen/",
        lambda w: {"reason": "Too early"},
        {"reason": [*NOT_A_TEXT, "", "  ", "x" * 501]},
    ),
    "closing": (
        "post",
        "/api/periods/",
        lambda w: {"ends_on": "2025-06-30", "client_temp_id": "closed"},
        {"ends_on": [*NOT_A_DATE, None, "", "2199-01-01"], "client_temp_id": NOT_A_CLIENT_ID},
    ),
    "GST return": (
        "post",
        "/api/gst-returns/",
        lambda w: {
            "form": "F5",
            "starts_on": "2025-01-01",
            "ends_on": "2025-03-31",
            "reference": "R",
            "client_temp_id": "filed",
        },
        {
            "form": [*NOT_A_CHOICE, "F8"],
            "starts_on": [*NOT_A_DATE, None, "", "2025-04-01"],
            "ends_on": [*NOT_A_DATE, None, "", "2024-12-31", "2199-01-01"],
            "reference": [*NOT_A_TEXT, "x" * 65],
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "expense reversal": (
        "post",
        "/api/expenses/{expense}/reverse/",
        lambda w: {"reason": "A slip"},
        {"reason": [*NOT_A_TEXT, "", "  ", "x" * 501]},
    ),
    "depot work": (
        "post",
        "/api/depot-work/",
        lambda w: {
            "kind": "DAMAGE",
            "depot": w["depot"],
            "reason": "Dented",
            "reference": "R",
            "client_temp_id": "e",
            "items": [{"equipment": w["equipment"], "condition": "FULL", "quantity": 1}],
        },
        {
            "kind": [*NOT_A_CHOICE, "STOCK_TAKE", "TRANSFER"],
            "depot": NOT_AN_ID,
            "to_depot": [value for value in NOT_AN_ID if value is not None],
            "reason": [*NOT_A_TEXT, "", "  "],
            "reference": [*NOT_A_TEXT, "x" * 65],
            "occurred_at": NOT_A_MOMENT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "items": [*NOT_A_LIST_OF_ITEMS, []],
            "items.0.equipment": NOT_AN_ID,
            "items.0.condition": NOT_A_CHOICE,
            "items.0.quantity": [*NOT_A_COUNT, 99_999],
        },
    ),
    "depot work reversal": (
        "post",
        "/api/depot-work/{depot_work}/reverse/",
        lambda w: {"reason": "Entered twice"},
        {
            "reason": [*NOT_A_TEXT, "", "  ", "x" * 501],
            "goods": [*NOT_A_CHOICE, "gone"],
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "stock-take": (
        "post",
        "/api/depot-work/stock-take/",
        lambda w: {
            "depot": w["depot"],
            "reason": "Year's end",
            "items": [{"equipment": w["equipment"], "condition": "FULL", "quantity": 0}],
        },
        {
            "depot": NOT_AN_ID,
            "reason": [*NOT_A_TEXT, "", "  "],
            "client_temp_id": NOT_A_CLIENT_ID,
            "counted_at": NOT_A_MOMENT,
            "items": [*NOT_A_LIST_OF_ITEMS, []],
            "items.0.equipment": NOT_AN_ID,
            "items.0.condition": NOT_A_CHOICE,
            "items.0.quantity": [value for value in NOT_A_COUNT if value != 0],
        },
    ),
    "customer": (
        "post",
        "/api/customers/",
        lambda w: {"name": "Kedai Makan", "customer_code": "KM-1"},
        {
            "name": [*NOT_A_TEXT, "", "  ", "\u200b\u3164"],
            "customer_code": [*NOT_A_TEXT, "", "ü", "a--", "x" * 33, "CUS-20260120-000001", "🦄"],
            "email": [None, [], {}, True, "x", MEGABYTE, "a\x00@b.sg", "a@b\r\nBcc: c@d.sg"],
            "address": NOT_A_TEXT,
            "postal_code": [None, [], {}, "x", "12345", "1234567", "１２３４５６"],
            "payment_type": NOT_A_CHOICE,
            "payment_terms_days": [None, *NOT_A_NUMBER, -1, 10**20, 366],
            "meter_rate": [*NOT_MONEY[:-5], "0.00001"],
            "last_meter_reading": NOT_MONEY,
            "is_active": NOT_A_BOOLEAN,
        },
    ),
    "customer change": (
        "patch",
        "/api/customers/{customer}/",
        lambda w: {"address": "Elsewhere"},
        {"version": [None, *NOT_A_NUMBER, -1, 0, 10**20, 99], "name": [*NOT_A_TEXT, ""]},
    ),
    "price": (
        "post",
        "/api/equipment/{equipment}/prices/",
        lambda w: {"kind": "DEPOSIT", "amount": "61.00", "valid_from": "2035-01-01", "reason": ""},
        {
            "kind": NOT_A_CHOICE,
            "amount": NOT_MONEY,
            "valid_from": [*NOT_A_DATE, *_NEVER],
            "reason": [*NOT_A_TEXT, "x" * 501],
        },
    ),
    "meter's rate": (
        "post",
        "/api/customers/{customer}/meter-rates/",
        lambda w: {"meter_rate": "2.1000", "valid_from": "2035-01-01", "reason": ""},
        {
            "meter_rate": [*NOT_MONEY[:-5], "0.00001"],
            "valid_from": [*NOT_A_DATE, *_NEVER],
            "reason": [*NOT_A_TEXT, "x" * 501],
        },
    ),
    "contract rate": (
        "post",
        "/api/customers/{customer}/rates/",
        lambda w: {"equipment": w["equipment"], "rate": "20.00", "valid_from": "2035-01-01"},
        {"equipment": NOT_AN_ID, "rate": [None, *NOT_MONEY], "valid_from": [*NOT_A_DATE, *_NEVER], "reason": [*NOT_A_TEXT, "x" * 501]},
    ),
    "equipment": (
        "post",
        "/api/equipment/",
        lambda w: {"sku": "NEW-1", "name": "New", "equipment_type": "CYLINDER", "weight_kg": "14"},
        {
            "sku": [*NOT_A_TEXT, "", "ü", "x" * 33],
            "name": [*NOT_A_TEXT, ""],
            "equipment_type": NOT_A_CHOICE,
            "weight_kg": NOT_MONEY,
            "default_rate": NOT_MONEY,
            "deposit": NOT_MONEY,
        },
    ),
    "depot": (
        "post",
        "/api/depots/",
        lambda w: {"code": "NEW", "name": "New"},
        {"code": [*NOT_A_TEXT, "", "ü"], "name": [*NOT_A_TEXT, ""], "address": NOT_A_TEXT},
    ),
    "vehicle": (
        "post",
        "/api/vehicles/",
        lambda w: {"number": "gbn 1 n", "depot": w["depot"]},
        {
            "number": [None, *(value for value in NO_VEHICLE if value != "GBX4040X"), "gbv 1 v"],
            "depot": [value for value in NOT_AN_ID if value is not None],
            "is_active": NOT_A_BOOLEAN,
        },
    ),
    "assignment": (
        "post",
        "/api/vehicle-assignments/",
        lambda w: {"user": w["user"], "vehicle": "GBV1V", "reason": "In the workshop", "client_temp_id": "v"},
        {
            "user": NOT_AN_ID,
            "vehicle": NO_VEHICLE,
            "occurred_at": NOT_A_MOMENT,
            "reason": NOT_A_TEXT,
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "taking": (
        "post",
        "/api/vehicles/{vehicle}/take/",
        lambda w: {"client_temp_id": "t"},
        {"occurred_at": NOT_A_MOMENT, "client_temp_id": NOT_A_CLIENT_ID},
    ),
    "assignment correction": (
        "post",
        "/api/vehicle-assignments/{assignment}/correct/",
        lambda w: {"vehicle": "GBV1V", "reason": "The other one", "client_temp_id": "k"},
        {
            "vehicle": NO_VEHICLE,
            "occurred_at": [value for value in NOT_A_MOMENT if value != "2000-01-01T00:00:00Z"],
            "reason": [*NOT_A_TEXT, "", "  "],
            "client_temp_id": NOT_A_CLIENT_ID,
        },
    ),
    "vehicle transfer": (
        "post",
        "/api/vehicles/{vehicle}/transfer/",
        lambda w: {
            "to_vehicle": "GBW2W",
            "reason": "Ran short",
            "client_temp_id": "w",
            "items": [{"equipment": w["equipment"], "condition": "FULL", "quantity": 1}],
        },
        {
            "to_vehicle": [None, *NO_VEHICLE, "GBV1V"],
            "reason": NOT_A_TEXT,
            "occurred_at": NOT_A_MOMENT,
            "client_temp_id": NOT_A_CLIENT_ID,
            "items": [*NOT_A_LIST_OF_ITEMS, []],
            "items.0.equipment": NOT_AN_ID,
            "items.0.quantity": NOT_A_COUNT,
            "items.0.condition": NOT_A_CHOICE,
        },
    ),
    "GST rate": (
        "post",
        "/api/gst-rates/",
        lambda w: {"rate": "9.00", "valid_from": "2035-01-01"},
        {
            "rate": [None, *NOT_MONEY, "100.01"],
            "valid_from": [*NOT_A_DATE, *_NEVER, "2024-01-01"],
            "reason": [*NOT_A_TEXT, "x" * 501],
        },
    ),
    "user": (
        "post",
        "/api/accounts/users/",
        lambda w: {"username": "newcomer", "password": "quite a long one 7", "role": "DRIVER", "depot": w["depot"]},
        {
            "username": [*NOT_A_TEXT, "", "a b", "ü", "x" * 65],
            "password": [*NOT_A_TEXT, "", "short", "12345678901", "password123", "x" * 129],
            "role": NOT_A_CHOICE,
            "email": [None, [], {}, True, "x", MEGABYTE, "a\x00@b.sg"],
            "first_name": NOT_A_TEXT,
            "last_name": NOT_A_TEXT,
            "employee_id": [[], {}, True, 7, MEGABYTE, "a\x00b", "\ud800"],
            "depot": [value for value in NOT_AN_ID if value is not None],
            "vehicle_no": [*NOT_A_TEXT, "ü", "GBK/1234", "x" * 17],
            "is_active": NOT_A_BOOLEAN,
        },
    ),
    "log-in": (
        "post",
        "/api/token/",
        lambda w: {"username": "boss", "password": PASSWORD},
        {"username": [*NOT_A_TEXT, "", "nobody"], "password": [*NOT_A_TEXT, "", "wrong"]},
    ),
    "refresh": (
        "post",
        "/api/token/refresh/",
        lambda w: {"refresh": str(RefreshToken.for_user(User.objects.get(username="boss")))},
        {"refresh": [*NOT_A_TEXT, "", "x", "a.b.c"]},
    ),
    "log-out": (
        "post",
        "/api/token/blacklist/",
        lambda w: {"refresh": str(RefreshToken.for_user(User.objects.get(username="boss")))},
        {"refresh": [*NOT_A_TEXT, "", "x", "a.b.c"]},
    ),
}  # fmt: skip


@pytest.fixture
def world() -> World:
    depot = DepotFactory()
    driver = DriverFactory(depot=depot)
    VehicleFactory(number="GBW2W", depot=depot)
    return {
        "depot": depot.pk,
        "equipment": EquipmentFactory().pk,
        "customer": CustomerFactory(meter_rate="2").pk,
        "user": driver.pk,
        "assignment": Assignment.objects.get(user=driver).pk,
        "vehicle": VehicleFactory(number="GBV1V", depot=depot).pk,
    }


def _sell(admin: APIClient, world: World) -> None:
    """Something to void, to pay and to send."""
    items = [{"equipment": world["equipment"], "type": "REFILL", "quantity": 1}]
    sold = admin.post("/api/transactions/", {"customer": world["customer"], "items": items}).json()
    world.update(sale=sold["transaction"]["id"], invoice=sold["invoice"]["id"])
    sold = admin.post("/api/transactions/", {"customer": world["customer"], "items": items}).json()
    world["other_invoice"] = sold["invoice"]["id"]
    credit = {"customer": world["customer"], "method": "PAYNOW", "amount": "9.00", "allocations": []}
    assert admin.post("/api/payments/", credit).status_code == 201


def _count(driver: APIClient, world: World) -> None:
    """Something to decide about: two of a kind, the earlier one first."""
    period = client_for(UserFactory(role=Role.ADMIN)).post("/api/periods/", {"ends_on": "2025-03-31"})
    world["period"] = period.json()["id"]
    world["expense"] = driver.post("/api/expenses/", {"amount": "1.00", "reason": "Parking"}).json()["id"]
    for name in ("other_", ""):
        world[f"{name}vehicle_count"] = driver.post("/api/vehicle-counts/", {"counts": []}).json()["id"]
        world[f"{name}cash_count"] = driver.post("/api/cash-counts/", {"cash": "0.00"}).json()["id"]


@pytest.fixture
def client(client_of: ClientOf, world: World, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    monkeypatch.setattr("accounts.throttling.LogInThrottle.rate", None, raising=False)
    boss = UserFactory(role=Role.ADMIN, username="boss")
    admin = client_of(boss)
    stock = {"equipment_id": world["equipment"], "condition": "FULL", "quantity": 50, "reason": "Opening"}
    for entity, entity_id in (("depot", world["depot"]), ("customer", world["customer"]), ("vehicle", "GBV1V")):
        admin.post("/api/inventories/update-inventory/", {"entity": entity, "entity_id": entity_id, **stock})
    gained = {"equipment": world["equipment"], "condition": "FULL", "quantity": 1}
    bought = {"kind": "GOODS_IN", "depot": world["depot"], "reason": "Bought", "items": [gained]}
    world["depot_work"] = admin.post("/api/depot-work/", bought).json()["id"]
    _sell(admin, world)
    _count(client_of(User.objects.get(pk=world["user"])), world)
    # For day-ends; what was sold before left the field stock of those on foot.
    boss.vehicle_no = "GBB1B"
    boss.save()
    return admin


def with_value(body: Json, path: str, value: Any) -> Json:
    changed = copy.deepcopy(body)
    place: Any = changed
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in parents:
        place = place[step]
    place[last] = value
    return changed


def without(body: Json, path: str) -> Json:
    changed = with_value(body, path, None)
    place: Any = changed
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in parents:
        place = place[step]
    del place[last]
    return changed


def send(client: APIClient, write: str, world: World, body: object) -> Answer:
    method, url, _, _ = WRITES[write]
    return client.generic(method.upper(), url.format(**world), json.dumps(body), content_type="application/json")


def assert_refused(response: Answer, value: object) -> None:
    assert 400 <= response.status_code < 500, (repr(value)[:80], response.status_code, response.content[:300])
    answer = response.json()
    assert answer["type"] in ("validation_error", "client_error")
    assert answer["errors"]
    for error in answer["errors"]:
        assert set(error) == {"code", "detail", "attr"}
        assert len(error["detail"]) < 1_000


def test_the_bodies_that_are_spoilt_below_are_good(client: APIClient, world: World) -> None:
    for write, (_, _, body, _) in WRITES.items():
        response = send(client, write, world, body(world))
        assert response.status_code in (200, 201, 202), (write, response.content[:300])


@pytest.mark.parametrize("write", WRITES)
def test_a_bad_value_is_refused_and_changes_nothing(write: str, client: APIClient, world: World) -> None:
    _, _, body, fields = WRITES[write]
    before = fingerprint()
    for field, values in fields.items():
        for value in values:
            assert_refused(send(client, write, world, with_value(body(world), field, value)), (field, value))
    assert fingerprint() == before


REQUIRED = [
    ("sale", "customer"),
    ("sale", "items.0.equipment"),
    ("sale", "items.0.type"),
    ("sale", "items.0.quantity"),
    ("distribution", "depot"),
    ("distribution", "items"),
    ("distribution", "items.0.equipment"),
    ("distribution", "items.0.direction"),
    ("distribution", "items.0.condition"),
    ("distribution", "items.0.quantity"),
    *[("correction", field) for field in WRITES["correction"][3]],
    ("payment", "customer"),
    ("payment", "method"),
    ("payment", "amount"),
    ("print-batch", "invoices"),
    ("void", "reason"),
    ("credit", "reason"),
    ("credit", "lines"),
    ("credit", "lines.0.line"),
    ("replace meter", "final_reading"),
    ("replace meter", "new_meter_number"),
    ("replace meter", "first_reading"),
    ("settlement", "cash"),
    ("settlement", "counts.0.condition"),
    ("vehicle count", "counts.0.condition"),
    ("vehicle count", "counts.0.quantity"),
    ("vehicle count rejection", "remarks"),
    ("cash count", "cash"),
    ("cash count rejection", "remarks"),
    ("depot work reversal", "reason"),
    ("depot work", "kind"),
    ("depot work", "depot"),
    ("depot work", "reason"),
    ("depot work", "items"),
    ("stock-take", "items.0.quantity"),
    ("customer", "name"),
    ("contract rate", "equipment"),
    ("contract rate", "rate"),
    ("contract rate", "valid_from"),
    ("equipment", "sku"),
    ("equipment", "name"),
    ("equipment", "equipment_type"),
    ("depot", "code"),
    ("depot", "name"),
    ("vehicle", "number"),
    ("assignment", "user"),
    ("assignment", "vehicle"),
    ("assignment correction", "vehicle"),
    ("assignment correction", "reason"),
    ("vehicle transfer", "to_vehicle"),
    ("vehicle transfer", "items"),
    ("vehicle transfer", "items.0.quantity"),
    ("GST rate", "rate"),
    ("GST rate", "valid_from"),
]


def test_a_missing_required_field_is_named(client: APIClient, world: World) -> None:
    before = fingerprint()
    for write, field in REQUIRED:
        body = with_value(WRITES[write][2](world), field, None) if "." not in field else WRITES[write][2](world)
        response = send(client, write, world, without(body, field))
        assert response.status_code == 400, (write, field)
        assert response.json()["errors"] == [{"code": "required", "detail": "This field is required.", "attr": field}]
    assert fingerprint() == before


NO_OBJECTS: list[object] = [None, [], "x", 7, True]


def test_a_body_that_is_no_object_is_refused(client: APIClient, world: World) -> None:
    before = fingerprint()
    for write in WRITES:
        for body in NO_OBJECTS:
            assert_refused(send(client, write, world, body), (write, body))
    assert fingerprint() == before


HOSTILE_BODIES: dict[str, tuple[bytes, str, int]] = {
    "not JSON": (b"{", "application/json", 400),
    "truncated": (b'{"customer": 1, "items": [', "application/json", 400),
    "NaN": (b'{"customer": NaN}', "application/json", 400),
    "Infinity": (b'{"customer": 1, "current_meter": Infinity}', "application/json", 400),
    "-Infinity": (b'{"customer": -Infinity}', "application/json", 400),
    "a number beyond a double": (b'{"customer": 1, "current_meter": 1e400}', "application/json", 400),
    "a key twice": (b'{"customer": 1, "customer": 2}', "application/json", 400),
    "a key twice, with the same value": (b'{"customer": 1, "customer": 1}', "application/json", 400),
    "a key twice, within": (b'{"customer": 1, "items": [{"quantity": 1, "quantity": 2}]}', "application/json", 400),
    "a key twice, escaped": (b'{"customer": 1, "\\u0063ustomer": 2}', "application/json", 400),
    "a long key twice": (b'{"%s": 1, "%s": 2}' % (2 * (b"x" * 100_000,)), "application/json", 400),
    "a key twice that is no text": (b'{"\\ud800": 1, "\\ud800": 2}', "application/json", 400),
    "nested more than any body": (b'{"items": ' + b"[" * 70 + b"]" * 70 + b"}", "application/json", 400),
    "not UTF-8": (b'{"remarks": "\xff\xfe"}', "application/json", 400),
    "UTF-16": ('{"customer": 1}'.encode("utf-16"), "application/json", 400),
    "nested deeply": (b"[" * 100_000 + b"]" * 100_000, "application/json", 400),
    "3 MB": (b'{"remarks": "' + b"x" * 3_000_000 + b'"}', "application/json", 413),
    "a form": (b"customer=1", "application/x-www-form-urlencoded", 415),
    "XML": (b"<customer>1</customer>", "application/xml", 415),
}


def test_a_hostile_body_is_refused(client: APIClient) -> None:
    before = fingerprint()
    for name, (body, content_type, status) in HOSTILE_BODIES.items():
        response = client.post("/api/transactions/", body, content_type=content_type)
        assert response.status_code == status, name
        assert_refused(response, name)
        assert ("twice" in name) is (response.json()["errors"][0]["code"] == "duplicate_key")
    assert fingerprint() == before


def objects_in(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all objects in a body; of itself: empty."""
    if isinstance(value, dict):
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from objects_in(part, f"{path}.{name}".removeprefix("."))


@pytest.mark.parametrize("write", WRITES)
def test_a_field_that_nobody_knows_is_named_and_changes_nothing(write: str, client: APIClient, world: World) -> None:
    body = WRITES[write][2](world)
    before = fingerprint()
    for place in objects_in(body):
        for name in ("payment_recieved", "", "x" * 100_000, "\ud800"):
            path = f"{place}.{name}".removeprefix(".")
            response = send(client, write, world, with_value(body, path, 1))
            assert_refused(response, path[:80])
            [error] = response.json()["errors"]
            assert (response.status_code, error["code"]) == (400, "unknown_field"), (path[:80], error)
            assert len(error["attr"]) < 100
            if name == "payment_recieved":
                assert error["attr"] == path
    assert fingerprint() == before


def test_what_was_read_can_be_sent_back(client: APIClient, world: World) -> None:
    for path in (
        f"customers/{world['customer']}",
        f"equipment/{world['equipment']}",
        f"depots/{world['depot']}",
        f"vehicles/{world['vehicle']}",
    ):
        read = client.get(f"/api/{path}/").json()
        assert (
            client.put(
                f"/api/{path}/", {**read, "version": read.get("version", 1)} if "version" in read else read
            ).status_code
            == 200
        )


def test_what_takes_no_body_refuses_one(client: APIClient, world: World) -> None:
    items = [{"equipment": world["equipment"], "direction": "OUT", "condition": "FULL", "quantity": 1}]
    draft = client.post("/api/distributions/", {"depot": world["depot"], "items": items}).json()["id"]
    before = fingerprint()
    for path in (
        f"distributions/{draft}/confirm",
        f"distributions/{draft}/cancel",
        f"invoices/{world['invoice']}/print",
    ):
        response = client.post(f"/api/{path}/", {"occurred_at": "2026-01-20T10:00:00+08:00"})
        assert error_of(response) == (400, "unknown_field", "occurred_at")
    assert fingerprint() == before
    for path in (f"distributions/{draft}/confirm", f"invoices/{world['invoice']}/print"):
        assert client.post(f"/api/{path}/").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "/api/transactions/?page=2",
        "/api/transactions/?page=999999999",
        "/api/transactions/99999999999999999999/",
        "/api/transactions/x/",
        "/api/transactions/-1/",
    ],
)
def test_what_is_not_there_is_404(url: str, client: APIClient) -> None:
    response = client.get(url)
    assert response.status_code == 404
    assert_refused(response, url)
