"""Who may talk to the page: a browser on this machine that was given the address.

The page has no accounts. What protects it, and against what:

- The server listens on the loopback address, so that no other machine reaches it.
- The `Host` must be the one that was announced: a foreign name that is made to point at this
  machine (DNS rebinding) is refused.
- The first address carries a token; it is exchanged for a cookie, `HttpOnly` and
  `SameSite=Strict`, and leaves the address line. Other users of the machine know neither: a browser
  that hemashift opens, whose address they see among the running programs, gets a token of its own
  that is good once.
- What changes something must come from the page itself: same `Origin`, and a CSRF header that
  only pages with the cookie get to see.
- The content security policy allows neither inline scripts nor styles, nor any other server.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
"""Most bytes that a request may bring; every body is a small JSON object."""

SAFE_METHODS = frozenset({"GET", "HEAD"})

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class Access:
    """The secrets of one run of the server, and the addresses it answers to.

    Attributes:
        origin: Where the server is, such as `http://127.0.0.1:8765`.
        hosts: Accepted values of the `Host` header.
        token: The secret in the address that is shown.
        once: The secret in the address that a browser is opened with; taken once only.
        session: The secret in the cookie.
    """

    origin: str
    hosts: frozenset[str]
    token: str
    once: str
    session: str

    @classmethod
    def make(cls, host: str, port: int) -> Access:
        """Draw new secrets for a server at `host` and `port`.

        Examples:
            >>> access = Access.make("127.0.0.1", 8765)
            >>> access.origin, sorted(access.hosts)
            ('http://127.0.0.1:8765', ['127.0.0.1:8765', 'localhost:8765'])
        """
        shown = f"[{host}]" if ":" in host else host
        names = {shown}
        if host in ("127.0.0.1", "::1"):
            names.add("localhost")
        hosts = {f"{name}:{port}" for name in names}
        if port == 80:  # a browser leaves it out
            hosts |= names
        return cls(
            origin=f"http://{shown}:{port}",
            hosts=frozenset(hosts),
            token=secrets.token_urlsafe(24),
            once=secrets.token_urlsafe(24),
            session=secrets.token_urlsafe(32),
        )

    def address(self, path: str = "/", *, once: bool = False) -> str:
        """Return the address to open a page by, with the token, or with the one taken once."""
        return f"{self.origin}{path}?token={self.once if once else self.token}"

    @property
    def cookie(self) -> str:
        """Name of the cookie; browsers share cookies between ports, so it names the port."""
        return f"hemashift-{self.origin.rsplit(':', 1)[1]}"

    @property
    def stamp(self) -> str:
        """Part of every picture's address: what a browser cached in an earlier run is not used."""
        return hashlib.sha256(self.session.encode()).hexdigest()[:8]

    @property
    def csrf(self) -> str:
        """What a page must send back in `X-CSRF-Token`; derived, so that it reveals nothing."""
        return hmac.new(self.session.encode(), b"csrf", hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        status: HTTP status.
        message: What is wrong, in one sentence.
        hint: What the user can do about it.
    """

    status: int
    message: str
    hint: str


class Guard:
    """ASGI middleware that lets only the page itself through, and adds the headers.

    Args:
        app: What is guarded.
        access: Secrets and addresses.
        refuse: Makes the answer to a refused request.
    """

    def __init__(
        self, app: ASGIApp, access: Access, refuse: Callable[[Request, Refusal], Response]
    ) -> None:
        self.app = app
        self.access = access
        self.refuse = refuse
        self._once: str | None = access.once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        answer = self._answer(request)
        await (answer or self.app)(scope, _limited(receive), _with_headers(send, request.url.path))

    def _answer(self, request: Request) -> Response | None:
        """Return what is answered in place of the page, or None to let the request through."""
        if request.headers.get("host", "") not in self.access.hosts:
            return self.refuse(request, _WRONG_HOST)
        if request.url.path.startswith("/static/") and request.method in SAFE_METHODS:
            return None  # style and scripts of the package: no secret, and error pages need them
        token = request.query_params.get("token")
        if token is not None and request.method == "GET":
            return self._enter(request, token)
        if not _same(request.cookies.get(self.access.cookie, ""), self.access.session):
            return self.refuse(request, _LOCKED)
        if request.method in SAFE_METHODS:
            return None
        refusal = self._check_change(request)
        return None if refusal is None else self.refuse(request, refusal)

    def _enter(self, request: Request, token: str) -> Response:
        """Exchange a token for the cookie, and take it out of the address."""
        if self._once is not None and _same(token, self._once):
            self._once = None
        elif not _same(token, self.access.token):
            return self.refuse(request, _LOCKED)
        # The path alone: a second leading slash would make it another server's address.
        answer = RedirectResponse("/" + request.url.path.lstrip("/"), status_code=303)
        answer.set_cookie(
            self.access.cookie, self.access.session, httponly=True, samesite="strict", path="/"
        )
        return answer

    def _check_change(self, request: Request) -> Refusal | None:
        """Check a request that changes something."""
        allowed = {f"http://{name}" for name in self.access.hosts}
        if request.headers.get("origin") not in allowed:
            return _FOREIGN
        if not _same(request.headers.get("x-csrf-token", ""), self.access.csrf):
            return _FOREIGN
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return _NOT_JSON
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return _TOO_LARGE
        return None


_WRONG_HOST = Refusal(
    421, "This address is not one of hemashift's.", "Open the address shown in the terminal."
)
_LOCKED = Refusal(
    403,
    "This page opens only with the address that hemashift showed when it started.",
    "Open that address again. If hemashift was started anew, there is a new one; labels that "
    "were not yet saved are kept in this browser and sent as soon as the page is open.",
)
_FOREIGN = Refusal(
    403,
    "This request did not come from a page of hemashift, so nothing was changed.",
    "Reload the page and try again.",
)
_NOT_JSON = Refusal(415, "Only JSON is accepted here.", "Reload the page and try again.")
_TOO_LARGE = Refusal(413, "The request is too large.", "Send fewer cells at once.")


def _same(given: str, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), secret.encode())


def _limited(receive: Receive) -> Receive:
    """Count the bytes of a body that does not announce its length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise HTTPException(_TOO_LARGE.status, _TOO_LARGE.message)
        return message

    return counted


def _with_headers(send: Send, path: str) -> Send:
    """Add the security headers, and a rule for caches where the answer has none."""
    fresh = "no-cache" if path.startswith("/static/") else "no-store"

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", fresh)
        await send(message)

    return secured
