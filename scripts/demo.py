"""One field day through the HTTP API, on a server and a database of its own, then ``verify_books``.

The day is yesterday: the driver had no network, and his app sends it all now, with the times at which things
happened. Every figure that is printed comes from an answer of the API. The first surprise ends it with exit code 1.
"""

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any, Never

from decouple import RepositoryEnv

ROOT = Path(__file__).resolve().parent.parent
SINGAPORE = timezone(timedelta(hours=8))
ADMIN, PASSWORD = "boss", "field-day-2026"
PLATE, SKU = "GBK1234A", "CYL-14-POL"


class Surprise(Exception):
    """The day didn't go as it should."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes
    replayed: bool

    def json(self) -> Any:
        return json.loads(self.content)


class Api:
    """A client of the field app's kind: JSON over HTTP, with a bearer token."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""
        # No proxy from the environment: it could not reach this machine's own loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def log_in(self, username: str) -> None:
        self.token = ""
        self.token = self.post("token/", {"username": username, "password": PASSWORD})["access"]

    def get(self, path: str) -> Any:
        return json.loads(self.fetch(path))

    def post(self, path: str, body: dict[str, object] | None = None) -> Any:
        answer = self.send("POST", path, body or {})
        if answer.status >= 300:
            raise Surprise(f"POST /api/{path} answered {answer.status}: {answer.content[:500].decode()}")
        return answer.json()

    def fetch(self, path: str) -> bytes:
        answer = self.send("GET", path)
        if answer.status != 200:
            raise Surprise(f"GET /api/{path} answered {answer.status}: {answer.content[:500].decode()}")
        return answer.content

    def send(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/{path}", data=data, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.read(), answer.headers.get("Idempotent-Replayed") == "true")
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read(), replayed=False)


