"""Expressions that tell a planner what it can't know, and a sum what it can't hold."""

from collections.abc import Iterator
from math import inf
from typing import Any

from django.db.models import BigIntegerField, DecimalField, ExpressionWrapper, F, Func, IntegerField, Q, Sum
from django.db.models.expressions import Col, CombinedExpression
from django.utils.functional import cached_property

from foundation.unreadable import UNREADABLE


def by_value(reference: str) -> "ExpressionWrapper[CombinedExpression]":
    """A reference's value, such that an index on it is no help.

    Else a planner may group by walking through the reference's index, and with it through all history, instead of
    reading the period by the index on its dates; or sort all rows that have a value, for one page of the newest.
    """
    return ExpressionWrapper(F(reference) + 0, output_field=BigIntegerField())


def added_up(expression: Any, where: Q | None = None) -> Sum:
    """SQL sum that is `UNREADABLE` where one of its rows is, instead of failing or giving a wrong figure."""
    return _Sum(Readable(expression), filter=where)


class _Sum(Sum):
    @cached_property
    def convert_value(self) -> Any:
        """Whole numbers have no infinity of their own."""
        convert: Any = super().convert_value
        return lambda value, *more: UNREADABLE if isinstance(value, float) and value == inf else convert(value, *more)


class Readable(Func):
    """A value, and ``otherwise`` where a column that it is made of holds more than it should.

    That only SQLite does (see `foundation.columns`); ``otherwise`` is its SQL: an infinity, or NULL.
    """

    template = "%(expressions)s"
    arity = 1

    def __init__(self, expression: Any, *, otherwise: str = "9e999") -> None:
        super().__init__(expression)
        self.otherwise = otherwise

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        value, params = compiler.compile(self.get_source_expressions()[0])
        beyond = " OR ".join(
            f"{compiler.compile(column)[0]} NOT BETWEEN -{most} AND {most}" for column, most in self._columns()
        )
        return (f"CASE WHEN {beyond} THEN {self.otherwise} ELSE {value} END" if beyond else value), params

    def _columns(self) -> Iterator[tuple[Any, object]]:
        """Those with numbers, and the most that each holds."""
        for part in self.flatten():
            match part.target if isinstance(part, Col) else None:
                case DecimalField() as field:
                    yield part, "9" * (field.max_digits - field.decimal_places) + "." + "9" * field.decimal_places
                case BigIntegerField():
                    pass
                case IntegerField():
                    yield part, 2**31 - 1
