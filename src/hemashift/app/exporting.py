"""Taking a result home: HTML and PDF with galleries, CSV, JSON, FHIR and HL7."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.app import audit_trail, placing, signing
from hemashift.app.names import one_line
from hemashift.app.pictures import picture
from hemashift.app.refusals import ProjectError
from hemashift.differential.exports import FORMATS, Format, write_result
from hemashift.errors import ImageError
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project

_PICTURES_A_CLASS = 40
_WITH_PICTURES: tuple[Format, ...] = ("html", "pdf")


def export(
    project: Project, form: Format, path: str | Path, *, version: int | None = None, by: str = ""
) -> Path:
    """Write a result to a file.

    Args:
        project: The project.
        form: See `hemashift.differential.exports.FORMATS`, which also has suffixes and media
            types.
        path: The file to write.
        version: A signed version; None for the draft, which says that it is not signed.
        by: Who exports, for the audit trail.

    Returns:
        The path.

    Raises:
        HemashiftError: There is no such version or format.
    """
    if form not in FORMATS:
        raise ProjectError("unknown format", expected=", ".join(FORMATS), found=str(form))
    if version is None:
        result = signing.unsigned(project)
        bins = [(view.cell, view.bin) for view in placing.place(project)]
    else:
        signed = signing.load(project, version)
        result = signed.result
        bins = [(one["cell"], one["bin"]) for one in signed.cells]
    galleries = _galleries(project, bins) if form in _WITH_PICTURES else {}
    write_result(result, form, path, galleries)
    with project.store.writing() as connection:
        who = one_line(by) if by.strip() else "hemashift"
        audit_trail.append(connection, who, "export", format=form, version=version)
    return Path(path)


def _galleries(project: Project, bins: Iterable[tuple[int, str]]) -> dict[str, list[bytes]]:
    """Return pictures of each class, evenly drawn from its cells; a lost picture is left out."""
    members: dict[str, list[int]] = {}
    for cell, name in bins:
        members.setdefault(name, []).append(cell)
    order = [*project.classes(), UNIDENTIFIED, OUTSIDE]
    galleries = {}
    for name in dict.fromkeys([one for one in order if one in members] + sorted(members)):
        cells = members[name]
        step = max(1, -(-len(cells) // _PICTURES_A_CLASS))
        galleries[name] = [found for cell in cells[::step] if (found := _picture(project, cell))]
    return galleries


def _picture(project: Project, cell: int) -> bytes | None:
    try:
        return picture(project, cell)
    except (ImageError, ProjectError):
        return None
