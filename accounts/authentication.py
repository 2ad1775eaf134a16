"""Who sends this request: the access token says it, the database decides."""

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from accounts.models import User


class Authentication(JWTAuthentication):
    """Bearer tokens. The user's row is read on every request, so that a token opens nothing it shouldn't any more:
    not to a deactivated user, and not after a password was changed.
    """

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        outcome: tuple[User, Token] | None = super().authenticate(request)
        if outcome is not None:
            # For the request's line in the log, which is written outside the framework.
            request._request.api_user_id = outcome[0].pk
        return outcome

    def get_user(self, validated_token: Token) -> Any:
        try:
            return super().get_user(validated_token)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidToken from error


class AuthenticationScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """How the schema, and Swagger UI's Authorize, describe it."""

    target_class = "accounts.authentication.Authentication"
    name = "jwtAuth"
