"""Number fields of the office's forms, which take the same digits as the API's."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_PLAIN = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


class _Plain:
    """Django takes the digits of every script, ``1e3`` and ``1_000``: with money and stock a guess is worse."""

    def to_python(self: Any, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and not _PLAIN.fullmatch(value.strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)  # type: ignore[misc]  # the field's, beside this


class DecimalFormField(_Plain, forms.DecimalField):
    """A plain decimal."""


class IntegerFormField(_Plain, forms.IntegerField):
    """A plain whole number."""
