"""Which passwords are good enough."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from accounts.models import User


def require_strong(password: str, user: User) -> None:
    """Raise the API's validation error, with Django's own codes, for a password that its validators refuse."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise serializers.ValidationError({"password": get_error_detail(error)}) from error
