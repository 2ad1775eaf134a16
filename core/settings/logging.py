"""Logs, and figures for operators."""

from decouple import Choices

from core.settings.base import config

# What /metrics asks for; empty: there is no such page.
METRICS_TOKEN = config("METRICS_TOKEN", default="")
# Where the workers of one server count; gunicorn.conf.py makes it. Empty: there is one process.
METRICS_FOLDER = config("PROMETHEUS_MULTIPROC_DIR", default="")

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
