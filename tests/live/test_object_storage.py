"""Documents in a bucket: the same promises as on a disk."""

from pathlib import Path

import pytest

from tests.live.bucket import a_bucket
from tests.live.templates import site_from, world_of

pytestmark = pytest.mark.any_engine


def test_documents_lie_in_a_bucket(tmp_path: Path) -> None:
    with a_bucket() as bucket, site_from("world", tmp_path, mariadb=False, **bucket.environment) as site:
        world = world_of(site)
        body = {
            "customer": world["customers"][0],
            "items": [{"equipment": world["equipment"], "type": "SALE", "quantity": 1}],
        }
        site.start()
        token = site.log_in("driver0")
        assert site.ask("GET", "health/ready/").json()["checks"]["storage"] == "ok"
        assert bucket.objects == {}  # its probe is gone
        sold = site.ask("POST", "transactions/", body, token)
        assert sold.status == 201, sold.content
        [(name, (pdf, _))] = bucket.objects.items()
        assert name.startswith("invoices/")
        assert pdf.startswith(b"%PDF")
        assert site.ask("GET", f"invoices/{sold.json()['invoice']['id']}/pdf/", token=token).content == pdf
        bucket.objects["invoices/2026/01/01/INV-20260101-000001-0123456789abcdef.pdf"] = bucket.objects[name]
        assert "1 orphan" in site.manage("sweep_documents", "--older-than", "0")
        assert list(bucket.objects) == [name]
        assert "The books verify" in site.manage("verify_books")
        bucket.objects.clear()
        assert "The books do not verify" in site.manage("verify_books", check=False)
        bucket.is_down = True
        refused = site.ask("POST", "transactions/", body, token)
        assert (refused.status, refused.json()["errors"][0]["code"]) == (503, "storage_unavailable")
        assert site.ask("GET", "transactions/", token=token).json()["count"] == 1
        assert site.ask("GET", "health/ready/").status == 503
