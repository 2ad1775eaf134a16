"""What is unlikely of goods that come in."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import median

from django.conf import settings

from depots.models import Depot
from equipment.models import Equipment
from foundation.confirmations import Question
from foundation.searching import alike
from inventory.errors import GoodsInUnlikely, ReferenceRepeated
from inventory.models import DepotWork, DepotWorkItem

USUAL_OF = 6
"""So many of the last ones say what is usual."""
OF_GOODS_IN = (GoodsInUnlikely, ReferenceRepeated)


def unlikely_goods_in(depot: Depot, items: Sequence[tuple[Equipment, str, int]], reference: str) -> Iterator[Question]:
    """All that is asked of goods that come to a depot: equipment, condition and quantity of each line."""
    came_in = DepotWork.objects.filter(kind=DepotWork.Kind.GOODS_IN, depot=depot)
    # What was taken back is no delivery: neither usual nor the same again.
    goods_in = came_in.filter(reverses=None, reversal=None)
    for index, (equipment, condition, quantity) in enumerate(items):
        lines = DepotWorkItem.objects.filter(work__in=goods_in, equipment=equipment, condition=condition)
        last = list(lines.order_by("-pk").values_list("quantity", flat=True)[:USUAL_OF])
        most = settings.UNLIKELY["GOODS_IN"]
        if last:
            usual = settings.UNLIKELY["GOODS_IN_FACTOR"] * median(map(Decimal, last))
            # As many as a customer may buy are not many.
            most = min(most, max(usual, settings.UNLIKELY["QUANTITY"]))
        if quantity > most:
            detail = f"{quantity} × {equipment.sku} came in; more than {most:f} are unlikely here."
            yield GoodsInUnlikely(detail, attr=f"items.{index}.quantity", value=quantity)
    named = alike("reference", reference)
    if named is not None and (before := goods_in.filter(named).order_by("pk").first()):
        yield ReferenceRepeated(f"{before.work_number} has this reference already.", attr="reference", value=reference)
