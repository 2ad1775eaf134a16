"""Log-ins, by the refresh tokens that they hold.

The refresh tokens of one log-in are a *family*: each is used up by making its successor. A family lives as
long as its newest token isn't blacklisted. The ``jti`` of the first is random, the next one's is that and its
number (``6f1c…``, ``6f1c…-1``, ``6f1c…-2``), so that a token names its family and its successor. Tokens are signed
and their content follows from the user and the `OutstandingToken` row: the same pair can be made again, and
no table holds a token that could be stolen from it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from uuid import uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts import locks
from accounts.errors import TokenRefused, TokenReused
from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.commands import command


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Not shown by ``repr``, so that no log shows it."""

    refresh: str = field(repr=False)
    access: str = field(repr=False)


@command
def start_session(*, actor: User) -> TokenPair:
    """Begin a family of refresh tokens for a user whose password was just checked.

    Locks the user. Raises TokenRefused where they were deactivated or got a new password meanwhile.
    """
    user = locks.user(actor.pk)
    if user is None or not user.is_active or user.password != actor.password:
        raise TokenRefused
    first = _hand_out(user, jti=uuid4().hex)
    record(actor=user, action="accounts.session.started", target=user)
    return _pair(user, first)


@command
def rotate_tokens(*, actor: User, token: Token) -> TokenPair:
    """Use a refresh token up, once, for its successor.

    Within JWT_REFRESH_GRACE_SECONDS the same token gets the same successor again: the first answer may have
    been lost. Locks the user, so that of simultaneous calls one rotates and none outlives a deactivation.
    Leaves no audit record: the session is the one that was started. Raises TokenRefused, or TokenReused after
    the grace: then `end_session` is due.
    """
    user = locks.user(actor.pk)
    if user is None or not is_current(user, token):
        raise TokenRefused
    family = _family(user, token)
    newest = family.order_by("-pk").first()
    used = family.filter(jti=token[api_settings.JTI_CLAIM]).select_related("blacklistedtoken").first()
    if newest is None or used is None or BlacklistedToken.objects.filter(token=newest).exists():
        raise TokenRefused
    if used == newest:
        BlacklistedToken.objects.create(token=used)
        return _pair(user, _hand_out(user, jti=_successor(used.jti)))
    if clock.now() - used.blacklistedtoken.blacklisted_at >= timedelta(seconds=settings.JWT_REFRESH_GRACE_SECONDS):
        raise TokenReused
    return _pair(user, family.get(jti=_successor(used.jti)))


@command
def end_session(*, actor: User, token: Token, reason: str = "") -> None:
    """Blacklist the family of a refresh token: a log-out, or the answer to a stolen token. Locks the user."""
    user = locks.user(actor.pk)
    if user is not None and _blacklist(_family(user, token)):
        record(actor=user, action="accounts.session.ended", target=user, reason=reason)


def end_all_sessions(user: User) -> None:
    """Blacklist all refresh tokens of a user, in the caller's transaction and under its lock on them."""
    _blacklist(OutstandingToken.objects.filter(user=user))


def is_current(user: User, token: Token) -> bool:
    """May this user's token open anything: are they active, and is the password still that of the token?"""
    return user.is_active and has_current_password(user, token)


def may_push_late(user: User, token: Token) -> bool:
    """May a deactivated user's access token still bring what happened before? They were logged in when deactivated.

    Its signature and type were checked, and nothing of its times: a phone out of reach can't renew what has expired, so
    it is the log-in, its refresh token, that has to have been good then. Neither logged out nor given a new password
    before or since, and within PUSH_AFTER_DEACTIVATION.
    """
    at = user.deactivated_at
    if user.is_active or at is None or clock.now() > at + settings.PUSH_AFTER_DEACTIVATION:
        return False
    if not (has_current_password(user, token) and token.get("iat", inf) <= at.timestamp()):
        return False
    # Deactivating blacklists what is left of each log-in.
    newest = _family(user, token).order_by("-pk").select_related("blacklistedtoken").first()
    return newest is not None and newest.blacklistedtoken.blacklisted_at >= at < _ends(newest)


def has_current_password(user: User, token: Token) -> bool:
    claim: object = token.get(api_settings.REVOKE_TOKEN_CLAIM)
    return claim == get_md5_hash_password(user.password)


def _hand_out(user: User, *, jti: str) -> OutstandingToken:
    """Its row is kept for as long as `may_push_late` may ask for it."""
    new = OutstandingToken(user=user, jti=jti, token="", created_at=clock.now())
    new.expires_at = _ends(new) + settings.PUSH_AFTER_DEACTIVATION
    new.save(force_insert=True)
    return new


def _ends(outstanding: OutstandingToken) -> datetime:
    """When a refresh token runs out."""
    assert outstanding.created_at is not None  # the package's column may be null; `_hand_out` fills it
    ends: datetime = outstanding.created_at + api_settings.REFRESH_TOKEN_LIFETIME
    return ends


def _pair(user: User, outstanding: OutstandingToken) -> TokenPair:
    """The tokens of an outstanding row: always the same ones, as long as the user is the same."""
    created_at = outstanding.created_at
    assert created_at is not None  # the package's column may be null; `_hand_out` fills it
    refresh = RefreshToken()
    refresh.current_time = created_at
    refresh.set_iat()
    refresh.set_exp()
    refresh[api_settings.JTI_CLAIM] = outstanding.jti
    refresh[api_settings.USER_ID_CLAIM] = str(user.pk)
    refresh[api_settings.REVOKE_TOKEN_CLAIM] = get_md5_hash_password(user.password)
    refresh["role"] = user.role
    refresh["depot"] = user.depot_id
    refresh["employee_id"] = user.employee_id
    access = refresh.access_token
    access.set_iat(at_time=created_at)
    access[api_settings.JTI_CLAIM] = f"{outstanding.jti}-access"
    return TokenPair(refresh=str(refresh), access=str(access))


def _family(user: User, token: Token) -> QuerySet[OutstandingToken]:
    first, _, _ = str(token[api_settings.JTI_CLAIM]).partition("-")
    family: QuerySet[OutstandingToken] = OutstandingToken.objects.filter(
        Q(jti=first) | Q(jti__startswith=f"{first}-"), user=user
    )
    return family


def _successor(jti: str) -> str:
    first, _, number = jti.partition("-")
    return f"{first}-{int(number or 0) + 1}"


def _blacklist(tokens: QuerySet[OutstandingToken]) -> int:
    """Blacklist those that aren't yet; answers how many."""
    alive = tokens.filter(blacklistedtoken__isnull=True)
    return len(BlacklistedToken.objects.bulk_create([BlacklistedToken(token=token) for token in alive]))
