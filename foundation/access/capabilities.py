"""Who may do what, and on whose rows: one table.

May this role do this at all? ``scope_of(role, capability)`` is not None. On which rows? The scope
says: all of them, those of the user's depot, or the user's own. Each model's ``visible_to(user)``
translates a scope into a queryset, so no other module asks for a role by name.
"""

from enum import Enum, StrEnum, auto

from django.db import models


class Role(models.TextChoices):
    ADMIN = "ADMIN", "Administrator"
    SUPERVISOR = "SUPERVISOR", "Supervisor"
    DEPOT_STAFF = "DEPOT_STAFF", "Depot staff"
    SALES = "SALES", "Sales"
    DRIVER = "DRIVER", "Driver"
    ACCOUNTS = "ACCOUNTS", "Accounts"
    AUDITOR = "AUDITOR", "Auditor"


class Scope(Enum):
    """On which rows a capability holds."""

    ALL = auto()
    DEPOT = auto()
    """Rows of the user's own depot, or of its users."""
    OWN = auto()
    """Rows that the user made, or their own vehicle's."""


class Capability(StrEnum):
    USE_OFFICE = auto()
    """Log in to the office (Django admin)."""
    MANAGE_USERS = auto()
    VIEW_USERS = auto()
    MANAGE_MASTER_DATA = auto()
    """Depots, equipment, customers, contract rates and GST rates."""
    VIEW_MASTER_DATA = auto()
    VIEW_ASSIGNMENTS = auto()
    """Who drove which vehicle when."""
    ASSIGN_VEHICLE = auto()
    """Say what others drive, and correct it."""
    TAKE_VEHICLE = auto()
    """Say what oneself drives."""
    TRANSFER_GOODS = auto()
    """From a vehicle to another one."""
    VIEW_TRANSFERS = auto()
    VIEW_DISTRIBUTIONS = auto()
    CHANGE_DISTRIBUTIONS = auto()
    """Create, confirm and cancel."""
    VIEW_SALES = auto()
    """Transactions and invoices, with their PDFs."""
    SEND_DOCUMENT = auto()
    """Email an invoice, print several as one, and say that one was printed."""
    RECORD_SALE = auto()
    OVERRIDE_RATE = auto()
    RELEASE_EMAIL = auto()
    """Of a document about something unlikely, which isn't emailed before."""
    VOID_SALE = auto()
    CREDIT_INVOICE = auto()
    """Take a part of a sale back by a credit note. Pieces that come back with it need the next one."""
    RETURN_GOODS = auto()
    """Take pieces that were sold back into stock by a credit note."""
    RECORD_PAYMENT = auto()
    REVERSE_PAYMENT = auto()
    BANK_PAYMENT = auto()
    """Say that the bank's or the terminal's report has a payment, of what somebody else took."""
    PAY_OUT = auto()
    """Pay a customer's credit back: of what one took oneself, what one's depot took, or all."""
    REFUND_GOODWILL = auto()
    """Pay out what nobody owes, with a reason."""
    VIEW_CUSTOMER_SITE = auto()
    """What stands at a customer's site on deposit, and what its meter read."""
    REPLACE_METER = auto()
    VIEW_STATEMENT = auto()
    """A customer's account: one, whoever served the customer, so it is read whole or not at all."""
    SETTLE_DAY = auto()
    """Count one's own vehicle, at the end of the day with the cash bag."""
    HAND_IN_CASH = auto()
    """Count one's own cash bag, and pay expenses from it: whoever takes cash can hand it in."""
    VIEW_SETTLEMENTS = auto()
    SIGN_OFF_SETTLEMENT = auto()
    REPORT_SALES = auto()
    """Sales, GST, receivables."""
    REPORT_GST = auto()
    """The company's GST returns, and up to when its books are closed."""
    CLOSE_BOOKS = auto()
    """Close and reopen the books; say that a GST return was filed."""
    REPORT_STOCK = auto()
    REPORT_DRIVER_DAY = auto()
    REPORT_CONSERVATION = auto()
    REPORT_DEPOSITS = auto()
    CORRECT_INVENTORY = auto()
    WORK_DEPOT = auto()
    """Refill, take goods in, transfer, set damaged cylinders apart; scrap and stock-take are corrections."""
    VIEW_DEPOT_WORK = auto()
    VIEW_INVENTORY = auto()
    """Some balances and movements; which ones, the three below say."""
    VIEW_DEPOT_STOCK = auto()
    VIEW_VEHICLE_STOCK = auto()
    VIEW_CUSTOMER_STOCK = auto()
    VIEW_VIRTUAL_STOCK = auto()
    """FIELD and OUTSIDE, which belong to no depot."""
    VIEW_AUDIT = auto()
    SYNC = auto()
    """Push what was done offline, and pull what it takes; each operation needs its own right as well."""
    VIEW_CONFLICTS = auto()
    """Read what was refused from the field, and what was decided about it."""
    REVIEW_CONFLICTS = auto()
    """Read that in the office, where it is others'."""
    SETTLE_CONFLICTS = auto()
    """Let it happen, or dismiss it."""
    VIEW_MACHINERY = auto()
    """Numbers, seals and operations: what works behind the scenes. It isn't scoped, so it holds on all rows or none."""


