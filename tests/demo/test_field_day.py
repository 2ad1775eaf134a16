"""The script behind `make demo`: on its own, whatever the developer's machine is set to."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest
from decouple import RepositoryEnv
from django.conf import settings

from tests.concurrency.races import Threads

pytestmark = pytest.mark.any_engine


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("field_day", settings.BASE_DIR / "scripts" / "demo.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["field_day"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def loopback() -> Iterator[str]:
    """A server of this machine that answers everything with ``{}``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    with server, Threads() as beside:
        beside.start(server.serve_forever)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_setting_is_taken_from_the_machine(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = set(RepositoryEnv(settings.BASE_DIR / ".env.example").data)
    assert {"DB_NAME", "MEDIA_ROOT", "ALLOWED_HOSTS", "OCCURRED_AT_MAX_AGE_DAYS"} <= names
    for name in {*names, "DJANGO_SETTINGS_MODULE"}:
        monkeypatch.setenv(name, "the developer's")
    environment = demo.environment_of(tmp_path)
    assert {name for name in names if environment[name] == "the developer's"} == set()
    assert environment["DJANGO_SETTINGS_MODULE"] == "core.settings"
    for name in ("DB_NAME", "MEDIA_ROOT", "STATIC_ROOT", "EMAIL_FILE_PATH"):
        assert Path(environment[name]).is_relative_to(tmp_path)


def test_it_talks_to_its_server_without_a_proxy(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, loopback: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert demo.Api(loopback).get("health/live/") == {}


@pytest.mark.parametrize("ends", ["politely", "not at all"])
def test_its_server_is_gone_afterwards(demo: ModuleType, ends: str) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    polite = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", polite if ends == "politely" else deaf], start_new_session=True, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout
        server.stdout.readline()
        demo.stop(server, patience_s=1)
    assert server.returncode == (-signal.SIGTERM if ends == "politely" else -signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_being_ended_from_outside_unwinds(demo: ModuleType) -> None:
    with pytest.raises(SystemExit) as ended:
        demo._end(signal.SIGTERM, None)
    assert ended.value.code == 128 + signal.SIGTERM
