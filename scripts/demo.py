"""One field day through the HTTP API, on a server and a database of its own, then ``verify_books``.

Every figure that is printed comes from an answer of the API. Ends with exit code 1 on the first surprise.
"""

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ADMIN, PASSWORD = "boss", "field-day-2026"


class Surprise(Exception):
    """The day didn't go as it should."""


class Api:
    """A client of the field app's kind: JSON over HTTP, with a bearer token."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""

    def log_in(self, username: str) -> None:
        self.token = self.post("token/", {"username": username, "password": PASSWORD})["access"]

    def get(self, path: str) -> Any:
        return json.loads(self.fetch(path))

    def post(self, path: str, body: dict[str, Any] | None = None, *, expect: int | None = None) -> Any:
        status, content = self._send("POST", path, body or {})
        if status >= 300 if expect is None else status != expect:
            raise Surprise(f"POST /api/{path} answered {status}: {content[:500].decode()}")
        return json.loads(content)

    def fetch(self, path: str) -> bytes:
        status, content = self._send("GET", path, None)
        if status != 200:
            raise Surprise(f"GET /api/{path} answered {status}: {content[:500].decode()}")
        return content

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()


def main() -> int:
    folder = ROOT / "var" / "demo" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    environment = os.environ | {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "DEBUG": "False",
        "SECURE_SSL_REDIRECT": "False",
        "SECURE_HSTS_SECONDS": "0",
        "DB_ENGINE": "sqlite",
        "DB_NAME": str(folder / "books.sqlite3"),
        "MEDIA_ROOT": str(folder / "documents"),
        "STATIC_ROOT": str(folder / "static"),
        "THROTTLE_LOGIN": "100/min",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }

    def manage(*arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)

    manage("migrate", "--verbosity", "0")
    manage("createcachetable")
    manage("createsuperuser", "--no-input", "--verbosity", "0", "--username", ADMIN, "--email", "boss@hsh.example")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "core.wsgi", "--bind", address, "--log-level", "warning"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        api = Api(f"http://{address}")
        wait_for(api, server)
        say("", f"A field day on http://{address}, in {folder.relative_to(ROOT)}/")
        field_day(api, folder)
        say("", "The books:")
        manage("verify_books")
    except (Surprise, subprocess.CalledProcessError) as surprise:
        print(f"The field day went wrong: {surprise}", file=sys.stderr)
        return 1
    finally:
        server.terminate()
        server.wait(timeout=30)
    print("The field day went through; the books verify.")
    return 0


def field_day(api: Api, folder: Path) -> None:
    api.log_in(ADMIN)
    depot = api.post("depots/", {"code": "HSH KB", "name": "HSH Kaki Bukit", "address": "61 Kaki Bukit Avenue 1"})
    cylinder = api.post(
        "equipment/",
        {
            "sku": "CYL-14-POL",
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
    api.post(
        f"customers/{restaurant['id']}/rates/",
        {"equipment": cylinder["id"], "rate": "35.50", "valid_from": "2026-01-01"},
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
            "vehicle_no": "GBK 1234 A",
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
    say("Office", f"{opening['quantity']} x {opening['sku']} {opening['condition']} at {opening['location_name']}")

    api.log_in("ahbeng")
    me = api.get("accounts/me/")
    say("Driver", f"{me['name']} logs in, vehicle {me['vehicle_no']}")

    def item(direction: str, condition: str, quantity: int) -> dict[str, Any]:
        return {"equipment": cylinder["id"], "direction": direction, "condition": condition, "quantity": quantity}

    def line(kind: str, quantity: int, **more: Any) -> dict[str, Any]:
        return {"equipment": cylinder["id"], "type": kind, "quantity": quantity, **more}

    load = api.post(
        "distributions/", {"depot": depot["id"], "remarks": "Morning load", "items": [item("OUT", "FULL", 20)]}
    )
    load = api.post(f"distributions/{load['id']}/confirm/")
    say("Load", f"{load['distribution_number']} {load['status'].lower()}: {load['total_collection']} cylinders out")

    deliver = sell(api, "Deliver", stall, [line("SALE", 2), line("DEPOSIT", 2)], payment_received=True)
    sell(api, "Swap", stall, [line("SWAP", 1)], payment_received=True)
    sell(api, "Return", stall, [line("RETURN", 1, condition="DAMAGED")])
    metered = {
        "customer": restaurant["id"],
        "current_meter": "1250.50",
        "items": [line("SWAP", 3, rate="35.50")],
        "client_temp_id": str(uuid.uuid4()),
    }
    billed = api.post("transactions/", metered)
    sale, invoice = billed["transaction"], billed["invoice"]
    say(
        "Meter",
        f"{sale['transaction_number']} {restaurant['name']}: {sale['last_meter_reading']} to "
        f"{sale['current_meter_reading']} = {sale['usage']} m³ at {sale['meter_rate']} is {sale['usage_amount']}, "
        f"cylinders {sale['items_amount']}",
    )
    say("", f"{invoice['invoice_number']}: {invoice['subtotal']} + {invoice['gst_rate']} % GST {invoice['gst_amount']} "
            f"= S$ {invoice['total_amount']}, due {invoice['due_on']}")  # fmt: skip
    again = api.post("transactions/", metered, expect=200)
    if again != billed:
        raise Surprise("The same sale sent again was answered differently.")
    say("Again", f"the network failed, the app sends it again: still {again['transaction']['transaction_number']}")
    refused = api.post("transactions/", {"customer": stall["id"], "items": [line("SALE", 50)]}, expect=409)
    say("Refused", refused["errors"][0]["detail"])

    back = [item("IN", "EMPTY", 4), item("IN", "DAMAGED", 1), item("IN", "FULL", 14)]
    unload = api.post("distributions/", {"depot": depot["id"], "remarks": "Back at the depot", "items": back})
    unload = api.post(f"distributions/{unload['id']}/confirm/")
    say("Unload", f"{unload['distribution_number']} {unload['status'].lower()}: {unload['total_return']} cylinders in")

    api.log_in(ADMIN)
    say("", "The stock at the end of the day:")
    for balance in api.get("inventories/?ordering=id")["results"]:
        if balance["quantity"]:
            count = f"{balance['quantity']:>5}  {balance['condition']:<8} {balance['sku']:<12}"
            say("", f"  {count} {balance['location_name']}")
    say("", "The day's documents:")
    for document in reversed(api.get("invoices/")["results"]):
        say("", f"  {document['invoice_number']:<22} {document['total_amount']:>10}  {document['status']}")
    for document in (deliver["invoice"], invoice):
        pdf = api.fetch(f"invoices/{document['id']}/pdf/")
        if not pdf.startswith(b"%PDF") or hashlib.sha256(pdf).hexdigest() != document["pdf_sha256"]:
            raise Surprise(f"The PDF of {document['invoice_number']} isn't what was issued.")
    say("PDF", str((folder / "documents" / invoice["pdf_path"]).relative_to(ROOT)))


def sell(api: Api, what: str, customer: dict[str, Any], items: list[dict[str, Any]], **more: Any) -> Any:
    body = {"customer": customer["id"], "items": items, "client_temp_id": str(uuid.uuid4()), **more}
    answer = api.post("transactions/", body, expect=201)
    sale, invoice = answer["transaction"], answer["invoice"]
    lines = ", ".join(f"{line['type']} {line['quantity']} at {line['rate']}" for line in sale["items"])
    say(what, f"{sale['transaction_number']} {sale['customer_name']}: {lines}")
    say("", f"{invoice['invoice_number']}: S$ {invoice['total_amount']} with GST, {invoice['status']}")
    return answer


def wait_for(api: Api, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if server.poll() is not None:
            raise Surprise("the server ended; see server.log")
        try:
            api.get("health/ready/")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise Surprise("the server did not answer within 20 seconds")


def say(what: str, text: str) -> None:
    print(f"{what:<9}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