_FIELD_AND_DEPOTS = (Role.ADMIN, Role.SUPERVISOR, Role.DEPOT_STAFF, Role.SALES, Role.DRIVER)
"""Who moves goods."""
_AUDITOR = {Role.AUDITOR: Scope.ALL}
"""Reads everything, and changes nothing: no other capability than USE_OFFICE, VIEW_…, REVIEW_… and REPORT_…."""
_COMPANY = {Role.ACCOUNTS: Scope.ALL, Role.AUDITOR: Scope.ALL}

_GRANTS: dict[Capability, dict[Role, Scope]] = {
    Capability.USE_OFFICE: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        **_COMPANY,
    },
    Capability.MANAGE_USERS: {Role.ADMIN: Scope.ALL},
    Capability.VIEW_USERS: {Role.ADMIN: Scope.ALL, **_AUDITOR},
    Capability.MANAGE_MASTER_DATA: {Role.ADMIN: Scope.ALL},
    Capability.VIEW_MASTER_DATA: dict.fromkeys(Role, Scope.ALL),
    Capability.VIEW_ASSIGNMENTS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_AUDITOR,
    },
    Capability.ASSIGN_VEHICLE: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT},
    Capability.TAKE_VEHICLE: {
        Role.ADMIN: Scope.OWN,
        Role.SUPERVISOR: Scope.OWN,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
    },
    Capability.TRANSFER_GOODS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
    },
    Capability.VIEW_TRANSFERS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_AUDITOR,
    },
    Capability.VIEW_DISTRIBUTIONS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.DRIVER: Scope.OWN,
        **_AUDITOR,
    },
    Capability.CHANGE_DISTRIBUTIONS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.DRIVER: Scope.OWN,
    },
    Capability.VIEW_SALES: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_COMPANY,
    },
    Capability.SEND_DOCUMENT: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        Role.ACCOUNTS: Scope.ALL,
    },
    Capability.RECORD_SALE: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.ALL,
        Role.SALES: Scope.ALL,
        Role.DRIVER: Scope.ALL,
    },
    Capability.RELEASE_EMAIL: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, Role.ACCOUNTS: Scope.ALL},
    Capability.VOID_SALE: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT},
    Capability.RETURN_GOODS: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT},
    Capability.CREDIT_INVOICE: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, Role.ACCOUNTS: Scope.ALL},
    Capability.RECORD_PAYMENT: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        Role.ACCOUNTS: Scope.ALL,
    },
    Capability.REVERSE_PAYMENT: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, Role.ACCOUNTS: Scope.ALL},
    Capability.BANK_PAYMENT: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, Role.ACCOUNTS: Scope.ALL},
    Capability.PAY_OUT: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        Role.ACCOUNTS: Scope.ALL,
    },
    Capability.REFUND_GOODWILL: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.ALL},
    Capability.VIEW_CUSTOMER_SITE: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.ALL,
        Role.SALES: Scope.ALL,
        Role.DRIVER: Scope.ALL,
        **_COMPANY,
    },
    Capability.REPLACE_METER: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.ALL},
    Capability.VIEW_STATEMENT: {Role.ADMIN: Scope.ALL, **_COMPANY},
    Capability.SETTLE_DAY: {
        Role.ADMIN: Scope.OWN,
        Role.SUPERVISOR: Scope.OWN,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
    },
    Capability.HAND_IN_CASH: {
        Role.ADMIN: Scope.OWN,
        Role.SUPERVISOR: Scope.OWN,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        Role.ACCOUNTS: Scope.OWN,
    },
    Capability.VIEW_SETTLEMENTS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_COMPANY,
    },
    Capability.SIGN_OFF_SETTLEMENT: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
    },
    Capability.REPORT_SALES: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, Role.SALES: Scope.OWN, **_COMPANY},
    Capability.REPORT_GST: {Role.ADMIN: Scope.ALL, **_COMPANY},
    Capability.CLOSE_BOOKS: {Role.ADMIN: Scope.ALL, Role.ACCOUNTS: Scope.ALL},
    Capability.REPORT_STOCK: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        **_AUDITOR,
    },
    Capability.REPORT_DRIVER_DAY: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_COMPANY,
    },
    Capability.REPORT_CONSERVATION: {Role.ADMIN: Scope.ALL, **_AUDITOR},
    Capability.REPORT_DEPOSITS: {Role.ADMIN: Scope.ALL, **_COMPANY},
    Capability.OVERRIDE_RATE: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.ALL},
    Capability.CORRECT_INVENTORY: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT},
    Capability.WORK_DEPOT: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
    },
    Capability.VIEW_DEPOT_WORK: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        **_AUDITOR,
    },
    Capability.VIEW_INVENTORY: {**dict.fromkeys(_FIELD_AND_DEPOTS, Scope.ALL), **_AUDITOR},
    Capability.VIEW_DEPOT_STOCK: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.DEPOT,
        **_AUDITOR,
    },
    Capability.VIEW_VEHICLE_STOCK: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_AUDITOR,
    },
    Capability.VIEW_CUSTOMER_STOCK: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.ALL,
        Role.SALES: Scope.ALL,
        Role.DRIVER: Scope.ALL,
        **_AUDITOR,
    },
    Capability.VIEW_VIRTUAL_STOCK: {Role.ADMIN: Scope.ALL, **_AUDITOR},
    Capability.VIEW_AUDIT: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, **_COMPANY},
    Capability.SYNC: dict.fromkeys(_FIELD_AND_DEPOTS, Scope.OWN),
    Capability.VIEW_CONFLICTS: {
        Role.ADMIN: Scope.ALL,
        Role.SUPERVISOR: Scope.DEPOT,
        Role.DEPOT_STAFF: Scope.OWN,
        Role.SALES: Scope.OWN,
        Role.DRIVER: Scope.OWN,
        **_AUDITOR,
    },
    Capability.SETTLE_CONFLICTS: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT},
    Capability.REVIEW_CONFLICTS: {Role.ADMIN: Scope.ALL, Role.SUPERVISOR: Scope.DEPOT, **_AUDITOR},
    Capability.VIEW_MACHINERY: {Role.ADMIN: Scope.ALL, **_AUDITOR},
}


