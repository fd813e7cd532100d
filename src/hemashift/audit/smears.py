"""Classes that were labelled in one smear only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from hemashift.audit.findings import Finding

# Two cells of one smear are no surprise.
_LEAST = 3


def smear_findings(
    labels: Sequence[str], smears: Sequence[str], names: Sequence[str]
) -> list[Finding]:
    """Find classes whose labelled cells all come from one smear, while others do not.

    Stain, light and patient differ between smears. A model that knows a class from one smear may
    have learnt the smear. Nothing is said if there is one smear only, or if each smear holds one
    class, as in a folder a class.

    Args:
        labels: N classes.
        smears: N smears, patients or folders.
        names: N paths.

    Examples:
        >>> labels = ["monocyte"] * 3 + ["neutrophil"] * 4
        >>> smears = ["A", "A", "A", "A", "B", "A", "B"]
        >>> print(smear_findings(labels, smears, list("abcdefg"))[0].sentence)
        All 3 labelled cells of monocyte come from one smear, A.
    """
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for label, smear in zip(labels, smears, strict=True):
        classes[smear].add(label)
    if len(classes) < 2 or all(len(held) == 1 for held in classes.values()):
        return []
    findings = []
    for label, count in sorted(Counter(labels).items()):
        rows = [row for row, other in enumerate(labels) if other == label]
        places = {smears[row] for row in rows}
        if count < _LEAST or len(places) > 1:
            continue
        findings.append(
            Finding(
                "one smear",
                "warning",
                f"All {count} labelled cells of {label} come from one smear, {places.pop()}.",
                f"Label {label} in other smears too, or its stain may be learnt for the cell.",
                tuple(names[row] for row in rows),
            )
        )
    return findings
