"""Settings of HSH LPG. Everything that differs between machines comes from the environment or `.env`.

`.env.example` names every variable. No other module reads the environment.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from decouple import Choices, Config, Csv, RepositoryEmpty, RepositoryEnv, UndefinedValueError
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from core.packages import PACKAGES

BASE_DIR = Path(__file__).resolve().parent.parent
_env_file = BASE_DIR / ".env"
try:
    # Only this checkout's .env: decouple's own search would climb into the folders above it.
    _environment = Config(RepositoryEnv(_env_file) if _env_file.exists() else RepositoryEmpty())
except (OSError, ValueError) as error:
    raise ImproperlyConfigured(f"{_env_file} can't be read: {error}.") from error

VERSION = "0.1.0"


def config(name: str, **options: Any) -> Any:
    """The setting of that name; a sentence that names it where it is missing, or isn't what it has to be."""
    try:
        return _environment(name, **options)
    except UndefinedValueError:
        where = "in the environment or in .env" if _env_file.exists() else "in the environment, and there is no .env"
        raise ImproperlyConfigured(f"{name} isn't set {where}: `make setup` writes one with fresh secrets.") from None
    except ValueError:
        cast = options["cast"]
        wanted = f"one of {', '.join(cast.flat)}" if isinstance(cast, Choices) else _WANTED[cast]
        raise ImproperlyConfigured(f"{name} has to be {wanted}; it is {_environment(name)!r}.") from None


def _path(value: str) -> Path:
    """A path that is relative in the environment is relative to the checkout, wherever we are started from."""
    return BASE_DIR / value


