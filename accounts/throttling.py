"""How often somebody may try to log in."""

import hashlib
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from accounts.models import LogInAttempt
from foundation import clock
from foundation.observability.middleware import client_address

USERNAME_FACTOR = 4
"""One account may be tried this much oftener than one address may try: many addresses may guess together."""
FORGOTTEN_AT_ONCE = 20
"""Each new row takes so many away that count no more: the table holds what two periods let in, whatever comes."""
LONGEST = timedelta(days=2)
"""Twice the longest period that a rate can name."""


class LogInThrottle(SimpleRateThrottle):
    """THROTTLE_LOGIN per client address, and four times that per username, over all workers.

    DRF's own counter reads, adds and writes, so that simultaneous attempts count as one. Here an attempt claims
    one of the numbered places of its time window: a row, of which a unique constraint lets one in. Places claimed in
    the window before count as long as they are younger than the period.
    """

    scope = "login"
    door = "api"
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:
        rate = api_settings.DEFAULT_THROTTLE_RATES[self.scope]
        return None if rate is None else str(rate)

    def allow_request(self, request: Request, view: APIView) -> bool:
        """The address is asked first: one that is refused can't use up an account's attempts."""
        if self.rate is None:
            return True
        self.retry_after_seconds: float | None = None
        address, username = _network(client_address(request)), _username(request.data)
        return self._claim(_digest(f"{self.door} address", address), self.num_requests) and (
            username is None or self._claim(_digest("username", username), self.num_requests * USERNAME_FACTOR)
        )

    def wait(self) -> float | None:
        return self.retry_after_seconds

    def _claim(self, key: str, limit: int) -> bool:
        now, period = clock.now(), timedelta(seconds=self.duration)
        window = int(now.timestamp() // self.duration)
        claimed = list(LogInAttempt.objects.filter(key=key, window__in=(window - 1, window)))
        counting = [row for row in claimed if row.window == window or row.at > now - period]
        taken = {row.place for row in claimed if row.window == window}
        for place in range(limit - (len(counting) - len(taken))):
            if place not in taken and _take(key, window, place, now):
                _forget_some(before=now - 2 * period)
                return True
        oldest = min((row.at for row in counting), default=now)
        self.retry_after_seconds = max((oldest + period - now).total_seconds(), 1)
        return False


def forget_attempts() -> int:
    """Delete all that count no more under whatever THROTTLE_LOGIN; answers how many."""
    return LogInAttempt.objects.filter(at__lt=clock.now() - LONGEST).delete()[0]


def _take(key: str, window: int, place: int, now: datetime) -> bool:
    """Did the place become ours? Of simultaneous attempts the unique constraint lets one in."""
    _, is_ours = LogInAttempt.objects.get_or_create(key=key, window=window, place=place, defaults={"at": now})
    return is_ours


def _forget_some(*, before: datetime) -> None:
    old = LogInAttempt.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)
    if pks := sorted(old[:FORGOTTEN_AT_ONCE]):
        LogInAttempt.objects.filter(pk__in=pks).delete()


def _username(data: object) -> str | None:
    username = data.get("username") if isinstance(data, dict) else None
    return username.strip().lower() if isinstance(username, str) else None


def _digest(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}:{text}".encode(errors="surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """An IPv6 client has a whole /64 of addresses for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
