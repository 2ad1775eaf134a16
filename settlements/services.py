"""The end of a seller's day: a blind count, the difference to the books, and somebody else's signature under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from accounts import locks as user_locks
from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Denied, Invalid
from foundation.operations.idempotency import client_temp_id, idempotent
from inventory import locks as stock_locks
from inventory.models import Count
from inventory.selectors import Flow, Stock, flows_of_day
from inventory.services import (
    CountedLine,
    NewVehicleCount,
    locations,
    record_vehicle_count,
    reject_count,
    sign_off_count,
    vehicle_place,
)
from payments.models import CashCount
from payments.selectors import cash_expected
from payments.services import NewCashCount, record_cash_count, reject_cash_count, sign_off_cash_count
from sequences.services import take_numbers
from settlements import locks
from settlements.errors import SettlementDecided
from settlements.models import Settlement, SettlementLine

NUMBER_PREFIX = "SET"
Status = Settlement.Status


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """A blind count, as sent: what isn't named was not there."""

    cash: Decimal
    counts: Sequence[CountedLine] = ()
    remarks: str = ""


@command
@idempotent
def count_day(*, actor: User, data: NewSettlement) -> Settlement:
    """Keep what a seller counted on the vehicle and in the cash bag beside what should be there: two counts at once.

    The books stay as they are until somebody signs it off. Idempotent by (actor, client_temp_id). Locks the seller's
    user row, the vehicle's balances, number tickets. Raises UnknownReference, Invalid, AmountOutOfRange.
    """
    seller = user_locks.users((actor.pk,))[actor.pk]
    if data.counts and not seller.vehicle_no:
        raise Invalid("Without a vehicle only the cash bag is counted.", attr="counts")
    now = clock.now()
    today = clock.business_date(now)
    goods, lines = None, []
    if seller.vehicle_no:
        [vehicle] = locations(vehicle_place(seller.vehicle_no))
        expected = {
            (row.equipment_id, row.condition): row.quantity for row in stock_locks.balances_at(vehicle) if row.quantity
        }
        flows = flows_of_day(vehicle, today)
        goods = record_vehicle_count(actor=actor, data=NewVehicleCount(data.counts, seller.vehicle_no, data.remarks))
        counted = {(line.equipment, line.condition): line.quantity for line in data.counts}
        lines = _lines(expected, counted, flows)
    cash = record_cash_count(actor=actor, data=NewCashCount(data.cash, data.remarks))
    [number] = take_numbers(NUMBER_PREFIX, day=today)
    settlement: Settlement = Settlement.objects.create(
        settlement_number=number,
        user=actor,
        depot=actor.depot,
        vehicle_no=seller.vehicle_no,
        vehicle_count=goods,
        cash_count=cash,
        cash_expected=cash_expected(cash),
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
            "cash_counted": settlement.cash_counted,
        },
    )
    return settlement


@command
@idempotent
def sign_off_settlement(*, actor: User, settlement_id: int, remarks: str = "") -> Settlement:
    """Accept both of its counts. Locks the settlement, then as the counts' own commands, which also name the errors.

    Raises Denied (also for one's own count), SettlementDecided.
    """
    settlement = _lock_undecided(actor, settlement_id)
    for count in _counts(settlement):
        if count.status == Status.REJECTED:
            raise SettlementDecided(f"Its {count} is rejected already: reject the day-end too.")
    goods, cash = settlement.vehicle_count, settlement.cash_count
    reason = remarks or f"Day-end count {settlement.settlement_number}"
    # Users are locked before balances.
    if cash is not None and cash.status == Status.COUNTED:
        sign_off_cash_count(actor=actor, count_id=cash.pk, remarks=reason)
    if goods is not None and goods.status == Status.COUNTED:
        sign_off_count(actor=actor, count_id=goods.pk, remarks=reason)
    return _decide(actor, settlement, Status.SIGNED_OFF, remarks, "transactions.settlement.signed_off")


@command
@idempotent
def reject_settlement(*, actor: User, settlement_id: int, remarks: str) -> Settlement:
    """Have it counted again, goods and cash. Locks as the counts' own commands, which also name the errors.

    Raises Denied, SettlementDecided, Invalid without remarks.
    """
    settlement = _lock_undecided(actor, settlement_id)
    if all(count.status == Status.SIGNED_OFF for count in _counts(settlement)):
        raise SettlementDecided("All of it is signed off already: sign off the day-end too.")
    if not remarks.strip():
        raise Invalid("Please say why it has to be counted again.", attr="remarks")
    goods, cash = settlement.vehicle_count, settlement.cash_count
    if cash is not None and cash.status == Status.COUNTED:
        reject_cash_count(actor=actor, count_id=cash.pk, remarks=remarks)
    if goods is not None and goods.status == Status.COUNTED:
        reject_count(actor=actor, count_id=goods.pk, remarks=remarks)
    return _decide(actor, settlement, Status.REJECTED, remarks, "transactions.settlement.rejected")


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


def _counts(settlement: Settlement) -> list[Count | CashCount]:
    return [count for count in (settlement.vehicle_count, settlement.cash_count) if count is not None]


def _lock_undecided(actor: User, settlement_id: int) -> Settlement:
    settlement = locks.settlement(settlement_id)
    if not Settlement.objects.decidable_by(actor).filter(pk=settlement_id).exists():
        raise denied(actor, Capability.SIGN_OFF_SETTLEMENT)
    if settlement.user_id == actor.pk:
        raise Denied("Somebody else has to sign off your count.")
    if settlement.status != Status.COUNTED:
        raise SettlementDecided(f"{settlement.settlement_number} is {settlement.get_status_display().lower()} already.")
    return settlement


def _decide(actor: User, settlement: Settlement, status: Settlement.Status, remarks: str, action: str) -> Settlement:
    settlement.status = status
    settlement.decided_by, settlement.decided_at, settlement.decision_remarks = actor, clock.now(), remarks
    settlement.save(update_fields=[*Settlement.life_cycle])
    # What the books expected is said with the signature: until then, and of what is counted again, a count is blind.
    variances = {"cash_variance": settlement.cash_variance, "variances": _variances(settlement)}
    record(
        actor=actor,
        action=action,
        target=settlement,
        before={"status": Status.COUNTED},
        after={"status": status, **(variances if status == Status.SIGNED_OFF else {})},
        reason=remarks,
    )
    return settlement


def _variances(settlement: Settlement) -> list[str]:
    lines: Iterable[SettlementLine] = settlement.lines.select_related("equipment")
    return [f"{line.variance:+d} {line.equipment.sku} {line.condition}" for line in lines if line.variance]
