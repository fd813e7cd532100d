"""Which cells to label next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.app import encodings, keeping, labelling, neighbours, placing, versions
from hemashift.app.encoding_cache import EncodingCache
from hemashift.app.names import now
from hemashift.app.store import insert
from hemashift.progress import StageProgress
from hemashift.selection import DEFAULT, STRATEGIES
from hemashift.selection.label_rows import LabelRow
from hemashift.selection.looking import Seen
from hemashift.selection.select import make_problem

if TYPE_CHECKING:
    from hemashift.app.project import Project

# With fewer of the cells encoded, those that are would stand for the folder's first images.
_LEAST_ENCODED = 0.5

Picks = list[tuple[int, str]]


def propose(
    project: Project, n: int = 20, *, label: str | None = None, told: StageProgress | None = None
) -> list[int]:
    """Propose cells to label, and remember them as a batch for all readers.

    Cells that were proposed or answered before are not proposed again. Until half of the cells
    are encoded the proposal is a random draw; after that it is that of `hemashift select` with
    its default strategy.

    Args:
        project: The project.
        n: How many.
        label: Propose the cells that the active model is most sure are of this class ("label 10
            more of these"), or, where it does not know the class, that look most like its
            labelled cells.
        told: Told what is being done, the number done, and the total.

    Returns:
        Ids of the cells, the most useful first; fewer than `n` where there are no more.
    """
    tell = told or (lambda step, done, total: None)
    tell("choosing cells to label", 0, 1)
    picks = _of_class(project, n, label) if label is not None else _most_useful(project, n, tell)
    with project.store.writing() as connection:
        asked = _asked(project)  # another window may have proposed the same cells meanwhile
        number = 1 + (project.store.value("SELECT MAX(batch) FROM proposals") or 0)
        fresh = [(cell, reason) for cell, reason in picks if cell not in asked]
        for cell, reason in fresh:
            insert(connection, "proposals", batch=number, cell=cell, reason=reason, at=now())
    return [cell for cell, _ in fresh]


def batch(project: Project) -> list[int]:
    """Return the cells of the latest batch, in order; empty where none was proposed."""
    rows = project.store.rows(
        "SELECT cell FROM proposals JOIN cells ON cell = cells.id WHERE status = 'ready' "
        "AND batch = (SELECT MAX(batch) FROM proposals) ORDER BY proposals.id"
    )
    return [row[0] for row in rows]


def reasons(project: Project) -> dict[int, str]:
    """Return why each cell was proposed, in a few words."""
    return {row[0]: row[1] for row in project.store.rows("SELECT cell, reason FROM proposals")}


def _of_class(project: Project, n: int, label: str) -> Picks:
    """Choose cells of a class."""
    asked = _asked(project)
    views = [view for view in placing.place(project, people=False) if view.cell not in asked]
    sure = sorted(
        (view for view in views if view.predicted == label),
        key=lambda view: (-(view.probability or 0.0), view.path),
    )
    if sure:
        return [(view.cell, f"the model calls it {label}") for view in sure[:n]]
    alike = neighbours.most_like(project, label, [view.cell for view in views])
    return [(cell, f"looks like the labelled cells of {label}") for cell in alike[:n]]


def _most_useful(project: Project, n: int, tell: StageProgress) -> Picks:
    """Choose as `hemashift select` does."""
    rows = project.store.rows(
        "SELECT id, path, sha256 FROM cells WHERE status = 'ready' ORDER BY path"
    )
    model = versions.bundle(project, versions.source(project).number)
    kept = encodings.of_model(project, model)
    known = [row for row in rows if row["sha256"] in kept]
    asked = _asked(project)
    if len(known) < _LEAST_ENCODED * len(rows):
        free = [row["id"] for row in rows if row["id"] not in asked]
        drawn = np.random.default_rng(len(asked)).permutation(free)[:n]
        return [(int(cell), keeping.AT_RANDOM) for cell in drawn]
    seen = _seen(project, kept, [row["path"] for row in known], [row["sha256"] for row in known])
    tell("looking for pictures of one cell", 0, 1)
    _ = seen.cells
    tell("choosing cells to label", 0, 1)
    said = _rows(project, {row["id"]: row["path"] for row in known}, asked)
    # Sums in one thread are always made in the same order: the same seed, the same cells.
    with threadpool_limits(limits=1):
        problem, _ = make_problem(model, seen, said, seed=0)
        picks = STRATEGIES[DEFAULT].choose(problem, n)
    return [(known[pick.row]["id"], pick.reason) for pick in picks]


def _seen(
    project: Project, kept: EncodingCache, paths: Sequence[str], digests: Sequence[str]
) -> Seen:
    """Return what is seen in the cells; which show the same cell is found once and kept."""
    name = (id(kept), hash(tuple(paths)), hash(tuple(digests)))
    known = project.memory.get("seen")
    if known is None or known[0] != name:
        places = tuple(project.images / path for path in paths)
        rings = kept.rings_of(digests)
        seen = Seen(places, kept.of(digests), rings, tuple(digests), ())
        known = project.memory["seen"] = (name, seen)
    found: Seen = known[1]
    return found


def _rows(project: Project, paths: dict[int, str], asked: set[int]) -> list[LabelRow]:
    """Return what is known of cells as rows of a label file."""
    labels, groups = labelling.settled(project).labels, project.groups()
    return [
        LabelRow(
            number,
            paths[cell],
            Path(project.images, paths[cell]),
            labels.get(cell, ""),
            labels.get(cell),
            groups.get(cell, ""),
            offered=True,
        )
        for number, cell in enumerate(sorted(asked & paths.keys()), start=1)
    ]


def _asked(project: Project) -> set[int]:
    """Return the cells that were proposed or that somebody has answered."""
    rows = project.store.rows("SELECT cell FROM proposals UNION SELECT cell FROM label_events")
    return {row[0] for row in rows}
