"""The end of a seller's day: a blind count, the difference to the books, and somebody else's signature under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from accounts import locks as user_locks
from accounts.models import User
from audit.services import record
from equipment.models import Equipment
from foundation import clock
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import BALANCE, PIECES
from foundation.operations.idempotency import client_temp_id, idempotent
from inventory import locks as stock_locks
from inventory.models import LocationKind, StockMovement
from inventory.selectors import Flow, Stock, flows_of_day
from inventory.services import Move, Place, hold_stock, locations, post_movements, vehicle_place
from payments.services import hand_in_cash, return_cash
from sequences.services import take_numbers
from settlements import locks
from settlements.errors import SettlementDecided, SettlementPending
from settlements.models import Settlement, SettlementLine

NUMBER_PREFIX = "SET"
Status, Kind = Settlement.Status, StockMovement.Kind


@dataclass(frozen=True, slots=True)
class CountedLine:
    """So many of this were found."""

    equipment: int
    condition: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """A blind count, as sent: what isn't named was not there."""

    cash: Decimal
    counts: Sequence[CountedLine] = ()
    remarks: str = ""


@command
@idempotent
def count_day(*, actor: User, data: NewSettlement) -> Settlement:
    """Keep what a seller counted on the vehicle and in the cash bag beside what should be there.

    The books stay as they are until somebody signs it off. The counted cash leaves the seller's bag. Idempotent by
    (actor, client_temp_id). Locks the seller's user row, the vehicle's balances, the cash payments, a number ticket.
    Raises SettlementPending, UnknownReference, Invalid.
    """
    seller = user_locks.users((actor.pk,))[actor.pk]
    if Settlement.objects.filter(user=actor, status=Status.COUNTED).exists():
        raise SettlementPending("Your last count is still to be signed off.")
    BALANCE.require(data.cash, attr="cash")
    counted = _counted(seller, data.counts)
    now = clock.now()
    today = clock.business_date(now)
    lines: list[dict[str, object]] = []
    if seller.vehicle_no:
        [vehicle] = locations(vehicle_place(seller.vehicle_no))
        expected = {
            (row.equipment_id, row.condition): row.quantity for row in stock_locks.balances_at(vehicle) if row.quantity
        }
        lines = _lines(expected, counted, flows_of_day(vehicle, today))
    cash = hand_in_cash(user=actor, now=now)
    [number] = take_numbers(NUMBER_PREFIX, day=today)
    settlement: Settlement = Settlement.objects.create(
        settlement_number=number,
        user=actor,
        depot=actor.depot,
        vehicle_no=seller.vehicle_no,
        cash_expected=cash,
        cash_counted=data.cash,
        remarks=data.remarks,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=today,
    )
    SettlementLine.objects.bulk_create(SettlementLine(settlement=settlement, **line) for line in lines)
    record(
        actor=actor,
        action="transactions.settlement.counted",
        target=settlement,
        after={
            "settlement_number": number,
            "vehicle_no": settlement.vehicle_no,
            "cash_expected": settlement.cash_expected,
            "cash_counted": settlement.cash_counted,
            "variances": _variances(settlement),
        },
    )
    return settlement


@command
@idempotent
def sign_off_settlement(*, actor: User, settlement_id: int, remarks: str = "") -> Settlement:
    """Accept a count: the vehicle's balance is brought to it, against OUTSIDE, by what differed when it was made.

    Locks the settlement, then the balances. Raises Denied (also for one's own count), SettlementDecided,
    InsufficientStock.
    """
    settlement = _lock_undecided(actor, settlement_id)
    now = clock.now()
    moves = []
    lines = [line for line in settlement.lines.select_related("equipment") if line.variance]
    if lines:
        vehicle, world = locations(vehicle_place(settlement.vehicle_no), Place(LocationKind.OUTSIDE))
        for line in lines:
            here, there = (world, vehicle) if line.variance > 0 else (vehicle, world)
            moves.append(
                Move(Kind.VARIANCE, line.equipment, abs(line.variance), here, line.condition, there, line.condition)
            )
    hold = hold_stock(moves)
    reason = remarks or f"Day-end count {settlement.settlement_number}"
    post_movements(hold, actor=actor, cause=settlement, occurred_at=settlement.created_at, now=now, reason=reason)
    return _decide(actor, settlement, Status.SIGNED_OFF, remarks, "transactions.settlement.signed_off")


@command
@idempotent
def reject_settlement(*, actor: User, settlement_id: int, remarks: str) -> Settlement:
    """Have it counted again; the cash is back in the seller's bag.

    Locks the settlement, then the cash payments. Raises Denied, SettlementDecided, Invalid without remarks.
    """
    settlement = _lock_undecided(actor, settlement_id)
    if not remarks.strip():
        raise Invalid("Please say why it has to be counted again.", attr="remarks")
    return_cash(user=settlement.user, handed_in_at=settlement.created_at)
    return _decide(actor, settlement, Status.REJECTED, remarks, "transactions.settlement.rejected")


def _counted(seller: User, counts: Sequence[CountedLine]) -> dict[Stock, int]:
    if counts and not seller.vehicle_no:
        raise Invalid("Without a vehicle only the cash bag is counted.", attr="counts")
    counted: dict[Stock, int] = {}
    known = set(
        Equipment.objects.visible_to(seller)
        .filter(pk__in=[line.equipment for line in counts])
        .values_list("pk", flat=True)
    )
    for index, line in enumerate(counts):
        if line.equipment not in known:
            raise UnknownReference(line.equipment, attr=f"counts.{index}.equipment")
        if (line.equipment, line.condition) in counted:
            raise Invalid("The same equipment in the same condition is counted twice.", attr=f"counts.{index}")
        PIECES.require(line.quantity, attr=f"counts.{index}.quantity")
        counted[line.equipment, line.condition] = line.quantity
    return counted


def _lines(
    expected: Mapping[Stock, int], counted: Mapping[Stock, int], flows: Mapping[Stock, Flow]
) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for stock in sorted({*expected, *counted, *flows}):
        equipment, condition = stock
        flow, there = flows.get(stock, Flow()), expected.get(stock, 0)
        lines.append(
            {
                "equipment_id": equipment,
                "condition": condition,
                "opening": there - flow.net,
                **asdict(flow),
                "expected": there,
                "counted": counted.get(stock, 0),
            }
        )
    return lines


def _lock_undecided(actor: User, settlement_id: int) -> Settlement:
    settlement = locks.settlement(settlement_id)
    if not Settlement.objects.decidable_by(actor).filter(pk=settlement_id).exists():
        raise Denied
    if settlement.user_id == actor.pk:
        raise Denied("Somebody else has to sign off your count.")
    if settlement.status != Status.COUNTED:
        raise SettlementDecided(f"{settlement.settlement_number} is {settlement.get_status_display().lower()} already.")
    return settlement


def _decide(actor: User, settlement: Settlement, status: Settlement.Status, remarks: str, action: str) -> Settlement:
    settlement.status = status
    settlement.decided_by, settlement.decided_at, settlement.decision_remarks = actor, clock.now(), remarks
    settlement.save(update_fields=[*Settlement.life_cycle])
    record(
        actor=actor,
        action=action,
        target=settlement,
        before={"status": Status.COUNTED},
        after={"status": status, "cash_variance": settlement.cash_variance, "variances": _variances(settlement)},
        reason=remarks,
    )
    return settlement


def _variances(settlement: Settlement) -> list[str]:
    lines: Iterable[SettlementLine] = settlement.lines.select_related("equipment")
    return [f"{line.variance:+d} {line.equipment.sku} {line.condition}" for line in lines if line.variance]
