"""What holds for every request: ids, logs, slashes, pages, health."""

import logging
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from depots.models import Depot
from foundation.access.capabilities import Role
from tests.conftest import ClientOf, Shop, error_of
from tests.factories import DepotFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client_of: ClientOf) -> APIClient:
    return client_of(UserFactory(role=Role.ADMIN))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a-B_9.x", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("", False),
        ("é", False),
        ("a\nb", False),
    ],
)
def test_a_sane_request_id_is_kept_and_any_other_replaced(admin: APIClient, sent: str, kept: bool) -> None:
    answered = admin.get("/api/depots/", HTTP_X_REQUEST_ID=sent)["X-Request-ID"]
    assert (answered == sent) is kept
    assert answered


def test_each_request_is_one_line(admin: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("hsh.request")
    logger.addHandler(caplog.handler)
    try:
        admin.get("/api/depots/?search=secret", HTTP_X_REQUEST_ID="r-1")
    finally:
        logger.removeHandler(caplog.handler)
    [line] = [entry.getMessage() for entry in caplog.records if entry.name == "hsh.request"]
    assert line.startswith("method=GET path=/api/depots/ status=200 user=")
    assert line.endswith("ip=127.0.0.1 request_id=r-1")
    assert "secret" not in line


@pytest.mark.parametrize(
    ("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7"), (5, "6.6.6.6")]
)
def test_forwarded_addresses_are_believed_as_far_as_our_proxies_go(
    shop: Shop, settings: Settings, proxies: int, seen: str
) -> None:
    from audit.models import AuditLog

    settings.NUM_PROXIES = proxies
    shop.client_of(shop.admin).post(
        "/api/depots/", {"code": "N1", "name": "N"}, HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.7, 203.0.113.9"
    )
    assert AuditLog.objects.latest("id").ip_address == seen


def test_a_post_without_the_slash_is_answered(admin: APIClient) -> None:
    assert admin.post("/api/depots", {"code": "N1", "name": "N"}).status_code == 201
    assert [row["code"] for row in admin.get("/api/depots", {"search": "N1"}).json()["results"]] == ["N1"]


def test_an_unknown_path_is_a_json_404(admin: APIClient) -> None:
    for path in ("/api/nothing/here", "/api/nothing/", "/api/"):
        assert error_of(admin.get(path)) == (404, "not_found", None)


def test_counts_are_exact_to_the_depth_and_null_beyond(admin: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.api.pagination.MAX_DEPTH", 10)
    Depot.objects.bulk_create(DepotFactory.build() for _ in range(10 - Depot.objects.count()))
    page = admin.get("/api/depots/?page_size=4&page=3").json()
    assert (page["count"], page["next"], len(page["results"])) == (10, None, 2)
    Depot.objects.bulk_create(DepotFactory.build() for _ in range(5))
    page = admin.get("/api/depots/?page_size=4&page=2").json()
    assert page["count"] is None
    assert "page=3" in page["next"]
    assert page["previous"].endswith("/api/depots/?page_size=4")
    assert admin.get("/api/depots/?page_size=4&page=3").json()["next"] is None
    assert admin.get("/api/depots/?page_size=4&page=4").status_code == 404


def test_pages_are_at_most_200_rows(admin: APIClient) -> None:
    Depot.objects.bulk_create(DepotFactory.build() for _ in range(210))
    assert len(admin.get("/api/depots/?page_size=200").json()["results"]) == 200
    assert error_of(admin.get("/api/depots/?page_size=201")) == (400, "max_value", "page_size")
    assert len(admin.get("/api/depots/").json()["results"]) == 50


def test_live_answers_whatever_happens(admin: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.observability.health._database", lambda: "failed")
    assert APIClient().get("/api/health/live/").json() == {"status": "ok"}


def test_ready_tells_what_fails(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    client = APIClient()
    assert client.get("/api/health/ready/").json()["status"] == "ok"
    with monkeypatch.context() as patched:
        patched.setattr(
            "foundation.observability.health.MigrationExecutor.migration_plan", lambda self, targets: ["one"]
        )
        response = client.get("/api/health/ready/")
        assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "pending")
    with monkeypatch.context() as patched:
        patched.setattr("foundation.observability.health.guards.missing", lambda: ["ledger_audit_auditlog_update"])
        response = client.get("/api/health/ready/")
        assert (response.status_code, response.json()["checks"]["guards"]) == (503, "missing")
    with monkeypatch.context() as patched:

        def gone(*args: object, **kwargs: object) -> None:
            raise OperationalError(2006, "gone")

        patched.setattr("foundation.observability.health.connection.cursor", gone)
        response = client.get("/api/health/ready/")
        assert (response.status_code, response.json()["checks"]["database"]) == (503, "failed")
    settings.MEDIA_ROOT = "/proc/nowhere"
    response = client.get("/api/health/ready/")
    assert (response.status_code, response.json()["checks"]["storage"]) == (503, "failed")


@pytest.mark.parametrize("code", [1040, 2002, 2003, 2006, 2013])
def test_a_database_that_is_away_is_a_503(admin: APIClient, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise OperationalError(code, "Server has gone away")

    monkeypatch.setattr("depots.views.DepotViewSet.get_queryset", gone)
    response = admin.get("/api/depots/")
    assert error_of(response) == (503, "try_again", None)
    assert response["Retry-After"] == "2"


def test_a_bug_shows_no_internals(admin: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise KeyError("SECRET_KEY")

    monkeypatch.setattr("depots.views.DepotViewSet.get_queryset", broken)
    response = admin.get("/api/depots/")
    assert response.status_code == 500
    assert response.json()["type"] == "server_error"
    assert b"SECRET_KEY" not in response.content


def test_the_documentation_is_served_from_here(client: Any) -> None:
    for path in ("/api/schema/swagger-ui/", "/api/schema/redoc/"):
        page = client.get(path)
        assert page.status_code == 200
        assert b"cdn" not in page.content.lower()
        assert b"/static/drf_spectacular_sidecar/" in page.content
        assert "default-src 'self'" in page["Content-Security-Policy"]


def test_browser_apps_may_read_the_headers_they_need(client: Any, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.sg"]
    exposed = client.get("/api/health/live/", HTTP_ORIGIN="https://app.example.sg")["Access-Control-Expose-Headers"]
    assert {"idempotent-replayed", "etag", "retry-after", "x-request-id"} <= set(exposed.lower().split(", "))
    assert "Access-Control-Allow-Origin" not in client.get("/api/health/live/", HTTP_ORIGIN="https://evil.example")
