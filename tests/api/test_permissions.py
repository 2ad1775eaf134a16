"""Every route × every role × whose row: one table, complete because it is compared with the router.

Columns: ADMIN, SUPERVISOR, DEPOT_STAFF, SALES, DRIVER, ACCOUNTS, AUDITOR, nobody. The first five belong to depot A. ``own`` rows
are the driver's (and in depot A), ``sales`` rows the sales user's, ``colleague`` rows another driver's of depot
A, ``foreign`` rows depot B's.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from audit.models import AuditLog, Confirmation
from audit.services import record
from core.urls import router
from customers.models import Customer
from depots.models import Depot
from discrepancies.models import Discrepancy
from equipment.models import Equipment
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Capability, Role, Scope, scope_of
from foundation.api.permissions import HasCapability
from foundation.confirmations import Answer
from inventory.models import Inventory, VehicleTransfer
from invoices.models import EmailHold, GstRate, Invoice
from settlements.models import Settlement
from sync.models import Device
from tests.conftest import ClientOf, KeptWorld, client_for
from tests.factories import (
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
    VehicleFactory,
)
from tests.types import Json, Unchanged
from transactions.errors import QuantityUnlikely

pytestmark = pytest.mark.django_db

ADMIN_ONLY = (403, 403, 403, 403, 403, 403, 401)
READ = (200, 200, 200, 200, 200, 200, 200, 401)
READ_NO_ACCOUNTS = (200, 200, 200, 200, 200, 403, 200, 401)

# (route, action, row): statuses
TABLE: dict[tuple[str, str, str], tuple[int, ...]] = {
    ("user", "list", ""): (200, 403, 403, 403, 403, 403, 200, 401),
    ("user", "retrieve", "any"): (200, 403, 403, 403, 403, 403, 200, 401),
    ("user", "retrieve", "missing"): (404, 403, 403, 403, 403, 403, 404, 401),
    ("user", "create", ""): (201, *ADMIN_ONLY),
    ("user", "update", "any"): (200, *ADMIN_ONLY),
    ("user", "partial_update", "any"): (200, *ADMIN_ONLY),
    ("user", "destroy", "any"): (200, *ADMIN_ONLY),
    ("user", "set_password", "any"): (204, *ADMIN_ONLY),
    ("depot", "list", ""): READ,
    ("depot", "retrieve", "any"): READ,
    ("depot", "retrieve", "missing"): (404, 404, 404, 404, 404, 404, 404, 401),
    ("depot", "create", ""): (201, *ADMIN_ONLY),
    ("depot", "update", "any"): (200, *ADMIN_ONLY),
    ("depot", "partial_update", "any"): (200, *ADMIN_ONLY),
    ("depot", "destroy", "any"): (200, *ADMIN_ONLY),
    ("equipment", "list", ""): READ,
    ("equipment", "retrieve", "any"): READ,
    ("equipment", "create", ""): (201, *ADMIN_ONLY),
    ("equipment", "update", "any"): (200, *ADMIN_ONLY),
    ("equipment", "partial_update", "any"): (200, *ADMIN_ONLY),
    ("equipment", "destroy", "any"): (200, *ADMIN_ONLY),
    ("vehicle", "list", ""): READ,
    ("vehicle", "retrieve", "any"): READ,
    ("vehicle", "create", ""): (201, *ADMIN_ONLY),
    ("vehicle", "update", "any"): (200, *ADMIN_ONLY),
    ("vehicle", "partial_update", "any"): (200, *ADMIN_ONLY),
    ("vehicle", "destroy", "any"): (200, *ADMIN_ONLY),
    ("vehicle-driver", "take", "own"): (201, 201, 403, 201, 201, 403, 403, 401),
    ("vehicle-driver", "take", "foreign"): (201, 201, 403, 201, 201, 403, 403, 401),
    ("vehicle-goods", "transfer", "own"): (201, 201, 201, 403, 201, 403, 403, 401),
    ("vehicle-goods", "transfer", "sales"): (201, 201, 201, 201, 403, 403, 403, 401),
    ("vehicle-goods", "transfer", "colleague"): (201, 201, 201, 403, 403, 403, 403, 401),
    ("vehicle-goods", "transfer", "foreign"): (201, 403, 403, 403, 403, 403, 403, 401),
    ("vehicle-assignment", "list", ""): READ_NO_ACCOUNTS,
    ("vehicle-assignment", "retrieve", "own"): (200, 200, 200, 404, 200, 403, 200, 401),
    ("vehicle-assignment", "retrieve", "sales"): (200, 200, 200, 200, 404, 403, 200, 401),
    ("vehicle-assignment", "retrieve", "colleague"): (200, 200, 200, 404, 404, 403, 200, 401),
    ("vehicle-assignment", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("vehicle-assignment", "create", "own"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("vehicle-assignment", "create", "foreign"): (201, 400, 403, 403, 403, 403, 403, 401),
    ("vehicle-assignment", "correct", "own"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("vehicle-assignment", "correct", "foreign"): (201, 404, 403, 403, 403, 403, 403, 401),
    ("vehicle-transfer", "list", ""): READ_NO_ACCOUNTS,
    ("vehicle-transfer", "retrieve", "own"): (200, 200, 200, 404, 200, 403, 200, 401),
    ("vehicle-transfer", "retrieve", "sales"): (200, 200, 200, 200, 404, 403, 200, 401),
    ("vehicle-transfer", "retrieve", "colleague"): (200, 200, 200, 404, 404, 403, 200, 401),
    ("vehicle-transfer", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("equipment", "prices", "any"): READ,
    ("equipment", "add_price", "any"): (201, *ADMIN_ONLY),
    ("customer", "list", ""): READ,
    ("customer", "retrieve", "any"): READ,
    ("customer", "create", ""): (201, *ADMIN_ONLY),
    ("customer", "update", "any"): (200, *ADMIN_ONLY),
    ("customer", "partial_update", "any"): (200, *ADMIN_ONLY),
    ("customer", "destroy", "any"): (200, *ADMIN_ONLY),
    ("customer", "meter_rates", "any"): READ,
    ("customer", "add_meter_rate", "any"): (201, *ADMIN_ONLY),
    ("customer", "rates", "any"): READ,
    ("customer", "add_rate", "any"): (201, *ADMIN_ONLY),
    ("gst-rate", "list", ""): READ,
    ("gst-rate", "retrieve", "any"): READ,
    ("gst-rate", "create", ""): (201, *ADMIN_ONLY),
    ("inventory", "list", ""): READ_NO_ACCOUNTS,
    ("inventory", "retrieve", "depot"): (200, 200, 200, 404, 404, 403, 200, 401),
    ("inventory", "retrieve", "foreign-depot"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("inventory", "retrieve", "own"): (200, 200, 404, 404, 200, 403, 200, 401),
    ("inventory", "retrieve", "sales"): (200, 200, 404, 200, 404, 403, 200, 401),
    ("inventory", "retrieve", "colleague"): (200, 200, 404, 404, 404, 403, 200, 401),
    ("inventory", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("inventory", "retrieve", "customer"): (200, 200, 404, 200, 200, 403, 200, 401),
    ("inventory", "retrieve", "outside"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("inventory", "movements", ""): READ_NO_ACCOUNTS,
    ("inventory", "update_inventory", "depot"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("inventory", "update_inventory", "foreign-depot"): (200, 403, 403, 403, 403, 403, 403, 401),
    ("inventory", "update_inventory", "own"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("inventory", "update_inventory", "foreign"): (200, 403, 403, 403, 403, 403, 403, 401),
    ("inventory", "update_inventory", "customer"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("distribution", "list", ""): (200, 200, 200, 403, 200, 403, 200, 401),
    ("distribution", "retrieve", "own"): (200, 200, 200, 403, 200, 403, 200, 401),
    ("distribution", "retrieve", "colleague"): (200, 200, 200, 403, 404, 403, 200, 401),
    ("distribution", "retrieve", "foreign"): (200, 404, 404, 403, 404, 403, 200, 401),
    ("distribution", "create", "depot"): (201, 201, 201, 403, 201, 403, 403, 401),
    ("distribution", "create", "foreign-depot"): (201, 403, 403, 403, 201, 403, 403, 401),
    ("distribution", "create_distribution", "depot"): (201, 201, 201, 403, 201, 403, 403, 401),
    ("distribution", "confirm", "own"): (200, 200, 200, 403, 200, 403, 403, 401),
    ("distribution", "confirm", "colleague"): (200, 200, 200, 403, 404, 403, 403, 401),
    ("distribution", "confirm", "foreign"): (200, 404, 404, 403, 404, 403, 403, 401),
    ("distribution", "cancel", "own"): (200, 200, 200, 403, 200, 403, 403, 401),
    ("distribution", "cancel", "colleague"): (200, 200, 200, 403, 404, 403, 403, 401),
    ("distribution", "cancel", "foreign"): (200, 404, 404, 403, 404, 403, 403, 401),
    ("transaction", "list", ""): (200, 200, 403, 200, 200, 200, 200, 401),
    ("transaction", "retrieve", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("transaction", "retrieve", "sales"): (200, 200, 403, 200, 404, 200, 200, 401),
    ("transaction", "retrieve", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("transaction", "retrieve", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("transaction", "create", ""): (201, 201, 403, 201, 201, 403, 403, 401),
    ("transaction", "create_transaction", ""): (201, 201, 403, 201, 201, 403, 403, 401),
    ("invoice", "list", ""): (200, 200, 403, 200, 200, 200, 200, 401),
    ("invoice", "retrieve", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("invoice", "retrieve", "sales"): (200, 200, 403, 200, 404, 200, 200, 401),
    ("invoice", "retrieve", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("invoice", "retrieve", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("invoice", "pdf", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("invoice", "pdf", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("invoice", "pdf", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("invoice", "mark_printed", "own"): (200, 200, 403, 404, 200, 200, 403, 401),
    ("invoice", "mark_printed", "sales"): (200, 200, 403, 200, 404, 200, 403, 401),
    ("invoice", "mark_printed", "foreign"): (200, 404, 403, 404, 404, 200, 403, 401),
    ("customer-site", "deposits", "any"): (200, 200, 403, 200, 200, 200, 200, 401),
    ("customer-site", "holdings", "any"): (200, 200, 403, 200, 200, 200, 200, 401),
    ("payout", "create", ""): (201, 201, 403, 201, 201, 201, 403, 401),
    ("set-off", "create", ""): (201, 201, 403, 201, 201, 201, 403, 401),
    ("customer-payment", "refund_goodwill", "any"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("customer-site", "meter_history", "any"): (200, 200, 403, 200, 200, 200, 200, 401),
    ("customer-site", "replace_meter", "any"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("customer-statement", "statement", "any"): (200, 403, 403, 403, 403, 200, 200, 401),
    ("depot-work", "list", ""): (200, 200, 200, 403, 403, 403, 200, 401),
    ("depot-work", "create", "depot"): (201, 201, 201, 403, 403, 403, 403, 401),
    ("depot-work", "create", "foreign-depot"): (201, 403, 403, 403, 403, 403, 403, 401),
    ("depot-work", "stock_take", "depot"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("depot-work", "stock_take", "foreign-depot"): (201, 403, 403, 403, 403, 403, 403, 401),
    ("depot-work", "retrieve", "depot"): (200, 200, 200, 403, 403, 403, 200, 401),
    ("depot-work", "retrieve", "foreign-depot"): (200, 404, 404, 403, 403, 403, 200, 401),
    ("transaction", "void", "own"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "void", "sales"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "void", "colleague"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "void", "foreign"): (201, 404, 403, 403, 403, 403, 403, 401),
    ("transaction", "bill_again", "own"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "bill_again", "sales"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "bill_again", "colleague"): (201, 201, 403, 403, 403, 403, 403, 401),
    ("transaction", "bill_again", "foreign"): (201, 404, 403, 403, 403, 403, 403, 401),
    ("invoice", "email", "own"): (202, 202, 403, 404, 202, 202, 403, 401),
    ("invoice", "email", "sales"): (202, 202, 403, 202, 404, 202, 403, 401),
    ("invoice", "email", "colleague"): (202, 202, 403, 404, 404, 202, 403, 401),
    ("invoice", "email", "foreign"): (202, 404, 403, 404, 404, 202, 403, 401),
    ("invoice", "release", "own"): (200, 200, 403, 403, 403, 200, 403, 401),
    ("invoice", "release", "foreign"): (200, 404, 403, 403, 403, 200, 403, 401),
    ("invoice", "emails", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("invoice", "emails", "sales"): (200, 200, 403, 200, 404, 200, 200, 401),
    ("invoice", "emails", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("invoice", "emails", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("invoice-credit", "credit", "own"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("invoice-credit", "credit", "sales"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("invoice-credit", "credit", "colleague"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("invoice-credit", "credit", "foreign"): (201, 404, 403, 403, 403, 201, 403, 401),
    ("invoice-payment", "pay", "own"): (200, 200, 403, 404, 200, 200, 403, 401),
    ("invoice-payment", "pay", "sales"): (200, 200, 403, 200, 404, 200, 403, 401),
    ("invoice-payment", "pay", "colleague"): (200, 200, 403, 404, 404, 200, 403, 401),
    ("invoice-payment", "pay", "foreign"): (200, 404, 403, 404, 404, 200, 403, 401),
    ("payment", "list", ""): (200, 200, 403, 200, 200, 200, 200, 401),
    ("payment", "create", ""): (201, 201, 403, 201, 201, 201, 403, 401),
    ("payment", "retrieve", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("payment", "retrieve", "sales"): (200, 200, 403, 200, 404, 200, 200, 401),
    ("payment", "retrieve", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("payment", "retrieve", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("payment", "receipt", "own"): (200, 200, 403, 404, 200, 200, 200, 401),
    ("payment", "receipt", "sales"): (200, 200, 403, 200, 404, 200, 200, 401),
    ("payment", "receipt", "colleague"): (200, 200, 403, 404, 404, 200, 200, 401),
    ("payment", "receipt", "foreign"): (200, 404, 403, 404, 404, 200, 200, 401),
    ("payment", "bank", "own"): (200, 200, 403, 403, 403, 200, 403, 401),
    ("payment", "bank", "sales"): (200, 200, 403, 403, 403, 200, 403, 401),
    ("payment", "bank", "colleague"): (200, 200, 403, 403, 403, 200, 403, 401),
    ("payment", "bank", "foreign"): (200, 404, 403, 403, 403, 200, 403, 401),
    # Nobody has found it yet.
    ("payment", "unbank", "own"): (409, 409, 403, 403, 403, 409, 403, 401),
    ("payment", "unbank", "sales"): (409, 409, 403, 403, 403, 409, 403, 401),
    ("payment", "unbank", "colleague"): (409, 409, 403, 403, 403, 409, 403, 401),
    ("payment", "unbank", "foreign"): (409, 404, 403, 403, 403, 409, 403, 401),
    ("payment", "bounce", "own"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "bounce", "sales"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "bounce", "colleague"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "bounce", "foreign"): (201, 404, 403, 403, 403, 201, 403, 401),
    ("payment", "reverse", "own"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "reverse", "sales"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "reverse", "colleague"): (201, 201, 403, 403, 403, 201, 403, 401),
    ("payment", "reverse", "foreign"): (201, 404, 403, 403, 403, 201, 403, 401),
    ("settlement", "list", ""): (200, 200, 200, 200, 200, 200, 200, 401),
    ("settlement", "create", ""): (201, 201, 403, 201, 201, 403, 403, 401),
    ("settlement", "retrieve", "own"): (200, 200, 200, 404, 200, 200, 200, 401),
    ("settlement", "retrieve", "sales"): (200, 200, 200, 200, 404, 200, 200, 401),
    ("settlement", "retrieve", "colleague"): (200, 200, 200, 404, 404, 200, 200, 401),
    ("settlement", "retrieve", "foreign"): (200, 404, 404, 404, 404, 200, 200, 401),
    ("settlement", "reject", "colleague"): (200, 200, 200, 403, 403, 403, 403, 401),
    ("settlement", "reject", "foreign"): (200, 404, 404, 403, 403, 403, 403, 401),
    ("settlement", "sign_off", "colleague"): (200, 200, 200, 403, 403, 403, 403, 401),
    ("settlement", "sign_off", "foreign"): (200, 404, 404, 403, 403, 403, 403, 401),
    ("vehicle-count", "list", ""): READ,
    ("vehicle-count", "create", "own"): (201, 201, 403, 201, 201, 403, 403, 401),
    ("vehicle-count", "create", "foreign"): (201, 201, 403, 201, 201, 403, 403, 401),
    ("vehicle-count", "retrieve", "own"): (200, 200, 200, 404, 200, 200, 200, 401),
    ("vehicle-count", "retrieve", "sales"): (200, 200, 200, 200, 404, 200, 200, 401),
    ("vehicle-count", "retrieve", "colleague"): (200, 200, 200, 404, 404, 200, 200, 401),
    ("vehicle-count", "retrieve", "foreign"): (200, 404, 404, 404, 404, 200, 200, 401),
    # Theirs are decided already.
    ("vehicle-count", "reject", "own"): (409, 409, 409, 404, 409, 403, 403, 401),
    ("vehicle-count", "reject", "sales"): (409, 409, 409, 409, 404, 403, 403, 401),
    ("vehicle-count", "reject", "colleague"): (200, 200, 200, 404, 404, 403, 403, 401),
    ("vehicle-count", "reject", "foreign"): (200, 404, 404, 404, 404, 403, 403, 401),
    ("vehicle-count", "sign_off", "colleague"): (200, 200, 200, 403, 403, 403, 403, 401),
    ("vehicle-count", "sign_off", "foreign"): (200, 404, 404, 403, 403, 403, 403, 401),
    ("cash-count", "list", ""): READ,
    ("cash-count", "create", ""): (201, 201, 403, 201, 201, 201, 403, 401),
    ("cash-count", "retrieve", "own"): (200, 200, 200, 404, 200, 200, 200, 401),
    ("cash-count", "retrieve", "sales"): (200, 200, 200, 200, 404, 200, 200, 401),
    ("cash-count", "retrieve", "colleague"): (200, 200, 200, 404, 404, 200, 200, 401),
    ("cash-count", "retrieve", "foreign"): (200, 404, 404, 404, 404, 200, 200, 401),
    # Theirs are decided already.
    ("cash-count", "reject", "own"): (409, 409, 409, 404, 409, 403, 403, 401),
    ("cash-count", "reject", "sales"): (409, 409, 409, 409, 404, 403, 403, 401),
    ("cash-count", "reject", "colleague"): (200, 200, 200, 404, 404, 403, 403, 401),
    ("cash-count", "reject", "foreign"): (200, 404, 404, 404, 404, 403, 403, 401),
    ("cash-count", "sign_off", "colleague"): (200, 200, 200, 403, 403, 403, 403, 401),
    ("cash-count", "sign_off", "foreign"): (200, 404, 404, 403, 403, 403, 403, 401),
    ("period", "list", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("period", "retrieve", "any"): (200, 403, 403, 403, 403, 200, 200, 401),
    ("period", "create", ""): (201, 403, 403, 403, 403, 201, 403, 401),
    ("period", "reopen", "any"): (201, 403, 403, 403, 403, 201, 403, 401),
    ("gst-return", "list", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("gst-return", "retrieve", "any"): (200, 403, 403, 403, 403, 200, 200, 401),
    ("gst-return", "errors", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("gst-return", "create", ""): (201, 403, 403, 403, 403, 201, 403, 401),
    ("report", "gst_f5", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("report", "gst_documents", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("expense", "list", ""): READ,
    ("expense", "create", ""): (201, 201, 403, 201, 201, 201, 403, 401),
    ("expense", "retrieve", "own"): (200, 200, 200, 404, 200, 200, 200, 401),
    ("expense", "retrieve", "sales"): (200, 200, 200, 200, 404, 200, 200, 401),
    ("expense", "retrieve", "colleague"): (200, 200, 200, 404, 404, 200, 200, 401),
    ("expense", "retrieve", "foreign"): (200, 404, 404, 404, 404, 200, 200, 401),
    ("expense", "reverse", "own"): (201, 201, 403, 404, 201, 201, 403, 401),
    ("expense", "reverse", "sales"): (201, 201, 403, 201, 404, 201, 403, 401),
    ("expense", "reverse", "colleague"): (201, 201, 403, 404, 404, 201, 403, 401),
    ("expense", "reverse", "foreign"): (201, 404, 403, 404, 404, 201, 403, 401),
    ("report", "conservation", ""): (200, 403, 403, 403, 403, 403, 200, 401),
    ("report", "deposits", ""): (200, 403, 403, 403, 403, 200, 200, 401),
    ("report", "driver_day", ""): (200, 200, 403, 200, 200, 200, 200, 401),
    ("report", "gst", ""): (200, 200, 403, 200, 403, 200, 200, 401),
    ("report", "receivables", ""): (200, 200, 403, 200, 403, 200, 200, 401),
    ("report", "mispriced", ""): (200, 200, 403, 200, 403, 200, 200, 401),
    ("report", "sales_summary", ""): (200, 200, 403, 200, 403, 200, 200, 401),
    ("report", "stock", ""): (200, 200, 200, 403, 403, 403, 200, 401),
    ("payment", "allocate", "own"): (200, 200, 403, 404, 200, 200, 403, 401),
    ("payment", "allocate", "sales"): (200, 200, 403, 200, 404, 200, 403, 401),
    ("payment", "allocate", "colleague"): (200, 200, 403, 404, 404, 200, 403, 401),
    ("payment", "allocate", "foreign"): (200, 404, 403, 404, 404, 200, 403, 401),
    ("invoice", "print_batch", "own"): (200, 200, 403, 400, 200, 200, 403, 401),
    ("invoice", "print_batch", "sales"): (200, 200, 403, 200, 400, 200, 403, 401),
    ("invoice", "print_batch", "foreign"): (200, 400, 403, 400, 400, 200, 403, 401),
    ("depot-work", "reverse", "depot"): (201, 201, 201, 403, 403, 403, 403, 401),
    ("depot-work", "reverse", "foreign-depot"): (201, 404, 404, 403, 403, 403, 403, 401),
    ("depot-work", "count_sheet", "depot"): (200, 200, 200, 403, 403, 403, 200, 401),
    ("depot-work", "count_sheet", "foreign-depot"): (200, 400, 400, 403, 403, 403, 200, 401),
    ("conflict", "list", ""): (200, 200, 200, 200, 200, 403, 200, 401),
    ("conflict", "retrieve", "own"): (200, 200, 404, 404, 200, 403, 200, 401),
    ("conflict", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("conflict", "retry", "own"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("conflict", "retry", "foreign"): (200, 404, 403, 403, 403, 403, 403, 401),
    ("conflict", "dismiss", "own"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("conflict", "dismiss", "foreign"): (200, 404, 403, 403, 403, 403, 403, 401),
    ("conflict", "withdraw", "own"): (403, 403, 404, 404, 200, 403, 403, 401),
    ("conflict", "withdraw", "foreign"): (403, 404, 404, 404, 404, 403, 403, 401),
    ("device", "list", ""): READ_NO_ACCOUNTS,
    ("device", "retrieve", "own"): (200, 200, 404, 404, 200, 403, 200, 401),
    ("device", "retrieve", "sales"): (200, 200, 404, 200, 404, 403, 200, 401),
    ("device", "retrieve", "colleague"): (200, 200, 404, 404, 404, 403, 200, 401),
    ("device", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("discrepancy", "list", ""): READ_NO_ACCOUNTS,
    ("discrepancy", "retrieve", "own"): (200, 200, 404, 404, 200, 403, 200, 401),
    ("discrepancy", "retrieve", "sales"): (200, 200, 404, 200, 404, 403, 200, 401),
    ("discrepancy", "retrieve", "colleague"): (200, 200, 404, 404, 404, 403, 200, 401),
    ("discrepancy", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("discrepancy", "seen", "own"): (200, 200, 403, 403, 403, 403, 403, 401),
    ("discrepancy", "seen", "foreign"): (200, 404, 403, 403, 403, 403, 403, 401),
    ("confirmation", "list", ""): READ_NO_ACCOUNTS,
    ("confirmation", "retrieve", "own"): (200, 200, 404, 404, 200, 403, 200, 401),
    ("confirmation", "retrieve", "sales"): (200, 200, 404, 200, 404, 403, 200, 401),
    ("confirmation", "retrieve", "colleague"): (200, 200, 404, 404, 404, 403, 200, 401),
    ("confirmation", "retrieve", "foreign"): (200, 404, 404, 404, 404, 403, 200, 401),
    ("audit", "list", ""): (200, 200, 403, 403, 403, 200, 200, 401),
    ("audit", "retrieve", "own"): (200, 200, 403, 403, 403, 200, 200, 401),
    ("audit", "retrieve", "foreign"): (200, 404, 403, 403, 403, 200, 200, 401),
}  # fmt: skip

PUBLIC = {"token", "token-refresh", "token-blacklist", "health-live", "health-ready", "schema", "swagger-ui", "redoc"}
ANY_USER = {"me", "sync-push", "sync-pull"}


@dataclass
class World:
    """One row of everything for everybody."""

    users: dict[str, User | None]
    depot: Depot
    foreign_depot: Depot
    cylinder: Equipment
    customer: Customer
    rows: dict[tuple[str, str], int]
    vehicles: dict[str, str]
    sellers: dict[str, int]
    spare_vehicle: str


@pytest.fixture(scope="module")
def made(kept_world: KeptWorld) -> World:
    with kept_world.being_made():
        return make_world(client_for)


@pytest.fixture
def world(db: None, stub_pdf: None, kept_world: KeptWorld, made: World) -> World:
    kept_world.bring_documents()
    return copy.deepcopy(made)


def make_world(client_of: ClientOf) -> World:
    a, b = DepotFactory(), DepotFactory()
    admin = UserFactory(role=Role.ADMIN, depot=a)
    supervisor, staff = UserFactory(role=Role.SUPERVISOR, depot=a), UserFactory(role=Role.DEPOT_STAFF, depot=a)
    sellers = {
        "own": DriverFactory(depot=a),
        "sales": DriverFactory(role=Role.SALES, depot=a),
        "colleague": DriverFactory(depot=a),
        "foreign": DriverFactory(depot=b),
    }
    cylinder, customer = EquipmentFactory(), MeteredCustomerFactory(email="site@example.sg")
    rows: dict[tuple[str, str], int] = {}
    office = client_of(admin)

    def post(user: User, url: str, body: Json) -> Json:
        response = client_of(user).post(url, body)
        assert response.status_code in (200, 201), response.json()
        answer: Json = response.json()
        return answer

    def count(entity: str, entity_id: object, quantity: int) -> int:
        body = {"entity": entity, "entity_id": entity_id, "equipment_id": cylinder.pk, "condition": "FULL"}
        response = office.post("/api/inventories/update-inventory/", {**body, "quantity": quantity, "reason": "x"})
        pk: int = response.json()["id"]
        return pk

    rows["inventory", "depot"] = count("depot", a.pk, 100)
    rows["inventory", "foreign-depot"] = count("depot", b.pk, 100)
    rows["inventory", "customer"] = count("customer", customer.pk, 5)
    rows["inventory", "outside"] = Inventory.objects.get(location__kind="OUTSIDE").pk
    for whose, seller in sellers.items():
        rows["inventory", whose] = count("vehicle", seller.vehicle_no, 20)
        if seller.role == Role.DRIVER:
            item = {"equipment": cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 1}
            load = post(seller, "/api/distributions/", {"depot": seller.depot_id, "items": [item]})
            rows["distribution", whose] = load["id"]
        line = {"equipment": cylinder.pk, "type": "SALE", "quantity": 1}
        sale = post(seller, "/api/transactions/", {"customer": customer.pk, "items": [line]})
        rows["transaction", whose] = sale["transaction"]["id"]
        rows["invoice", whose] = rows["invoice-payment", whose] = rows["invoice-credit", whose] = sale["invoice"]["id"]
        credit = {"customer": customer.pk, "method": "CHEQUE", "amount": "1.00", "allocations": []}
        rows["payment", whose] = post(seller, "/api/payments/", credit)["id"]
        rows["expense", whose] = post(seller, "/api/expenses/", {"amount": "1.00", "reason": "Parking"})["id"]
        vehicle, other = Vehicle.objects.get(number=seller.vehicle_no), VehicleFactory(depot=seller.depot)
        rows["vehicle-driver", whose] = rows["vehicle-goods", whose] = vehicle.pk
        rows["vehicle-assignment", whose] = Assignment.objects.get(user=seller).pk
        piece = {"equipment": cylinder.pk, "condition": "FULL", "quantity": 1}
        given = {"to_vehicle": other.number, "items": [piece]}
        rows["vehicle-transfer", whose] = post(seller, f"/api/vehicles/{vehicle.pk}/transfer/", given)["id"]
        settlement = post(seller, "/api/settlements/", {"cash": "1.00", "counts": []})
        rows["settlement", whose] = settlement["id"]
        counts = Settlement.objects.get(pk=settlement["id"])
        assert counts.vehicle_count_id
        assert counts.cash_count_id
        rows["vehicle-count", whose], rows["cash-count", whose] = counts.vehicle_count_id, counts.cash_count_id
        if whose in ("own", "sales"):
            post(admin, f"/api/settlements/{settlement['id']}/reject/", {"remarks": "Count again"})
        wrong = {"customer": customer.pk, "items": [{**line, "type": "REFILL", "rate": "1.00"}]}
        refused = {"type": "transaction.create", "client_temp_id": "refused", "data": wrong}
        pushed = post(seller, "/api/sync/push/", {"operations": [refused]})
        rows["conflict", whose] = pushed["results"][0]["conflict"]
        nothing = {"type": "withdrawn", "number": 1, "data": {}}
        twice = [{**nothing, "client_temp_id": name} for name in ("w1", "w2")]
        device = {"id": "phone", "last_number": 1}
        said = {"protocol": 2, "sent_at": clock.now().isoformat(), "device": device, "operations": twice}
        post(seller, "/api/sync/push/", said)
        sold = rows["invoice", whose]
        EmailHold.objects.create(invoice_id=sold, because="So many", held_at=clock.now())
        answer = Answer(QuantityUnlikely("So many", attr="items.0.quantity", value=60), seller)
        record(actor=seller, action="tests.asked", target=Invoice.objects.get(pk=sold), answers=[answer])
        rows["confirmation", whose] = Confirmation.objects.get(user=seller).pk
        rows["discrepancy", whose] = Discrepancy.objects.get(user=seller).pk
        rows["device", whose] = Device.objects.get(user=seller).pk
        rows["audit", whose] = AuditLog.objects.filter(user=seller).latest("id").pk
    for whose, place in (("depot", a), ("foreign-depot", b)):
        gained = {"equipment": cylinder.pk, "condition": "FULL", "quantity": 1}
        work = {"kind": "GOODS_IN", "depot": place.pk, "reason": "Bought", "items": [gained]}
        rows["depot-work", whose] = post(admin, "/api/depot-work/", work)["id"]
    rows["customer-site", "any"] = rows["customer-statement", "any"] = rows["customer-payment", "any"] = customer.pk
    rows["user", "any"], rows["vehicle", "any"] = sellers["colleague"].pk, rows["vehicle-goods", "own"]
    rows["depot", "any"], rows["equipment", "any"], rows["customer", "any"] = a.pk, cylinder.pk, customer.pk
    rows["gst-rate", "any"] = GstRate.objects.latest("id").pk
    rows["period", "any"] = post(admin, "/api/periods/", {"ends_on": "2025-12-31"})["id"]
    quarter = {"form": "F5", "starts_on": "2025-10-01", "ends_on": "2025-12-31"}
    rows["gst-return", "any"] = post(admin, "/api/gst-returns/", quarter)["id"]
    rows["user", "missing"] = rows["depot", "missing"] = 999_999
    return World(
        users={
            "ADMIN": admin,
            "SUPERVISOR": supervisor,
            "DEPOT_STAFF": staff,
            "SALES": sellers["sales"],
            "DRIVER": sellers["own"],
            "ACCOUNTS": UserFactory(role=Role.ACCOUNTS),
            "AUDITOR": UserFactory(role=Role.AUDITOR),
            "nobody": None,
        },
        depot=a,
        foreign_depot=b,
        cylinder=cylinder,
        customer=customer,
        rows=rows,
        vehicles={whose: seller.vehicle_no for whose, seller in sellers.items()},
        sellers={whose: seller.pk for whose, seller in sellers.items()},
        spare_vehicle=VehicleFactory(depot=a).number,
    )


def body_of(world: World, route: str, action: str, row: str) -> Json:
    depot = world.foreign_depot if row == "foreign-depot" else world.depot
    item = {"equipment": world.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 1}
    entity, entity_id = {
        "depot": ("depot", world.depot.pk),
        "foreign-depot": ("depot", world.foreign_depot.pk),
        "customer": ("customer", world.customer.pk),
    }.get(row, ("vehicle", world.vehicles.get(row, "")))
    gained = {"equipment": world.cylinder.pk, "condition": "FULL", "quantity": 1}
    depot_body = {"code": "NEW 1", "name": "New"}
    stock_item = {"sku": "NEW-1", "name": "New", "equipment_type": "CYLINDER"}
    user = {"username": "newcomer", "password": "quite a long one 7", "role": "DRIVER"}
    bodies: dict[tuple[str, str], Json] = {
        ("user", "create"): user,
        ("user", "update"): {"username": "newcomer", "role": "DRIVER"},
        ("user", "partial_update"): {"first_name": "Siti"},
        ("user", "set_password"): {"password": "quite a long one 7"},
        ("depot", "create"): depot_body,
        ("depot", "update"): depot_body,
        ("depot", "partial_update"): {"name": "Other"},
        ("equipment", "create"): stock_item,
        ("equipment", "update"): stock_item,
        ("equipment", "partial_update"): {"name": "Other"},
        ("vehicle", "create"): {"number": "GBN1N"},
        ("vehicle", "update"): {"number": world.vehicles["own"]},
        ("vehicle", "partial_update"): {"depot": None},
        ("vehicle-goods", "transfer"): {"to_vehicle": world.spare_vehicle, "items": [gained]},
        ("vehicle-assignment", "create"): {"user": world.sellers.get(row), "vehicle": None},
        ("vehicle-assignment", "correct"): {"vehicle": None, "reason": "On foot"},
        ("customer", "create"): {"name": "New"},
        ("customer", "update"): {"name": "Other"},
        ("customer", "partial_update"): {"name": "Other"},
        ("equipment", "add_price"): {"kind": "DEPOSIT", "amount": "61.00", "valid_from": "2035-01-01"},
        ("customer", "add_meter_rate"): {"meter_rate": "2.0000", "valid_from": "2035-01-01"},
        ("customer", "add_rate"): {"equipment": world.cylinder.pk, "rate": "20.00", "valid_from": "2035-01-01"},
        ("gst-rate", "create"): {"rate": "9.00", "valid_from": "2035-01-01"},
        ("inventory", "update_inventory"): {
            "entity": entity,
            "entity_id": entity_id,
            "equipment_id": world.cylinder.pk,
            "condition": "FULL",
            "quantity": 7,
            "reason": "Counted",
        },
        ("conflict", "retry"): {"approve_rates": True},
        ("transaction", "void"): {"reason": "Entered twice"},
        ("transaction", "bill_again"): {
            "reason": "Two were billed",
            "sale": {
                "customer": world.customer.pk,
                "items": [{"equipment": world.cylinder.pk, "type": "SALE", "quantity": 1}],
            },
        },
        ("invoice-credit", "credit"): {"reason": "Leaking", "lines": [{"line": 1, "amount": "1.00"}]},
        ("payment", "create"): {"customer": world.customer.pk, "method": "CASH", "amount": "2.00"},
        ("payment", "reverse"): {"reason": "Bounced"},
        ("payment", "unbank"): {"reason": "Another one"},
        ("payment", "bounce"): {"reason": "Refer to drawer"},
        ("expense", "create"): {"amount": "2.00", "reason": "Petrol"},
        ("period", "create"): {"ends_on": "2026-03-31"},
        ("period", "reopen"): {"reason": "Too early"},
        ("gst-return", "create"): {"form": "F5", "starts_on": "2026-01-01", "ends_on": "2026-03-31"},
        ("expense", "reverse"): {"reason": "A slip"},
        ("invoice-payment", "pay"): {"amount": "1.00"},
        ("invoice", "print_batch"): {"invoices": [world.rows.get(("invoice", row), 0)]},
        ("settlement", "create"): {"cash": "0.00", "counts": []},
        ("settlement", "sign_off"): {},
        ("vehicle-count", "create"): {"vehicle": world.vehicles.get(row), "counts": [gained]},
        ("vehicle-count", "reject"): {"remarks": "Count again"},
        ("cash-count", "create"): {"cash": "0.00"},
        ("cash-count", "reject"): {"remarks": "Count again"},
        ("settlement", "reject"): {"remarks": "Count again"},
        ("depot-work", "create"): {"kind": "GOODS_IN", "depot": depot.pk, "reason": "Bought", "items": [gained]},
        ("depot-work", "stock_take"): {"depot": depot.pk, "reason": "Year's end", "items": [gained]},
        ("depot-work", "reverse"): {"reason": "Entered twice"},
        ("payout", "create"): {"customer": world.customer.pk, "amount": "1.00", "method": "CHEQUE"},
        ("set-off", "create"): {"customer": world.customer.pk},
        ("customer-payment", "refund_goodwill"): {"amount": "1.00", "reason": "Kept it for years"},
        ("customer-site", "replace_meter"): {
            "final_reading": "1201.00",
            "new_meter_number": "M-2",
            "first_reading": "0.00",
        },
        ("conflict", "dismiss"): {"reason": "Twice"},
        ("conflict", "withdraw"): {"reason": "A slip"},
        ("distribution", "create"): {"depot": depot.pk, "items": [item]},
        ("distribution", "create_distribution"): {"depot": depot.pk, "items": [item]},
    }
    sale = {
        "customer": world.customer.pk,
        "items": [{"equipment": world.cylinder.pk, "type": "REFILL", "quantity": 1}],
    }
    return (
        sale
        if action in ("create", "create_transaction") and route == "transaction"
        else bodies.get((route, action), {})
    )


def actions() -> dict[tuple[str, str], tuple[str, str, bool]]:
    """Every (route, action) that the router knows: its method, its url name, and whether it is about one row."""
    found = {}
    for _, viewset, basename in router.registry:
        for route in router.get_routes(viewset):
            for method, action in router.get_method_map(viewset, route.mapping).items():
                url_name = route.name.format(basename=basename)
                found[basename, action] = (method, url_name, route.detail)
    return found


def is_of_a_row(url_name: str) -> bool:
    try:
        reverse(url_name, args=[])
    except NoReverseMatch:
        return True
    return False


def test_no_route_is_forgotten() -> None:
    assert {(route, action) for route, action, _ in TABLE} == set(actions())


def test_no_other_route_exists() -> None:
    """What isn't a viewset's is public or for every user, by name."""
    api = next(entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/")
    assert isinstance(api, URLResolver)
    viewsets = {url_name for _, url_name, _ in actions().values()}
    others = {entry.name for entry in api.url_patterns if isinstance(entry, URLPattern) and entry.name not in viewsets}
    assert others == PUBLIC | ANY_USER | {"api-not-found"}


@pytest.mark.parametrize("named", [{}, {"capability": {"list": Capability.VIEW_SALES}}, {"capability": None}])
def test_what_names_no_capability_is_closed(named: dict[str, Any]) -> None:
    """A forgotten entry is found by whoever is refused, not by whoever isn't."""
    request: Any = SimpleNamespace(user=UserFactory(role=Role.ADMIN), method="POST")
    view = SimpleNamespace(action="destroy", **named)
    assert not HasCapability().has_permission(request, view)


