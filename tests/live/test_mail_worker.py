"""Workers are killed while they send: no request is sent twice, none is forgotten, and doubt is shown."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller

from testbed.servers import ROOT, Site, free_port
from tests.types import Json

KILLS = int(os.environ.get("MAIL_KILLS", "4"))
REQUESTS = 3 * KILLS
FINISH = """
from datetime import timedelta
from django.core.management import call_command
from foundation import clock
from invoices.models import InvoiceEmail

for _ in range(2):  # what was in doubt, then what was lost: each time as if a day had passed
    past = clock.now() - timedelta(days=1)
    InvoiceEmail.objects.filter(status="SENDING").update(lease_until=past)
    InvoiceEmail.objects.filter(status="QUEUED").update(next_try_at=past)
    call_command("sweep_emails")
    call_command("db_worker", "--no-reload", "--batch", "--no-startup-delay", "--verbosity", "0")
"""


class SlowServer:
    """Takes its time with each message, so that a kill meets one under way."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(random.uniform(0, 0.2))
        self.received[message_from_bytes(envelope.content)["Message-ID"]] += 1
        await asyncio.sleep(random.uniform(0, 0.2))
        return "250 Accepted"


def emails_of(site: Site, invoices: list[int], token: str) -> list[Json]:
    answers = [site.ask("GET", f"invoices/{pk}/emails/", token=token).json() for pk in invoices]
    return [email for answer in answers for email in answer["results"]]


def test_a_killed_worker_sends_nothing_twice(site: Site, world: Json) -> None:
    box, port = SlowServer(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    site.environment |= {"EMAIL_FILE_PATH": "", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
    site.start()
    token = site.log_in("boss")
    item = {"equipment": world["equipment"], "type": "SERVICE", "quantity": 1}
    invoices = []
    for number in range(REQUESTS):
        sale = site.ask("POST", "transactions/", {"customer": world["customers"][number % 4], "items": [item]}, token)
        invoices.append(sale.json()["invoice"]["id"])
        asked = site.ask("POST", f"invoices/{invoices[-1]}/email/", {"to": "kitchen@example.sg"}, token)
        assert asked.status == 202
    worker = [sys.executable, "manage.py", "db_worker", "--no-reload", "--no-startup-delay", "--verbosity", "0"]
    for _ in range(KILLS):
        process = subprocess.Popen(worker, cwd=ROOT, env=site.environment)
        before, deadline = sum(box.received.values()), time.monotonic() + 30
        while sum(box.received.values()) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(random.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    site.manage("shell", "-c", FINISH)
    emails = emails_of(site, invoices, token)
    controller.stop()
    assert len(emails) == REQUESTS
    states = Counter(email["status"] for email in emails)
    assert set(states) <= {"SENT", "UNCERTAIN"}
    assert max(box.received.values()) == 1
    assert states["SENT"] <= len(box.received) <= REQUESTS
    assert states["UNCERTAIN"] <= KILLS
    assert "The books verify" in site.manage("verify_books")
    print(f"\n{KILLS} kills: {dict(states)}, {len(box.received)} messages arrived")
