"""Where the settings come from, what Django is made of, mail, and tasks."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from decouple import Choices, Config, Csv, RepositoryEmpty, RepositoryEnv, UndefinedValueError
from django.core.exceptions import ImproperlyConfigured

from core.packages import APPS

BASE_DIR = Path(__file__).resolve().parent.parent.parent
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


def in_checkout(value: str) -> Path:
    """A path that is relative in the environment is relative to the checkout, wherever we are started from."""
    return BASE_DIR / value


def folder(name: str, path: Path) -> Path:
    """A folder that is there from now on."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} can't be made: {error.strerror}.") from error
    return path


def secret(name: str) -> str:
    value: str = config(name)
    if len(value.encode()) < 32:
        raise ImproperlyConfigured(
            f"{name} must be at least 32 bytes long; `make setup` writes fresh secrets where there is no .env."
        )
    return value


def rate(value: str) -> str:
    """As Django REST framework reads it."""
    if not re.fullmatch(r"[0-9]+/[smhd][a-z]*", value):
        raise ValueError(value)
    return value


def amount(value: str) -> Decimal:
    """A plain number, as `foundation.limits` compares it."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        raise ValueError(value)
    return Decimal(value)


_WANTED = {
    int: "a whole number",
    bool: "True or False",
    amount: "a number such as 9999.99",
    rate: "a rate such as 5/min",
}


SECRET_KEY = secret("SECRET_KEY")
DEBUG = config("DEBUG", default=False, cast=bool)
ALLOWED_HOSTS = config("ALLOWED_HOSTS", default="127.0.0.1,localhost", cast=Csv())

INSTALLED_APPS = [
    "foundation.office.apps.OfficeConfig",
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
    *APPS,
    "import_export",
]

MIDDLEWARE = [
    "foundation.observability.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "foundation.observability.middleware.ApiTrailingSlashMiddleware",
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

AUTH_USER_MODEL = "accounts.User"

# Proxies in front of the application whose X-Forwarded-For is believed; 0 believes none.
NUM_PROXIES = config("NUM_PROXIES", default=0, cast=int)

_mail_folder = config("EMAIL_FILE_PATH", default="")
MAILERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": in_checkout(_mail_folder)},
    }
    if _mail_folder
    else {
        "BACKEND": "foundation.infrastructure.mail.SmtpBackend",
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
