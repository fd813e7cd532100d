"""How a result is put into words, the same in every report."""

from __future__ import annotations

import math

from hemashift.differential.core import Line
from hemashift.differential.result import Result

STATUS = {
    "draft": "DRAFT: not reviewed to the end and signed by nobody",
    "final": "Signed",
    "amended": "Signed, amended",
}


def number(value: float, digits: int = 1) -> str:
    """Write a number, or a dash where it is not defined.

    Examples:
        >>> number(1.25, 2), number(float("nan")) == "\N{EN DASH}"
        ('1.25', True)
    """
    return "\N{EN DASH}" if math.isnan(value) else f"{value:.{digits}f}"


def counted(count: int, one: str, many: str = "") -> str:
    """Write how many of something.

    Examples:
        >>> counted(1, "cell"), counted(1200, "cell"), counted(0, "copy", "copies")
        ('1 cell', '1,200 cells', '0 copies')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def limits(line: Line, digits: int = 1) -> str:
    """Write the limits of a class, "1.6 to 11.3"."""
    if math.isnan(line.low):
        return "\N{EN DASH}"
    return f"{number(line.low, digits)} to {number(line.high, digits)}"


def which(result: Result) -> str:
    """Say in a few words which result this is, for the foot of every page."""
    name = result.subject.sample_id or result.project or "Differential count"
    if result.signature is None:
        return f"{name}, DRAFT, signed by nobody"
    return f"{name}, version {result.signature.version}, signed by {result.signature.by}"


def facts(result: Result) -> list[tuple[str, str]]:
    """Return name and value of everything known about a result but the count; no empty values."""
    subject, signature, model = result.subject, result.signature, result.model
    rows = [
        ("Status", STATUS[result.status]),
        ("Patient", subject.patient_name),
        ("Patient identifier", subject.patient_id),
        ("Date of birth", subject.birth_date),
        ("Sex", subject.sex),
        ("Sample", subject.sample_id),
        ("Taken", subject.collected),
        ("Laboratory", subject.laboratory),
        ("Project", result.project),
    ]
    if model is not None:
        version = "" if model.version is None else f"version {model.version}, "
        rows.append(("Classified first by", f"{model.name} ({version}hash {model.hash[:12]})"))
        rows.append(("Decided by a person", counted(result.reviewed, "cell")))
    if signature is not None:
        rows.append(("Signed by", signature.by))
        rows.append(("Signed at", signature.at.isoformat(timespec="seconds")))
        rows.append(("Version of the result", str(signature.version)))
        if signature.amends is not None:
            rows.append(("In the place of version", str(signature.amends)))
            rows.append(("Reason", signature.reason))
    rows.append(("Remark", result.comment))
    rows.append(("Audit trail", result.audit_head))
    return [(name, value) for name, value in rows if value]


def method(result: Result) -> str:
    """Say in a sentence or two how the figures came about."""
    count = result.differential
    others = (
        (count.outside, "cell or thing that is", "cells or things that are", "not reported"),
        (count.unidentified, "cell", "cells", "not identified"),
        (result.unreadable, "image", "images", "that could not be read"),
        (result.copies, "copy", "copies", "of another image, counted as well"),
    )
    beside = " and ".join(f"{counted(n, one, many)} {what}" for n, one, many, what in others if n)
    return (
        f"{counted(count.leucocytes, 'leucocyte')} counted. Percentages are of the leucocytes; "
        "erythroblasts and other nucleated cells that are no leucocytes are given per 100 "
        "leucocytes and are not in the count (CLSI H20-A2). Limits are exact "
        f"{100 * count.confidence:g} % limits (Clopper and Pearson, "
        "R\N{LATIN SMALL LETTER U WITH DIAERESIS}mke)." + (f" Besides: {beside}." if beside else "")
    )