IN_WORDS: dict[Capability, str] = {
    Capability.USE_OFFICE: "log in to the office",
    Capability.MANAGE_USERS: "manage users",
    Capability.VIEW_USERS: "read users",
    Capability.MANAGE_MASTER_DATA: "change master data",
    Capability.VIEW_MASTER_DATA: "read master data",
    Capability.VIEW_ASSIGNMENTS: "read vehicle assignments",
    Capability.ASSIGN_VEHICLE: "assign vehicles",
    Capability.TAKE_VEHICLE: "take a vehicle",
    Capability.TRANSFER_GOODS: "transfer goods between vehicles",
    Capability.VIEW_TRANSFERS: "read transfers between vehicles",
    Capability.VIEW_DISTRIBUTIONS: "read distributions",
    Capability.CHANGE_DISTRIBUTIONS: "load and unload",
    Capability.VIEW_SALES: "read sales and invoices",
    Capability.SEND_DOCUMENT: "send and print documents",
    Capability.RECORD_SALE: "record sales",
    Capability.OVERRIDE_RATE: "set a rate",
    Capability.VOID_SALE: "void sales",
    Capability.CREDIT_INVOICE: "credit invoices",
    Capability.RETURN_GOODS: "take sold goods back into stock",
    Capability.RELEASE_EMAIL: "release held documents",
    Capability.RECORD_PAYMENT: "record payments",
    Capability.REVERSE_PAYMENT: "reverse payments",
    Capability.BANK_PAYMENT: "say what the bank has",
    Capability.PAY_OUT: "pay a customer's credit back",
    Capability.REFUND_GOODWILL: "pay goodwill refunds",
    Capability.VIEW_CUSTOMER_SITE: "read what stands at customers' sites",
    Capability.REPLACE_METER: "replace meters",
    Capability.VIEW_STATEMENT: "read customers' statements",
    Capability.SETTLE_DAY: "count a vehicle and a day-end",
    Capability.HAND_IN_CASH: "count a cash bag and pay expenses from it",
    Capability.VIEW_SETTLEMENTS: "read counts and day-ends",
    Capability.SIGN_OFF_SETTLEMENT: "sign off counts and day-ends",
    Capability.REPORT_SALES: "read sales reports",
    Capability.REPORT_GST: "read the company's GST returns",
    Capability.CLOSE_BOOKS: "close the books and file GST returns",
    Capability.REPORT_STOCK: "read the stock report",
    Capability.REPORT_DRIVER_DAY: "read a driver's day",
    Capability.REPORT_CONSERVATION: "read the conservation report",
    Capability.REPORT_DEPOSITS: "read the deposits report",
    Capability.CORRECT_INVENTORY: "correct stock",
    Capability.WORK_DEPOT: "record depot work",
    Capability.VIEW_DEPOT_WORK: "read depot work",
    Capability.VIEW_INVENTORY: "read stock",
    Capability.VIEW_DEPOT_STOCK: "read depots' stock",
    Capability.VIEW_VEHICLE_STOCK: "read vehicles' stock",
    Capability.VIEW_CUSTOMER_STOCK: "read customers' stock",
    Capability.VIEW_VIRTUAL_STOCK: "read the stock of FIELD and OUTSIDE",
    Capability.VIEW_AUDIT: "read audit records",
    Capability.SYNC: "push and pull",
    Capability.VIEW_CONFLICTS: "read what was refused from the field",
    Capability.REVIEW_CONFLICTS: "review what was refused from the field",
    Capability.SETTLE_CONFLICTS: "decide about what was refused from the field",
    Capability.VIEW_MACHINERY: "read what works behind the scenes",
}
"""What each one lets somebody do, for sentences: "The role Driver may not void sales." """


def scope_of(role: str, capability: Capability) -> Scope | None:
    """On which rows a role holds a capability; None where it doesn't hold it at all."""
    return _GRANTS[capability].get(Role(role))


def holders_at(capability: Capability, depot_id: int | None) -> models.Q:
    """Which users hold a capability on the rows of a depot (None: of none)."""
    everywhere, there = (
        [role for role in Role if scope_of(role, capability) is scope] for scope in (Scope.ALL, Scope.DEPOT)
    )
    return models.Q(role__in=everywhere) | models.Q(role__in=there, depot=depot_id, depot__isnull=False)
