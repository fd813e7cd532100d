"""What is wrong in the label file itself, whatever the images show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hemashift.audit.findings import Finding
from hemashift.selection.label_rows import LabelRow


def unreadable_findings(rows: Sequence[LabelRow]) -> list[Finding]:
    """Name labelled images that could not be read; `rows` are theirs."""
    if not rows:
        return []
    return [
        Finding(
            "unreadable",
            "error",
            f"{len(rows)} labelled images cannot be read.",
            "Mend the files, or remove their rows from the label file.",
            tuple(row.name for row in rows),
        )
    ]


def contradiction_findings(rows: Sequence[LabelRow]) -> list[Finding]:
    """Name images to which the file gives two classes, or a class and `outside`."""
    given: dict[Path, dict[str, LabelRow]] = {}
    for row in rows:
        given.setdefault(row.path.resolve(), {}).setdefault(row.said, row)
    torn = [labels for labels in given.values() if len(labels) > 1]
    if not torn:
        return []
    return [
        Finding(
            "contradiction",
            "error",
            f"{len(torn)} images are labelled twice, with different labels.",
            "Decide which label is right, and remove the other row.",
            tuple(next(iter(labels.values())).name for labels in torn),
            tuple(" and ".join(labels) for labels in torn),
        )
    ]


def unknown_findings(rows: Sequence[LabelRow], classes: Sequence[str]) -> list[Finding]:
    """Name labels that make a class of their own, which a misspelt word does as well."""
    strange = [row for row in rows if row.meaning not in classes]
    if not strange:
        return []
    counts = Counter(str(row.meaning) for row in strange)
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    return [
        Finding(
            "unknown class",
            "note",
            f"Labels that mean none of the model's classes become classes of their own: {listed}.",
            "Check their spelling. If they are cells that nobody is to be told about, say so with "
            "--classes.",
            tuple(row.name for row in strange),
            tuple(str(row.meaning) for row in strange),
        )
    ]
