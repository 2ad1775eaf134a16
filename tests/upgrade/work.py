"""A day's work at the demo business, and how it goes on the next morning.

Every kind of operation that an app may send again, what is done to it afterwards, and what is left undecided. A
release that can more adds to it here, and its dump has that too.
"""

import datetime
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from tests.types import Json
from tests.upgrade.day import Day

USERS = ("admin", "supervisor", "depot", "sales", "driver1", "driver2", "driver3")


def work(day: Day) -> Json:
    """From the log-in of the morning to the count of the evening; answers what is left for the next morning."""
    refresh = {user: day.log_in(user) for user in USERS}
    day.ask("", "POST", "token/", {"username": "driver4", "password": "a guess"})
    day.ask("", "POST", "token/refresh/", {"refresh": refresh["driver1"]})
    day.ask("", "POST", "token/blacklist/", {"refresh": refresh["sales"]})
    equipment, depots, customers = (
        day.rows("equipment", "sku"),
        day.rows("depots", "code"),
        day.rows("customers", "name"),
    )
    it = SimpleNamespace(
        c9=equipment["CYL-9-POL"],
        c12=equipment["CYL-12.7-POL"],
        c14=equipment["CYL-14-POL"],
        c50=equipment["CYL-50-POL"],
        liquid=equipment["CYL-50-L"],
        regulator=equipment["REG-LP"],
        service=equipment["REG-HP"],
        home=depots["HSH KB"],
        tuas=depots["SINGGAS"],
        chicken=customers["Ah Hock Chicken Rice"],
        kopitiam=customers["Kopitiam Tian Hock"],
        wok=customers["Golden Wok Zi Char 金镬煮炒"],
        bakery=customers["Hup Lee Bakery Pte. Ltd."],
        laundry=customers["Eastwood Laundry Services Pte. Ltd."],
        dim_sum=customers["Mei Fong Dim Sum 美芳点心"],
        seafood=customers["Pasir Panjang Seafood Village"],
        noodles=customers["Nanyang Noodle Manufacturing"],
        goh=customers["Mdm Goh Siew Lan"],
        cafe=customers["Haji Lane Café"],
    )
    day.clock = "08:05"
    day.work_off_the_mail()  # of the days before
    left: Json = {}
    for clock, part in (
        ("08:10", _loads),
        ("08:30", _depot_work),
        ("09:00", _master_data),
        ("10:00", _sales),
        ("11:00", _money),
        ("12:00", _emails),
        ("15:00", _phones),
        ("16:00", _decisions),
        ("17:30", _counts),
        ("18:30", _evening),
    ):
        day.clock = clock
        left |= part(day, it) or {}
    return left


