"""A proxy that behaves as a mobile network does: it loses, delays, doubles and reorders, by a seeded chance."""

import http.client
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOST, ANSWER_LOST, CUT_OFF, DOUBLED, DELAYED, THROUGH = (
    "request lost", "answer lost", "answer cut off", "request doubled", "delayed", "through",
)  # fmt: skip
CHANCES = {LOST: 10, ANSWER_LOST: 12, CUT_OFF: 6, DOUBLED: 10, DELAYED: 20, THROUGH: 42}


class ChaosProxy:
    """Listens on loopback and passes requests on to ``port``. `Counter` ``fates`` tells what it did."""

    def __init__(self, port: int, seed: int) -> None:
        self.target, self.chance, self.fates = port, random.Random(seed), Counter[str]()
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.handle(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/api/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            fate = self.chance.choices(list(CHANCES), list(CHANCES.values()))[0]
            seconds = self.chance.uniform(0.01, 0.4)
            self.fates[fate] += 1
        request.close_connection = True
        if fate == LOST:
            return
        if fate == DELAYED:  # and so overtaken by others
            time.sleep(seconds)
        if fate == DOUBLED:
            twin = threading.Thread(target=self._pass_on_unheard, args=(request, body), daemon=True)
            twin.start()
        try:
            status, headers, content = self._pass_on(request, body)
        except OSError:
            return
        if fate == DOUBLED:
            twin.join()
        if fate == ANSWER_LOST:
            return
        with suppress(OSError):  # a phone that doesn't wait any longer
            request.send_response(status)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding"):
                    request.send_header(name, value)
            request.end_headers()
            request.wfile.write(content[: len(content) // 2] if fate == CUT_OFF else content)

    def _pass_on_unheard(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        with suppress(OSError):
            self._pass_on(request, body)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
