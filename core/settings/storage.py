"""Where things lie: static files, documents, the database and its replica."""

from typing import Any

from decouple import Choices

from core.settings.base import BASE_DIR, DEBUG, config, folder, in_checkout

STATIC_URL = "static/"
STATIC_ROOT = folder("STATIC_ROOT", config("STATIC_ROOT", default="var/static", cast=in_checkout))
MEDIA_ROOT = config("MEDIA_ROOT", default="var/media", cast=in_checkout)
# With DEBUG the files are served from their apps; a deployment collects them once, hashed and compressed.
WHITENOISE_USE_FINDERS = DEBUG
# The field app as it was built: what lies in its folder app/ is at /app/.
WHITENOISE_ROOT = BASE_DIR / "field_app/built"
WHITENOISE_INDEX_FILE = True
# Where the documents lie: a folder, or a bucket that several machines share.
DOCUMENTS_BUCKET = config("DOCUMENTS_BUCKET", default="")
STORAGES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "foundation.infrastructure.object_storage.ObjectStorage",
        "OPTIONS": {"bucket_name": DOCUMENTS_BUCKET},
    }
    if DOCUMENTS_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

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
        "ENGINE": "foundation.infrastructure.sqlite",
        "NAME": config("DB_NAME", default="var/hsh_lpg.sqlite3", cast=in_checkout),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A writer takes its lock when its transaction begins, waits for it, and never has to upgrade.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, as in production: threads can't share a database in memory the way they share a file.
        "TEST": {"NAME": in_checkout("var/test.sqlite3")},
    }
    for _file in (_database["TEST"]["NAME"], _database["NAME"]):
        folder("DB_NAME", _file.parent)
DATABASES = {"default": _database}

# A read replica for reports (foundation/infrastructure/replica.py): the same in all that DB_REPLICA_* doesn't name.
_replica = {
    key: value
    for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    if (value := config(f"DB_REPLICA_{key}", default=""))
}
if _replica:
    DATABASES["replica"] = {**_database, **_replica, "TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["foundation.infrastructure.replica.ReplicaRouter"]

# Where the processes of one server tell each other whose page is being laid out (gunicorn.conf.py makes it); empty:
# there is one process, and nobody has to.
USER_TURNS_FOLDER = config("USER_TURNS_FOLDER", default="")

# Nothing is cached: what workers share are rows that migrations made room for. A cache in the database would be
# unpickled, and whoever can write a row would run code here; one in memory would be each worker's own.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