def next_morning(left: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """How the work goes on with what was left: (user, path, body) of each POST."""
    for conflict in left["conflicts"]:
        yield "supervisor", f"sync/conflicts/{conflict}/retry/", {}
        yield "supervisor", f"sync/conflicts/{conflict}/dismiss/", {"reason": "Nobody knows what it was"}
    yield "driver3", f"distributions/{left['draft']}/confirm/", {}
    yield "supervisor", f"settlements/{left['count']}/sign-off/", {}
    yield "admin", f"payments/{left['payment']}/reverse/", {"reason": "Sent back"}
    yield "admin", f"transactions/{left['sale']}/void/", {"reason": "Delivered next door"}
    yield "admin", f"transactions/{left['metered']}/void/", {"reason": "Read next door"}
    yield "driver1", f"invoices/{left['unpaid']}/pay/", {}
    yield "driver1", f"invoices/{left['unpaid']}/email/", {"to": "again@bakery.example"}


def line(equipment: int, type: str, quantity: Any = 1, **more: Any) -> Json:
    return {"equipment": equipment, "type": type, "quantity": quantity, **more}


def load(equipment: int, quantity: int, direction: str = "OUT", condition: str = "FULL") -> Json:
    return {"equipment": equipment, "direction": direction, "condition": condition, "quantity": quantity}


def stock(equipment: int, condition: str, quantity: int) -> Json:
    return {"equipment": equipment, "condition": condition, "quantity": quantity}


def days_later(day: Day, days: int) -> str:
    return str(datetime.date.fromisoformat(day.date) + datetime.timedelta(days=days))


def _loads(day: Day, it: Any) -> Json:
    onto = [load(it.c14, 20), load(it.c12, 6)]
    first = day.post("driver1", "distributions/", depot=it.home, items=onto, remarks="Lane 3", client_temp_id="load-1",
                     occurred_at=day.moment("08:07"))  # fmt: skip
    day.post("driver1", f"distributions/{first['id']}/confirm/", status=200)
    mistaken = day.post("driver2", "distributions/", depot=it.home, items=[load(it.c9, 30)], client_temp_id="load-1")
    day.post("driver2", f"distributions/{mistaken['id']}/cancel/", status=200)
    old = "distributions/create_distribution/"
    day.post("driver2", old, depot=it.home, items=[load(it.c9, 3)], client_temp_id="an old app's")
    day.post("supervisor", "distributions/", depot=it.home, items=[load(it.regulator, 2, "IN", "EMPTY")])
    waiting = day.post(
        "driver3", "distributions/", depot=it.tuas, items=[load(it.c50, 4)], client_temp_id="Größe 50 · 四桶"
    )
    return {"draft": waiting["id"], "cancelled": mistaken["id"]}


def _depot_work(day: Day, it: Any) -> None:
    for number, (user, kind, reason, items, more) in enumerate(
        (
            ("depot", "GOODS_IN", "Delivery", [stock(it.c14, "FULL", 30), stock(it.c50, "EMPTY", 5)], {
                "reference": "DO-20355", "occurred_at": day.moment("08:20")}),
            ("depot", "DAMAGE", "Valve bent", [stock(it.c12, "FULL", 2)], {}),
            ("depot", "TRANSFER", "They are short", [stock(it.c12, "FULL", 10)], {"to_depot": it.tuas}),
            ("depot", "REFILL", "Back from the plant", [stock(it.c50, "EMPTY", 4)], {"reference": "PLT-7781"}),
            ("supervisor", "SCRAP", "Rusted through", [stock(it.c12, "DAMAGED", 1)], {}),
        ), start=1
    ):  # fmt: skip
        work = {"kind": kind, "depot": it.home, "reason": reason, "items": items, **more}
        day.post(user, "depot-work/", work, client_temp_id=f"w{number}")
    day.post(
        "depot", "depot-work/", kind="GOODS_IN", depot=it.home, reason="Found", items=[stock(it.regulator, "FULL", 5)]
    )
    counted = [stock(it.regulator, "FULL", 38), stock(it.c9, "FULL", 50), stock(it.c50, "EMPTY", 1)]
    day.post(
        "supervisor", "depot-work/stock-take/", depot=it.home, reason="Shelf B", items=counted, client_temp_id="w6"
    )
    for user, entity, entity_id, equipment, quantity in (
        ("supervisor", "depot", str(it.home), it.service, 11),
        ("admin", "vehicle", "GBH7702X", it.c14, 6),
        ("supervisor", "customer", str(it.goh), it.c9, 2),
    ):
        count = {"equipment_id": equipment, "condition": "FULL", "quantity": quantity, "reason": "Recounted"}
        day.post(user, "inventories/update-inventory/", count, entity=entity, entity_id=entity_id, status=200)
    day.fill_in("/admin/inventory/reorderlevel/add/", {"depot": it.home, "equipment": it.c14, "quantity": 80})


def _master_data(day: Day, it: Any) -> Json:
    def pull(user: str) -> str:
        cursor: str = day.ask(user, "GET", "sync/pull/?page_size=2000").json()["cursor"]
        return cursor

    cursor = pull("driver1")
    day.send("admin", "PATCH", f"customers/{it.kopitiam}/", {"phone": "+65 6745 0011"}, status=200)
    day.send("admin", "PATCH", f"depots/{it.tuas}/", {"name": "SINGGAS Tuas South"}, status=200)
    pull("driver2")  # what changed up to here has its number; what changes from here on only its note
    day.post("admin", "customers/", name="Kedai Kopi Baru", address="Blk 7 Bedok South #01-01", postal_code="460007")
    day.send("admin", "DELETE", f"customers/{it.cafe}/", status=200)
    rate = {"equipment": it.c14, "rate": "37.25", "valid_from": days_later(day, 40)}
    day.post("admin", f"customers/{it.chicken}/rates/", rate)
    day.send("admin", "PATCH", f"equipment/{it.regulator}/", {"default_rate": "29.00"}, status=200)
    old = day.post(
        "admin", "equipment/", sku="CYL-6", name="6 kg cylinder", equipment_type="CYLINDER", weight_kg="6.00"
    )
    day.send("admin", "DELETE", f"equipment/{old['id']}/", status=200)
    shed = day.post("admin", "depots/", code="SHED", name="A shed", address="1 Tuas Link")
    day.send("admin", "DELETE", f"depots/{shed['id']}/", status=200)
    day.post("admin", "gst-rates/", rate="9.00", valid_from=days_later(day, 60))
    new = {"username": "driver5", "role": "DRIVER", "depot": it.home, "vehicle_no": "GBN 11 C"}
    five = day.post("admin", "accounts/users/", new, password="five lorries of gas")["id"]
    day.send("admin", "PATCH", f"accounts/users/{five}/", {"first_name": "Ong"}, status=200)
    day.post("admin", f"accounts/users/{five}/set-password/", password="six lorries of gas", status=204)
    day.send("admin", "DELETE", f"accounts/users/{five}/", status=200)
    day.import_rows(
        "customers", "name,address,payment_type,payment_terms_days\nGoodwood Grill,22 Scotts Road,CREDIT,30\n"
    )
    code = day.ask("admin", "GET", f"customers/{it.dim_sum}/").json()["customer_code"]
    day.import_rows("rates", f"customer_code,sku,valid_from,rate\n{code},CYL-14-POL,{day.date},36.10\n")
    return {"cursor": cursor}


def _sales(day: Day, it: Any) -> Json:
    """Every kind of line, meters, cash and credit."""
    post, moment = day.post, day.moment
    post("driver1", "transactions/", _first_sale(day, it), client_temp_id="s1", occurred_at=moment("09:40"))
    post("driver1", "transactions/", customer=it.chicken, client_temp_id="s2", occurred_at=moment("09:50"),
         items=[line(it.c14, "RETURN", 1, condition="DAMAGED")])  # fmt: skip
    # Another id than the one before: they are compared byte for byte.
    post("driver1", "transactions/", customer=it.bakery, client_temp_id="S2", current_meter="48900.75", occurred_at=moment("09:55"),
         remarks="Gate 2\nask for Mr Lee", items=[line(it.liquid, "REFILL", 2), line(it.service, "SERVICE", rate="35.00")])  # fmt: skip
    metered = post("driver1", "transactions/", customer=it.laundry, client_temp_id="s3", current_meter="103001.00")
    post(
        "driver1",
        "transactions/create_transaction/",
        customer=it.wok,
        client_temp_id="s4",
        items=[line(it.c14, "SWAP", 2)],
    )
    unnamed = post("driver1", "transactions/", customer=it.kopitiam, items=[line(it.c50, "SWAP", 1)])
    post("sales", "transactions/", customer=it.dim_sum, client_temp_id="s1", items=[line(it.c14, "SALE", 2)])
    post("supervisor", "transactions/", customer=it.goh, client_temp_id="s1", payment_received=True,
         items=[line(it.service, "SERVICE", 1, rate="20.00"), line(it.service, "SERVICE", 2, rate="12.50")])  # fmt: skip
    paid = post(
        "driver2",
        "transactions/",
        customer=it.goh,
        client_temp_id="s1",
        payment_received=True,
        items=[line(it.c9, "SALE")],
    )
    lost = post("driver2", "transactions/", customer=it.noodles, client_temp_id="s2", current_meter="88600.00",
                items=[line(it.c12, "SWAP")])  # fmt: skip
    standing = post(
        "driver2", "transactions/", customer=it.seafood, client_temp_id="s3", items=[line(it.c50, "SWAP", 2)]
    )
    # A refusal that isn't kept: it may happen later.
    post(
        "driver1",
        "transactions/",
        customer=it.chicken,
        client_temp_id="s9",
        items=[line(it.c14, "SALE", 500)],
        status=409,
    )
    day.clock = "10:30"
    post("supervisor", f"transactions/{paid['transaction']['id']}/void/", reason="Entered for the wrong stall")
    post("supervisor", f"transactions/{lost['transaction']['id']}/void/", reason="Not found again", return_stock=False)
    post("supervisor", f"customers/{it.noodles}/replace-meter/", final_reading="88500.00", new_meter_number="M-900001",
         first_reading="0.00", reason="Worn out", client_temp_id="m1")  # fmt: skip
    post("supervisor", f"customers/{it.seafood}/replace-meter/", final_reading="23400.00", new_meter_number="M-900002",
         first_reading="1.50", occurred_at=moment("10:20"), client_temp_id="m2")  # fmt: skip
    it.unnamed, it.metered = unnamed["invoice"]["id"], metered["invoice"]["id"]
    return {"sale": standing["transaction"]["id"], "metered": metered["transaction"]["id"]}


def _first_sale(day: Day, it: Any) -> Json:
    items = [line(it.c14, "SALE", 2, rate="36.00"), line(it.c14, "DEPOSIT", 2), line(it.c14, "SWAP")]
    return {"customer": it.chicken, "payment_received": True, "items": items}


def _money(day: Day, it: Any) -> Json:
    post = day.post
    post("driver1", f"invoices/{it.unnamed}/pay/", amount="50.00", method="PAYNOW", reference="PN-1", status=200)
    post("driver1", f"invoices/{it.unnamed}/pay/", status=200)
    post("admin", "payments/", customer=it.bakery, method="CHEQUE", amount="100.00", reference="CHQ 7", received_on=day.date,
         client_temp_id="p1")  # fmt: skip
    bounced = post("admin", "payments/", customer=it.laundry, method="BANK_TRANSFER", amount="200.00",
                   allocations=[{"invoice": it.metered, "amount": "150.00"}], client_temp_id="p2")  # fmt: skip
    ahead = post(
        "admin", "payments/", customer=it.wok, method="PAYNOW", amount="900.00", allocations=[], client_temp_id="p3"
    )
    post("admin", f"payments/{ahead['id']}/allocate/", status=200)
    post("admin", f"payments/{bounced['id']}/reverse/", reason="Returned by the bank")
    post("driver1", f"invoices/{it.metered}/print/", status=200)
    return {"payment": ahead["id"]}


def _emails(day: Day, it: Any) -> None:
    """In every state that they can be in; the last ones of the evening stay in the queue."""
    day.work_off_the_mail()
    for address in ("nobody@refuses.example", "accounts@waits.example"):
        day.post("driver1", f"invoices/{it.unnamed}/email/", to=address, status=202)
    day.work_off_the_mail()
    day.post("driver1", f"invoices/{it.unnamed}/email/", to="kitchen@hangs.example", status=202)
    day.kill_a_worker()
    day.seal()


def _phones(day: Day, it: Any) -> None:
    """They come back into the network."""

    def sent(type: str, client_temp_id: str, clock: str, **data: Any) -> Json:
        return {"type": type, "client_temp_id": client_temp_id, "occurred_at": day.moment(clock), "data": data}

    def sale(client_temp_id: str, clock: str, customer: int, *items: Json, **more: Any) -> Json:
        return sent("transaction.create", client_temp_id, clock, customer=customer, items=list(items), **more)

    def push(user: str, *operations: object) -> list[Json]:
        results: list[Json] = day.post(user, "sync/push/", operations=operations, status=200)["results"]
        return results

    swap, many = (
        sale("t1", "13:30", it.dim_sum, line(it.c12, "SWAP", 2)),
        sale("t3", "14:00", it.kopitiam, line(it.c50, "SALE", 40)),
    )
    results = push(
        "driver2",
        sent(
            "distribution.create",
            "d1",
            "13:00",
            depot=it.home,
            items=[load(it.c12, 5), load(it.c9, 2)],
            remarks="Phone",
        ),
        sent("distribution.confirm", "d2", "13:05", distribution="d1"),
        swap,
        sale("t2", "13:40", it.goh, line(it.c9, "SALE", rate="27.00"), payment_received=True),
        # From here on refused, and kept.
        sale("s3", "13:45", it.seafood, line(it.c50, "SWAP", 2)),  # an id of the morning
        many,
        sale("t4", "14:05", it.kopitiam, line(it.c50, "SALE", 1, rate="99.00")),
        sale("t5", "14:10", it.seafood, line(it.c14, "SWAP"), current_meter="1.00"),
        sale("t6", "14:15", it.wok, line(it.c14, "SALE", 60)),
        {**sale("t7", "14:20", it.wok, line(it.c14, "SWAP")), "occurred_at": f"{days_later(day, -20)}T09:00:00+08:00"},
        sent("distribution.create", "d3", "14:25", depot=999_999, items=[load(it.c14, 1)]),
        sent("distribution.confirm", "d4", "14:26", distribution="d3"),
        sale("t1", "14:30", it.dim_sum, line(it.c12, "SWAP", 1)),
        sale("t8", "14:31", it.wok, line(it.c14, "SWAP", "many")),
        sent("balloon.fly", "t9", "14:32", height=3),
        sale("", "14:33", it.wok, line(it.c14, "SWAP")),
        "no operation",
    )
    it.kept = {result["client_temp_id"]: result["conflict"] for result in results if result["conflict"]}
    push(
        "driver1",
        sale("t1", "14:40", it.laundry, line(it.liquid, "SWAP", 1)),
        sent("distribution.confirm", "t2", "14:45", distribution=999_999),
        # Posted in the morning.
        {**sent("transaction.create", "s1", "09:40", **_first_sale(day, it))},
    )
    # And posted what was pushed: the same sale, the same refusal.
    day.post("driver2", "transactions/", swap["data"], client_temp_id="t1", occurred_at=day.moment("13:30"), status=200)
    day.post("driver2", "transactions/", many["data"], client_temp_id="t3", occurred_at=day.moment("14:00"), status=409,
             is_kept=True)  # fmt: skip


def _decisions(day: Day, it: Any) -> None:
    day.post("supervisor", f"sync/conflicts/{it.kept['t6']}/retry/", status=409)
    day.post("supervisor", f"sync/conflicts/{it.kept['t5']}/dismiss/", reason="Misread, entered by hand", status=200)
    day.post("supervisor", f"sync/conflicts/{it.kept['t4']}/retry/", approve_rates=True, status=200)
    # Enough for what was refused for want of it.
    lent = {"equipment_id": it.c50, "condition": "FULL", "quantity": 50, "reason": "Lent by another lorry"}
    day.post("supervisor", "inventories/update-inventory/", lent, entity="vehicle", entity_id="GBL5678B", status=200)


def _counts(day: Day, it: Any) -> None:
    [pending] = day.ask("supervisor", "GET", "settlements/?status=COUNTED").json()["results"]
    day.post("supervisor", f"settlements/{pending['id']}/reject/", remarks="The empties were forgotten", status=200)
    counts = _on_board(day, "driver1")
    counts[0]["quantity"] -= 1
    counted = day.post("driver1", "settlements/", cash="250.00", counts=counts, client_temp_id="c1")
    day.post("depot", f"settlements/{counted['id']}/sign-off/", remarks="One left at the last stop", status=200)
    even = day.post(
        "sales", "settlements/", cash="0.00", counts=[stock(it.c14, "FULL", 4)], remarks="No cash", client_temp_id="c1"
    )
    day.post("supervisor", f"settlements/{even['id']}/sign-off/", status=200)
    day.clock = "18:00"
    day.seal()


def _evening(day: Day, it: Any) -> Json:
    """What is neither sealed nor signed off nor sent."""
    counted = day.post("driver2", "settlements/", cash="27.00", counts=_on_board(day, "driver2"), client_temp_id="c1")
    last = day.post(
        "driver1", "transactions/", customer=it.bakery, client_temp_id="s5", items=[line(it.liquid, "SWAP", 1)]
    )
    for _ in range(2):  # one email, hurried: two tasks
        day.post("driver1", f"invoices/{last['invoice']['id']}/email/", to="boss@bakery.example", status=202)
    return {"count": counted["id"], "unpaid": last["invoice"]["id"]}


def _on_board(day: Day, user: str) -> list[Json]:
    held = day.ask(user, "GET", "inventories/?inventory_type=VEHICLE&page_size=100").json()["results"]
    held.sort(key=lambda row: (row["equipment"], row["condition"]))
    return [stock(row["equipment"], row["condition"], row["quantity"]) for row in held if row["quantity"]]
