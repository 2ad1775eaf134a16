"""Row locks of distributions."""

from distribution.models import Distribution


def distribution(distribution_id: int) -> Distribution:
    row: Distribution = Distribution.objects.select_for_update().get(pk=distribution_id)
    return row
