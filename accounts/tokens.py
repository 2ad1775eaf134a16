"""Refresh tokens: each works once, and an answer that was lost on the way can be asked for again.

A used token asked for again within JWT_REFRESH_GRACE_SECONDS gets the successor that it got before (a lost answer,
two tabs). Later it is taken for stolen, and the whole log-in that it descends from ends: RFC 9700, section 4.14.2.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch, get_md5_hash_password

from accounts.models import TokenSuccession, User
from core import clock
from core.commands import TryAgain, command

FAMILY = "family"


@dataclass(frozen=True, slots=True)
class TokenPair:
    access: str
    refresh: str


class ReusableRefreshToken(RefreshToken):
    """A refresh token whose earlier use is no error yet: it may lie within the grace."""

    def check_blacklist(self) -> None:
        """Left to `rotate`."""


def issue_tokens(*, user: User, family: str | None = None) -> TokenPair:
    """A new pair for a user; without a ``family`` it begins a new log-in."""
    token, _ = _issue(user, family)
    return _pair(token)


@command
def rotate(*, token: str) -> TokenPair | None:
    """Exchange a refresh token for the next pair; None where it is good for nothing.

    Two requests with the same token at the same instant get the same pair: the second waits at the unique row
    of the first and then finds it.
    """
    try:
        used = ReusableRefreshToken(token)
    except TokenError:
        return None
    user = _user_of(used)
    if user is None:
        return None
    row, _ = used.outstand()
    earlier = TokenSuccession.objects.filter(used=row).select_related("successor").first()
    if earlier is not None:
        return _again(earlier)
    if BlacklistedToken.objects.filter(token=row).exists():
        return None
    family = _family_of(used)
    successor, successor_row = _issue(user, family)
    try:
        TokenSuccession.objects.create(used=row, successor=successor_row, family=family, at=clock.now())
    except IntegrityError as error:
        raise TryAgain from error
    BlacklistedToken.objects.get_or_create(token=row)
    return _pair(successor)


@command
def end_log_in(*, token: str) -> bool:
    """Log out: every refresh token of the log-in that this one descends from. Was it a token of ours?"""
    try:
        given = ReusableRefreshToken(token)
        row, _ = given.outstand()
    except (TokenError, ValueError, TypeError, OverflowError):
        return False
    _blacklist(OutstandingToken.objects.filter(pk=row.pk))
    _end_family(_family_of(given))
    return True


def end_all_log_ins(user: User) -> None:
    """End every log-in of a user, in the caller's transaction."""
    _blacklist(OutstandingToken.objects.filter(user=user))


def _issue(user: User, family: str | None) -> tuple[RefreshToken, OutstandingToken]:
    token = RefreshToken()
    token[api_settings.USER_ID_CLAIM] = str(user.pk)
    token[api_settings.REVOKE_TOKEN_CLAIM] = get_md5_hash_password(user.password)
    token[FAMILY] = family or token["jti"]
    token["role"], token["depot"], token["employee_id"] = user.role, user.depot_id, user.employee_id
    row = OutstandingToken.objects.create(
        user=user,
        jti=token["jti"],
        token=str(token),
        created_at=token.current_time,
        expires_at=datetime_from_epoch(token["exp"]),
    )
    return token, row


def _pair(refresh: RefreshToken) -> TokenPair:
    """The pair of a refresh token: always the same one, so that a repeated answer is the same answer."""
    issued_at = datetime_from_epoch(refresh["iat"])
    access = AccessToken()
    access.payload |= {name: value for name, value in refresh.payload.items() if name not in RefreshToken.no_copy_claims}
    access["jti"] = f"{refresh['jti']}-access"
    access.set_iat(at_time=issued_at)
    access.set_exp(from_time=issued_at)
    del access[FAMILY]
    return TokenPair(access=str(access), refresh=str(refresh))


def _again(earlier: TokenSuccession) -> TokenPair | None:
    grace = timedelta(seconds=settings.JWT_REFRESH_GRACE_SECONDS)
    if clock.now() - earlier.at > grace:
        _end_family(earlier.family)
        return None
    was_used = TokenSuccession.objects.filter(used=earlier.successor).exists()
    if not was_used and BlacklistedToken.objects.filter(token=earlier.successor).exists():
        return None  # Logged out meanwhile.
    return _pair(ReusableRefreshToken(earlier.successor.token))


def _user_of(token: RefreshToken) -> User | None:
    try:
        user: User | None = User.objects.select_related("depot").filter(pk=int(token[api_settings.USER_ID_CLAIM])).first()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    if user is None or not user.is_active:
        return None
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        return None
    return user


def _family_of(token: RefreshToken) -> str:
    return str(token.get(FAMILY) or token["jti"])[:32]


def _end_family(family: str) -> None:
    _blacklist(
        OutstandingToken.objects.filter(Q(predecessor__family=family) | Q(succession__family=family) | Q(jti=family))
    )


def _blacklist(tokens: QuerySet[Any]) -> None:
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=token) for token in tokens.filter(blacklistedtoken__isnull=True)], ignore_conflicts=True
    )
