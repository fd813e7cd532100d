"""Labels as a CSV file, the one that `hemashift adapt` takes."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.adaptation.labels import meanings_of, path_inside, read_label_file
from hemashift.app import audit_trail, labelling
from hemashift.app.labelling import Verdict
from hemashift.app.names import one_line
from hemashift.app.refusals import ProjectError
from hemashift.columns import groups_in, texts_of
from hemashift.files import atomic_write, forward_slashes
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project

_NAMED = 5
_UNSURE = ("unsure", UNIDENTIFIED)

Answer = tuple[Verdict, str | None]


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

    Labels mean what they mean to `hemashift adapt` (`hemashift.adaptation.labels.meaning_of`), but
    `unsure` or `unidentified` is unsure; what is no class of the project is added. Rows that say
    what the reader has said already are passed over, so the same file can be imported again. A
    column that names the smear or patient of a cell is kept, for cross-validation.

    Args:
        project: The project.
        path: CSV file with the columns `path`, relative to the folder of images or absolute, and
            `label`.
        reader: Whose answers they are.

    Returns:
        Number of answers recorded.

    Raises:
        TableError: The file cannot be read or lacks a column.
        ProjectError: It names images that the project does not have, or says two things of one.
    """
    reader = one_line(reader)
    wanted = _rows(path)
    cells = _cells_of(project, [name for name, _, _ in wanted])
    missing = [name for name, _, _ in wanted if name not in cells]
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
        answers = _answers(project, [label for _, label, _ in wanted], reader)
        meant: dict[int, Answer] = {}
        for name, given, _ in wanted:
            cell, answer = cells[name], answers[given]
            if meant.setdefault(cell, answer) != answer:
                raise ProjectError(
                    "the labels contradict each other",
                    expected="one label an image",
                    found=f"{name}: {_written(meant[cell])} and {_written(answer)}",
                    where=path,
                    hint="decide which label is right, and remove the other",
                )
            verdict, label = answer
            if cell in said and (said[cell].verdict, said[cell].label) == answer:
                continue
            said[cell] = labelling.record(
                project,
                reader=reader,
                cell=cell,
                verdict=verdict,
                label=label,
                event=uuid.uuid4().hex,
            )
            recorded += 1
        groups = {cells[name]: group for name, _, group in wanted if group}
        if groups:
            project.set_groups(groups, by=reader)
        detail = {"file": Path(path).name, "labels": recorded}
        audit_trail.append(connection, reader, "import labels", **detail)
    return recorded


def _names(project: Project) -> dict[int, str]:
    rows = project.store.rows("SELECT id, path FROM cells WHERE status = 'ready'")
    return {row[0]: row[1] for row in rows}


def _cells_of(project: Project, written: Iterable[str]) -> dict[str, int]:
    """Return the cells of the paths of a table, as far as the project has them."""
    cells = {name: cell for cell, name in _names(project).items()}
    found = {}
    places: dict[Path, int] = {}
    for name in dict.fromkeys(written):
        # A name as it is exported comes before what a spreadsheet, Windows or a Mac made of it.
        plain = forward_slashes(name.strip())
        cell = cells.get(name, cells.get(plain))
        if cell is None and (place := path_inside(project.images, plain)) is not None:
            places = places or {(project.images / one).resolve(): cells[one] for one in cells}
            cell = places.get(place.resolve())
        if cell is not None:
            found[name] = cell
    return found


def _rows(path: str | Path) -> list[tuple[str, str, str]]:
    """Return path, label, and smear or patient (or an empty text) of the rows with a label."""
    frame, _ = read_label_file(path)
    labels, groups = texts_of(frame["label"]), groups_in(frame) or [""] * len(frame)
    rows = zip(frame["path"].astype(str), labels, groups, strict=True)
    return [row for row in rows if row[1]]


def _answers(project: Project, labels: Iterable[str], by: str) -> dict[str, Answer]:
    """Return the answer that each label means; classes that the project has not are added."""
    found: dict[str, Answer] = {}
    known = project.classes()
    for label, meant in meanings_of(labels, known, None).items():
        if meant is None or label.casefold() == labelling.NOT_A_CELL:
            found[label] = ("not_a_cell", None)
        elif label.casefold() in _UNSURE:
            found[label] = ("unsure", None)
        else:
            name = meant if meant in known else one_line(meant, "name of the class")
            if name not in known:
                known = project.add_class(name, by=by)
            found[label] = ("label", name)
    return found


def _written(answer: Answer) -> str:
    """Write an answer as a table has it."""
    verdict, label = answer
    return label or (OUTSIDE if verdict == "not_a_cell" else verdict)
