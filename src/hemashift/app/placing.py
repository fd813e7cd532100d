"""In which bin each cell is, and who put it there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hemashift.app import keeping, labelling, moves, versions
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project

Source = Literal["review", "label", "model", "none"]
Sort = Literal["doubt", "sure", "path", "reviewed"]


@dataclass(slots=True)  # not frozen: that would double the time of making ten thousand
class CellView:
    """A cell on the page; treat it as a constant.

    Attributes:
        cell: Id.
        path: File, relative to the folder of images.
        bin: A class, `unidentified` or `outside`.
        source: Who put it there.
        by: The reader, where `source` is "review".
        predicted: Class that the active model gives, or None.
        probability: Its probability, 0..1, or None.
        doubt: 1 minus the difference of the two highest probabilities, 0..1; 1 if not
            classified; 1 over the score where the model put the cell `outside`. 0 once a person
            has decided.
        second: The next most probable class, or None.
        outside: How unlike all classes it is, 0 or more, see `hemashift.trust.outside`; above 1
            it is `outside`. None where the version cannot tell.
        why: Why it waits in `unidentified` though readers have seen it: they disagree, or are
            unsure. Empty elsewhere.
    """

    cell: int
    path: str
    bin: str
    source: Source
    by: str | None
    predicted: str | None
    probability: float | None
    doubt: float
    second: str | None
    outside: float | None = None
    why: str = ""


def unconfirmed(views: Iterable[CellView]) -> int:
    """Return how many cells only the model put `outside`: a person must have looked at them."""
    return sum(view.bin == OUTSIDE and view.source == "model" for view in views)


def scored(views: Iterable[CellView]) -> bool:
    """Return whether the version of the model can tell what is `outside`."""
    return any(view.outside is not None for view in views)


def place(
    project: Project,
    *,
    reader: str | None = None,
    version: int | None = None,
    people: bool = True,
) -> list[CellView]:
    """Return where each cell is, by path; computed once until something changes.

    Args:
        project: The project.
        reader: Heed only what this reader moved and labelled; by default what anybody did.
        version: Version of the model; by default the active one.
        people: Whether to heed moves and labels at all.
    """
    number = versions.active_number(project) if version is None else version
    question = (reader, number, people)
    if project.store.connection().in_transaction:
        return _place(project, *question)  # it may yet be undone, so it is not kept
    revision = project.store.revision  # read first: what is newer is computed again
    kept = project.memory.setdefault("places", {})
    if kept.get("revision") != revision:
        kept = project.memory["places"] = {"revision": revision}
    if question not in kept:
        kept[question] = _place(project, *question)
    found: list[CellView] = kept[question]
    return found


def _place(
    project: Project, reader: str | None, version: int | None, people: bool
) -> list[CellView]:
    least = keeping.keeping(project, version).rule.threshold
    moved = moves.standing(project, reader) if people else {}
    decided, waiting = _labelled(project, reader) if people else ({}, {})
    views = []
    for cell, path, label, probability, doubt, second, score in project.store.tuples(
        "SELECT id, path, label, probability, doubt, second, outside FROM cells "
        "LEFT JOIN predictions ON cell = id AND version = ? "
        # The second condition lets SQLite use the index by path.
        "WHERE status = 'ready' AND status <> 'gone' ORDER BY path",
        version,
    ):
        by: str | None = None
        source: Source
        if cell in moved:
            (bin, by), source, doubt = moved[cell], "review", 0.0
        elif cell in decided:
            bin, source, doubt = decided[cell], "label", 0.0
        elif cell in waiting:
            bin, source, doubt = UNIDENTIFIED, "none" if label is None else "model", 1.0
        elif label is None:
            bin, source, doubt = UNIDENTIFIED, "none", 1.0
        elif score is not None and score > 1:
            # As `hemashift classify --outside`: however sure the model is of a class.
            bin, source, doubt = OUTSIDE, "model", 1 / score
        else:
            bin, source = (label if probability >= least else UNIDENTIFIED), "model"
        why = waiting.get(cell, "") if source in ("model", "none") else ""
        views.append(
            CellView(cell, path, bin, source, by, label, probability, doubt, second, score, why)
        )
    return views


def _labelled(project: Project, reader: str | None) -> tuple[dict[int, str], dict[int, str]]:
    """Return the bins that labels put cells into, and why other cells wait for a person.

    The labels are those of a reader, or else the settled ones.
    """
    if reader is not None:
        own = labelling.verdicts(project, reader)
        said = {cell: one.answer for cell, one in own.items()}
        waiting = {c: _unsure((reader,)) for c, one in own.items() if one.verdict == "unsure"}
    else:
        known = labelling.settled(project)
        said = {**known.labels, **dict.fromkeys(known.not_cells, labelling.NOT_A_CELL)}
        waiting = {cell: _unsure(names) for cell, names in known.unsure.items()}
        waiting |= {cell: _disagree(answers) for cell, answers in known.disputed.items()}
    decided = {
        cell: OUTSIDE if answer == labelling.NOT_A_CELL else answer
        for cell, answer in said.items()
        if answer is not None
    }
    return decided, waiting


def _unsure(readers: Iterable[str]) -> str:
    return f"{', '.join(readers)}: unsure"


def _disagree(answers: Mapping[str, str]) -> str:
    said = ", ".join(f"{reader} {answer}" for reader, answer in answers.items())
    return f"readers disagree: {said}"
