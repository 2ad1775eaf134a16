"""Changes of users, of their log-ins, and of what they drive."""

from accounts.services.sessions import (
    TokenPair,
    end_session,
    has_current_password,
    may_push_late,
    rotate_tokens,
    start_session,
)
from accounts.services.users import create_user, deactivate_user, set_password, update_user
from accounts.services.vehicles import (
    TAKEN,
    NewAssignment,
    NewCorrection,
    NewTaking,
    assign_vehicle,
    correct_assignment,
    take_vehicle,
    when_taken,
)

__all__ = [
    "TAKEN",
    "NewAssignment",
    "NewCorrection",
    "NewTaking",
    "TokenPair",
    "assign_vehicle",
    "correct_assignment",
    "create_user",
    "deactivate_user",
    "end_session",
    "has_current_password",
    "may_push_late",
    "rotate_tokens",
    "set_password",
    "start_session",
    "take_vehicle",
    "update_user",
    "when_taken",
]
