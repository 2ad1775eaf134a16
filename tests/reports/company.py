"""A company whose days are told twice: to the project over HTTP, and to the model that its figures are held against."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import time_machine

from accounts.models import User
from foundation.access.capabilities import Role
from tests.conftest import client_for
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, MeteredCustomerFactory, UserFactory
from tests.model.books import Books, Credit, Tender
from tests.model.records import (
    SINGAPORE,
    Customer,
    DayEnd,
    Depot,
    Document,
    Item,
    Line,
    Payment,
    Person,
    Refused,
    Usage,
    day_of,
    to_the_cent,
)
from tests.types import Json

METER_RATE = Decimal("2.1500")
TAKEN: dict[str, Callable[[Decimal, Callable[[Decimal], Decimal]], Tender]] = {
    "cash": lambda due, in_coins: [("CASH", abs(in_coins(due)))],
    "card": lambda due, _: [("CARD", abs(due))],
    "cheque": lambda due, _: [("CHEQUE", abs(due))],
    "part": lambda due, _: [("CASH", to_the_cent(abs(due) / 3))],
    "both": lambda due, in_coins: [("CASH", abs(in_coins(due - due // 3))), ("PAYNOW", abs(due // 3))],
    "more": lambda due, _: [("PAYNOW", abs(due)), ("CASH", Decimal("17.03") if due > 0 else Decimal(0))],
}
"""What is taken of what is due, or paid out: without a sign."""
Lines = Sequence[tuple[str, str, int]]
"""Type, SKU, pieces."""


def moment(text: str) -> datetime:
    """``2026-01-05 23:59``, in Singapore."""
    return datetime.fromisoformat(text).replace(tzinfo=SINGAPORE)


def made[T](what: T | None) -> T:
    """It wasn't refused."""
    assert what is not None
    return what


