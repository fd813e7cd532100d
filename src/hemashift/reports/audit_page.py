"""The page of a label audit: every finding with its reason, its remedy and pictures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.reports import parts
from hemashift.reports.page import write_page
from hemashift.reports.pictures import read_picture
from hemashift.reports.sections import (
    Facts,
    Gallery,
    Notices,
    Section,
    Text,
    Thumbnail,
)
from hemashift.reports.style import GREY, SECOND

if TYPE_CHECKING:
    from hemashift.audit import Audit, Finding

MOST_SHOWN = 24
"""Images of a finding on the page; more would make it heavy, not clearer."""

_SIZE = 128
_COLOURS = {"error": SECOND, "warning": "#E69F00", "note": GREY}


def audit_sections(audit: Audit) -> list[Section]:
    """Return the parts of an audit's page."""
    serious = [one.sentence for one in audit.findings if one.severity != "note"]
    notes = [one.sentence for one in audit.findings if one.severity == "note"]
    summary: list[Section] = [
        Notices("To be looked at", serious),
        Notices("Good to know", notes, serious=False),
    ]
    if not audit.findings:
        summary = [Text("Result", ("Nothing suspicious was found.",))]
    return [
        *summary,
        *(_gallery(one, audit.root) for one in audit.findings if one.paths),
        parts.label_table(audit.counts),
        Facts(
            "What was looked at",
            [
                ("Images", f"{audit.n_images:,}"),
                ("Model asked for its opinion", audit.model),
                (
                    "How",
                    "The labels are compared with the opinion of a model that knows none of them, "
                    "and with models that each learnt from the other labels only. Both can be "
                    "wrong: a finding is a reason to look, not a verdict.",
                ),
            ],
        ),
    ]


def write_audit_report(audit: Audit, path: str | Path, *, made: datetime | None = None) -> None:
    """Write one self-contained HTML page.

    Args:
        audit: What `hemashift.audit.audit` returned.
        path: The `.html` file.
        made: When; shown in the footer.
    """
    subtitle = f"{sum(audit.counts.values()):,} labels in {audit.root.name or audit.root}"
    write_page(path, "Label audit", audit_sections(audit), subtitle=subtitle, made=made)


def _gallery(one: Finding, root: Path) -> Gallery:
    captions = one.captions or ("",) * len(one.paths)
    items = [
        Thumbnail(
            f"{name}: {caption}" if caption else name,
            [*filter(None, caption.split("; ")), name],
            read_picture(root / name, _SIZE),
            _COLOURS[one.severity],
        )
        for name, caption in zip(one.paths[:MOST_SHOWN], captions, strict=False)
    ]
    more = len(one.paths) - len(items)
    note = f"{one.sentence} {one.suggestion}" + (f" {more:,} more are not shown." if more else "")
    return Gallery(f"{one.kind.capitalize()} ({one.severity})", items, note=note)
