"""A result as JSON: everything, for programs, and readable again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hemashift.differential.core import Differential, Line
from hemashift.differential.flags import Flag, FlagRule
from hemashift.differential.result import ModelFacts, Result, Signature, Subject
from hemashift.differential.roles import Role
from hemashift.errors import TableError

FORMAT = "hemashift-differential"
VERSION = 1


def to_json(result: Result) -> str:
    """Return a result as JSON text, always the same text for the same result.

    Examples:
        >>> result = Result(Differential.of({"neutrophil": 95, "basophil": 5}))
        >>> from_json(to_json(result)) == result
        True
    """
    count, signature = result.differential, result.signature
    document = {
        "format": FORMAT,
        "version": VERSION,
        "status": result.status,
        "counts": dict(count.counts),
        "roles": {name: str(role) for name, role in count.roles.items()},
        "confidence": count.confidence,
        "leucocytes": count.leucocytes,
        "lines": [_line(line) for line in count.lines],
        "subject": asdict(result.subject),
        "flags": [asdict(flag) for flag in result.flags],
        "model": None if result.model is None else asdict(result.model),
        "signature": None
        if signature is None
        else {**asdict(signature), "at": signature.at.isoformat()},
        "comment": result.comment,
        "reviewed": result.reviewed,
        "unreadable": result.unreadable,
        "project": result.project,
        "audit_head": result.audit_head,
        "copies": result.copies,
    }
    return json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(text: str) -> Result:
    """Read what `to_json` wrote; percentages and limits are computed anew from the counts.

    Raises:
        TableError: It is no result, or one of a newer version.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or document["version"] > VERSION:
            raise KeyError("format")
        signature, model = document["signature"], document["model"]
        roles = {name: Role(role) for name, role in document["roles"].items()}
        return Result(
            Differential.of(document["counts"], roles=roles, confidence=document["confidence"]),
            Subject(**document["subject"]),
            tuple(_flag(flag) for flag in document["flags"]),
            None if model is None else ModelFacts(**model),
            None if signature is None else _signature(signature),
            document["comment"],
            document["reviewed"],
            document["unreadable"],
            document["project"],
            document["audit_head"],
            document.get("copies", 0),  # results signed earlier do not say
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise TableError(
            "this is not a differential count",
            expected=f"JSON of format {FORMAT}, version {VERSION}",
            found=f"{type(error).__name__}: {error}",
        ) from None


def _line(line: Line) -> dict[str, Any]:
    return {**asdict(line), "role": str(line.role), "unit": line.unit}


def _flag(values: Mapping[str, Any]) -> Flag:
    return Flag(**{**values, "rule": FlagRule(**values["rule"])})


def _signature(values: Mapping[str, Any]) -> Signature:
    return Signature(**{**values, "at": datetime.fromisoformat(values["at"])})


def _plain(value: Any) -> Any:
    """JSON knows no NaN; a number that is not defined is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