@pytest.mark.parametrize("route", sorted({route for route, _, _ in TABLE}))
def test_each_role_gets_its_status(route: str, world: World, client_of: ClientOf) -> None:
    wanted = {
        cell: dict(zip(world.users, statuses, strict=True)) for cell, statuses in TABLE.items() if cell[0] == route
    }
    assert {cell: statuses_of(cell, world, client_of) for cell in wanted} == wanted


def statuses_of(cell: tuple[str, str, str], world: World, client_of: ClientOf) -> dict[str, int]:
    """What each user is answered; nothing of it lasts."""
    route, action, row = cell
    method, url_name, is_detail = actions()[route, action]
    url = reverse(url_name, args=[world.rows[route, row]] if is_detail else [])
    if action == "count_sheet":
        url += f"?depot={body_of(world, route, 'create', row)['depot']}"
    got = {}
    for name, user in world.users.items():
        with transaction.atomic():
            response = client_of(user).generic(
                method.upper(),
                url,
                json.dumps(body_of(world, route, action, row)) if method != "get" else "",
                content_type="application/json",
            )
            got[name] = response.status_code
            transaction.set_rollback(True)
    return got


VISIBLE: dict[str, dict[str, int]] = {
    "user": {"ADMIN": 9, "AUDITOR": 9},
    "inventory": {"ADMIN": 12, "SUPERVISOR": 8, "DEPOT_STAFF": 1, "SALES": 2, "DRIVER": 2, "AUDITOR": 12},
    "vehicle-assignment": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 3, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
    "vehicle-transfer": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 3, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
    "distribution": {"ADMIN": 3, "SUPERVISOR": 2, "DEPOT_STAFF": 2, "DRIVER": 1, "AUDITOR": 3},
    "transaction": {"ADMIN": 4, "SUPERVISOR": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "invoice": {"ADMIN": 4, "SUPERVISOR": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "payment": {"ADMIN": 4, "SUPERVISOR": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "settlement": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "vehicle-count": {
        "ADMIN": 4,
        "SUPERVISOR": 3,
        "DEPOT_STAFF": 3,
        "SALES": 1,
        "DRIVER": 1,
        "ACCOUNTS": 4,
        "AUDITOR": 4,
    },
    "cash-count": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "expense": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 3, "SALES": 1, "DRIVER": 1, "ACCOUNTS": 4, "AUDITOR": 4},
    "period": {"ADMIN": 1, "ACCOUNTS": 1, "AUDITOR": 1},
    "gst-return": {"ADMIN": 1, "ACCOUNTS": 1, "AUDITOR": 1},
    "depot-work": {"ADMIN": 2, "SUPERVISOR": 1, "DEPOT_STAFF": 1, "AUDITOR": 2},
    "conflict": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 0, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
    "confirmation": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 0, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
    "discrepancy": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 0, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
    "device": {"ADMIN": 4, "SUPERVISOR": 3, "DEPOT_STAFF": 0, "SALES": 1, "DRIVER": 1, "AUDITOR": 4},
}


def test_a_list_holds_what_the_role_may_see(world: World, client_of: ClientOf) -> None:
    got: dict[str, dict[str, int]] = {route: {} for route in VISIBLE}
    for route in VISIBLE:
        for name, user in world.users.items():
            response = client_of(user).get(reverse(f"{route}-list"))
            if response.status_code == 200:
                got[route][name] = response.json()["count"]
    assert got == VISIBLE


def test_a_hidden_row_and_a_missing_one_answer_alike(world: World, client_of: ClientOf) -> None:
    driver = client_of(world.users["DRIVER"])
    routes = (
        "transaction",
        "invoice",
        "distribution",
        "payment",
        "settlement",
        "vehicle-count",
        "cash-count",
        "expense",
    )
    for route in routes:
        hidden = driver.get(reverse(f"{route}-detail", args=[world.rows[route, "foreign"]]))
        missing = driver.get(reverse(f"{route}-detail", args=[999_999]))
        assert (hidden.status_code, hidden.json()) == (missing.status_code, missing.json()) == (404, hidden.json())


def test_a_driver_does_not_see_others_movements(world: World, client_of: ClientOf) -> None:
    driver = world.users["DRIVER"]
    assert driver is not None
    movements = client_of(driver).get("/api/inventories/movements/").json()["results"]
    ends = {end["vehicle_no"] for move in movements for end in (move["from_location"], move["to_location"])}
    given = VehicleTransfer.objects.get(user=driver)
    assert ends == {driver.vehicle_no, given.to_vehicle.number, ""}


READING = ("use_office", "view_", "report_", "review_")


def test_an_auditor_may_read_everything_and_do_nothing() -> None:
    wanted = {each: Scope.ALL if each.value.startswith(READING) else None for each in Capability}
    assert {each: scope_of(Role.AUDITOR, each) for each in Capability} == wanted


def test_accounts_changes_documents_and_money_alone() -> None:
    """No stock, no master data, no users, no selling, no sync; whatever comes later is decided here."""
    held = {each for each in Capability if scope_of(Role.ACCOUNTS, each) and not each.value.startswith(READING)}
    assert held == {
        Capability.SEND_DOCUMENT, Capability.RELEASE_EMAIL, Capability.CREDIT_INVOICE, Capability.RECORD_PAYMENT,
        Capability.REVERSE_PAYMENT, Capability.BANK_PAYMENT, Capability.PAY_OUT, Capability.HAND_IN_CASH, Capability.CLOSE_BOOKS,
    }  # fmt: skip


def writes() -> Iterator[tuple[str, str]]:
    """Every address of the API that isn't for whoever logs in, with each method that could write."""
    api = next(entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/")
    assert isinstance(api, URLResolver)
    for entry in api.url_patterns:
        if isinstance(entry, URLPattern) and entry.name not in {*PUBLIC, "api-not-found", "api-root"}:
            for method in ("post", "put", "patch", "delete"):
                yield method, entry.name or ""


def test_an_auditor_writes_nothing(world: World, client_of: ClientOf, nothing_changes: Unchanged) -> None:
    """Walked over the addresses, so that a new one can't be forgotten, and over every row that somebody has."""
    client, seen = client_of(world.users["AUDITOR"]), 0
    rows = {row for cell, row in world.rows.items() if cell[1] != "missing"}
    names = {url_name: (route, action) for (route, action), (_, url_name, _) in actions().items()}
    with nothing_changes():
        for method, url_name in writes():
            route, _ = names.get(url_name, ("", ""))
            keys = [pk for (of, row), pk in world.rows.items() if of == route and row != "missing"]
            for args in [[pk] for pk in keys or sorted(rows)[:1]] if is_of_a_row(url_name) else [[]]:
                answer = client.generic(method.upper(), reverse(url_name, args=args), "{}", "application/json")
                assert answer.status_code in (403, 405), (method, url_name, args, answer.status_code)
                seen += answer.status_code == 403
    assert seen > 60


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_ledger_row_cannot_be_changed(method: str, world: World, client_of: ClientOf) -> None:
    for route in (
        "transaction",
        "invoice",
        "distribution",
        "audit",
        "conflict",
        "payment",
        "expense",
        "settlement",
        "vehicle-assignment",
    ):
        url = reverse(f"{route}-detail", args=[world.rows[route, "own"]])
        response = getattr(client_of(world.users["ADMIN"]), method)(url, {})
        assert response.status_code == 405, route
        assert response.json()["errors"][0]["code"] == "method_not_allowed"