class Company:
    """Two depots, two drivers with a vehicle and one on foot, a seller, an office. The clock is the caller's."""

    def __init__(self) -> None:
        self.books = Books()
        self._keys: dict[object, int] = {}
        self._sales: dict[Document, int] = {}
        self._users: dict[Person, User] = {}
        self._pushed = 0
        self.north, self.south = self._depot("NORTH"), self._depot("SOUTH")
        self.office = self._person("office", Role.ADMIN, None)
        self.supervisor = self._person("supervisor", Role.SUPERVISOR, self.north)
        self.ali = self._person("ali", Role.DRIVER, self.north, vehicle="GBA1A")
        self.ben = self._person("ben", Role.DRIVER, self.south, vehicle="GBB2B")
        self.cho = self._person("cho", Role.DRIVER, self.north)
        self.dee = self._person("dee", Role.SALES, None)
        self.drivers = [self.ali, self.ben, self.cho]
        self.people = [self.office, self.supervisor, *self.drivers, self.dee]
        self.items = {
            sku: self._item(sku, rate, deposit)
            for sku, rate, deposit in (("C14", "28.50", "60.00"), ("C09", "8.50", None), ("C50", "120.05", "200.00"))
        }
        self._rates = {"C14": "28.50", "C09": "8.50", "C50": "120.05"}
        self.customers = {
            code: self._customer(code, days, meter)
            for code, days, meter in (("CASH", 0, None), ("METER", 14, Decimal("100.00")), ("MONTH", 30, Decimal(0)))
        }
        self._meters = {"METER": Decimal("100.00"), "MONTH": Decimal(0)}

    # --- Who and what there is ---------------------------------------------------------------------------

    def _depot(self, code: str) -> Depot:
        row = DepotFactory(code=code, name=f"Depot {code}")
        return self._known(Depot(code, row.name), row.pk)

    def _person(self, username: str, role: Role, depot: Depot | None, vehicle: str = "") -> Person:
        depot_id = None if depot is None else self._keys[depot]
        user = UserFactory(
            username=username, last_name=username.title(), role=role, depot_id=depot_id, depot=None, vehicle_no=vehicle
        )
        person = Person(username, f"Tan {username.title()}", depot, vehicle, is_office=role == Role.ADMIN)
        self._users[person] = user
        return self._known(person, user.pk)

    def _item(self, sku: str, rate: str, deposit: str | None) -> Item:
        row = EquipmentFactory(sku=sku, name=f"Cylinder {sku}", default_rate=rate, deposit=deposit)
        deposits = [] if deposit is None else [(datetime.min.replace(tzinfo=SINGAPORE), Decimal(deposit))]
        return self._known(Item(sku, row.name, deposits), row.pk)

    def deposit_is(self, sku: str, deposit: str) -> None:
        """From now on."""
        url, client = f"/api/equipment/{self.pk(self.items[sku])}/", client_for(self._users[self.office])
        response = client.patch(url, {"deposit": deposit})
        if response.status_code == 409:
            seen = [{name: error[name] for name in ("code", "attr", "value")} for error in response.json()["errors"]]
            response = client.patch(url, {"deposit": deposit, "confirm": seen})
        assert response.status_code == 200, response.json()
        self.items[sku].deposits.append((self.now, Decimal(deposit)))

    def _customer(self, code: str, days: int, meter: Decimal | None) -> Customer:
        factory = CustomerFactory if meter is None else MeteredCustomerFactory
        metered = {} if meter is None else {"last_meter_reading": meter, "meter_rate": METER_RATE}
        row = factory(customer_code=code, name=f"Kopitiam {code}", payment_terms_days=days, **metered)
        customer = self._known(Customer(code, row.name, days), row.pk)
        self.books.customers.append(customer)
        return customer

    def _known[T](self, record: T, key: int) -> T:
        self._keys[record] = key
        return record

    def pk(self, record: object) -> int:
        return self._keys[record]

    def user(self, person: Person) -> User:
        return self._users[person]

    # --- Asking, and telling twice ------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return datetime.now(SINGAPORE)

    @contextmanager
    def at(self, text: str) -> Iterator[None]:
        """The clock stands at a Singapore moment."""
        with time_machine.travel(moment(text), tick=False):
            yield

    def get(self, url: str, by: Person | None = None, **asked: Any) -> Any:
        response = client_for(self._users[by or self.office]).get(f"/api/{url}", asked)
        assert response.status_code == 200, response.content
        return response.json() if response["Content-Type"].startswith("application/json") else response

    def _is_in_the_field(self, person: Person) -> bool:
        """There a refund is paid out in cash."""
        return person not in (self.office, self.supervisor)

    def _post(self, by: Person, url: str, body: Json) -> tuple[Any, list[str]]:
        """The answer, and the codes of its refusal.

        The same money once more is meant so, and money that nobody has found at the bank is paid back all the same.
        """
        response = client_for(self._users[by]).post(f"/api/{url}", body)
        answer = response.json()
        if response.status_code in (200, 201):
            return answer, []
        assert response.status_code == 409, answer
        codes = [error["code"] for error in answer["errors"]]
        if {"payment_repeated", "money_not_found"} & {*codes}:
            said = [{name: error[name] for name in ("code", "attr", "value")} for error in answer["errors"]]
            return self._post(by, url, {**body, "confirm": [*body.get("confirm", ()), *said]})
        return answer, codes

    @staticmethod
    def _both[T](told: Callable[[], T], refusals: list[str]) -> T | None:
        """The model takes what the project took, and refuses what it refused, for the same reason."""
        refused: list[str] = []
        made = None
        try:
            made = told()
        except Refused as refusal:
            refused = list(refusal.args)
        assert refusals == refused
        return made

    # --- Sales -----------------------------------------------------------------------------------------------

    def sells(
        self,
        seller: Person,
        customer: str,
        lines: Lines = (),
        *,
        usage: str | None = None,
        paid: bool = False,
        taken: str = "",
        happened: datetime | None = None,
        comes_back: str = "EMPTY",
    ) -> Document | None:
        """A sale; one that ``happened`` earlier is pushed by the phone now. ``taken``: a way in `TAKEN`."""
        buyer = self.customers[customer]
        at = self.now
        body: Json = {
            "customer": self.pk(buyer),
            "payment_received": paid,
            "items": [
                {"equipment": self.pk(self.items[sku]), "type": kind, "quantity": pieces}
                | ({"condition": comes_back} if kind == "RETURN" else {})
                for kind, sku, pieces in lines
            ],
        }
        if usage is not None:
            body["current_meter"] = str(self._reading_of(customer) + Decimal(usage))
        used = None if usage is None else Usage(Decimal(usage), METER_RATE)
        priced = [
            Line(kind, self.items[sku], pieces, self._price_of(kind, sku, happened or at), comes_back)
            for kind, sku, pieces in lines
        ]
        tender: Tender = ()
        if taken:
            due = self._due(seller, buyer, priced, used, at=at, happened=happened)
            tender = [(method, amount) for method, amount in TAKEN[taken](due, self.books.in_coins) if amount > 0]
            if due < 0 and happened is None and self._is_in_the_field(seller):
                tender = [(method, amount) for method, amount in tender if method == "CASH"]
            body["tender"] = [{"method": method, "amount": str(amount)} for method, amount in tender]
            more = sum((amount for _, amount in tender), Decimal(0))
            if happened is None and taken == "more":
                body["confirm"] = [{"code": "tender_exceeds_due", "attr": "tender", "value": str(more)}]
        if happened is None:
            answer, refusals = self._post(seller, "transactions/", body)
            if not refusals:
                answer = {
                    "id": answer["transaction"]["id"],
                    "invoice": answer["invoice"]["id"],
                    "invoice_number": answer["invoice"]["invoice_number"],
                }
        else:
            answer = self._push(seller, body, happened)
            refusals = [error["code"] for error in answer["errors"]]
        document = self._both(
            lambda: self.books.sells(seller, buyer, priced, used, at=at, paid=paid, tender=tender, happened=happened),
            refusals,
        )
        if document is not None:
            assert document.number == answer["invoice_number"]
            self._keys[document], self._sales[document] = answer["invoice"], answer["id"]
            latest, *_ = self.get("invoices/", ordering="-id", page_size=1)["results"]
            assert latest["invoice_number"] == (document.refund or document).number
            if document.refund is not None:
                self._keys[document.refund], self._sales[document.refund] = latest["id"], latest["transaction"]
        return document

    def _due(
        self,
        seller: Person,
        buyer: Customer,
        lines: list[Line],
        used: Usage | None,
        *,
        at: datetime,
        happened: datetime | None,
    ) -> Decimal:
        """What such a sale would come to, by a copy of the books; nothing where they refuse it."""
        books, seller, buyer, lines, used = deepcopy((self.books, seller, buyer, lines, used))
        try:
            sale = books.sells(seller, buyer, lines, used, at=at, tender=[("CARD", Decimal(0))], happened=happened)
        except Refused:
            return Decimal(0)
        return sum((books.open_of(document) for document in (sale, sale.refund) if document), Decimal(0))

    def _push(self, seller: Person, body: Json, happened: datetime) -> Json:
        self._pushed += 1
        operation = {
            "type": "transaction.create",
            "client_temp_id": f"phone-{self._pushed}",
            "occurred_at": happened.isoformat(),
            "data": body,
        }
        result = self._pushes(seller, operation)
        asked = [{name: error.get(name) for name in ("code", "attr", "value")} for error in result["errors"]]
        if [question["code"] for question in asked] == ["reading_before_last"]:
            self._office_confirms(asked)
            result = self._pushes(seller, operation)
        return result

    def _pushes(self, seller: Person, operation: Json) -> Json:
        answer, refusals = self._post(seller, "sync/push/", {"operations": [operation]})
        assert refusals == []
        result: Json = answer["results"][0]
        return result

    def _office_confirms(self, asked: list[Json]) -> None:
        """The latest of what waits: a late reading knows nothing of those that were taken since."""
        [waiting] = self.get("sync/conflicts/", status="OPEN", ordering="-id", page_size=1)["results"]
        _, refusals = self._post(self.office, f"sync/conflicts/{waiting['id']}/retry/", {"confirm": asked})
        assert refusals == []

    def _price_of(self, kind: str, sku: str, when: datetime) -> Decimal:
        if kind == "RETURN":
            return Decimal(0)  # the books know
        return self.items[sku].deposit_at(when) if kind == "DEPOSIT" else Decimal(self._rates[sku])

    def _reading_of(self, customer: str) -> Decimal:
        """Where the meter began, and what it moved by all that stands."""
        used = [d.usage.units for d in self.books.documents if d.customer.code == customer and d.usage is not None]
        return self._meters[customer] + sum(used, Decimal(0))

    def credits(self, document: Document, wanted: Sequence[Credit]) -> Document | None:
        """Lines are numbered as they were printed: those of the model are told in another order."""
        at = self.now
        printed = self.get(f"transactions/{self._sales[document]}/")["items"]
        numbers = self._numbers_of(document, printed)
        lines = [
            {
                "line": numbers[credit.line],
                **({"amount": str(credit.amount)} if credit.pieces is None else {"quantity": credit.pieces}),
                "amount_includes_gst": credit.with_gst,
                "return_stock": credit.comes_back,
            }
            for credit in wanted
        ]
        url = f"invoices/{self._keys[document]}/credit/"
        answer, refusals = self._post(self.office, url, {"reason": "Too much", "lines": lines})
        note = self._both(lambda: self.books.credits(document, wanted, at=at), refusals)
        if note is not None:
            assert note.number == answer["invoice"]["invoice_number"]
            assert (str(note.total), str(note.gst)) == (
                answer["invoice"]["total_amount"],
                answer["invoice"]["gst_amount"],
            )
            self._keys[note], self._sales[note] = answer["invoice"]["id"], answer["transaction"]["id"]
        return note

    def _numbers_of(self, document: Document, printed: Sequence[Json]) -> dict[int, int]:
        """Of the model's lines, and of the usage behind them. What comes back can't be credited."""
        free = list(enumerate(printed, start=1))
        numbers = {len(document.lines): len(printed) + 1}
        for index, line in enumerate(document.lines):
            if line.type != "RETURN":
                said = (line.type, self.pk(line.item), line.amount)
                number = next(
                    number
                    for number, each in free
                    if (each["type"], each["equipment"], Decimal(each["amount"])) == said
                )
                free = [each for each in free if each[0] != number]
                numbers[index] = number
        return numbers

    def voids(self, document: Document, *, goods_come_back: bool = True) -> Document | None:
        at = self.now
        body = {"reason": "Wrong", "return_stock": goods_come_back}
        answer, refusals = self._post(self.office, f"transactions/{self._sales[document]}/void/", body)
        note = self._both(lambda: self.books.voids(document, at=at, goods_come_back=goods_come_back), refusals)
        if note is not None:
            assert note.number == answer["invoice"]["invoice_number"]
            self._keys[note], self._sales[note] = answer["invoice"]["id"], answer["transaction"]["id"]
        return note

    # --- Money -----------------------------------------------------------------------------------------------

    def pays(
        self,
        customer: str,
        amount: str,
        *,
        to: Person | None = None,
        method: str = "PAYNOW",
        received_on: date | None = None,
        shares: Sequence[tuple[Document, str]] | None = None,
    ) -> Payment | None:
        payer, taker, at = self.customers[customer], to or self.office, self.now
        body: Json = {"customer": self.pk(payer), "method": method, "amount": amount}
        if received_on is not None:
            body["received_on"] = received_on.isoformat()
        if shares is not None:
            body["allocations"] = [{"invoice": self.pk(document), "amount": share} for document, share in shares]
        chosen = None if shares is None else [(document, Decimal(share)) for document, share in shares]
        answer, refusals = self._post(taker, "payments/", body)
        payment = self._both(
            lambda: self.books.pays(
                payer, taker, method, Decimal(amount), at=at, received_on=received_on, shares=chosen
            ),
            refusals,
        )
        return payment and self._known(payment, answer["id"])

    def pays_document(
        self, document: Document, amount: str | None = None, *, to: Person | None = None, method: str = "CASH"
    ) -> Payment | None:
        taker, at = to or self.office, self.now
        if self.books.open_of(document) < 0 and self._is_in_the_field(taker):
            method = "CASH"
        body = {"method": method} | ({} if amount is None else {"amount": amount})
        _, refusals = self._post(taker, f"invoices/{self.pk(document)}/pay/", body)
        exactly = None if amount is None else Decimal(amount)
        return self._both(lambda: self.books.pays_document(document, taker, method, exactly, at=at), refusals)

    def pays_goodwill(self, customer: str, amount: str, *, by: Person | None = None, method: str = "CASH") -> Payment:
        receiver, payer, at = self.customers[customer], by or self.office, self.now
        body = {"amount": amount, "method": method, "reason": "Kept it for years"}
        answer, refusals = self._post(payer, f"customers/{self.pk(receiver)}/goodwill-refunds/", body)
        assert refusals == []
        payment = self.books.pays_goodwill(receiver, payer, method, Decimal(amount), at=at)
        return self._known(payment, answer["id"])

    def spends(self, payer: Person, amount: str) -> None:
        at = self.now
        _, refusals = self._post(payer, "expenses/", {"amount": amount, "reason": "Petrol"})
        assert refusals == []
        self.books.spends(payer, Decimal(amount), at=at)

    def pays_back(
        self, customer: str, amount: str, *, by: Person | None = None, method: str = "CASH"
    ) -> Payment | None:
        receiver, payer, at = self.customers[customer], by or self.office, self.now
        body = {"customer": self.pk(receiver), "amount": amount, "method": method}
        answer, refusals = self._post(payer, "payouts/", body)
        payout = self._both(lambda: self.books.pays_back(receiver, payer, method, Decimal(amount), at=at), refusals)
        return payout and self._known(payout, answer["id"])

    def sets_off(self, customer: str) -> None:
        owing, at = self.customers[customer], self.now
        _, refusals = self._post(self.office, "set-offs/", {"customer": self.pk(owing)})
        self._both(lambda: self.books.sets_off(owing, at=at), refusals)

    def allocates(self, payment: Payment, shares: Sequence[tuple[Document, str]] | None = None) -> None:
        at = self.now
        body = (
            {}
            if shares is None
            else {"allocations": [{"invoice": self.pk(document), "amount": share} for document, share in shares]}
        )
        chosen = None if shares is None else [(document, Decimal(share)) for document, share in shares]
        _, refusals = self._post(self.office, f"payments/{self._receipt(payment)}/allocate/", body)
        self._both(lambda: self.books.allocates(payment, chosen, at=at), refusals)

    def reverses(self, payment: Payment) -> Payment | None:
        at = self.now
        _, refusals = self._post(self.office, f"payments/{self._receipt(payment)}/reverse/", {"reason": "Bounced"})
        return self._both(lambda: self.books.reverses(payment, at=at), refusals)

    def _receipt(self, payment: Payment) -> int:
        if payment not in self._keys:
            self.learns_receipts()
        return self.pk(payment)

    def learns_receipts(self) -> list[Any]:
        """Tells the model the numbers of the receipts; answers the payments, in the order in which they came."""
        told: list[Any] = []
        page = 1
        while len(told) < len(self.books.payments):
            told += self.get("payments/", ordering="id", page=page, page_size=200)["results"]
            page += 1
        for payment, row in zip(self.books.payments, told, strict=True):
            payment.number = row["payment_number"]
            self._keys[payment] = row["id"]
        return told

    # --- Stock -----------------------------------------------------------------------------------------------

    def loads(self, driver: Person, items: Sequence[tuple[str, str, str, int]]) -> None:
        """OUT or IN, SKU, condition, pieces; at the driver's own depot."""
        at, depot = self.now, driver.depot or self.north
        lines = [
            {"equipment": self.pk(self.items[sku]), "direction": direction, "condition": condition, "quantity": pieces}
            for direction, sku, condition, pieces in items
        ]
        draft, refusals = self._post(driver, "distributions/", {"depot": self.pk(depot), "items": lines})
        confirm = "" if refusals else f"distributions/{draft['id']}/confirm/"
        if confirm:
            _, refusals = self._post(driver, confirm, {})
        moved = [(direction, self.items[sku], condition, pieces) for direction, sku, condition, pieces in items]
        self._both(lambda: self.books.loads_vehicle(driver, depot, moved, at=at), refusals)
        if not refusals:
            assert self._post(driver, confirm, {})[1] == ["already_confirmed"]

    def gives_up_load(self, driver: Person, sku: str) -> None:
        """A load that was drafted only: nothing moves, and nothing can any more."""
        line = {"equipment": self.pk(self.items[sku]), "direction": "OUT", "condition": "FULL", "quantity": 1}
        draft, _ = self._post(driver, "distributions/", {"depot": self.pk(driver.depot), "items": [line]})
        for step, refused in (("cancel", []), ("confirm", ["distribution_cancelled"])):
            assert self._post(driver, f"distributions/{draft['id']}/{step}/", {})[1] == refused

    def works(self, kind: str, depot: Depot, items: Sequence[tuple[str, str, int]]) -> None:
        """SKU, condition, pieces. A transfer goes to the other depot."""
        at = self.now
        target = (self.south if depot is self.north else self.north) if kind == "TRANSFER" else None
        body = {
            "kind": kind,
            "depot": self.pk(depot),
            "reason": "Work",
            "items": [
                {"equipment": self.pk(self.items[sku]), "condition": condition, "quantity": pieces}
                for sku, condition, pieces in items
            ],
        }
        _, refusals = self._post(self.office, "depot-work/", body | ({"to_depot": self.pk(target)} if target else {}))
        moved = [(self.items[sku], condition, pieces) for sku, condition, pieces in items]
        self._both(lambda: self.books.works(kind, depot, moved, at=at, to_depot=target), refusals)

    def counts(self, where: Depot | Person | Customer, sku: str, pieces: int, condition: str = "FULL") -> None:
        at = self.now
        if isinstance(where, Person):
            entity, key = "vehicle", where.vehicle
        else:
            entity, key = ("depot" if isinstance(where, Depot) else "customer"), str(self.pk(where))
        body = {
            "entity": entity,
            "entity_id": key,
            "equipment_id": self.pk(self.items[sku]),
            "condition": condition,
            "quantity": pieces,
            "reason": "Counted",
        }
        _, refusals = self._post(self.office, "inventories/update-inventory/", body)
        self._both(lambda: self.books.counts(where.place, self.items[sku], condition, pieces, at=at), refusals)

    def takes_stock(self, depot: Depot, counted: Sequence[tuple[str, str, int]]) -> None:
        at = self.now
        items = [
            {"equipment": self.pk(self.items[sku]), "condition": condition, "quantity": pieces}
            for sku, condition, pieces in counted
        ]
        body = {"depot": self.pk(depot), "reason": "Stock-take", "items": items}
        _, refusals = self._post(self.office, "depot-work/stock-take/", body)
        assert refusals == []
        for sku, condition, pieces in counted:
            self.books.counts(depot.place, self.items[sku], condition, pieces, at=at)

    # --- The end of the day ---------------------------------------------------------------------------------

    def counts_day(
        self, seller: Person, cash: str, counted: Sequence[tuple[str, str, int]] = ()
    ) -> tuple[DayEnd, Any] | None:
        """What was counted, as the model keeps it and as the project tells the office."""
        at = self.now
        counts = [
            {"equipment": self.pk(self.items[sku]), "condition": condition, "quantity": pieces}
            for sku, condition, pieces in counted
        ]
        answer, refusals = self._post(seller, "settlements/", {"cash": cash, "counts": counts})
        found = {(self.items[sku], condition): pieces for sku, condition, pieces in counted}
        day_end = self._both(
            lambda: self.books.counts_day(seller, Decimal(cash), found, list(self.items.values()), at=at), refusals
        )
        if day_end is None:
            return None
        known = self._known(day_end, answer["id"])
        return known, self.get(f"settlements/{answer['id']}/")

    def signs_off(self, day_end: DayEnd) -> None:
        at = self.now
        _, refusals = self._post(self.office, f"settlements/{self.pk(day_end)}/sign-off/", {})
        self._both(lambda: self.books.signs_off(day_end, at=at), refusals)

    def rejects(self, day_end: DayEnd) -> None:
        _, refusals = self._post(self.office, f"settlements/{self.pk(day_end)}/reject/", {"remarks": "Again"})
        self._both(lambda: self.books.rejects(day_end), refusals)

    def changes_vehicle(self, driver: Person, vehicle: str) -> None:
        response = client_for(self._users[self.office]).patch(
            f"/api/accounts/users/{self.pk(driver)}/", {"vehicle_no": vehicle}
        )
        assert response.status_code == 200, response.json()
        self._users[driver].refresh_from_db()
        driver.changes_to(vehicle, self.now)

    @property
    def today(self) -> date:
        return day_of(self.now)
