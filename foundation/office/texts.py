"""Text fields of the office's forms, which take the same characters as the API's."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from foundation.characters import is_blank, normal, refusal_of
from foundation.office.numbers import DecimalFormField, IntegerFormField


class TextFormField(forms.CharField):
    """Text of characters that are stored. What shows nothing is empty; without ``strip`` it is kept as sent."""

    def to_python(self, value: Any) -> str | None:
        text: str = super().to_python(value) or ""
        if refusal := refusal_of(text):
            raise ValidationError(refusal, code="invalid")
        if is_blank(text) if self.strip else not text:
            return self.empty_value
        return normal(text) if self.strip else text


class EmailFormField(TextFormField, forms.EmailField):
    """An address for mail."""


class StoresText:
    """For the pages' classes: the form's fields of a model's texts and numbers."""

    formfield_overrides: ClassVar[dict[type[models.Field[Any, Any]], dict[str, Any]]] = {
        models.CharField: {"form_class": TextFormField},
        models.TextField: {"form_class": TextFormField},
        models.EmailField: {"form_class": EmailFormField},
        models.DecimalField: {"form_class": DecimalFormField},
        models.IntegerField: {"form_class": IntegerFormField},
    }
