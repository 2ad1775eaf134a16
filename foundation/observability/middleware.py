"""What happens around every request: its id, its address, its log line, its trailing slash."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from foundation.observability.context import Origin, origin
from foundation.observability.metrics import observe

Handler = Callable[[HttpRequest], HttpResponse]

_log = logging.getLogger("hsh.request")
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def client_address(request: HttpRequest) -> str:
    """The client's IP address, for throttle, log and audit alike.

    X-Forwarded-For is believed as far as NUM_PROXIES proxies of ours have written it, and no further.
    """
    proxies: int = settings.NUM_PROXIES
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if proxies and forwarded:
        return forwarded[-min(proxies, len(forwarded))]
    return str(request.META.get("REMOTE_ADDR", ""))


class RequestContextMiddleware:
    """Gives every request an id and every API request its line in the log."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        sent_id = request.headers.get("X-Request-ID", "")
        request_id = sent_id if _SANE_REQUEST_ID.fullmatch(sent_id) else uuid.uuid4().hex
        address = client_address(request)
        with origin(Origin(request_id=request_id, ip_address=_as_ip(address))):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        seconds = time.perf_counter() - started
        observe(request, response.status_code, seconds)
        if request.path_info.startswith("/api/"):
            fields = {
                "method": request.method,
                # The path only: a query string may carry what doesn't belong into a log.
                "path": _printable(request.path_info),
                "status": response.status_code,
                "user": request.META.get("api_user_id", "-"),
                "ms": round(seconds * 1000, 1),
                "ip": _printable(address) or "-",
                "request_id": request_id,
            }
            _log.info(" ".join(f"{name}={value}" for name, value in fields.items()), extra=fields)
        return response


class ApiTrailingSlashMiddleware:
    """Answers an API path without its trailing slash: a redirect would lose a POST's body."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith("/api/") and not path.endswith("/") and _resolves(path + "/"):
            request.path_info = path + "/"
            request.path = request.path + "/"
        return self.get_response(request)


def _resolves(path: str) -> bool:
    try:
        return resolve(path).url_name != "api-not-found"
    except Resolver404:
        return False


def _printable(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "?", text)[:200]


def _as_ip(address: str) -> str | None:
    try:
        return str(ip_address(address))
    except ValueError:
        return None
