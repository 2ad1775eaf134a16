"""How often somebody may try to log in."""

import hashlib
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from core import clock
from core.middleware import client_address

USERNAME_FACTOR = 4
"""One account may be tried this much oftener than one address may try: many addresses may guess together."""


class LogInThrottle(SimpleRateThrottle):
    """THROTTLE_LOGIN per client address, and four times that per username, over all workers.

    DRF's own counter reads, adds and writes, so that simultaneous attempts count as one. Here an attempt claims
    one of the numbered places of its time window with ``cache.add``, which every cache does atomically; places
    claimed in the window before count as long as they are younger than the period.
    """

    scope = "login"
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:
        rate = api_settings.DEFAULT_THROTTLE_RATES[self.scope]
        return None if rate is None else str(rate)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return _digest("address", _network(client_address(request)))

    def allow_request(self, request: Request, view: APIView) -> bool:
        """The address is asked first: one that is refused can't use up an account's attempts."""
        if self.rate is None:
            return True
        self.retry_after_seconds: float | None = None
        username = _username(request.data)
        return self._claim(self.get_cache_key(request, view), self.num_requests) and (
            username is None or self._claim(_digest("username", username), self.num_requests * USERNAME_FACTOR)
        )

    def wait(self) -> float | None:
        return self.retry_after_seconds

    def _claim(self, key: str, limit: int) -> bool:
        now = clock.now().timestamp()
        window = int(now // self.duration)
        current = [f"{key}:{window}:{place}" for place in range(limit)]
        previous = [f"{key}:{window - 1}:{place}" for place in range(limit)]
        claimed: dict[str, float] = cache.get_many([*previous, *current])
        recent = [at for place, at in claimed.items() if place in previous and at > now - self.duration]
        for place in current[: limit - len(recent)]:
            if place not in claimed and cache.add(place, now, self.duration * 2):
                return True
        oldest = min([*recent, *(claimed[place] for place in current if place in claimed)], default=now)
        self.retry_after_seconds = max(oldest + self.duration - now, 1)
        return False


def _username(data: Any) -> str | None:
    username = data.get("username") if isinstance(data, dict) else None
    return username.strip().lower() if isinstance(username, str) else None


def _digest(kind: str, text: str) -> str:
    return f"login:{kind}:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _network(address: str) -> str:
    """An IPv6 client has a whole /64 of addresses for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
