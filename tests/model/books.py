"""The books: told what happened, in the order in which it did, they write it down or refuse it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.model.records import (
    ON_FOOT,
    OUTSIDE,
    ZERO,
    Allocation,
    Count,
    Customer,
    DayEnd,
    Depot,
    Document,
    Item,
    Line,
    Load,
    Movement,
    Order,
    Payment,
    Person,
    Refused,
    Usage,
    day_of,
    gst_rate_on,
    to_the_cent,
)

Share = tuple[Document, Decimal]


class Books:
    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self.documents: list[Document] = []
        self.payments: list[Payment] = []
        self.allocations: list[Allocation] = []
        self.movements: list[Movement] = []
        self.loads: list[Load] = []
        self.day_ends: list[DayEnd] = []
        self.counts_that_stand: list[Count] = []
        self.orders: list[Order] = []

    def _order(self, at: datetime, happened: datetime | None = None) -> Order:
        """Of what moves. Heard of at once it comes after the counts that stand; late, before those of its moment."""
        if happened is not None and happened != at:
            return happened, 0, 0, 0
        standing = [count.order for count in self.counts_that_stand]
        standing += [day_end.order for day_end in self.day_ends if day_end.state == "signed off"]
        after = max((turn + 1 for moment, turn, _, _ in standing if moment == at), default=0)
        self.orders.append((at, after, 0, 0))
        return self.orders[-1]

    def _order_of_count(self, at: datetime) -> Order:
        """After all that was heard of so far."""
        turn = max((turn for moment, turn, _, _ in self.orders if moment == at), default=0)
        self.orders.append((at, turn, 1, len(self.orders)))
        return self.orders[-1]

    # --- Sales -------------------------------------------------------------------------------------------

    def sells(
        self,
        seller: Person,
        customer: Customer,
        lines: Sequence[Line],
        usage: Usage | None = None,
        *,
        at: datetime,
        paid: bool = False,
        happened: datetime | None = None,
    ) -> Document:
        """A sale that the office hears of ``at`` a moment. It may have happened earlier.

        Paid on the spot, its GST is that of the day it happened on; else that of the document's.
        """
        today = day_of(at)
        subtotal = taxable = ZERO
        for line in lines:
            subtotal += line.amount
            if line.is_taxed:
                taxable += line.amount
        is_taxed = any(line.is_taxed for line in lines)
        if usage is not None:
            subtotal += usage.amount
            taxable += usage.amount
            is_taxed = is_taxed or usage.units > 0
        if not lines and (usage is None or usage.units == 0):
            raise Refused("empty_sale")
        if subtotal < 0 and is_taxed:
            raise Refused("negative_total")
        rate = gst_rate_on(day_of(happened or at) if paid else today)
        gst = to_the_cent(taxable * rate / 100)
        kind = "CREDIT_NOTE" if subtotal < 0 else "TAX_INVOICE"
        order = self._order(at, happened)
        movements = self._move(_movements_of(seller, customer, lines, at), order)
        document = Document(
            number=self._next_number(kind, today),
            kind=kind,
            day=today,
            due_on=today + timedelta(days=customer.terms),
            customer=customer,
            seller=seller,
            vehicle=seller.vehicle,
            lines=list(lines),
            usage=usage,
            subtotal=subtotal,
            taxable=taxable,
            gst_rate=rate,
            gst=gst,
            total=subtotal + gst,
            movements=movements,
        )
        self.documents.append(document)
        if paid and document.total != 0:
            cash = Payment(customer, seller, "CASH", document.total, today, today, came_with=document, order=order)
            self.payments.append(cash)
            self.allocations.append(Allocation(cash, document, document.total, today))
        return document

    def voids(self, document: Document, *, at: datetime, goods_come_back: bool = True) -> Document:
        """The same again with everything negated, on the day of the void. It stays its seller's.

        Cash that came with the sale goes back. What else was paid settles nothing any more: it is credit.
        """
        today = day_of(at)
        if document.voids is not None or self.is_voided(document):
            raise Refused("already_voided")
        if document.usage is not None and document.usage.units != 0:
            for later in self.documents[self.documents.index(document) + 1 :]:
                has_reading = later.usage is not None and later.voids is None and not self.is_voided(later)
                if later.customer is document.customer and has_reading:
                    raise Refused("meter_moved_on")
        back = []
        if goods_come_back:
            back = [
                Movement(at, "reversal", gone.item, gone.quantity, gone.target, gone.target_condition, gone.source, gone.source_condition)
                for gone in document.movements
            ]  # fmt: skip
        self._move(back, self._order(at))
        kind = "TAX_INVOICE" if document.subtotal < 0 else "CREDIT_NOTE"
        usage = document.usage
        note = Document(
            number=self._next_number(kind, today),
            kind=kind,
            day=today,
            due_on=today + timedelta(days=document.customer.terms),
            customer=document.customer,
            seller=document.seller,
            vehicle=document.vehicle,
            lines=[Line(line.type, line.item, -line.quantity, line.rate) for line in document.lines],
            usage=None if usage is None else Usage(-usage.units, usage.rate),
            subtotal=-document.subtotal,
            taxable=-document.taxable,
            gst_rate=document.gst_rate,
            gst=-document.gst,
            total=-document.total,
            voids=document,
        )
        self.documents.append(note)
        for payment in list(self.payments):
            if payment.came_with is document and not self.is_reversed(payment):
                self._take_back(payment, today)
        for payment in self.payments:
            settles = self.settles(payment, document)
            if settles != 0 and payment.reverses is None and not self.is_reversed(payment):
                self.allocations.append(Allocation(payment, document, -settles, today))
        owing, owed = (note, document) if document.total > 0 else (document, note)
        self.allocations.append(Allocation(owing, owed, owed.total, today))
        return note

    def is_voided(self, document: Document) -> bool:
        return any(other.voids is document for other in self.documents)

    # --- Money -------------------------------------------------------------------------------------------

    def pays(
        self,
        customer: Customer,
        taker: Person,
        method: str,
        amount: Decimal,
        *,
        at: datetime,
        received_on: date | None = None,
        shares: Sequence[Share] | None = None,
    ) -> Payment:
        """Money on account. It settles what it is meant for, else what has been due for longest; the rest is credit."""
        today = day_of(at)
        payment = Payment(customer, taker, method, amount, received_on or today, today, order=self._order(at))
        settled = self._shares(payment, taker, shares)
        self.payments.append(payment)
        for document, share in settled:
            self.allocations.append(Allocation(payment, document, share, max(payment.received_on, document.day)))
        return payment

    def pays_document(
        self, document: Document, taker: Person, method: str, amount: Decimal | None = None, *, at: datetime
    ) -> Payment:
        """Money for one document: an invoice is paid, an open credit note is paid out."""
        today = day_of(at)
        is_open = self.open_of(document)
        if is_open == 0:
            raise Refused("already_paid")
        if amount is None:
            amount = abs(is_open)
        if amount > abs(is_open):
            raise Refused("exceeds_outstanding")
        signed = amount if is_open > 0 else -amount
        payment = Payment(document.customer, taker, method, signed, today, today, order=self._order(at))
        self.payments.append(payment)
        self.allocations.append(Allocation(payment, document, signed, today))
        return payment

    def allocates(self, payment: Payment, by: Person, shares: Sequence[Share] | None = None, *, at: datetime) -> None:
        """What is left of a payment settles something, from today on."""
        if payment.reverses is not None or self.is_reversed(payment):
            raise Refused("already_reversed")
        if self.credit_of(payment) <= 0:
            raise Refused("exceeds_credit")
        for document, share in self._shares(payment, by, shares):
            self.allocations.append(Allocation(payment, document, share, day_of(at)))

    def reverses(self, payment: Payment, *, at: datetime) -> Payment:
        """The cheque bounced: the same with a minus, today. What it settled is open again."""
        if payment.reverses is not None or self.is_reversed(payment):
            raise Refused("already_reversed")
        return self._take_back(payment, day_of(at))

    def _take_back(self, payment: Payment, today: date) -> Payment:
        reversal = Payment(
            payment.customer,
            payment.taker,
            payment.method,
            -payment.amount,
            today,
            today,
            reverses=payment,
            order=payment.order,  # what was handed in stays so, and no later bag is short of it
        )
        self.payments.append(reversal)
        for document in self.documents:
            settles = self.settles(payment, document)
            if settles != 0:
                self.allocations.append(Allocation(reversal, document, -settles, today))
        return reversal

    def is_reversed(self, payment: Payment) -> bool:
        return any(other.reverses is payment for other in self.payments)

    def _shares(self, payment: Payment, by: Person, shares: Sequence[Share] | None) -> list[Share]:
        left = self.credit_of(payment)
        if shares is not None:
            if sum((share for _, share in shares), ZERO) > left:
                raise Refused("exceeds_credit")
            for document, share in shares:
                if share > self.open_of(document):
                    raise Refused("exceeds_outstanding")
            return list(shares)
        # Sorting keeps the order of issue among those that are due on the same day.
        chosen = []
        for document in sorted(self.documents, key=lambda document: document.due_on):
            is_open = self.open_of(document)
            may = by.is_office or document.seller is by
            if document.customer is payment.customer and document.total > 0 and is_open > 0 and left > 0 and may:
                share = min(is_open, left)
                chosen.append((document, share))
                left -= share
        return chosen

    def settles(self, source: Payment | Document, document: Document) -> Decimal:
        """So much of a document, all in all."""
        amount = ZERO
        for allocation in self.allocations:
            if allocation.source is source and allocation.document is document:
                amount += allocation.amount
        return amount

    def open_of(self, document: Document, by: date | None = None) -> Decimal:
        """What is to be paid of a document yet; negative: to be paid out. ``by`` a day: at its end."""
        amount = document.total
        for allocation in self.allocations:
            if by is None or allocation.day <= by:
                if allocation.document is document:
                    amount -= allocation.amount
                if allocation.source is document:
                    amount += allocation.amount
        return amount

    def credit_of(self, payment: Payment, by: date | None = None) -> Decimal:
        """What a payment settles nothing of, yet."""
        amount = payment.amount
        for allocation in self.allocations:
            if allocation.source is payment and (by is None or allocation.day <= by):
                amount -= allocation.amount
        return amount

    # --- Stock -------------------------------------------------------------------------------------------

    def loads_vehicle(
        self, driver: Person, depot: Depot, items: Sequence[tuple[str, Item, str, int]], *, at: datetime
    ) -> None:
        """OUT of the depot onto the vehicle, or IN again: direction, item, condition, pieces."""
        movements = []
        for direction, item, condition, pieces in items:
            if direction == "OUT":
                movements.append(Movement(at, "loaded", item, pieces, depot.place, condition, driver.place, condition))
            else:
                movements.append(
                    Movement(at, "unloaded", item, pieces, driver.place, condition, depot.place, condition)
                )
        self._move(movements, self._order(at))
        self.loads.append(Load(driver, driver.vehicle, day_of(at)))

    def works(
        self,
        kind: str,
        depot: Depot,
        items: Sequence[tuple[Item, str, int]],
        *,
        at: datetime,
        to_depot: Depot | None = None,
    ) -> None:
        """What a depot does besides loading."""
        movements = []
        for item, condition, pieces in items:
            source, target, becomes = depot.place, depot.place, condition
            if kind == "REFILL":
                becomes = "FULL"
            if kind == "DAMAGE":
                becomes = "DAMAGED"
            if kind == "GOODS_IN":
                source = OUTSIDE
            if kind == "SCRAP":
                target = OUTSIDE
            if kind == "TRANSFER" and to_depot is not None:
                target = to_depot.place
            movements.append(Movement(at, "work", item, pieces, source, condition, target, becomes))
        self._move(movements, self._order(at))

    def counts(self, place: str, item: Item, condition: str, pieces: int, *, at: datetime) -> None:
        """A place was counted; what the books had otherwise came from outside, or went there."""
        count = Count(place, {(item, condition): pieces}, False, self._order_of_count(at))
        self._post(_to_reach(count, item, condition, pieces - self.pieces_at(place, item, condition), "count", at))
        self.counts_that_stand.append(count)

    def pieces_at(self, place: str, item: Item, condition: str) -> int:
        return self._pieces(place, item, condition, self.movements)

    def _pieces(self, place: str, item: Item, condition: str, movements: Sequence[Movement]) -> int:
        return sum(
            pieces for movement in movements for *end, pieces in movement.ends if end == [place, item, condition]
        )

    def _move(self, movements: list[Movement], order: Order) -> list[Movement]:
        """All of them or none. What comes before a count that stands was counted already: the first such takes it back."""
        taken_back = []
        for movement in movements:
            movement.order = order
            for place, item, condition, pieces in movement.ends:
                after = [
                    count
                    for count in self.counts_that_stand
                    if count.order > order and count.covers(place, item, condition)
                ]
                if after:
                    first = min(after, key=lambda count: count.order)
                    taken_back += _to_reach(first, item, condition, -pieces, "compensation", movement.when)
        self._post([*movements, *taken_back])
        return movements

    def _post(self, movements: list[Movement]) -> None:
        """No depot, vehicle or customer gives what it hasn't got."""
        self.movements += movements
        for movement in movements:
            place, condition = movement.source, movement.source_condition
            if place not in (OUTSIDE, ON_FOOT) and self.pieces_at(place, movement.item, condition) < 0:
                del self.movements[len(self.movements) - len(movements) :]
                raise Refused("insufficient_stock")

    # --- The end of the day -----------------------------------------------------------------------------

    def cash_in_bag(self, seller: Person) -> list[Payment]:
        """What the seller took after the last bag that was handed in."""
        return self._cash(seller, [day_end for day_end in self.day_ends if day_end.state == "signed off"])

    def _cash(self, seller: Person, earlier: Sequence[DayEnd], until: Order | None = None) -> list[Payment]:
        handed_in = [day_end.order for day_end in earlier if day_end.seller is seller]
        return [
            payment
            for payment in self.payments
            if payment.taker is seller
            and payment.method == "CASH"
            and (until is None or payment.order <= until)
            and all(payment.order > order for order in handed_in)
        ]

    def counts_day(
        self,
        seller: Person,
        cash: Decimal,
        counted: dict[tuple[Item, str], int],
        items: Sequence[Item],
        *,
        at: datetime,
    ) -> DayEnd:
        """The seller says what is in the bag and on the vehicle: what isn't named isn't there."""
        expected = {}
        if seller.vehicle:
            for item in items:
                for condition in ("FULL", "EMPTY", "DAMAGED"):
                    expected[item, condition] = self.pieces_at(seller.place, item, condition)
        order = self._order_of_count(at)
        bag = self._cash(seller, [day_end for day_end in self.day_ends if day_end.state != "rejected"], order)
        cash_expected = sum((payment.amount for payment in bag), ZERO)
        day_end = DayEnd(seller, seller.vehicle, order, cash_expected, cash, expected, counted)
        self.day_ends.append(day_end)
        return day_end

    def signs_off(self, day_end: DayEnd, *, at: datetime) -> None:
        """The vehicle had at that moment what was counted, and has what moved since; the bag is handed in."""
        if day_end.state != "open":
            raise Refused("settlement_decided")
        for earlier in self.day_ends[: self.day_ends.index(day_end)]:
            if earlier.state == "open" and (
                earlier.vehicle == day_end.vehicle != "" or earlier.seller == day_end.seller
            ):
                raise Refused("earlier_count_open")
        if day_end.vehicle:
            count = Count(f"vehicle {day_end.vehicle}", day_end.counted, True, day_end.order)
            movements = []
            for item, condition in day_end.expected:
                known = [movement for movement in self.movements if self._is_before(movement, count)]
                there = self._pieces(count.place, item, condition, known)
                difference = day_end.counted.get((item, condition), 0) - there
                movements += _to_reach(count, item, condition, difference, "variance", at)
                movements += self._charged_to_the_next(count, item, condition, difference, at)
            try:
                self._post(movements)
            except Refused:
                raise Refused("count_contradicted") from None
            self.counts_that_stand.append(count)
        day_end.state = "signed off"

    def _is_before(self, movement: Movement, count: Count) -> bool:
        """Did it happen before a count, or bring the books to an earlier one?"""
        return (movement.count.order if movement.count else movement.order) < count.order

    def _charged_to_the_next(
        self, count: Count, item: Item, condition: str, difference: int, at: datetime
    ) -> list[Movement]:
        later = [each for each in self.counts_that_stand if each.order > count.order]
        covering = [each for each in later if each.covers(count.place, item, condition)]
        if not covering:
            return []
        following = min(covering, key=lambda each: each.order)
        return _to_reach(following, item, condition, -difference, "compensation", at)

    def rejects(self, day_end: DayEnd) -> None:
        """To be counted again: it leaves nothing."""
        if day_end.state != "open":
            raise Refused("settlement_decided")
        day_end.state = "rejected"

    # --- Numbers ----------------------------------------------------------------------------------------

    def _next_number(self, kind: str, day: date) -> str:
        """Each kind of document is numbered through, day by day."""
        so_far = [document for document in self.documents if document.kind == kind and document.day == day]
        prefix = "INV" if kind == "TAX_INVOICE" else "CN"
        return f"{prefix}-{day:%Y%m%d}-{len(so_far) + 1:06d}"


def _movements_of(seller: Person, customer: Customer, lines: Sequence[Line], at: datetime) -> list[Movement]:
    """At a customer's nobody sees what is in a cylinder: there it counts as full."""
    movements = []
    here, there = seller.place, customer.place
    for line in lines:
        if line.type in ("SALE", "SWAP"):
            movements.append(Movement(at, "delivered", line.item, line.quantity, here, "FULL", there, "FULL"))
        if line.type == "SWAP":
            movements.append(Movement(at, "collected", line.item, line.quantity, there, "FULL", here, "EMPTY"))
        if line.type == "RETURN":
            movements.append(Movement(at, "collected", line.item, line.quantity, there, "FULL", here, line.comes_back))
    return movements


def _to_reach(count: Count, item: Item, condition: str, difference: int, why: str, at: datetime) -> list[Movement]:
    """What brings the books to a count, against the rest of the world."""
    place = count.place
    if difference > 0:
        return [Movement(at, why, item, difference, OUTSIDE, condition, place, condition, count=count)]
    if difference < 0:
        return [Movement(at, why, item, -difference, place, condition, OUTSIDE, condition, count=count)]
    return []
