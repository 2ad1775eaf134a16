"""SQLite holds in a row what its column doesn't: what can't be read comes as `UNREADABLE`, and the query goes on.

Django's own converters raise, and with them every list that has the row on its page. MySQL's columns hold nothing else
than what they are for, so that its backend needs none of this.
"""

import json
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from django.db.backends.sqlite3 import base, operations

from foundation.unreadable import UNREADABLE

_Converter = Callable[[Any, Any, Any], Any]


class DatabaseOperations(operations.DatabaseOperations):
    def get_db_converters(self, expression: Any) -> list[_Converter]:
        converters: list[_Converter] = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() == "JSONField":
            converters.append(_json)
        return converters

    def get_decimalfield_converter(self, expression: Any) -> _Converter:
        convert: _Converter = super().get_decimalfield_converter(expression)

        def converter(value: Any, expression: Any, connection: Any) -> Decimal | None:
            try:
                number: Decimal | None = convert(value, expression, connection)
            except (DecimalException, TypeError):
                return UNREADABLE
            return number if number is None or number.is_finite() else UNREADABLE

        return converter


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations


def _json(value: Any, expression: Any, connection: Any) -> Any:
    """Text that is no JSON as null; the field parses the rest."""
    try:
        if isinstance(value, str):
            json.loads(value)
    except ValueError:
        return "null"
    return value
