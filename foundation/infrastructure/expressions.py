"""Expressions that tell a planner what it can't know."""

from django.db.models import BigIntegerField, ExpressionWrapper, F
from django.db.models.expressions import CombinedExpression


def by_value(reference: str) -> ExpressionWrapper[CombinedExpression]:
    """A reference's value, such that an index on it is no help.

    Else a planner may group by walking through the reference's index, and with it through all history, instead of
    reading the period by the index on its dates; or sort all rows that have a value, for one page of the newest.
    """
    return ExpressionWrapper(F(reference) + 0, output_field=BigIntegerField())
