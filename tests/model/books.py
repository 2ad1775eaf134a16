"""The books: told what happened, in the order in which it did, they write it down or refuse it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.model.lots import Lots, Refund
from tests.model.places import movements_of, to_reach
from tests.model.records import (
    ZERO,
    Allocation,
    Count,
    Customer,
    DayEnd,
    Document,
    Item,
    Line,
    LotChange,
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


class Books(Lots):
    def __init__(self) -> None:
        super().__init__()
        self.customers: list[Customer] = []
        self.documents: list[Document] = []
        self.payments: list[Payment] = []
        self.allocations: list[Allocation] = []

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

        Paid on the spot, its GST is that of the day it happened on; else that of the document's. A refund that exceeds
        what else is billed has a document of its own. Answers the sale's; the refund's where there is nothing else.
        """
        if not lines and (usage is None or usage.units == 0):
            raise Refused("empty_sale")
        order = self._order(at, happened)
        moved = [(line, movements_of(seller, customer, [line], at)) for line in lines]
        self._move([movement for _, movements in moved for movement in movements], order)
        refunds = self._refunds(customer, lines)
        back = [line for line, _ in refunds]
        charges = [line for line in lines if line.type != "RETURN"]
        collected = [movement for line, movements in moved for movement in movements if line.type == "RETURN"]
        delivered = [movement for line, movements in moved for movement in movements if line.type != "RETURN"]
        rate = gst_rate_on(day_of(happened or at) if paid else day_of(at))

        sale = self._bills(seller, customer, [*charges, *back], usage, rate, at)
        note = sale if sale.subtotal < 0 else None
        if note is not None and (charges or (usage is not None and usage.units != 0)):
            sale = self._bills(seller, customer, charges, usage, rate, at)
            note = sale.refund = self._bills(seller, customer, back, None, rate, at)
        sale.movements = delivered if sale.refund else [*delivered, *collected]
        self._issue(sale)
        if sale.refund:
            sale.refund.movements = collected
            self._issue(sale.refund)

        self._lot_moves(sale, note or sale, charges, refunds, since=happened or at)
        if note is not None:
            self._sets_off(note, refunds, beside=sale)
        if paid:
            for document in dict.fromkeys([note or sale, sale]):
                amount = self.open_of(document)
                if amount != 0:
                    day = document.day
                    cash = Payment(customer, seller, "CASH", amount, day, day, came_with=document, order=order)
                    self.payments.append(cash)
                    self.allocations.append(Allocation(cash, document, amount, day))
        return sale

    def _bills(
        self, seller: Person, customer: Customer, lines: list[Line], usage: Usage | None, rate: Decimal, at: datetime
    ) -> Document:
        """What it comes to. It isn't issued yet."""
        today = day_of(at)
        subtotal = taxable = ZERO
        for line in lines:
            subtotal += line.amount
            if line.is_taxed:
                taxable += line.amount
        if usage is not None:
            subtotal += usage.amount
            taxable += usage.amount
        gst = to_the_cent(taxable * rate / 100)
        uses_gas = usage is not None and usage.units != 0
        if subtotal < 0:
            kind = "CREDIT_NOTE"
        elif subtotal == 0 and not uses_gas and all(line.type == "RETURN" for line in lines):
            kind = "COLLECTION_NOTE"
        else:
            kind = "TAX_INVOICE"
        return Document(
            number="",
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
        )

    def _issue(self, document: Document) -> None:
        document.number = self._next_number(document.kind, document.day)
        self.documents.append(document)

    def voids(self, document: Document, *, at: datetime, goods_come_back: bool = True) -> Document:
        """The same again with everything negated, on the day of the void. It stays its seller's.

        Cash that came with the sale goes back. What else was paid or set off settles nothing any more: it is credit.
        But what a refund paid out stays paid out, and is owed again. Deposits and loans are what they were before.
        """
        today = day_of(at)
        if document.voids is not None or self.is_voided(document):
            raise Refused("already_voided")
        for charged in self._changes_by(document):
            for change in self.lot_changes:
                is_refund = change.pieces < 0 and change.document.voids is None and not self.is_voided(change.document)
                if charged.pieces > 0 and change.lot is charged.lot and is_refund:
                    raise Refused("deposit_refunded")
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
            number="",
            kind="COLLECTION_NOTE" if document.kind == "COLLECTION_NOTE" else kind,
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
        self._issue(note)
        for change in self._changes_by(document):
            self.lot_changes.append(LotChange(change.lot, -change.pieces, -change.amount, note))
        for other in self.documents:
            for source, settled in ((document, other), (other, document)):
                amount = self.settles(source, settled)
                if amount != 0:
                    self.allocations.append(Allocation(source, settled, -amount, today))
        if document.total < 0:
            self.allocations.append(Allocation(document, note, -self.open_of(document), today))
            return note
        for payment in list(self.payments):
            if payment.came_with is document and not self.is_reversed(payment):
                self._take_back(payment, today)
        for payment in self.payments:
            settles = self.settles(payment, document)
            if settles != 0 and payment.reverses is None and not self.is_reversed(payment):
                self.allocations.append(Allocation(payment, document, -settles, today))
        self.allocations.append(Allocation(note, document, document.total, today))
        return note

    def is_voided(self, document: Document) -> bool:
        return any(other.voids is document for other in self.documents)

    # --- Refunds ---------------------------------------------------------------------------------------

    def _sets_off(self, note: Document, refunds: Sequence[Refund], beside: Document) -> None:
        """Against what is open of the invoices that charged what is refunded, then against the sale beside it."""
        for line, lot in refunds:
            left = line.rate
            charged_by = [change.document for change in self.lot_changes if change.lot is lot and change.pieces > 0]
            for invoice in charged_by:
                left -= self._settle_with(note, invoice, left)
        if beside is not note:
            self._settle_with(note, beside, -self.open_of(note))

    def _settle_with(self, note: Document, invoice: Document, most: Decimal) -> Decimal:
        part = min(most, self.open_of(invoice)) if invoice.total > 0 else ZERO
        if part > 0:
            self.allocations.append(Allocation(note, invoice, part, note.day))
        return max(part, ZERO)

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

    def pays_goodwill(
        self, customer: Customer, payer: Person, method: str, amount: Decimal, *, at: datetime
    ) -> Payment:
        """Money that goes out though nothing is owed."""
        day, order = day_of(at), self._order(at)
        payment = Payment(customer, payer, method, -amount, day, day, is_goodwill=True, order=order)
        self.payments.append(payment)
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
            is_goodwill=payment.is_goodwill,
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
        amount = ZERO if payment.is_goodwill else payment.amount
        for allocation in self.allocations:
            if allocation.source is payment and (by is None or allocation.day <= by):
                amount -= allocation.amount
        return amount

    # --- The end of the day -----------------------------------------------------------------------------

    def cash_in_bag(self, seller: Person, by: date | None = None) -> list[Payment]:
        """What the seller took after the last bag that was handed in; ``by`` the end of a day: as it was known then.

        A bag is handed in when it is signed off.
        """
        handed_in = [each for each in self.day_ends if each.signed_at and (by is None or day_of(each.signed_at) <= by)]
        return [payment for payment in self._cash(seller, handed_in) if by is None or payment.entered_on <= by]

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
                movements += to_reach(count, item, condition, difference, "variance", at)
                movements += self._charged_to_the_next(count, item, condition, difference, at)
            try:
                self._post(movements)
            except Refused:
                raise Refused("count_contradicted") from None
            self.counts_that_stand.append(count)
        day_end.state, day_end.signed_at = "signed off", at

    def _charged_to_the_next(
        self, count: Count, item: Item, condition: str, difference: int, at: datetime
    ) -> list[Movement]:
        later = [each for each in self.counts_that_stand if each.order > count.order]
        covering = [each for each in later if each.covers(count.place, item, condition)]
        if not covering:
            return []
        following = min(covering, key=lambda each: each.order)
        return to_reach(following, item, condition, -difference, "compensation", at)

    def rejects(self, day_end: DayEnd) -> None:
        """To be counted again: it leaves nothing."""
        if day_end.state != "open":
            raise Refused("settlement_decided")
        day_end.state = "rejected"

    # --- Numbers ----------------------------------------------------------------------------------------

    def _next_number(self, kind: str, day: date) -> str:
        """Each kind of document is numbered through, day by day."""
        so_far = [document for document in self.documents if document.kind == kind and document.day == day]
        prefix = {"TAX_INVOICE": "INV", "CREDIT_NOTE": "CN", "COLLECTION_NOTE": "COL"}[kind]
        return f"{prefix}-{day:%Y%m%d}-{len(so_far) + 1:06d}"