def _folder(name: str, path: Path) -> Path:
    """A folder that is there from now on."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} can't be made: {error.strerror}.") from error
    return path


def _secret(name: str) -> str:
    value: str = config(name)
    if len(value.encode()) < 32:
        raise ImproperlyConfigured(
            f"{name} must be at least 32 bytes long; `make setup` writes fresh secrets where there is no .env."
        )
    return value


def _rate(value: str) -> str:
    """As Django REST framework reads it."""
    if not re.fullmatch(r"[0-9]+/[smhd][a-z]*", value):
        raise ValueError(value)
    return value


_WANTED = {int: "a whole number", bool: "True or False", _rate: "a rate such as 5/min"}


# --- Django ---------------------------------------------------------------------------------------

SECRET_KEY = _secret("SECRET_KEY")
DEBUG = config("DEBUG", default=False, cast=bool)
ALLOWED_HOSTS = config("ALLOWED_HOSTS", default="127.0.0.1,localhost", cast=Csv())
CSRF_TRUSTED_ORIGINS = config("CSRF_TRUSTED_ORIGINS", default="", cast=Csv())

INSTALLED_APPS = [
    "core.admin_site.OfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_tasks_db",
    *PACKAGES,
    "import_export",
]

MIDDLEWARE = [
    "core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.ApiTrailingSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "core.urls"
WSGI_APPLICATION = "core.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Asia/Singapore"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = _folder("STATIC_ROOT", config("STATIC_ROOT", default="var/static", cast=_path))
MEDIA_ROOT = config("MEDIA_ROOT", default="var/media", cast=_path)
# With DEBUG the files are served from their apps; a deployment collects them once, hashed and compressed.
WHITENOISE_USE_FINDERS = DEBUG
# The field app as it was built: what lies in its folder app/ is at /app/.
WHITENOISE_ROOT = BASE_DIR / "field_app/built"
WHITENOISE_INDEX_FILE = True
# Where the documents lie: a folder, or a bucket that several machines share.
DOCUMENTS_BUCKET = config("DOCUMENTS_BUCKET", default="")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "core.object_storage.ObjectStorage", "OPTIONS": {"bucket_name": DOCUMENTS_BUCKET}}
    if DOCUMENTS_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Database -------------------------------------------------------------------------------------

_engine = config("DB_ENGINE", default="sqlite", cast=Choices(["sqlite", "mysql"]))
_database: dict[str, Any]
if _engine == "mysql":
    _ca = config("DB_SSL_CA", default="")
    _database = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": config("DB_NAME", default="hsh_lpg"),
        "USER": config("DB_USER", default="hsh_lpg"),
        "PASSWORD": config("DB_PASSWORD", default=""),
        "HOST": config("DB_HOST", default="127.0.0.1"),
        "PORT": config("DB_PORT", default=3306, cast=int),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
            # Encrypted, to the server that the certificate names, or not at all.
            **({"ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": _ca}} if _ca else {}),
        },
        "TEST": {"CHARSET": "utf8mb4"},
    }
else:
    _database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": config("DB_NAME", default="var/hsh_lpg.sqlite3", cast=_path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A writer takes its lock when its transaction begins, waits for it, and never has to upgrade.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, as in production: threads can't share a database in memory the way they share a file.
        "TEST": {"NAME": _path("var/test.sqlite3")},
    }
    for _file in (_database["TEST"]["NAME"], _database["NAME"]):
        _folder("DB_NAME", _file.parent)
DATABASES = {"default": _database}

# A read replica for reports (core/replica.py): the same in all that DB_REPLICA_* doesn't name.
_replica = {
    key: value
    for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    if (value := config(f"DB_REPLICA_{key}", default=""))
}
if _replica:
    DATABASES["replica"] = {**_database, **_replica, "TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["core.replica.ReplicaRouter"]

# Nothing is cached: what workers share are rows that migrations made room for. A cache in the database would be
# unpickled, and whoever can write a row would run code here; one in memory would be each worker's own.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# --- Users, passwords and tokens ------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": _secret("JWT_SIGNING_KEY"),
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=config("JWT_ACCESS_MINUTES", default=8 * 60, cast=int)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=config("JWT_REFRESH_DAYS", default=7, cast=int)),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": False,
}
# The same refresh token again within this time gets the same successor: its answer may have been lost.
JWT_REFRESH_GRACE_SECONDS = config("JWT_REFRESH_GRACE_SECONDS", default=60, cast=int)

# --- API ------------------------------------------------------------------------------------------

# Proxies in front of the application whose X-Forwarded-For is believed; 0 believes none.
NUM_PROXIES = config("NUM_PROXIES", default=0, cast=int)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.Authentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.HasCapability"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.BoundedPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "core.api.filters.BoundedSearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_THROTTLE_RATES": {"login": config("THROTTLE_LOGIN", default="5/min", cast=_rate)},
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

DRF_STANDARDIZED_ERRORS = {
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "EXCEPTION_HANDLER_CLASS": "core.api.errors.Handler",
    "EXCEPTION_FORMATTER_CLASS": "core.api.errors.Formatter",
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "413", "429", "503"],
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
        "ErrorType": "core.api.schema.ERROR_TYPES",
        "Role": "core.access.Role",
        "EquipmentType": "equipment.models.Equipment.Type",
        "PaymentType": "customers.models.PaymentType",
        "LocationKind": "inventory.models.LocationKind",
        "Condition": "inventory.models.Condition",
        "ReturnCondition": "transactions.serializers.RETURN_CONDITIONS",
        "MovementKind": "inventory.models.StockMovement.Kind",
        "Entity": "inventory.services.Entity",
        "DepotWorkKind": "inventory.models.DepotWork.Kind",
        "NewDepotWorkKind": "inventory.serializers.WORK_KINDS",
        "SyncStatus": "sync.serializers.STATUSES",
        "ConflictStatus": "sync.models.SyncConflict.Status",
        "Direction": "distribution.models.DistributionItem.Direction",
        "DistributionStatus": "distribution.models.Distribution.Status",
        "ItemType": "transactions.models.TransactionItem.Type",
        "RateSource": "transactions.models.RateSource",
        "TransactionStatus": "transactions.models.Transaction.Status",
        "InvoiceKind": "invoices.models.Invoice.Kind",
        "InvoiceStatus": "invoices.models.Invoice.Status",
        "PaymentMethod": "invoices.models.Payment.Method",
        "EmailStatus": "invoices.models.InvoiceEmail.Status",
        "SettlementStatus": "transactions.models.Settlement.Status",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "TAGS": [
        {"name": "Tokens", "description": "Log in, refresh, log out."},
        {"name": "Accounts", "description": "Who am I, and the administration of users."},
        {"name": "Master data", "description": "Depots, equipment, customers, contract and GST rates."},
        {"name": "Inventory", "description": "Balances, corrections and the stock ledger."},
        {"name": "Depot work", "description": "Refill, goods in, transfer, damage, scrap and stock-take."},
        {"name": "Distributions", "description": "Loads from a depot to a vehicle, and back."},
        {"name": "Sales", "description": "Transactions: one sale, one commit."},
        {"name": "Invoices", "description": "Tax invoices, credit notes and their PDFs."},
        {"name": "Payments", "description": "Money that settles invoices, and what is left as credit."},
        {"name": "Customers' sites", "description": "Deposits held, meters replaced and read."},
        {"name": "Day-end", "description": "The blind count of a seller's vehicle and cash bag, and its sign-off."},
        {"name": "Reports", "description": "Figures that reconcile with each other, as JSON, CSV and XLSX."},
        {"name": "Offline", "description": "Push what was done without network, pull what that takes."},
        {"name": "Audit", "description": "The append-only record."},
        {"name": "Operations", "description": "Health and the schema itself."},
    ],
}

# A day of a driver's offline sales fits many times over.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- Browser security -----------------------------------------------------------------------------

SECURE_SSL_REDIRECT = config("SECURE_SSL_REDIRECT", default=not DEBUG, cast=bool)
SECURE_REDIRECT_EXEMPT = [r"^api/health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
SECURE_HSTS_SECONDS = config("SECURE_HSTS_SECONDS", default=31_536_000 if SECURE_SSL_REDIRECT else 0, cast=int)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = SECURE_SSL_REDIRECT
CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    # Swagger UI and Redoc set inline styles and draw in a worker that they make from a blob.
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "worker-src": [CSP.SELF, "blob:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

CORS_ALLOWED_ORIGINS = config("CORS_ALLOWED_ORIGINS", default="", cast=Csv())
CORS_URLS_REGEX = r"^/api/.*$"
CORS_EXPOSE_HEADERS = ["Idempotent-Replayed", "ETag", "Retry-After", "X-Request-ID", "Content-Disposition"]

# --- Mail -----------------------------------------------------------------------------------------

_mail_folder = config("EMAIL_FILE_PATH", default="")
MAILERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": _path(_mail_folder)},
    }
    if _mail_folder
    else {
        "BACKEND": "core.mail.SmtpBackend",
        "OPTIONS": {
            "host": config("EMAIL_HOST", default="localhost"),
            "port": config("EMAIL_PORT", default=25, cast=int),
            "username": config("EMAIL_HOST_USER", default=""),
            "password": config("EMAIL_HOST_PASSWORD", default=""),
            "use_tls": config("EMAIL_USE_TLS", default=False, cast=bool),
            "timeout": config("EMAIL_TIMEOUT_SECONDS", default=20, cast=int),
        },
    }
}
DEFAULT_FROM_EMAIL = config("DEFAULT_FROM_EMAIL", default="billing@hsh.example")

# Work that follows a commit (emails) waits in the database, written by the same commit; `manage.py db_worker` does it.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- The company, as its documents name it --------------------------------------------------------

COMPANY = {
    "name": config("COMPANY_NAME", default="HSH LPG Pte. Ltd."),
    "address": config("COMPANY_ADDRESS", default="").replace("|", "\n"),
    "postal_code": config("COMPANY_POSTAL_CODE", default=""),
    "uen": config("COMPANY_UEN", default=""),
    "gst_registration_no": config("COMPANY_GST_REGISTRATION_NO", default=""),
    "email": config("COMPANY_EMAIL", default=""),
    "phone": config("COMPANY_PHONE", default=""),
}

# --- Rules with a number in them ------------------------------------------------------------------

OCCURRED_AT_MAX_AGE = timedelta(days=config("OCCURRED_AT_MAX_AGE_DAYS", default=7, cast=int))
OCCURRED_AT_MAX_AHEAD = timedelta(minutes=config("OCCURRED_AT_MAX_AHEAD_MINUTES", default=5, cast=int))

# What /metrics asks for; empty: there is no such page.
METRICS_TOKEN = config("METRICS_TOKEN", default="")
# Where the workers of one server count; gunicorn.conf.py makes it. Empty: there is one process.
METRICS_FOLDER = config("PROMETHEUS_MULTIPROC_DIR", default="")

# --- Logs -----------------------------------------------------------------------------------------

_level = Choices(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
# Lines for people, or a JSON object a line for a collector of logs.
_json_logs = config("LOG_FORMAT", default="line", cast=Choices(["line", "json"])) == "json"
_json_formatter = {
    "()": "pythonjsonlogger.json.JsonFormatter",
    "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
    "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": _json_formatter if _json_logs else {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "bare": _json_formatter if _json_logs else {"format": "%(asctime)s %(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "requests": {"class": "logging.StreamHandler", "formatter": "bare"},
    },
    "root": {"handlers": ["console"], "level": config("LOG_LEVEL", default="WARNING", cast=_level)},
    "loggers": {
        "hsh.request": {"handlers": ["requests"], "level": "INFO", "propagate": False},
        # Each API request already has its line; a 4xx is the client's business.
        "django.request": {"level": "ERROR"},
    },
}
