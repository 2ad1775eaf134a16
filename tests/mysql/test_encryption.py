"""The way to the database: encrypted, and to the right server, where a certificate authority is named."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.servers import ROOT, Site
from tests.live.templates import site_from

CIPHER = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    print("cipher:", cursor.fetchone()[1] or "none")
"""


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """An authority's certificate, the server's, and that of an authority which knows nothing of the server."""
    folder = Path(tempfile.mkdtemp(prefix="hsh-tls-"))
    folder.chmod(0o755)  # the server may run as a user of its own
    for name in ("ca", "other"):
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN=The {name}", "-days", "2",
            "-keyout", f"{name}-key.pem", "-out", f"{name}.pem", folder=folder,
        )  # fmt: skip
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "asked.pem",
        folder=folder,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", "asked.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2",
        "-out", "cert.pem", folder=folder,
    )  # fmt: skip
    for file in folder.iterdir():
        file.chmod(0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def encrypted_site(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = [f"--ssl-{name}={certificates / name}.pem" for name in ("ca", "cert", "key")]
    authority = str(certificates / "ca.pem")
    with site_from("empty", tmp_path_factory.mktemp("site"), *options, DB_SSL_CA=authority) as site:
        yield site


def backup(site: Site, folder: Path) -> int:
    return subprocess.run(
        ["sh", "scripts/backup.sh", str(folder)], cwd=ROOT, env=site.environment, capture_output=True, check=False
    ).returncode


def test_with_an_authority_the_way_is_encrypted(encrypted_site: Site, tmp_path: Path) -> None:
    assert "cipher: TLS_" in encrypted_site.python("-c", CIPHER)
    assert backup(encrypted_site, tmp_path / "backup") == 0


def test_another_server_is_not_spoken_to(encrypted_site: Site, certificates: Path, tmp_path: Path) -> None:
    encrypted_site.environment["DB_SSL_CA"] = str(certificates / "other.pem")
    try:
        assert "TLS/SSL error" in encrypted_site.python("-c", CIPHER, check=False)
        assert backup(encrypted_site, tmp_path / "backup") == 1
    finally:
        encrypted_site.environment["DB_SSL_CA"] = str(certificates / "ca.pem")


def test_without_one_a_certificate_that_the_server_made_itself_is_no_hindrance(
    encrypted_site: Site, certificates: Path, tmp_path: Path
) -> None:
    encrypted_site.environment["DB_SSL_CA"] = ""
    try:
        assert "cipher: none" in encrypted_site.python("-c", CIPHER)
        assert backup(encrypted_site, tmp_path / "backup") == 0
    finally:
        encrypted_site.environment["DB_SSL_CA"] = str(certificates / "ca.pem")
