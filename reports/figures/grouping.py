"""How figures of a period are grouped."""

from django.db.models import BigIntegerField, ExpressionWrapper, F
from django.db.models.expressions import CombinedExpression


def by_value(reference: str) -> ExpressionWrapper[CombinedExpression]:
    """A reference to group by, such that an index on it is no help.

    Else a planner may walk through the reference's index, and with it through all history, to get the groups in
    order, instead of reading the period by the index on its dates.
    """
    return ExpressionWrapper(F(reference) + 0, output_field=BigIntegerField())
