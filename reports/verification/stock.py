"""Cylinders: balances, conservation, and the movements of each document."""

from collections import defaultdict
from typing import Any

from django.db.models import (
    Case,
    F,
    Min,
    Q,
    Value,
    When,
)

from distribution.models import Distribution, DistributionItem
from foundation.entities import entity_name
from foundation.infrastructure.expressions import added_up
from inventory.models import (
    VIRTUAL_KINDS,
    Count,
    DepotWork,
    DepotWorkItem,
    Inventory,
    Location,
    StockMovement,
    VehicleTransfer,
    VehicleTransferItem,
)
from inventory.services import COUNT_PREFIX
from inventory.services.counting import adjustments, counts_of
from reports.verification.figures import Breaks, Watch
from transactions.models import (
    Transaction,
    TransactionItem,
)


def balances_are_sums_of_movements(watch: Watch) -> Breaks:
    sums: dict[tuple[int, int, str], int] = defaultdict(int)
    for end, sign in (("to", 1), ("from", -1)):
        key = (f"{end}_location_id", "equipment_id", f"{end}_condition")
        for *where, total in (
            StockMovement.objects.order_by().values_list(*key).annotate(total=added_up("quantity")).iterator(2_000)
        ):
            sums[tuple(where)] += sign * total
    for location, equipment, condition, quantity in Inventory.objects.values_list(
        "location_id", "equipment_id", "condition", "quantity"
    ).iterator(2_000):
        moved = sums.pop((location, equipment, condition), 0)
        if moved != quantity:
            yield f"location {location}, equipment {equipment} {condition}: balance {quantity}, movements {moved}"
    for (location, equipment, condition), moved in sums.items():
        if moved:
            yield f"location {location}, equipment {equipment} {condition}: no balance, movements {moved}"


def cylinders_are_conserved(watch: Watch) -> Breaks:
    totals = Inventory.objects.order_by().values_list("equipment__sku").annotate(total=added_up("quantity"))
    for sku, total in totals:
        if total:
            yield f"{sku}: all locations together hold {total}, not 0"


def no_real_balance_is_negative(watch: Watch) -> Breaks:
    for row in Inventory.objects.exclude(location__kind__in=VIRTUAL_KINDS).filter(
        Q(quantity__lt=0) | Q(may_be_negative=True)
    ):
        yield f"balance {row.pk} of location {row.location_id}: {row.quantity}"


_BESIDE = (StockMovement.Kind.FOREIGN, StockMovement.Kind.CORRECTION)
"""What a site turns out to have, so that a line can say that it leaves."""


def movements_are_those_of_their_documents(watch: Watch) -> Breaks:
    """Of each equipment as many pieces were moved as the document's lines say."""
    kind = TransactionItem.Type
    pieces = Case(
        When(type__in=(kind.SALE, kind.RETURN, kind.SHELL), then=F("quantity")),
        When(type=kind.SWAP, then=F("quantity") * 2),
        default=Value(0),
    )
    of_sales = Q(transaction__reverses__isnull=True, transaction__corrects__isnull=True)
    sold = TransactionItem.objects.filter(of_sales)
    taken_back = Transaction.objects.filter(Q(reverses__isnull=False) | Q(corrects__isnull=False))
    yield from _other_movements(watch, Transaction, "transaction_id", sold, pieces, ignoring=taken_back)
    yield from _other_movements_of_voids(watch, pieces)
    loaded = DistributionItem.objects.filter(distribution__status=Distribution.Status.CONFIRMED)
    none = Distribution.objects.none()
    yield from _other_movements(watch, Distribution, "distribution_id", loaded, F("quantity"), ignoring=none)
    passed_on = VehicleTransferItem.objects.all()
    yield from _other_movements(watch, VehicleTransfer, "transfer_id", passed_on, F("quantity"), ignoring=none)
    # What a stock-take brings to its count, the counts' own check looks at.
    lines = DepotWorkItem.objects.filter(expected__isnull=True)
    said = Case(When(work__reverses__isnull=False, then=-F("quantity")), default=F("quantity"))
    yield from _other_movements(watch, DepotWork, "work_id", lines, said, ignoring=none)


def counts_are_what_the_books_say(watch: Watch) -> Breaks:
    """At their moments: what was counted, whatever arrived afterwards.

    From the first of a place that was taken as a count; what earlier releases posted followed the order of arrival.
    """
    ours = Count.objects.standing().filter(count_number__startswith=f"{COUNT_PREFIX}-").order_by()
    for window in watch.windows(Location, "location_id"):
        firsts = dict(ours.filter(window).values_list("location_id").annotate(first=Min("ordered_at")))
        for place in Location.objects.filter(pk__in=firsts):
            balances = {(row.equipment_id, row.condition): row.quantity for row in place.inventories.all()}
            for each in adjustments(place, counts_of([place.pk], since=firsts[place.pk]), balances):
                if each.difference:
                    equipment, condition = each.stock
                    yield f"{each.count} lacks {each.difference} of equipment {equipment} {condition} at {place}"


def _other_movements_of_voids(watch: Watch, pieces: object) -> Breaks:
    """A void takes all of the goods back or leaves them all; a credit note may leave those of some lines."""
    lines = TransactionItem.objects.exclude(transaction__reverses=None, transaction__corrects=None)
    reversals = StockMovement.objects.filter(
        cause_type=entity_name(Transaction), kind=StockMovement.Kind.REVERSAL, count__isnull=True
    ).exclude(reverses__kind__in=_BESIDE)
    for by_key, by_cause in zip(
        watch.windows(Transaction, "transaction_id"), watch.windows(Transaction, "cause_id"), strict=True
    ):
        moved = _summed(reversals.filter(by_cause), "cause_id", F("quantity"))
        with_goods = {pk for pk, _ in moved}
        in_part = set(
            Transaction.objects.filter(pk__in=with_goods, corrects__isnull=False).values_list("pk", flat=True)
        )
        said = {
            key: -count
            for key, count in _summed(lines.filter(by_key), "transaction_id", pieces).items()
            if key[0] in with_goods and count
        }
        for pk, equipment in sorted(said.keys() | moved.keys()):
            wanted, found = said.get((pk, equipment), 0), moved.get((pk, equipment), 0)
            if found > wanted if pk in in_part else found != wanted:
                yield f"the reversal {pk} says {wanted} of equipment {equipment}, {found} were moved back"


def _other_movements(watch: Watch, document: Any, key: str, lines: Any, pieces: Any, *, ignoring: Any) -> Breaks:
    causes = StockMovement.objects.filter(cause_type=entity_name(document), count__isnull=True).exclude(
        kind__in=_BESIDE
    )
    for by_key, by_cause in zip(watch.windows(document, key), watch.windows(document, "cause_id"), strict=True):
        said = _summed(lines.filter(by_key), key, pieces)
        moved = _summed(causes.filter(by_cause).exclude(cause_id__in=ignoring.values("pk")), "cause_id", F("quantity"))
        for pk, equipment in sorted(said.keys() | moved.keys()):
            wanted, found = said.get((pk, equipment), 0), moved.get((pk, equipment), 0)
            if wanted != found:
                name = document._meta.verbose_name
                yield f"{name} {pk} says {wanted} of equipment {equipment}, {found} were moved"


def _summed(rows: Any, key: str, pieces: object) -> dict[tuple[int, int], int]:
    """Pieces by document and equipment."""
    grouped = rows.order_by().values_list(key, "equipment_id").annotate(pieces=added_up(pieces))
    return {(pk, equipment): pieces for pk, equipment, pieces in grouped}
