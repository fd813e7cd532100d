"""Signing: a result that nobody can change afterwards; amendments are new versions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hemashift.app import audit_trail, placing, versions
from hemashift.app.counting import Draft, draft
from hemashift.app.importing import problems
from hemashift.app.names import now, one_line
from hemashift.app.refusals import ConflictError, ProjectError
from hemashift.app.store import insert
from hemashift.differential import ModelFacts, Result, Signature
from hemashift.differential.json_file import from_json, to_json

if TYPE_CHECKING:
    from hemashift.app.project import Project


@dataclass(frozen=True)
class SignedResult:
    """A signed result.

    Attributes:
        version: 1, 2, ...
        amends: Version that it takes the place of, or None.
        by: Who signed.
        at: When, ISO 8601 in UTC.
        reason: Why it was amended, or empty.
        model: Version of the model.
        result: All that was signed, as exports take it.
        cells: Each cell as it was signed: id, hash of the image, bin, and who put it there.
        sha256: Hash of what was signed.
    """

    version: int
    amends: int | None
    by: str
    at: str
    reason: str
    model: int | None
    result: Result
    cells: tuple[dict[str, Any], ...]
    sha256: str


def sign(project: Project, *, by: str, token: str, event: str, comment: str = "") -> SignedResult:
    """Sign the differential that was on screen.

    Args:
        project: The project.
        by: Who signs.
        token: `Draft.token` of what was on screen.
        event: Id of this action, made by the caller; repeated, it signs nothing twice.
        comment: A remark for the report.

    Raises:
        ConflictError: A cell, the model or a label changed since, or it is signed already.
        ProjectError: Cells are unidentified, there is no leucocyte, or no name.
    """
    return _sign(project, by, token, event, comment, reason=None)


def amend(
    project: Project, *, by: str, token: str, event: str, reason: str, comment: str = ""
) -> SignedResult:
    """Sign a new version in the place of the latest one, which stays as it is.

    Args:
        project: The project.
        by: Who signs.
        token: `Draft.token` of what was on screen.
        event: Id of this action, made by the caller.
        reason: Why.
        comment: A remark for the report.

    Raises:
        ConflictError: As `sign`.
        ProjectError: As `sign`, or there is nothing to amend, or no reason.
    """
    if not reason.strip():
        raise ProjectError("an amendment needs a reason")
    return _sign(project, by, token, event, comment, reason=reason.strip())


def results(project: Project) -> list[SignedResult]:
    """Return all signed results, the first first, each checked as by `load`."""
    return [_signed(row) for row in project.store.rows("SELECT * FROM results ORDER BY version")]


def load(project: Project, version: int) -> SignedResult:
    """Return one signed result, checked against its hash.

    Raises:
        ProjectError: There is none, or it was changed outside of hemashift.
    """
    row = project.store.row("SELECT * FROM results WHERE version = ?", version)
    if row is None:
        raise ProjectError("there is no such signed result", found=str(version))
    return _signed(row)


def unsigned(project: Project) -> Result:
    """Return the differential as it stands, as exports take it."""
    return _result(project, draft(project), None, "")


def _sign(
    project: Project, by: str, token: str, event: str, comment: str, reason: str | None
) -> SignedResult:
    by, event = one_line(by), one_line(event, "id of the event")
    with project.store.writing() as connection:
        done = project.store.row("SELECT * FROM results WHERE event = ?", event)
        if done is not None:
            return _signed(done)
        last = project.store.value("SELECT MAX(version) FROM results")
        if reason is None and last is not None:
            raise ConflictError("this is signed already", hint="amend it, and say why")
        if reason is not None and last is None:
            raise ProjectError("there is no signed result to amend", hint="sign it")
        shown = draft(project)
        if shown.token != token:
            raise ConflictError(
                "something changed since this was on screen",
                hint="look at the differential again, then sign",
            )
        if shown.blocked is not None:
            raise ProjectError("this cannot be signed yet", found=shown.blocked)
        signature = Signature(
            by, datetime.fromisoformat(now()), (last or 0) + 1, last, reason or ""
        )
        _write(connection, project, event, shown, signature, comment.strip())
    return load(project, signature.version)


def _write(
    connection: sqlite3.Connection,
    project: Project,
    event: str,
    shown: Draft,
    signature: Signature,
    comment: str,
) -> None:
    """Write a result and its entry in the audit trail."""
    content = to_json(_result(project, shown, signature, comment))
    rows = connection.execute("SELECT id, sha256 FROM cells")
    hashes = {row[0]: row[1] for row in rows}
    cells = json.dumps(
        [
            {"cell": v.cell, "sha256": hashes[v.cell], "bin": v.bin, "source": v.source, "by": v.by}
            for v in placing.place(project)
        ],
        ensure_ascii=False,
    )
    digest = _digest(content, cells)
    insert(
        connection,
        "results",
        version=signature.version,
        event=event,
        amends=signature.amends,
        signed_by=signature.by,
        at=signature.at.isoformat(timespec="milliseconds"),
        model=shown.version,
        content=content,
        cells=cells,
        sha256=digest,
    )
    action = "sign" if signature.amends is None else "amend"
    detail = {"version": signature.version, "model": shown.version, "sha256": digest}
    if signature.reason:
        detail["reason"] = signature.reason
    audit_trail.append(connection, signature.by, action, **detail)


def _result(project: Project, shown: Draft, signature: Signature | None, comment: str) -> Result:
    model = None
    if shown.version is not None:
        version = versions.version(project, shown.version)
        model = ModelFacts(version.name, version.hash, version.number)
    return Result(
        shown.differential,
        project.subject(),
        shown.flags,
        model,
        signature,
        comment,
        sum(view.source in ("review", "label") for view in placing.place(project)),
        len(problems(project)),
        project.name,
        audit_trail.head(project) if signature is not None else "",
        len(project.copies()),
    )


def _signed(row: sqlite3.Row) -> SignedResult:
    if _digest(row["content"], row["cells"]) != row["sha256"]:
        raise ProjectError(
            "a signed result was changed outside of hemashift",
            found=f"version {row['version']}",
            hint="do not use it; take the project from a backup",
        )
    result = from_json(row["content"])
    return SignedResult(
        row["version"],
        row["amends"],
        row["signed_by"],
        row["at"],
        result.signature.reason if result.signature else "",
        row["model"],
        result,
        tuple(json.loads(row["cells"])),
        row["sha256"],
    )


def _digest(content: str, cells: str) -> str:
    return hashlib.sha256(f"{content}\n{cells}".encode()).hexdigest()
