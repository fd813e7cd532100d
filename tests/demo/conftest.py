"""A web server on this computer whose answers each test chooses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Answer:
    """What the server says: a status, headers beside the length, and how much of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    """Length in the header; that of the body where not given, none at all where negative."""


class Site:
    """Answers by path; `url("/x")` is where to ask."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self._address = f"http://127.0.0.1:{server.server_address[1]}"

    def url(self, path: str, answer: Answer | None = None) -> str:
        if answer is not None:
            self.answers[path] = answer
        return self._address + path


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A web server on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answer = found.answers.get(self.path, Answer(b"no such page", 404))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            announced = len(answer.body) if answer.announced is None else answer.announced
            if announced >= 0:
                self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            pass

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Site(server)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()
