"""Labels as a CSV file, the one that `hemashift adapt` takes."""

from __future__ import annotations

import csv
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.app import audit_trail, labelling
from hemashift.app.names import one_line
from hemashift.app.refusals import ProjectError
from hemashift.errors import TableError
from hemashift.evaluation.tables import read_table
from hemashift.files import atomic_write
from hemashift.taxonomy import OUTSIDE, default_taxonomy

if TYPE_CHECKING:
    from hemashift.app.project import Project

_NAMED = 5


def export_labels(project: Project, path: str | Path) -> int:
    """Write the settled labels, columns `path` and `label`.

    What is not a cell has the label `outside`. Cells about which readers disagree are left out.

    Returns:
        Number of labels written.
    """
    labels = labelling.settled(project).for_adapting()
    names = _names(project)
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "label"])
        writer.writerows(sorted((names[cell], label) for cell, label in labels.items()))
    return len(labels)


def import_labels(project: Project, path: str | Path, *, reader: str) -> int:
    """Record the labels of a file as answers of a reader; all or none.

    A label that means a class of the project counts as that class, `outside` as not a cell; other
    labels are added as classes. Rows that say what the reader has said already are passed over, so
    the same file can be imported again.

    Args:
        project: The project.
        path: CSV file with the columns `path`, relative to the folder of images, and `label`.
        reader: Whose answers they are.

    Returns:
        Number of labels recorded.

    Raises:
        TableError: The file cannot be read or lacks a column.
        ProjectError: It names images that the project does not have, or says two things of one.
    """
    reader = one_line(reader)
    cells = {name: cell for cell, name in _names(project).items()}
    # A name as it is exported comes before what a spreadsheet or Windows made of it.
    wanted = [
        (name if name in cells else name.strip().replace("\\", "/"), label)
        for name, label in _rows(path)
    ]
    missing = [name for name, _ in wanted if name not in cells]
    if missing:
        raise ProjectError(
            f"{len(missing)} of {len(wanted)} labelled images are not in the project",
            expected=f"paths relative to {project.images}",
            found=", ".join(missing[:_NAMED]) + (" ..." if len(missing) > _NAMED else ""),
            where=path,
            hint="import the images first, or correct the paths",
        )
    recorded = 0
    with project.store.writing() as connection:
        said = labelling.verdicts(project, reader)
        meant: dict[int, str | None] = {}
        for name, given in wanted:
            cell, label = cells[name], _class(project, given, reader)
            if meant.setdefault(cell, label) != label:
                raise ProjectError(
                    "the labels contradict each other",
                    expected="one label an image",
                    found=f"{name}: {meant[cell] or OUTSIDE} and {label or OUTSIDE}",
                    where=path,
                    hint="decide which label is right, and remove the other",
                )
            if cell in said and said[cell].answer == (label or labelling.NOT_A_CELL):
                continue
            said[cell] = labelling.record(
                project,
                reader=reader,
                cell=cell,
                verdict="label" if label else "not_a_cell",
                label=label,
                event=uuid.uuid4().hex,
            )
            recorded += 1
        detail = {"file": Path(path).name, "labels": recorded}
        audit_trail.append(connection, reader, "import labels", **detail)
    return recorded


def _names(project: Project) -> dict[int, str]:
    rows = project.store.rows("SELECT id, path FROM cells WHERE status = 'ready'")
    return {row[0]: row[1] for row in rows}


def _rows(path: str | Path) -> list[tuple[str, str]]:
    """Return path and label of the rows that have a label."""
    frame = read_table(path)
    frame.columns = [str(name).strip().lower() for name in frame.columns]
    if list(frame.columns).count("path") != 1 or list(frame.columns).count("label") != 1:
        raise TableError(
            "the label file lacks a column",
            expected="the columns path and label",
            found=", ".join(frame.columns),
            where=path,
        )
    pairs = zip(frame["path"].astype(str), frame["label"].astype(str), strict=True)
    return [(name, label.strip()) for name, label in pairs if label.strip()]


def _class(project: Project, label: str, by: str) -> str | None:
    """Return the class of the project that a label means, None for `outside`; or add it."""
    if label.casefold() in (OUTSIDE, labelling.NOT_A_CELL):
        return None
    known = project.classes()
    found = default_taxonomy().roll_up(label, known)
    if found is not None:
        return found
    name = one_line(label, "name of the class")
    if name not in known:
        project.add_class(name, by=by)
    return name
