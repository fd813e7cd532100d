"""What an audit found: one record a finding, for people and for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
Kind = Literal[
    "unreadable",
    "contradiction",
    "exchanged classes",
    "copies",
    "wrong labels",
    "one smear",
    "unknown class",
    "model",
]


@dataclass(frozen=True)
class Finding:
    """One thing about the labels that a person should look at.

    Attributes:
        kind: What sort of thing.
        severity: `error`: certainly to be mended; `warning`: probably; `note`: good to know.
        sentence: What was found.
        suggestion: What to do.
        paths: The images concerned, relative to the folder of images, the clearest first.
        captions: A few words to each of these; empty, or as long as `paths`.
    """

    kind: Kind
    severity: Severity
    sentence: str
    suggestion: str
    paths: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.captions and len(self.captions) != len(self.paths):
            raise ValueError(f"{len(self.paths)} images but {len(self.captions)} captions")


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings with the most serious first, otherwise in their order.

    Examples:
        >>> one = Finding("copies", "note", "Two are one.", "Nothing.")
        >>> two = Finding("contradiction", "error", "A and B.", "Decide.")
        >>> [finding.severity for finding in in_order([one, two])]
        ['error', 'note']
    """
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
