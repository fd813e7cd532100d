"""The server: one process on this machine, for one person."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from hemashift.app.web.answers import add_handlers, refuse
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.routes import (
    adapt,
    differential,
    home,
    label,
    pictures,
    progress,
    project,
    review,
    sign,
)
from hemashift.app.web.security import Access, Guard
from hemashift.errors import HemashiftError

STATIC = Path(__file__).with_name("static")
_TRIED = 10


def create_app(projects: Projects, access: Access) -> FastAPI:
    """Put the page together.

    Args:
        projects: What it shows; closed when the server ends.
        access: Secrets and addresses of this run.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        projects.close()

    # The pages of FastAPI that describe an interface load scripts from elsewhere: none of them.
    app = FastAPI(
        title="hemashift", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.projects = projects
    app.state.access = access
    pages = (home, project, label, adapt, review, differential, sign, pictures, progress)
    for step in pages:
        app.include_router(step.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_handlers(app)
    app.add_middleware(Guard, access=access, refuse=refuse)
    return app


def listen(host: str, port: int, folders: Sequence[Path] = ()) -> socket.socket:
    """Take a port; where `port` is taken, one that is the same the next time; or any free one.

    A browser keeps what could not be saved under the address, port and all. From then on a browser
    that connects waits until the server answers.

    Args:
        host: Address.
        port: Port, 0 for any free one.
        folders: Folders of the projects named at the start; the first decides which port is
            taken in the place of `port`.

    Raises:
        HemashiftError: No port can be taken at this address, or it is not one address.
    """
    if host in ("0.0.0.0", "::"):
        raise HemashiftError(
            "the page needs one address",
            found=host,
            hint="give the address by which the other machine will reach this one",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, *_others(port, folders), 0):
        # With the protocol named, asyncio sends small answers at once (TCP_NODELAY).
        taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # elsewhere it would let two programs share the port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, wanted))
            taken.listen()
        except OSError as error:
            taken.close()
            failure = error
        else:
            return taken
    raise HemashiftError("the page cannot be opened", found=str(failure), where=host)


def _others(port: int, folders: Sequence[Path]) -> range:
    """Return the ports to try in the place of one, below those that systems give to anybody.

    Examples:
        >>> _others(8765, [Path("/data/smears")]) == _others(9000, [Path("/data/smears")])
        True
        >>> len(_others(0, []))
        0
    """
    if port == 0:
        return range(0)
    first = 10_000 + int(id_of(folders[0]) if folders else "0", 16) % 20_000
    return range(first, first + _TRIED)


def serve(projects: Projects, access: Access, taken: socket.socket) -> None:
    """Serve until the process is interrupted.

    Args:
        projects: What to show.
        access: Secrets and addresses.
        taken: The socket to listen on, see `listen`.
    """
    config = uvicorn.Config(
        create_app(projects, access),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    with suppress(KeyboardInterrupt):  # the usual way to end it
        uvicorn.Server(config).run(sockets=[taken])
