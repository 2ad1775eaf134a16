"""Changes of users and of their log-ins."""

from accounts.services.sessions import (
    TokenPair,
    end_session,
    has_current_password,
    rotate_tokens,
    start_session,
)
from accounts.services.users import create_user, deactivate_user, set_password, update_user

__all__ = [
    "TokenPair",
    "create_user",
    "deactivate_user",
    "end_session",
    "has_current_password",
    "rotate_tokens",
    "set_password",
    "start_session",
    "update_user",
]