def main() -> int:
    # Ended from outside, it still has to stop its server.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        _run()
    except KeyboardInterrupt:
        print("The field day was interrupted.", file=sys.stderr)
        return 130
    except Surprise as surprise:
        print(f"The field day went wrong: {surprise}", file=sys.stderr)
        return 1
    except Exception as error:
        print(f"The field day went wrong: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print("The field day went through; the books verify.")
    return 0


def _run() -> None:
    days = ROOT / "var" / "demo"
    days.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-", dir=days))
    environment = environment_of(folder)
    manage(environment, "migrate", "--verbosity", "0")
    first = ("--no-input", "--verbosity", "0", "--username", ADMIN, "--email", "boss@hsh.example")
    manage(environment, "createsuperuser", *first)
    with serving(folder, environment) as api:
        print(f"A field day on {api.base}, in {folder.relative_to(ROOT)}/")
        field_day(api, folder)
        print("\nThe books")
        manage(environment, "verify_books")


def environment_of(folder: Path) -> dict[str, str]:
    """Every setting there is, so that none is taken from the developer's `.env` and shell."""
    shell = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    examples: dict[str, str] = RepositoryEnv(ROOT / ".env.example").data
    own = {
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "DEBUG": "False",
        "DB_ENGINE": "sqlite",
        "DB_NAME": str(folder / "books.sqlite3"),
        "MEDIA_ROOT": str(folder / "documents"),
        "STATIC_ROOT": str(folder / "static"),
        "EMAIL_FILE_PATH": str(folder / "mail"),
        "THROTTLE_LOGIN": "100/min",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    return shell | examples | own


def manage(environment: dict[str, str], *arguments: str) -> None:
    ended = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=False)
    if ended.returncode:
        raise Surprise(f"manage.py {arguments[0]} ended with exit code {ended.returncode}")


@contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Iterator[Api]:
    """A server on a free port of the loopback, which is stopped however the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", address, "--workers", "1"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            # Ctrl-C is for us alone: server and workers end when we say so.
            start_new_session=True,
        )
    try:
        api = Api(f"http://{address}")
        wait_for(api, server, folder / "server.log")
        yield api
    finally:
        stop(server)


def stop(server: subprocess.Popen[bytes], patience_s: float = 15) -> None:
    server.terminate()
    try:
        server.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        # It leads a session of its own: this reaches its workers and nobody else.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def wait_for(api: Api, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Surprise(f"the server ended at once; see {log.relative_to(ROOT)}")
        try:
            answer = api.send("GET", "health/ready/")
        except OSError:
            time.sleep(0.2)
        else:
            if answer.status != 200:
                raise Surprise(f"the server isn't ready ({answer.status}): {answer.content[:500].decode()}")
            return
    raise Surprise(f"the server did not answer within 30 seconds; see {log.relative_to(ROOT)}")


def field_day(api: Api, folder: Path) -> None:
    yesterday = datetime.now(SINGAPORE).date() - timedelta(days=1)

    def at(clock: str) -> str:
        return f"{yesterday}T{clock}:00+08:00"

    api.log_in(ADMIN)
    depot = api.post("depots/", {"code": "HSH KB", "name": "HSH Kaki Bukit", "address": "61 Kaki Bukit Avenue 1"})
    cylinder = api.post(
        "equipment/",
        {
            "sku": SKU,
            "name": "14 kg POL cylinder",
            "equipment_type": "CYLINDER",
            "weight_kg": "14.00",
            "default_rate": "38.50",
            "deposit": "60.00",
        },
    )
    restaurant = api.post(
        "customers/",
        {
            "name": "Golden Wok Zi Char 金镬煮炒",
            "address": "Blk 136 Hougang Avenue 1 #01-1384",
            "postal_code": "530136",
            "payment_type": "CREDIT",
            "payment_terms_days": 14,
            "meter_number": "M-104233",
            "meter_rate": "2.1500",
            "last_meter_reading": "1200.00",
        },
    )
    stall = api.post("customers/", {"name": "Ah Hock Chicken Rice", "address": "Blk 216 Bedok North Street 1 #01-21"})
    since = str(yesterday - timedelta(days=30))
    past = {"code": "rate_from_past", "attr": "valid_from", "value": since}
    api.post(
        f"customers/{restaurant['id']}/rates/",
        {"equipment": cylinder["id"], "rate": "35.50", "valid_from": since, "confirm": [past]},
    )
    api.post(
        "accounts/users/",
        {
            "username": "ahbeng",
            "password": PASSWORD,
            "first_name": "Tan",
            "last_name": "Ah Beng",
            "role": "DRIVER",
            "depot": depot["id"],
            "vehicle_no": PLATE,
        },
    )
    opening = api.post(
        "inventories/update-inventory/",
        {
            "entity": "depot",
            "entity_id": depot["id"],
            "equipment_id": cylinder["id"],
            "condition": "FULL",
            "quantity": 100,
            "reason": "Opening balance",
        },
    )
    print(f"\nThe day: {yesterday:%A} {yesterday.day} {yesterday:%B %Y}")
    say("", "Stock in", f"{count_of(opening)} at {opening['location_name']}")

    api.log_in("ahbeng")
    me = api.get("accounts/me/")
    say("", "Log-in", f"{me['name']}, {me['role'].lower()}, vehicle {me['vehicle_no']}")

    def item(direction: str, condition: str, quantity: int) -> dict[str, Any]:
        return {"equipment": cylinder["id"], "direction": direction, "condition": condition, "quantity": quantity}

    def line(kind: str, quantity: int, **more: Any) -> dict[str, Any]:
        return {"equipment": cylinder["id"], "type": kind, "quantity": quantity, **more}

    move(api, "Load", "onto", depot, at("09:10"), [item("OUT", "FULL", 20)])
    documents = [
        sell(api, "Deliver", stall, at("09:45"), [line("SALE", 2), line("DEPOSIT", 2)], payment_received=True),
        sell(api, "Swap", stall, at("11:20"), [line("SWAP", 1)], payment_received=True),
        sell(api, "Return", stall, at("12:05"), [line("RETURN", 1, condition="DAMAGED")]),
    ]

    metered = {
        "customer": restaurant["id"],
        "current_meter": "1250.50",
        "confirm": [{"code": "usage_unlikely", "attr": "current_meter", "value": "1250.50"}],
        "items": [line("SWAP", 3, rate="35.50")],
        "client_temp_id": str(uuid.uuid4()),
        "occurred_at": at("14:30"),
    }
    billed = api.post("transactions/", metered)
    sale, invoice = billed["transaction"], billed["invoice"]
    documents.append(invoice)
    say(
        sale["occurred_at"],
        "Meter",
        f"{sale['transaction_number']} {sale['customer_name']}: {sale['last_meter_reading']} to "
        f"{sale['current_meter_reading']} = {sale['usage']} m³ at {sale['meter_rate']} is {sale['usage_amount']}",
    )
    say("", "", f"and {lines_of(sale)}")
    say("", "", f"{money_of(invoice)}, due {invoice['due_on']}")

    again = api.send("POST", "transactions/", metered)
    if (again.status, again.replayed) != (200, True) or again.json() != billed:
        raise Surprise("The same sale sent again was not answered as a replay of the first.")
    number = again.json()["transaction"]["transaction_number"]
    say("", "Again", f"the answer got lost, the app sends it once more: {again.status}, replayed, still {number}")

    too_many = {"customer": stall["id"], "items": [line("SALE", 50)], "occurred_at": at("16:00")}
    refused = api.send("POST", "transactions/", too_many)
    [error] = refused.json().get("errors", [{"code": "", "detail": ""}])
    if (refused.status, error["code"]) != (409, "insufficient_stock"):
        raise Surprise(f"50 of 14 cylinders sold: answered {refused.status} {refused.content[:500].decode()}")
    say("", "Refused", f"{refused.status} {error['code']}: {error['detail']}")

    back = [item("IN", "EMPTY", 4), item("IN", "DAMAGED", 1), item("IN", "FULL", 14)]
    move(api, "Unload", "from", depot, at("17:40"), back)

    taken = [document for document in documents if document["status"] == "paid"]
    day_end(api, sum((Decimal(document["total_amount"]) for document in taken), Decimal("0.00")))

    api.log_in(ADMIN)
    settle(api, restaurant, invoice)
    show_stock(api)
    show_documents(api, documents, folder)


def move(
    api: Api, what: str, preposition: str, depot: dict[str, object], occurred_at: str, items: list[dict[str, object]]
) -> None:
    """Draft a distribution and confirm it."""
    body = {"depot": depot["id"], "items": items, "occurred_at": occurred_at, "client_temp_id": str(uuid.uuid4())}
    load = api.post("distributions/", body)
    load = api.post(f"distributions/{load['id']}/confirm/")
    cylinders = ", ".join(count_of(item) for item in load["items"])
    status = load["status"].lower()
    text = f"{load['distribution_number']} {status}: {cylinders} {preposition} {load['vehicle_no']}"
    say(load["occurred_at"], what, text)


def sell(
    api: Api, what: str, customer: dict[str, object], occurred_at: str, items: list[dict[str, object]], **more: object
) -> dict[str, Any]:
    """Record a sale; returns its document."""
    body = {"customer": customer["id"], "items": items, "occurred_at": occurred_at, **more}
    answer = api.post("transactions/", {**body, "client_temp_id": str(uuid.uuid4())})
    sale, document = answer["transaction"], answer["invoice"]
    say(sale["occurred_at"], what, f"{sale['transaction_number']} {sale['customer_name']}: {lines_of(sale)}")
    say("", "", f"{money_of(document)}, {document['status']}")
    return dict(document)


def count_of(row: dict[str, Any]) -> str:
    condition = "" if row["condition"] == "FULL" else f" {row['condition'].lower()}"
    return f"{row['quantity']} × {row['sku']}{condition}"


def lines_of(sale: dict[str, Any]) -> str:
    return ", ".join(
        " ".join(filter(None, (line["type"], str(line["quantity"]), line["condition"], "at", line["rate"])))
        for line in sale["items"]
    )


def money_of(document: dict[str, object]) -> str:
    tax = f"{document['gst_rate']} % GST {document['gst_amount']}"
    return f"{document['invoice_number']}: {document['subtotal']} + {tax} = S$ {document['total_amount']}"


def day_end(api: Api, cash: Decimal) -> None:
    """The driver counts the empty vehicle and the cash, without being told what should be there."""
    counted = api.post("settlements/", {"cash": str(cash), "counts": [], "client_temp_id": str(uuid.uuid4())})
    if (counted["cash_variance"], counted["lines"]) != (None, []):
        raise Surprise(f"The driver was told what should be there: {counted}")
    text = f"{counted['settlement_number']}: S$ {counted['cash_counted']} in the bag, nothing on the vehicle"
    say(counted["created_at"], "Day-end", text)


def settle(api: Api, customer: dict[str, Any], invoice: dict[str, Any]) -> None:
    """The office signs the day off and takes a part of what is owed; account and receivables say the same."""
    [day] = api.get("settlements/?status=COUNTED")["results"]
    if (day["cash_variance"], [line["variance"] for line in day["lines"] if line["variance"]]) != ("0.00", []):
        raise Surprise(f"The day-end has a variance: {day}")
    signed = api.post(f"settlements/{day['id']}/sign-off/", {"remarks": "Counted together"})
    say(signed["decided_at"], "Sign-off", f"{signed['settlement_number']} {signed['status'].lower().replace('_', ' ')}")
    paid = {"customer": customer["id"], "method": "PAYNOW", "amount": "100.00", "reference": "PN-4471"}
    payment = api.post("payments/", {**paid, "client_temp_id": str(uuid.uuid4())})
    account = api.get(f"customers/{customer['id']}/statement/")
    owed = Decimal(invoice["total_amount"]) - Decimal(payment["amount"])
    receivables = {row["name"]: row["total"] for row in api.get("reports/receivables/")["rows"]}
    said = (account["closing_balance"], receivables.get(customer["name"]))
    if said != (str(owed), str(owed)):
        raise Surprise(f"The account and the receivables say {said}, and {owed} is owed.")
    text = f"{payment['payment_number']}: S$ {payment['amount']} by PayNow from {customer['name']}"
    say(payment["created_at"], "Payment", text)
    say("", "", f"the statement and the receivables say: S$ {owed} is owed")


def show_stock(api: Api) -> None:
    print("\nThe stock at the end of the day")
    left = {}
    for balance in api.get("inventories/?ordering=id")["results"]:
        if balance["quantity"]:
            left[balance["inventory_type"], balance["condition"]] = balance["quantity"]
            count = f"{balance['quantity']:>5}  {balance['sku']:<12}{balance['condition']:<9}"
            print(f"  {count}{balance['location_name']}")
    # 100 came in; one is with the stall, four came back empty and one damaged; the vehicle is empty.
    depot = {("DEPOT", "FULL"): 94, ("DEPOT", "EMPTY"): 4, ("DEPOT", "DAMAGED"): 1}
    if left != {("OUTSIDE", "FULL"): -100, ("CUSTOMER", "FULL"): 1, **depot}:
        raise Surprise("That isn't the stock that the day should have left.")


def show_documents(api: Api, issued: list[dict[str, Any]], folder: Path) -> None:
    """The day's documents, each of them as it was issued: listed, stored, and with its own bytes."""
    print("\nThe day's documents")
    listed = api.get("invoices/?ordering=id")["results"]
    if sorted(document["id"] for document in listed) != sorted(document["id"] for document in issued):
        raise Surprise("Those aren't the documents that the day's sales were answered with.")
    for document in listed:
        number = document["invoice_number"]
        kind = document["kind"].replace("_", " ").lower()
        print(f"  {number:<21}{kind:<12}{document['total_amount']:>9}  {document['status']}")
        pdf = api.fetch(f"invoices/{document['id']}/pdf/")
        if not pdf.startswith(b"%PDF") or hashlib.sha256(pdf).hexdigest() != document["pdf_sha256"]:
            raise Surprise(f"The PDF of {number} isn't what was issued.")
    last = issued[-1]
    stored = folder / "documents" / last["pdf_path"]
    if hashlib.sha256(stored.read_bytes()).hexdigest() != last["pdf_sha256"]:
        raise Surprise(f"{stored.relative_to(ROOT)} isn't what was issued.")
    print(f"  Each is a PDF with the SHA-256 that the API names. {last['invoice_number']}:")
    print(f"  {stored.relative_to(ROOT)}")


def say(moment: str, what: str, text: str) -> None:
    """A line of the day's log. ``moment`` is a time as the API answered it."""
    clock = f"{datetime.fromisoformat(moment).astimezone(SINGAPORE):%H:%M}" if moment else ""
    print(f"{clock:<7}{what:<10}{text}", flush=True)


def _end(number: int, frame: FrameType | None) -> Never:
    sys.exit(128 + number)


if __name__ == "__main__":
    # A line of ours before what a process of ours prints after it, also into a pipe.
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
