"""What operators read: figures for Prometheus, and lines for a collector of logs."""

import json
import logging
import logging.config
from io import StringIO

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from invoices.models import Invoice
from invoices.services import request_email
from tests.conftest import Shop

pytestmark = pytest.mark.django_db

TOKEN = "a-token-for-prometheus"


def figures(settings: Settings) -> dict[str, float]:
    settings.METRICS_TOKEN = TOKEN
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.parametrize(
    ("token", "sent"),
    [("", "Bearer "), ("", ""), (TOKEN, ""), (TOKEN, "Bearer wrong"), (TOKEN, f"Basic {TOKEN}"), (TOKEN, "Bearer ä")],
)
def test_figures_are_for_whoever_knows_the_token(settings: Settings, token: str, sent: str) -> None:
    settings.METRICS_TOKEN = token
    refused = Client().get("/metrics", headers={"Authorization": sent})
    assert refused.status_code == 404
    assert b"hsh_" not in refused.content


def test_requests_are_counted_by_route(shop: Shop, settings: Settings) -> None:
    name = 'hsh_requests_total{method="GET",route="/api/depots/{pk}/",status="404"}'
    before = figures(settings).get(name, 0)
    for pk in (9_001, 9_002):
        shop.client_of(shop.admin).get(f"/api/depots/{pk}/")
    assert figures(settings)[name] == before + 2
    assert not any("9001" in known for known in figures(settings))


def test_committed_sales_are_counted_once(
    shop: Shop, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    before = figures(settings).get('hsh_sales_total{kind="sale"}', 0)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            assert shop.sell({"type": "SALE"}, client_temp_id="once").status_code in (200, 201)
        assert shop.sell({"type": "SALE", "quantity": 9_000}).status_code == 409
    assert figures(settings)['hsh_sales_total{kind="sale"}'] == before + 1


def test_what_waits_is_told(shop: Shop, settings: Settings) -> None:
    before = figures(settings)
    shop.sell({"type": "SALE"})
    request_email(actor=shop.admin, invoice_id=Invoice.objects.get().pk, to="somebody@example.sg")
    operations = [{"type": "transaction.create", "client_temp_id": "a", "data": {"customer": 0}}]
    shop.client_of(shop.driver).post("/api/sync/push/", {"operations": operations})
    after = figures(settings)
    grew = {
        name
        for name in after
        if name.startswith(("hsh_audit", "hsh_emails", "hsh_sync")) and after[name] > before[name]
    }
    assert grew == {
        "hsh_audit_unsealed_records", "hsh_audit_unsealed_seconds", "hsh_emails_queued", "hsh_emails_oldest_seconds",
        "hsh_sync_conflicts_open",
    }  # fmt: skip


def test_a_log_line_can_be_json() -> None:
    from core.settings.logging import _json_formatter

    stream = StringIO()
    handler = logging.StreamHandler(stream)
    kind = {"()": _json_formatter["()"], **{name: value for name, value in _json_formatter.items() if name != "()"}}
    handler.setFormatter(logging.config.DictConfigurator({"version": 1}).configure_formatter(kind))
    logger = logging.getLogger("hsh.request")
    logger.addHandler(handler)
    try:
        Client().get("/api/health/live/", headers={"X-Request-ID": "r-7"})
    finally:
        logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert {name: line[name] for name in ("level", "logger", "method", "path", "status", "request_id")} == {
        "level": "INFO", "logger": "hsh.request", "method": "GET", "path": "/api/health/live/", "status": 200,
        "request_id": "r-7",
    }  # fmt: skip
