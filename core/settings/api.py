"""The API and its schema."""

from core.settings.base import DEBUG, NUM_PROXIES, VERSION, config, rate

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.Authentication"],
    "DEFAULT_PERMISSION_CLASSES": ["foundation.api.permissions.HasCapability"],
    "DEFAULT_PARSER_CLASSES": ["foundation.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "foundation.api.pagination.BoundedPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "foundation.api.filters.FilterBackend",
        "foundation.api.filters.BoundedSearchFilter",
        "foundation.api.filters.KnownOrdering",
    ],
    "DEFAULT_THROTTLE_RATES": {"login": config("THROTTLE_LOGIN", default="5/min", cast=rate)},
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "foundation.api.schema.Schema",
    "EXCEPTION_HANDLER": "foundation.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # What is answered, the Accept header says: `format` belongs to reports.
    "URL_FORMAT_OVERRIDE": None,
}

DRF_STANDARDIZED_ERRORS = {
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "EXCEPTION_HANDLER_CLASS": "foundation.api.errors.Handler",
    "EXCEPTION_FORMATTER_CLASS": "foundation.api.errors.Formatter",
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "409", "413", "429", "503"],
}

SPECTACULAR_SETTINGS = {
    "TITLE": "HSH LPG",
    "DESCRIPTION": (
        "The backend that guards cylinders and money: stock, distributions, sales, GST invoices and their "
        "audit trail.\n\nLog in with `POST /api/token/`, press **Authorize** and paste the `access` token. "
        "Money and decimal quantities are strings, times carry their offset, and every error has one shape: "
        '`{"type", "errors": [{"code", "detail", "attr"}]}`.'
    ),
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "CONTACT": {"name": "HSH LPG"},
    "SERVERS": [{"url": "/", "description": "This server"}],
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayRequestDuration": True,
        "filter": True,
        "docExpansion": "none",
        "persistAuthorization": DEBUG,
    },
    "ENUM_NAME_OVERRIDES": {
        "CreditKind": "invoices.models.Invoice.CreditKind",
        "ErrorType": "foundation.api.schema.ERROR_TYPES",
        "Role": "foundation.access.capabilities.Role",
        "EquipmentType": "equipment.models.Equipment.Type",
        "PriceKind": "equipment.models.EquipmentPrice.Kind",
        "PaymentType": "customers.models.PaymentType",
        "LocationKind": "inventory.models.LocationKind",
        "Condition": "inventory.models.Condition",
        "ReturnCondition": "transactions.serializers.RETURN_CONDITIONS",
        "MovementKind": "inventory.models.StockMovement.Kind",
        "Entity": "inventory.services.Entity",
        "DepotWorkKind": "inventory.models.DepotWork.Kind",
        "NewDepotWorkKind": "inventory.serializers.WORK_KINDS",
        "WorkedGoods": "inventory.services.WorkedGoods",
        "SyncStatus": "sync.serializers.STATUSES",
        "ConflictStatus": "sync.models.SyncConflict.Status",
        "Direction": "distribution.models.DistributionItem.Direction",
        "DistributionStatus": "distribution.models.Distribution.Status",
        "ItemType": "transactions.models.TransactionItem.Type",
        "RateSource": "transactions.models.RateSource",
        "TransactionStatus": "transactions.models.Transaction.Status",
        "InvoiceKind": "invoices.models.Invoice.Kind",
        "InvoiceStatus": "invoices.models.Invoice.Status",
        "PaymentMethod": "payments.models.Payment.Method",
        "EmailStatus": "invoices.models.InvoiceEmail.Status",
        "CountStatus": "inventory.models.Count.Status",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "TAGS": [
        {"name": "Tokens", "description": "Log in, refresh, log out."},
        {"name": "Accounts", "description": "Who am I, and the administration of users."},
        {"name": "Master data", "description": "Depots, equipment, vehicles, customers, contract and GST rates."},
        {"name": "Vehicles", "description": "Who drives which vehicle, and goods from one to another."},
        {"name": "Inventory", "description": "Balances, corrections and the stock ledger."},
        {"name": "Depot work", "description": "Refill, goods in, transfer, damage, scrap and stock-take."},
        {"name": "Distributions", "description": "Loads from a depot to a vehicle, and back."},
        {"name": "Sales", "description": "Transactions: one sale, one commit."},
        {"name": "Invoices", "description": "Tax invoices, credit notes and their PDFs."},
        {"name": "Payments", "description": "Money that settles invoices, and what is left as credit."},
        {"name": "Customers' sites", "description": "Deposits held, meters replaced and read."},
        {"name": "Day-end", "description": "The blind count of a seller's vehicle and cash bag, and its sign-off."},
        {"name": "Books and GST", "description": "Books that are closed, and GST returns that were filed."},
        {"name": "Reports", "description": "Figures that reconcile with each other, as JSON, CSV and XLSX."},
        {"name": "Offline", "description": "Push what was done without network, pull what that takes."},
        {"name": "Audit", "description": "The append-only record."},
        {"name": "Operations", "description": "Health and the schema itself."},
    ],
}

# A day of a driver's offline sales fits many times over.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
