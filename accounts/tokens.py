"""JSON web tokens at the edge: from a password or a token to the person, or 401.

What a user may do is read from their row on every request. The claims ``role``, ``depot`` and ``employee_id``
are there for the app to show, and nothing here trusts them. Nothing here may import views: they load this module.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts import services
from accounts.errors import TokenRefused, TokenReused
from accounts.models import User
from accounts.services import TokenPair
from foundation.api.fields import TextField
from foundation.api.inputs import Input

MAX_TOKEN_LENGTH = 4_096


class LogInSerializer(Input):
    username = TextField(max_length=64)
    password = TextField(max_length=128, trim_whitespace=False, write_only=True, style={"input_type": "password"})


class RefreshSerializer(Input):
    refresh = TextField(max_length=MAX_TOKEN_LENGTH, help_text="The refresh token of the latest pair.")


class TokenPairSerializer(serializers.Serializer[TokenPair]):
    refresh = serializers.CharField(help_text="Works once, for the next pair.")
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")


class Authentication(JWTAuthentication):
    """``Authorization: Bearer <access token>``; every token that isn't good is a 401 in the one error shape."""

    def authenticate(self, request: Request) -> Any:
        parts = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not parts or parts[0].lower() != "bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The header is `Authorization: Bearer <token>`.", "bad_authorization_header")
        token = _verified(AccessToken, parts[1])
        user = self.get_user(token)
        # For the request's log line, which a middleware writes.
        request.META["api_user_id"] = user.pk
        return user, token

    def get_user(self, validated_token: Token) -> Any:
        user = _owner(validated_token)
        if user is None:
            raise AuthenticationFailed("User not found.", "user_not_found")
        if not user.is_active:
            raise AuthenticationFailed("User is inactive.", "user_inactive")
        if not services.has_current_password(user, validated_token):
            raise AuthenticationFailed("The user's password has been changed.", "password_changed")
        return user


class PushAuthentication(Authentication):
    """Takes also the tokens of who was deactivated since: a phone may bring what it holds (`services.may_push_late`).

    For the push alone, which then keeps everything and carries nothing out.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            token = _late(request.META.get("HTTP_AUTHORIZATION", ""))
            user = _owner(token) if token is not None else None
            if user is None or token is None or not services.may_push_late(user, token):
                raise
        request.META["api_user_id"] = user.pk
        return user, token


class LateAccessToken(AccessToken):
    """An access token of any age that may matter; when it was good is asked together with its user."""

    def get_token_backend(self) -> TokenBackend:
        # It may have expired while its log-in was alive, and that one ends with the deactivation at the latest.
        leeway = settings.PUSH_AFTER_DEACTIVATION + api_settings.REFRESH_TOKEN_LIFETIME
        return TokenBackend(api_settings.ALGORITHM, api_settings.SIGNING_KEY, leeway=leeway)


class UnspentRefreshToken(RefreshToken):
    """A refresh token whose signature, type and time are good; whether it was used is asked under a lock."""

    def check_blacklist(self) -> None:
        pass


def log_in(request: Request, *, username: str, password: str) -> TokenPair:
    """Unknown, inactive or the wrong password: the same answer, after the same work."""
    user = authenticate(request, username=username, password=password)
    try:
        if not isinstance(user, User):
            raise TokenRefused
        return services.start_session(actor=user)
    except TokenRefused as error:
        raise AuthenticationFailed(
            "No active account found with the given credentials.", "no_active_account"
        ) from error


def refresh(raw: str) -> TokenPair:
    token, user = _refresh_token(raw)
    try:
        return services.rotate_tokens(actor=user, token=token)
    except TokenReused as error:
        services.end_session(actor=user, token=token, reason="A used refresh token came again.")
        raise _not_valid() from error
    except TokenRefused as error:
        raise _not_valid() from error


def log_out(raw: str) -> None:
    token, user = _refresh_token(raw)
    services.end_session(actor=user, token=token)


def _refresh_token(raw: str) -> tuple[Token, User]:
    token = _verified(UnspentRefreshToken, raw)
    user = _owner(token)
    if user is None:
        raise _not_valid()
    return token, user


def _late(header: str) -> Token | None:
    """The access token of a header, though it may have expired; None where it is none."""
    parts = header.split()
    try:
        return _verified(LateAccessToken, parts[1]) if len(parts) == 2 else None
    except AuthenticationFailed:
        return None


def _verified(kind: type[Token], raw: str) -> Token:
    """The token, if it was signed by us, is of this kind and hasn't expired."""
    try:
        return kind(raw)  # type: ignore[arg-type]  # the package's annotation is wrong
    # The second row: claims that are signed and yet no times, numbers or texts.
    except (TokenError, ValueError, TypeError, OverflowError, OSError) as error:
        raise _not_valid() from error


def _owner(token: Token) -> User | None:
    claim = str(token.get(api_settings.USER_ID_CLAIM, ""))
    if not (claim.isascii() and claim.isdigit() and len(claim) <= 18):
        return None
    return User.objects.filter(pk=int(claim)).first()


def _not_valid() -> AuthenticationFailed:
    return AuthenticationFailed("Token is invalid or expired.", "token_not_valid")
