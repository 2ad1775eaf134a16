"""From a request to the person behind it."""

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User


def acting_user(request: Request | HttpRequest) -> User:
    """The user of a request that passed its permission check, which nobody but a user does."""
    user = request.user
    assert isinstance(user, User)
    return user
