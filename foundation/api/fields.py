"""Input fields that take what they say and nothing else.

DRF's own integer field takes the digits of every script, ``"1_000"`` and ``1e3``; its date-time field takes a time
without an offset. A client that sends those is mistaken, and with money and stock a guess is worse than an error.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from foundation import limits
from foundation.characters import is_blank, normal, refusal_of
from foundation.master_data import code_validator

MAX_ID = 2**63 - 1
MAX_UNIQUE_TEXT = 255
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer, or its plain ASCII digits as a string."""

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int | str) or not _INTEGER.fullmatch(str(data)):
            self.fail("invalid")
        return int(data)


class IdField(StrictIntegerField):
    """The primary key of an object; whether it exists and may be seen, the service finds out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)


class QuantityField(StrictIntegerField):
    """So many cylinders or other pieces in one line, from 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=int(limits.QUANTITY.most), **kwargs)


class CountField(StrictIntegerField):
    """So many pieces were found in one place, from 0."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=int(limits.PIECES.most), **kwargs)


class StrictDecimalField(serializers.DecimalField):
    """A plain decimal, as a string or a JSON number: no exponent, no thousands mark, no NaN."""

    def validate_empty_values(self, data: object) -> tuple[bool, object]:
        # Not DRF's own, which takes "" for null: an empty price is a mistake.
        return serializers.Field.validate_empty_values(self, data)

    def to_internal_value(self, data: object) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float | str | Decimal):
            self.fail("invalid")
        if not _DECIMAL.fullmatch(str(data).strip() if not isinstance(data, str) else data):
            self.fail("invalid")
        value: Decimal = super().to_internal_value(str(data))
        return abs(value) if value == 0 else value


class RateField(StrictDecimalField):
    """A price in dollars and cents, from 0.00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{
                "max_digits": 10,
                "decimal_places": 2,
                "min_value": Decimal(0),
                "max_value": limits.RATE.most,
                **kwargs,
            }
        )


class AmountField(StrictDecimalField):
    """Money that changes hands, from 0.01 dollars."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=2, min_value=Decimal("0.01"), max_value=limits.AMOUNT.most, **kwargs
        )


class ReadingField(StrictDecimalField):
    """What a gas meter shows, from 0.00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, min_value=Decimal(0), max_value=limits.READING.most, **kwargs)


def require_no_null[T](value: T) -> T:
    """Raises ValueError; Python's own parser of times overlooks a null character at the end."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("a null character")
    return value


class MomentField(serializers.DateTimeField):
    """An instant: ISO 8601 with its offset."""

    default_error_messages = {
        "naive": "The time needs its offset, as in 2026-01-20T10:00:00+08:00.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(require_no_null(value))
        except (OverflowError, ValueError, TypeError):
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        return super().enforce_timezone(value)


class TextField(serializers.CharField):
    """Text of a person, of characters that are stored; numbers and booleans aren't taken for it.

    What shows nothing is empty. Where spaces count (``trim_whitespace=False``: ids, passwords) it is kept as sent.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if self.trim_whitespace and isinstance(data, str) and is_blank(data):
            data = ""
        return super().run_validation(data)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if refusal := refusal_of(data):
            raise serializers.ValidationError(refusal, "invalid")
        return super().to_internal_value(normal(data) if self.trim_whitespace else data)


class EmailField(TextField, serializers.EmailField):
    """An address for mail."""


class StrictChoiceField(serializers.ChoiceField):
    """One of the named texts. The error names them, not what was sent, which may be a megabyte long."""

    def to_internal_value(self, data: object) -> str:
        if data == "" and self.allow_blank:
            return ""
        if not isinstance(data, str) or data not in self.choice_strings_to_values:
            known = ", ".join(map(str, self.choice_strings_to_values))
            raise serializers.ValidationError(f"Not a valid choice: one of {known}.", code="invalid_choice")
        choice: str = self.choice_strings_to_values[data]
        return choice


class ClientTempIdField(TextField):
    """The id that a client gave its own operation: 1 to 64 characters, kept byte for byte."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", "The app's own id of this operation; sent again with the same content it changes nothing."
        )
        super().__init__(max_length=64, required=False, allow_null=True, default=None, trim_whitespace=False, **kwargs)


class UniqueTextValidator(UniqueValidator):
    """Unique whatever the case. A text that is too long anyway isn't looked up: SQLite refuses long patterns."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        super().__init__(queryset, lookup="iexact")

    def __call__(self, value: Any, serializer_field: serializers.Field[Any, Any, Any, Any]) -> None:
        if len(value) <= MAX_UNIQUE_TEXT:
            super().__call__(value, serializer_field)


class CodeField(TextField):
    """A code that people write: taken in capitals, plain ASCII, unique among a model's rows."""

    def __init__(self, model: type[Model], **kwargs: Any) -> None:
        super().__init__(
            max_length=32,
            validators=[code_validator, UniqueValidator(queryset=model._default_manager.all(), lookup="exact")],
            **kwargs,
        )

    def to_internal_value(self, data: object) -> str:
        return super().to_internal_value(data).upper()


def many(item: type[serializers.Serializer[None]], **options: Any) -> serializers.Serializer[None]:
    """A list of items. The stubs don't know the options that say how long it is: ``allow_empty``, ``max_length``."""
    return item(many=True, **options)
