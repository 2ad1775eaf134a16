"""Figures for Prometheus: what this server answered and sold, and what waits in the database.

Workers count in files of their own, which the one that is asked adds up (PROMETHEUS_MULTIPROC_DIR, which
gunicorn.conf.py sets). What waits is asked of the database at each scrape, so that every server tells the same.
"""

import hmac
import re
from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("hsh_requests", "Answered requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("hsh_request_seconds", "Time to the answer.", ["method", "route"], buckets=BUCKETS)
SALES = Counter("hsh_sales", "Committed sales and their reversals.", ["kind"])
COMMAND_RETRIES = Counter("hsh_command_retries", "Commands that began again after a deadlock or a lock's time-out.")

Waiting = Callable[[], float]
_waiting: dict[str, tuple[str, Waiting]] = {}


def gauge(name: str, words: str) -> Callable[[Waiting], Waiting]:
    """Register a figure that each scrape asks of the database; a function without arguments, from any app."""

    def register(ask: Waiting) -> Waiting:
        _waiting[name] = words, ask
        return ask

    return register


class _DatabaseCollector(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (words, ask) in _waiting.items():
            yield GaugeMetricFamily(name, words, value=ask())


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count one answer under its route: an address has ids, and there would be a figure for each."""
    match = request.resolver_match
    route = (
        "/" + _PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", match.route).strip("^$")
        if match is not None
        else "unknown"
    )
    method = request.method if request.method in _METHODS else "OTHER"
    REQUESTS.labels(method, route, status).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)


_PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def metrics(request: HttpRequest) -> HttpResponse:
    """``/metrics``, for whoever knows METRICS_TOKEN. Without one set there is no such page."""
    token: str = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    registry = CollectorRegistry()
    if settings.METRICS_FOLDER:
        MultiProcessCollector(registry, settings.METRICS_FOLDER)  # type: ignore[no-untyped-call]  # untyped
    else:
        registry = REGISTRY
    database = CollectorRegistry()
    database.register(_DatabaseCollector())
    return HttpResponse(generate_latest(registry) + generate_latest(database), content_type=CONTENT_TYPE_LATEST)
