"""How often one address may try to log in."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from core.middleware import client_address


class LogInThrottle(SimpleRateThrottle):
    """THROTTLE_LOGIN attempts per client address, counted before any password is hashed."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": client_address(request._request)}
