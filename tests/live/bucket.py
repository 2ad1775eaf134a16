"""A bucket on loopback: the few calls of S3 that the application makes, answered from memory.

What is signed how isn't looked at. The same calls were tried against moto's server, whose S3 is a whole one.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.concurrency.races import Threads


class Bucket(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.is_down = False

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DOCUMENTS_BUCKET": "documents", "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.server_port}",
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "ap-southeast-1",
            "NO_PROXY": "127.0.0.1",
        }  # fmt: skip


@contextmanager
def a_bucket() -> Iterator[Bucket]:
    with Bucket() as bucket, Threads() as beside:
        beside.start(bucket.serve_forever)
        try:
            yield bucket
        finally:
            bucket.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/documents").lstrip("/")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = _unchunked(body)
        self.server.objects[self.key] = body, datetime.now(UTC)
        self._answer(200, headers={"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if not self.key:
            self._list(parse_qs(urlsplit(self.path).query))
        elif found := self.server.objects.get(self.key):
            self._answer(200, found[0], {"Last-Modified": format_datetime(found[1], usegmt=True), "ETag": '"1"'})
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self._answer(204)

    def _list(self, query: dict[str, list[str]]) -> None:
        prefix = query.get("prefix", [""])[0]
        below = [key.removeprefix(prefix) for key in self.server.objects if key.startswith(prefix)]
        files = "".join(f"<Contents><Key>{escape(prefix + name)}</Key></Contents>" for name in below if "/" not in name)
        folders = sorted({name.split("/")[0] for name in below if "/" in name})
        listed = "".join(
            f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>" for name in folders
        )
        answer = f"<ListBucketResult><IsTruncated>false</IsTruncated>{files}{listed}</ListBucketResult>"
        self._answer(200, answer.encode(), {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        if self.server.is_down:
            status, body, headers = 503, b"<Error><Code>SlowDown</Code></Error>", None
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _unchunked(body: bytes) -> bytes:
    """AWS's own chunks: size, signature, data."""
    content, rest = b"", body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        content, rest = content + rest[:size], rest[size + 2 :]
    return content
