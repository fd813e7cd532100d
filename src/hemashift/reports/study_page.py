"""The page that puts the studies together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hemashift.reports.page import write_page
from hemashift.reports.sections import Facts, Notices, Section, Text

_TITLE = "Few-shot domain adaptation of white blood cell classification"
_SOURCE = (
    "The experiments of Chossegros et al. 2024 (J. Pathol. Inform. 15, 100405), computed anew. "
    "Figures of the paper stand beside where it gives them. All scores are of cells that took no "
    "part in adapting."
)


@dataclass(frozen=True, eq=False)
class Chapter:
    """What the page says of one study.

    Attributes:
        title: Heading.
        about: What the study asks, and which table or figure of the paper it is.
        sections: Its tables and figures.
        remarks: What a reader should know.
        failures: Parts that could not be computed, and why.
    """

    title: str
    about: str
    sections: Sequence[Section]
    remarks: Sequence[str] = ()
    failures: Sequence[str] = ()


def write_study_page(
    path: str | Path,
    chapters: Sequence[Chapter],
    *,
    subtitle: str = "",
    remarks: Sequence[str] = (),
    facts: Sequence[tuple[str, str]] = (),
    made: datetime | None = None,
) -> None:
    """Write one self-contained HTML page of all studies.

    Args:
        path: The `.html` file.
        chapters: The studies, in order.
        subtitle: A line below the heading, such as the preset.
        remarks: What holds for all studies, such as datasets that are not there.
        facts: Names with values: versions, computer, data.
        made: When.
    """
    sections: list[Section] = [Text("About", [_SOURCE])]
    sections.append(Notices("Worth knowing", remarks, serious=False))
    contents = list(sections)
    for number, chapter in enumerate(chapters, start=1):
        parts = _numbered(chapter, number)
        sections += parts
        contents.append(parts[0])
    sections.append(Facts("How this was made", facts))
    contents.append(sections[-1])
    write_page(path, _TITLE, sections, subtitle=subtitle, made=made, contents=contents)


def _numbered(chapter: Chapter, number: int) -> list[Section]:
    """Return a chapter's sections under one number, so that they are found among all the others."""
    parts: list[Section] = [
        Text(chapter.title, [chapter.about]),
        Notices(f"{chapter.title}: not computed", chapter.failures),
        *chapter.sections,
        Notices(f"{chapter.title}: worth knowing", chapter.remarks, serious=False),
    ]
    return [replace(part, title=f"{number}. {part.title}") for part in parts]
