"""What goes back to the browser: JSON, and errors in plain words."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from hemashift.app.refusals import ConflictError, UnsavedError, damaged, of_the_disk
from hemashift.app.web.json_values import plain
from hemashift.app.web.rendering import page, sentence
from hemashift.app.web.security import HEADERS, Refusal
from hemashift.errors import HemashiftError

# The page repeats what was not saved for such a reason, and nothing else.
_STATUS = ((ConflictError, 409), (UnsavedError, 503))


def answer(value: Any) -> JSONResponse:
    """Answer with a value as JSON; see `json_values.plain`."""
    return JSONResponse(plain(value))


def refuse(request: Request, refusal: Refusal) -> Response:
    """Answer that something cannot be done: as JSON to the scripts, as a page to a person.

    The page changes nothing, and a stranger may see it: it has no CSRF token.
    """
    content = {"message": refusal.message, "hint": refusal.hint}
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse(content, status_code=refusal.status)
    return page(request, "error.html", status=refusal.status, csrf="", **content)


def add_handlers(app: FastAPI) -> None:
    """Turn every error into an answer: never a traceback, always what to do about it."""

    @app.exception_handler(HemashiftError)
    def expected(request: Request, error: HemashiftError) -> Response:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        return refuse(request, Refusal(status, _words(error), sentence(error.hint or "")))

    @app.exception_handler(OSError)
    @app.exception_handler(sqlite3.OperationalError)
    def disk(request: Request, error: OSError | sqlite3.OperationalError) -> Response:
        told = of_the_disk(error)
        return refuse(request, Refusal(503, _words(told), sentence(told.hint or "")))

    @app.exception_handler(sqlite3.DatabaseError)
    def damage(request: Request, error: sqlite3.DatabaseError) -> Response:
        if type(error) is not sqlite3.DatabaseError:
            raise error
        told = damaged(error)
        return refuse(request, Refusal(500, _words(told), sentence(told.hint or "")))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        default = "This page does not exist." if error.status_code == 404 else error.detail
        message = default if error.detail == "Not Found" else error.detail
        return refuse(request, Refusal(error.status_code, message, "Go back to the projects."))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        # What is not a number where an id should be is an address that does not exist.
        in_path = any(one["loc"][0] == "path" for one in error.errors())
        if in_path:
            return refuse(request, Refusal(404, "This page does not exist.", ""))
        return refuse(request, Refusal(422, "The page sent something unexpected.", "Reload it."))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        # The server prints the traceback. This answer passes by the guard, which adds the headers.
        message = "Something went wrong inside hemashift. What was saved before is safe."
        hint = "Reload the page. If it happens again, report what the terminal shows."
        made = refuse(request, Refusal(500, message, hint))
        made.headers.update(HEADERS)
        return made


def _words(error: HemashiftError) -> str:
    """Return what is wrong, with what was found where that is said."""
    found = f"; found: {error.found}" if error.found else ""
    return sentence(error.message + found)
