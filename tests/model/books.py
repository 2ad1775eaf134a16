"""The books: told what happened, in the order in which it did, they write it down or refuse it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.model.lots import Lots, Refund
from tests.model.places import movements_of, to_reach
from tests.model.records import (
    ON_FOOT,
    ZERO,
    Allocation,
    Count,
    Customer,
    DayEnd,
    Document,
    Expense,
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
    in_coins,
    to_the_cent,
)

Tender = Sequence[tuple[str, Decimal]]
"""What changes hands with a sale, by method; without a sign, as both sides see which way it goes."""
Share = tuple[Document, Decimal]


@dataclass(frozen=True)
class Credit:
    """So many pieces of a line, or so much of its money; ``line`` counts from 0, the usage is behind the last."""

    line: int
    pieces: int | None = None
    amount: Decimal = ZERO
    with_gst: bool = False
    comes_back: bool = True


class Books(Lots):
    def __init__(self) -> None:
        super().__init__()
        self.has_coins = False
        """Is cash rounded to them?"""
        self.customers: list[Customer] = []
        self.documents: list[Document] = []
        self.payments: list[Payment] = []
        self.expenses: list[Expense] = []
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
        tender: Tender = (),
        happened: datetime | None = None,
    ) -> Document:
        """A sale that the office hears of ``at`` a moment. It may have happened earlier.

        Paid on the spot, but by cheque, its GST is that of the day it happened on; else that of the document's. A refund that exceeds
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
        is_paid = paid or any(method in ("CASH", "PAYNOW") for method, _ in tender)
        counts_on = day_of(happened or at) if is_paid else day_of(at)

        sale = self._bills(seller, customer, [*charges, *back], usage, counts_on, at)
        note = sale if sale.subtotal < 0 else None
        if note is not None and (charges or (usage is not None and usage.units != 0)):
            sale = self._bills(seller, customer, charges, usage, counts_on, at)
            note = sale.refund = self._bills(seller, customer, back, None, counts_on, at)
        sale.movements = delivered if sale.refund else [*delivered, *collected]
        self._issue(sale)
        if sale.refund:
            sale.refund.movements = collected
            self._issue(sale.refund)

        self._lot_moves(sale, note or sale, charges, refunds, since=happened or at)
        due = self._due(sale, note, refunds)
        if paid:
            tender = [("CASH", abs(self.in_coins(due)))]
        document, came = (note if note is not None and due < 0 else sale), day_of(happened or at)
        money = [
            Payment(customer, seller, method, -amount if due < 0 else amount, came, document.day, document, order=order)
            for method, amount in sorted(tender, key=lambda each: each[0] == "CASH")
            if amount != 0
        ]
        self.payments += money
        for payment in money:
            self._pays_on_the_spot(payment, document, due)
            due -= payment.amount
        if note is not None:
            self._sets_off(note, refunds, beside=sale)
        for payment in money:
            if self.credit_of(payment) > 0:
                self._settles(self._spread([payment], self.owed_by(customer)), document.day)
        return sale

    def _due(self, sale: Document, note: Document | None, refunds: Sequence[Refund]) -> Decimal:
        """What is to change hands, once the refund is set off."""
        if note is None:
            return sale.total
        before = len(self.allocations)
        self._sets_off(note, refunds, beside=sale)
        due = self.open_of(note) + (ZERO if sale is note else self.open_of(sale))
        del self.allocations[before:]
        return due

    def _pays_on_the_spot(self, payment: Payment, document: Document, due: Decimal) -> None:
        """So much of it as the document has room for."""
        rounding = self._rounding(payment, due)
        room = self.open_of(document) + rounding
        part = min(payment.amount, room, key=abs)
        if part * payment.amount > 0:
            self._settle(payment, document, part, document.day, rounding)

    def in_coins(self, amount: Decimal) -> Decimal:
        return in_coins(amount) if self.has_coins else amount

    def _rounding(self, payment: Payment, balance: Decimal) -> Decimal:
        """How much more than a balance came, where it is closed by cash."""
        is_closed = payment.method == "CASH" and payment.amount == self.in_coins(balance)
        return payment.amount - balance if is_closed else ZERO

    def _settle(
        self, payment: Payment, target: Document | Payment, amount: Decimal, day: date, rounding: Decimal = ZERO
    ) -> None:
        self.allocations.append(Allocation(payment, target, amount, day))
        if rounding != 0:
            self.allocations.append(Allocation(payment, target, -rounding, day, is_rounding=True))

    def _settles(self, parts: dict[Payment | Document, list[tuple[Document | Payment, Decimal]]], day: date) -> None:
        for source, settled in parts.items():
            for target, amount in settled:
                self.allocations.append(Allocation(source, target, amount, day))

    def _bills(
        self, seller: Person, customer: Customer, lines: list[Line], usage: Usage | None, counts_on: date, at: datetime
    ) -> Document:
        """What it comes to. It isn't issued yet."""
        today, rate = day_of(at), gst_rate_on(counts_on)
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
            counts_on=counts_on if kind == "TAX_INVOICE" else today,
        )

    def _issue(self, document: Document) -> None:
        document.number = self._next_number(document.kind, document.day)
        self.documents.append(document)

    def voids(self, document: Document, *, at: datetime, goods_come_back: bool = True) -> Document:
        """The same again with everything negated, on the day of the void. It stays its seller's.

        No money moves. What was paid or set off settles nothing any more: it is credit. What a refund paid out stays
        paid out, and is owed again. Deposits and loans are what they were before.
        """
        today = day_of(at)
        if document.voids is not None or document.credits is not None or self.is_voided(document):
            raise Refused("already_voided")
        if notes := self._notes_of(document):
            left = document.total + sum((note.total for note in notes), ZERO)
            raise Refused("already_credited" if left != 0 else "already_voided")
        for charged in self._changes_by(document):
            for change in self.lot_changes:
                is_refund = change.pieces < 0 and change.document.voids is None and not self.is_voided(change.document)
                if charged.pieces > 0 and change.lot is charged.lot and is_refund:
                    raise Refused("deposit_refunded")
        if document.usage is not None and document.usage.units != 0:
            for later in self.documents[self.documents.index(document) + 1 :]:
                was_taken_back = later.voids is not None or later.credits is not None or self.is_voided(later)
                has_reading = later.usage is not None and not was_taken_back
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
            counts_on=today,
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
        for payment in self.payments:
            if not self._is_standing(payment):
                continue
            rounding, settles = self.rounding_of(payment, document), self.settles(payment, document)
            if rounding != 0:
                self.allocations.append(Allocation(payment, document, -rounding, today, is_rounding=True))
            if document.total < 0:
                # What was paid out beyond it is owed by itself.
                settles = min(-rounding, ZERO)
            if settles != 0:
                self.allocations.append(Allocation(payment, document, -settles, today))
        if document.total < 0:
            self.allocations.append(Allocation(document, note, -self.open_of(document), today))
            return note
        self.allocations.append(Allocation(note, document, document.total, today))
        return note

    def is_voided(self, document: Document) -> bool:
        return any(other.voids is document for other in self.documents)

    # --- Credits in part -------------------------------------------------------------------------------

    def credits(self, document: Document, wanted: Sequence[Credit], *, at: datetime) -> Document:
        """Some pieces of its lines, or some of their money, at its own GST rate. No money moves, no meter does."""
        if document.kind != "TAX_INVOICE" or document.voids is not None:
            raise Refused("no_invoice")
        before = self._notes_of(document)
        if (
            self.is_voided(document)
            or document.total + sum((note.total for note in before), ZERO) == 0 != document.total
        ):
            raise Refused("already_voided")
        net, gst = -sum((note.taxable for note in before), ZERO), -sum((note.gst for note in before), ZERO)
        lines: list[Line] = []
        usage, moved, subtotal, taxable, tax = None, [], ZERO, ZERO, ZERO
        for credit in wanted:
            pieces, amount = self._left_of_line(document, credit.line, before)
            if amount <= 0 or (credit.pieces or 0) > pieces:
                raise Refused("exceeds_invoice")
            is_usage = credit.line == len(document.lines)
            line = None if is_usage else document.lines[credit.line]
            is_taxed = line is None or line.is_taxed
            if credit.pieces is not None:
                part = amount if credit.pieces == pieces else to_the_cent(amount * credit.pieces / pieces)
                part_gst = self._gst_of(document, net, gst, part) if is_taxed else ZERO
            elif credit.with_gst and is_taxed:
                part, part_gst = self._within(document, net, gst, credit.amount, amount)
            else:
                part = credit.amount
                part_gst = self._gst_of(document, net, gst, part) if is_taxed and part <= amount else ZERO
            if part > amount:
                raise Refused("exceeds_invoice")
            subtotal, tax = subtotal + part, tax + part_gst
            if is_taxed:
                taxable, net, gst = taxable + part, net + part, gst + part_gst
            if line is None:
                usage = Usage(ZERO, ZERO, credited=part)
            else:
                count = credit.pieces or 0
                lines.append(Line(line.type, line.item, -count, line.rate, credited=part))
                if count and credit.comes_back:
                    moved.append((line, count))
        if subtotal + tax > document.total + sum((note.total for note in before), ZERO):
            raise Refused("exceeds_invoice")
        here = f"vehicle {document.vehicle}" if document.vehicle else ON_FOOT
        there = document.customer.place
        back = []
        for line, count in moved:
            if line.type in ("SALE", "SWAP"):
                back.append(Movement(at, "reversal", line.item, count, there, "FULL", here, "FULL"))
            if line.type == "SWAP":
                back.append(Movement(at, "reversal", line.item, count, here, "EMPTY", there, "FULL"))
        note = Document(
            number="",
            kind="CREDIT_NOTE",
            day=day_of(at),
            due_on=day_of(at) + timedelta(days=document.customer.terms),
            customer=document.customer,
            seller=document.seller,
            vehicle=document.vehicle,
            lines=lines,
            usage=usage,
            subtotal=-subtotal,
            taxable=-taxable,
            gst_rate=document.gst_rate,
            gst=-tax,
            total=-subtotal - tax,
            counts_on=day_of(at),
            credits=document,
            of_lines=[credit.line for credit in wanted],
        )
        changes = [self._out_of_lot(document, line, note) for line in lines if line.type == "DEPOSIT"]
        kept = [*self.movements]
        self._move(back, self._order(at))
        if None in changes:
            # What isn't there is said first.
            self.movements = kept
            raise Refused("deposit_refunded")
        self._issue(note)
        self.lot_changes += [change for change in changes if change is not None]
        settled = min(max(self.open_of(document), ZERO), -note.total)
        if settled != 0:
            self.allocations.append(Allocation(note, document, settled, note.day))
        return note

    def _notes_of(self, document: Document) -> list[Document]:
        return [note for note in self.documents if note.credits is document]

    def _left_of_line(self, document: Document, index: int, notes: Sequence[Document]) -> tuple[int, Decimal]:
        """Pieces and money; of the usage there is only money."""
        if index == len(document.lines):
            taken = [note.usage.amount for note in notes if note.usage is not None]
            return 0, (document.usage.amount if document.usage else ZERO) + sum(taken, ZERO)
        line = document.lines[index]
        pieces, amount = line.quantity, line.amount
        for note in notes:
            of_lines = [each for each in note.of_lines if each != len(document.lines)]
            for each, taken_back in zip(of_lines, note.lines, strict=True):
                if each == index:
                    pieces, amount = pieces + taken_back.quantity, amount + taken_back.amount
        return pieces, amount

    @staticmethod
    def _gst_of(document: Document, net: Decimal, gst: Decimal, part: Decimal) -> Decimal:
        """That of all that is credited then, less what was credited of it; the last one takes the rest."""
        if net + part == document.taxable:
            return document.gst - gst
        all_of_it = to_the_cent((net + part) * document.gst_rate / 100)
        return min(max(all_of_it - gst, ZERO), document.gst - gst)

    @staticmethod
    def _within(
        document: Document, net: Decimal, gst: Decimal, total: Decimal, most: Decimal
    ) -> tuple[Decimal, Decimal]:
        """How much of a sum is before GST, and how much is GST. A cent may go from one to the other."""
        all_of_it = to_the_cent((net + gst + total) * document.gst_rate / (100 + document.gst_rate))
        part_gst = min(max(all_of_it - gst, ZERO), document.gst - gst)
        part = total - part_gst
        if part == most + Decimal("0.01") and total - most <= document.gst - gst:
            part = most
        if net + part == document.taxable:
            part = total - (document.gst - gst)
        return part, total - part

    def _out_of_lot(self, document: Document, line: Line, note: Document) -> LotChange | None:
        """Out of the deposit that it charged, where so much is in it still: one without pieces has no money."""
        for charged in self._changes_by(document):
            if charged.pieces > 0 and charged.lot.item is line.item:
                pieces, amount = self.left_of(charged.lot)
                pieces, amount = pieces + line.quantity, amount + line.amount
                if pieces >= 0 and amount >= 0 and (pieces > 0 or amount == 0):
                    return LotChange(charged.lot, line.quantity, line.amount, note)
        return None

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
        owed = self.owed_by(customer) if shares is None else self._open(shares)
        closed = self._closed(payment, owed)
        settled = closed if closed and shares in (None, closed) else self._shares(payment, shares)
        self.payments.append(payment)
        rounding = payment.amount - sum((amount for _, amount in closed), ZERO) if settled is closed else ZERO
        for document, share in settled:
            is_last = (document, share) == settled[-1]
            self._settle(
                payment, document, share + rounding if is_last else share, today, rounding if is_last else ZERO
            )
        return payment

    def _closed(
        self, payment: Payment, owed: Sequence[tuple[Document | Payment, Decimal]]
    ) -> list[tuple[Document | Payment, Decimal]]:
        """What cash closes by being rounded, if it does."""
        total = ZERO
        for count, (what, amount) in enumerate(owed, start=1):
            if total >= payment.amount or (isinstance(what, Document) and amount != self.open_of(what)):
                break
            total += amount
            if self._rounding(payment, total) != 0:
                return list(owed[:count])
        return []

    def pays_document(
        self, document: Document, taker: Person, method: str, amount: Decimal | None = None, *, at: datetime
    ) -> Payment | None:
        """Money for one document: an invoice is paid, an open refund is set off, and what is left of it paid out."""
        today = day_of(at)
        is_open = self.open_of(document)
        if is_open == 0:
            raise Refused("already_paid")
        against = self._offsets(document) if is_open < 0 else {}
        is_open += sum(against.values(), ZERO)
        set_off = [Allocation(document, invoice, part, today) for invoice, part in against.items()]
        if is_open == 0 and amount is None:
            self.allocations += set_off
            return None
        if amount is None:
            amount = abs(self.in_coins(is_open) if method == "CASH" else is_open)
        signed = amount if is_open > 0 else -amount
        payment = Payment(document.customer, taker, method, signed, today, today, order=self._order(at))
        rounding = self._rounding(payment, is_open)
        if abs(signed - rounding) > abs(is_open):
            raise Refused("exceeds_outstanding")
        self.payments.append(payment)
        self.allocations += set_off
        self._settle(payment, document, signed, today, rounding)
        return payment

    def pays_goodwill(
        self, customer: Customer, payer: Person, method: str, amount: Decimal, *, at: datetime
    ) -> Payment:
        """Money that goes out though nothing is owed."""
        day, order = day_of(at), self._order(at)
        payment = Payment(customer, payer, method, -amount, day, day, is_goodwill=True, order=order)
        self.payments.append(payment)
        return payment

    def spends(self, payer: Person, amount: Decimal, *, at: datetime) -> None:
        """Petrol, from the own cash."""
        self.expenses.append(Expense(payer, amount, day_of(at), self._order(at)))

    def allocates(self, payment: Payment, shares: Sequence[Share] | None = None, *, at: datetime) -> None:
        """What is left of a payment settles something, from today on."""
        if payment.reverses is not None or self.is_reversed(payment):
            raise Refused("already_reversed")
        if self.credit_of(payment) <= 0:
            raise Refused("exceeds_credit")
        self._allocates(payment, self.owed_by(payment.customer) if shares is None else shares, shares, day_of(at))

    def _allocates(
        self,
        payment: Payment,
        owed: Sequence[tuple[Document | Payment, Decimal]],
        shares: Sequence[Share] | None,
        day: date,
    ) -> None:
        """Cash of which nothing was used yet is rounded as when it comes."""
        is_whole = self.credit_of(payment) == payment.amount
        closed = self._closed(payment, owed) if is_whole else []
        settled = closed if closed and shares in (None, closed) else self._shares(payment, shares)
        rounding = payment.amount - sum((amount for _, amount in closed), ZERO) if settled is closed else ZERO
        for count, (document, share) in enumerate(settled, start=1):
            last = rounding if count == len(settled) else ZERO
            self._settle(payment, document, share + last, day, last)

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
        others: list[Document | Payment] = [*self.documents, *self.payments]
        for other in others:
            if isinstance(other, Payment) and (other.reverses is not None or self.is_reversed(other)):
                continue
            settles, paid_out_of = self.settles(payment, other), ZERO
            if isinstance(other, Payment):
                paid_out_of = self.settles(other, payment)
            rounding = self.rounding_of(payment, other)
            if rounding != 0:
                itself = reversal if other is payment else other
                self.allocations.append(Allocation(reversal, itself, -rounding, today, is_rounding=True))
            if settles != 0:
                self.allocations.append(Allocation(reversal, other, -settles, today))
            if paid_out_of != 0:
                self.allocations.append(Allocation(other, reversal, -paid_out_of, today))
        self.payments.append(reversal)
        for payout in self.payments:
            if self.settles(payment, payout) != 0 and self._is_standing(payout):
                self._unrounds(payout, today)
        for document in self.documents:
            if document.total < 0 and self.settles(payment, document) != 0:
                self._cancels(document, today)
        return reversal

    def _unrounds(self, payout: Payment, today: date) -> None:
        """Once nothing that it paid out stands but for its rounding, all that was paid is owed."""
        rounding = self.rounding_of(payout, payout)
        paid_out = sum((self.settles(source, payout) for source in self.payments if self._is_standing(source)), ZERO)
        if rounding != 0 and paid_out <= abs(rounding):
            self.allocations.append(Allocation(payout, payout, -rounding, today, is_rounding=True))

    def _cancels(self, note: Document, today: date) -> None:
        """A refund that is paid out no more, and what voids it, settle each other.

        What has settled that meanwhile is credit again: roundings first, then the latest payments, then credit notes.
        """
        wanted = -self.open_of(note)
        for voiding in [document for document in self.documents if document.voids is note and wanted != 0]:
            payments = [payment for payment in reversed(self.payments) if self._is_standing(payment)]
            for payment in payments:
                rounding = self.rounding_of(payment, voiding)
                if rounding != 0 and self.open_of(voiding) < wanted:
                    self.allocations.append(Allocation(payment, voiding, -rounding, today, is_rounding=True))
            sources: list[Payment | Document] = [*payments, *reversed(self.documents)]
            for source in sources:
                part = min(self.settles(source, voiding), wanted - self.open_of(voiding))
                if part > 0 and source is not note:
                    self.allocations.append(Allocation(source, voiding, -part, today))
            self.allocations.append(Allocation(note, voiding, min(wanted, self.open_of(voiding)), today))

    def is_reversed(self, payment: Payment) -> bool:
        return any(other.reverses is payment for other in self.payments)

    def _shares(self, payment: Payment, shares: Sequence[Share] | None) -> Sequence[tuple[Document | Payment, Decimal]]:
        left = self.credit_of(payment)
        if shares is not None:
            if sum((share for _, share in shares), ZERO) > left:
                raise Refused("exceeds_credit")
            return self._open(shares)
        return self._spread([payment], self.owed_by(payment.customer))[payment]

    def _open(self, shares: Sequence[Share]) -> list[tuple[Document | Payment, Decimal]]:
        for document, share in shares:
            if share > self.open_of(document):
                raise Refused("exceeds_outstanding")
        return list(shares)

    def owed_by(self, customer: Customer) -> list[tuple[Document | Payment, Decimal]]:
        """Whoever sold: what was to be paid first comes first. Too much that was paid out is owed since that day."""
        owed: list[tuple[date, Document | Payment, Decimal]] = []
        for document in self.documents:
            if document.customer is customer and document.total > 0 and self.open_of(document) > 0:
                owed.append((document.due_on, document, self.open_of(document)))
        for payment in self.payments:
            if payment.customer is customer and self._is_standing(payment) and self.credit_of(payment) < 0:
                owed.append((payment.entered_on, payment, -self.credit_of(payment)))
        # Sorting keeps the order of recording among those of the same day.
        return [(what, amount) for _, what, amount in sorted(owed, key=lambda each: each[0])]

    def _is_standing(self, payment: Payment) -> bool:
        return payment.reverses is None and not self.is_reversed(payment)

    def _credits_of(self, customer: Customer) -> list[tuple[Payment | Document, Decimal]]:
        """Payments first, then credit notes, each the oldest first."""
        credits: list[tuple[Payment | Document, Decimal]] = []
        for payment in self.payments:
            if payment.customer is customer and payment.amount > 0 and self._is_standing(payment):
                credits.append((payment, self.credit_of(payment)))
        for document in self.documents:
            if document.customer is customer and document.total < 0:
                credits.append((document, -self.open_of(document)))
        return [(source, amount) for source, amount in credits if amount > 0]

    def _spread(
        self, sources: Sequence[Payment | Document], owed: Sequence[tuple[Document | Payment, Decimal]]
    ) -> dict[Payment | Document, list[tuple[Document | Payment, Decimal]]]:
        left = {
            source: self.credit_of(source) if isinstance(source, Payment) else -self.open_of(source)
            for source in sources
        }
        parts: dict[Payment | Document, list[tuple[Document | Payment, Decimal]]] = {source: [] for source in sources}
        for target, amount in owed:
            for source in sources:
                part = min(left[source], amount)
                if part > 0 and (isinstance(source, Payment) or isinstance(target, Document)):
                    parts[source].append((target, part))
                    left[source] -= part
                    amount -= part
        return parts

    def sets_off(self, customer: Customer, *, at: datetime) -> None:
        """All the customer's credit against what the customer owes."""
        done = False
        for source, _ in self._credits_of(customer):
            owed = self.owed_by(customer)
            if isinstance(source, Payment):
                done = done or bool(owed)
                self._allocates(source, owed, None, day_of(at))
            else:
                parts = self._spread([source], owed)
                done = done or any(parts.values())
                self._settles(parts, day_of(at))
        if not done:
            raise Refused("exceeds_credit")

    def pays_back(self, customer: Customer, payer: Person, method: str, amount: Decimal, *, at: datetime) -> Payment:
        """So much of what is left of payments and credit notes. The office pays back whatever was taken: first what
        came in the same way, then other money that is there: nothing is found at the bank here.

        What a refund is to be set off against isn't paid back: of those that are asked here nothing is.
        """
        day = day_of(at)
        payout = Payment(customer, payer, method, -amount, day, day, order=self._order(at))
        parts: list[Allocation] = []
        credits = [(source, most - self._to_set_off(source)) for source, most in self._credits_of(customer)]
        ways = [source.method if isinstance(source, Payment) else "" for source, _ in credits]
        same = [each for each, way in zip(credits, ways, strict=True) if way == method]
        sure = [each for each, way in zip(credits, ways, strict=True) if way == "CASH" != method]
        credits = [*same, *sure, *(each for each in credits if each not in same and each not in sure)]
        rounding = self._rounding(payout, -self.credit_to_pay_back(customer))
        left = amount + rounding
        for source, most in credits:
            part = min(left, most)
            if part > 0:
                left -= part
                is_note = isinstance(source, Document)
                parts.append(
                    Allocation(payout, source, -part, day) if is_note else Allocation(source, payout, part, day)
                )
        if left > 0:
            raise Refused("exceeds_credit")
        self.payments.append(payout)
        self.allocations += parts
        if rounding != 0:
            last = parts[-1].target
            if isinstance(last, Document):
                self._settle(payout, last, rounding, day, rounding)
            else:
                self.allocations.append(Allocation(payout, payout, -rounding, day, is_rounding=True))
        return payout

    def credit_to_pay_back(self, customer: Customer) -> Decimal:
        return sum((most - self._to_set_off(source) for source, most in self._credits_of(customer)), ZERO)

    def _to_set_off(self, source: Payment | Document) -> Decimal:
        return sum(self._offsets(source).values(), ZERO)

    def _offsets(self, source: Payment | Document) -> dict[Document, Decimal]:
        """Of a refund: what is open of the invoices that charged its deposits, up to what it refunds of them."""
        if isinstance(source, Payment):
            return {}
        most = -self.open_of(source)
        room = {document: self.open_of(document) for document in self.documents if document.total > 0}
        done = {document: self.settles(source, document) for document in room}
        against: dict[Document, Decimal] = {}
        for change in self._changes_by(source):
            left = -change.amount
            charged_by = [each.document for each in self.lot_changes if each.lot is change.lot and each.pieces > 0]
            charged_by = [document for document in charged_by if document in room]
            for document in charged_by:
                before = min(left, done[document])
                done[document] -= before
                left -= before
            for document in charged_by:
                part = max(min(left, room[document], most), ZERO)
                room[document] -= part
                left -= part
                most -= part
                against[document] = against.get(document, ZERO) + part
        return {document: amount for document, amount in against.items() if amount != 0}

    def settles(self, source: Payment | Document, document: Document | Payment) -> Decimal:
        """So much of a document, all in all; or of what was paid out."""
        amount = ZERO
        for allocation in self.allocations:
            if allocation.source is source and allocation.target is document and not allocation.is_rounding:
                amount += allocation.amount
        return amount

    def rounding_of(self, source: Payment, target: Document | Payment) -> Decimal:
        """So much of it is settled by what cash was rounded by."""
        amount = ZERO
        for allocation in self.allocations:
            if allocation.source is source and allocation.target is target and allocation.is_rounding:
                amount += allocation.amount
        return amount

    def rounded_away(self, payment: Payment, day: date | None = None) -> Decimal:
        """How much more came than was settled with it; of a day, or all in all."""
        amount = ZERO
        for allocation in self.allocations:
            if allocation.source is payment and allocation.is_rounding and day in (None, allocation.day):
                amount -= allocation.amount
        return amount

    def open_of(self, document: Document, by: date | None = None) -> Decimal:
        """What is to be paid of a document yet; negative: to be paid out. ``by`` a day: at its end."""
        amount = document.total
        for allocation in self.allocations:
            if by is None or allocation.day <= by:
                if allocation.target is document:
                    amount -= allocation.amount
                if allocation.source is document:
                    amount += allocation.amount
        return amount

    def credit_of(self, payment: Payment, by: date | None = None) -> Decimal:
        """What a payment settles nothing of, yet."""
        amount = ZERO if payment.is_goodwill else payment.amount
        for allocation in self.allocations:
            if by is None or allocation.day <= by:
                if allocation.source is payment and not allocation.is_rounding:
                    amount -= allocation.amount
                if allocation.target is payment:
                    amount += allocation.amount
        return amount

    # --- The end of the day -----------------------------------------------------------------------------

    def cash_in_bag(self, seller: Person, by: date | None = None) -> list[Payment | Expense]:
        """What the seller took, and spent, after the last bag that was handed in; ``by`` the end of a day: as it was known then.

        A bag is handed in when it is signed off.
        """
        handed_in = [each for each in self.day_ends if each.signed_at and (by is None or day_of(each.signed_at) <= by)]
        return [cash for cash in self._cash(seller, handed_in) if by is None or cash.entered_on <= by]

    def _cash(self, seller: Person, earlier: Sequence[DayEnd], until: Order | None = None) -> list[Payment | Expense]:
        handed_in = [day_end.order for day_end in earlier if day_end.seller is seller]
        rows: list[Payment | Expense] = [*self.payments, *self.expenses]
        return [
            cash
            for cash in rows
            if cash.taker is seller
            and cash.in_bag
            and (until is None or cash.order <= until)
            and all(cash.order > order for order in handed_in)
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
        cash_expected = sum((each.in_bag for each in bag), ZERO)
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
