"""Select: of all cells of a laboratory, those whose labels will teach most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.adaptation.contract import Task, widen
from hemashift.adaptation.labels import LabelFiles
from hemashift.errors import AdaptationError, HemashiftError
from hemashift.model.bundle import Bundle, default_model
from hemashift.progress import StageProgress
from hemashift.selection.balanced import Balanced
from hemashift.selection.contract import Problem, Strategy
from hemashift.selection.kcentre import KCentre
from hemashift.selection.label_rows import LabelRow, all_images, read_rows
from hemashift.selection.learning import LEAST_LABELS, learnt, task_of_labels
from hemashift.selection.looking import Seen, look
from hemashift.selection.probcover import ProbCover
from hemashift.selection.result import Selection
from hemashift.selection.stopping import Advice, advise, enough_to_advise
from hemashift.selection.typiclust import TypiClust
from hemashift.selection.uncertainty import ENTROPY, MARGIN
from hemashift.selection.uniform import Random
from hemashift.taxonomy import Taxonomy

STRATEGIES: dict[str, Strategy] = {
    one.name: one
    for one in (Balanced(), TypiClust(), KCentre(), ProbCover(), MARGIN, ENTROPY, Random())
}
DEFAULT = "balanced"


def select(
    images: str | Path,
    n: int,
    labels: LabelFiles | None = None,
    model: Bundle | None = None,
    strategy: str = DEFAULT,
    seed: int = 0,
    progress: StageProgress | None = None,
    *,
    taxonomy: Taxonomy | None = None,
) -> Selection:
    """Select the cells to be labelled next.

    No two pictures of one and the same cell are selected, and none of a cell that has a label.

    Args:
        images: Folder of images, one cell an image, searched recursively.
        n: How many cells to select.
        labels: CSV file, several, or a frame, with the columns `path` and `label`: what is
            labelled already.
        model: The model that will be adapted; the shipped one by default.
        strategy: One of `STRATEGIES`.
        seed: Seed of everything drawn at random.
        progress: Called with what is being done, the number done, and the total.
        taxonomy: What labels mean; the built-in one by default.

    Returns:
        The selection; with labels, also the advice whether more are needed.

    Raises:
        HemashiftError: Unknown strategy, or n below 1.
        ImageError: The folder holds no image that can be read.
        TableError: The label file cannot be read as one.
        AdaptationError: A labelled image is not there, or one image, or two identical files, have
            two labels.
    """
    if strategy not in STRATEGIES:
        raise HemashiftError("unknown strategy", expected=", ".join(STRATEGIES), found=strategy)
    if n < 1:
        raise HemashiftError("there is nothing to select", expected="1 or more", found=str(n))
    start = model or default_model()
    root = Path(images)
    rows = [] if labels is None else read_rows(root, labels, start.card.classes, taxonomy)
    seen = look(start, all_images(root, rows), progress)
    _refuse_contradictions(rows, seen)
    # Sums in one thread are always made in the same order: the same seed, the same cells.
    with threadpool_limits(limits=1):
        problem, task = make_problem(start, seen, rows, seed)
        picks = STRATEGIES[strategy].choose(problem, n)
        advice = _advice(task, progress)
    notes = _notes(seen, problem, strategy, len(picks), n)
    return Selection(
        root,
        tuple(seen.paths[pick.row].relative_to(root).as_posix() for pick in picks),
        tuple(pick.reason for pick in picks),
        strategy,
        len(seen),
        len(problem.labelled),
        tuple(notes),
        seen.unreadable,
        advice,
    )


def make_problem(
    model: Bundle, seen: Seen, rows: Sequence[LabelRow], seed: int
) -> tuple[Problem, Task]:
    """Bring together what is seen and what is labelled.

    Args:
        model: The model to start from.
        seen: All images.
        rows: The label file; images in it that could not be read are left out. An image has one
            label.
        seed: Seed of everything drawn at random.
    """
    places = seen.places()
    meanings: dict[int, str] = {}
    patients: dict[int, str] = {}
    closed: set[int] = set()
    for row in rows:
        place = places.get(row.path.resolve())
        if place is None:
            continue
        if row.meaning is None:
            # A label outside, or a cell that was shown before and that nobody could name.
            closed.update([place] if row.label or row.offered else [])
        else:
            meanings.setdefault(place, row.meaning)
            patients.setdefault(place, row.group)
    task = task_of_labels(model, seen.encoded, seen.cells, meanings, patients, seed)
    problem = Problem(
        seen.vectors,
        seen.cells,
        widen(model.head.probabilities(seen.encoded), len(task.classes)),
        task.classes,
        np.array(sorted(meanings), np.int64),
        task.targets,
        learnt(task, seen.encoded),
        np.array(sorted(closed), np.int64),
        seed,
    )
    return problem, task


def _refuse_contradictions(rows: Sequence[LabelRow], seen: Seen) -> None:
    """Refuse two labels, one of which may be `outside`, for an image or for identical files."""
    places = seen.places()
    first: dict[str, LabelRow] = {}
    for row in rows:
        place = places.get(row.path.resolve())
        if place is None or not row.label:
            continue
        other = first.setdefault(seen.hashes[place], row)
        if other.said != row.said:
            same = other.path.resolve() == row.path.resolve()
            raise AdaptationError(
                "the labels contradict each other",
                expected="one label an image",
                found=f"{row.name}: {other.said} and {row.said}"
                if same
                else f"{other.name} ({other.said}) and its copy {row.name} ({row.said})",
                hint="`hemashift audit` shows all such cells",
            )


def _advice(task: Task, progress: StageProgress | None) -> Advice | None:
    if not enough_to_advise(task):
        return None
    if progress is not None:
        progress("learning curve", 0, 1)
    found = advise(task)
    if progress is not None:
        progress("learning curve", 1, 1)
    return found


def _notes(seen: Seen, problem: Problem, strategy: str, found: int, wanted: int) -> list[str]:
    notes = []
    copies = len(seen) - len(np.unique(seen.cells))
    if copies:
        what = "1 image shows" if copies == 1 else f"{copies} images show"
        notes.append(f"{what} a cell that another image shows too; each cell is asked once.")
    if strategy in ("margin", "entropy") and problem.current is None:
        notes.append(
            f"{strategy} needs {LEAST_LABELS} labels of two classes: typical cells (typiclust) "
            "were chosen instead."
        )
    if found < wanted:
        left = "1 cell is" if found == 1 else f"{found} cells are"
        notes.append(f"Only {left} left that nobody was asked about.")
    if seen.unreadable:
        count = len(seen.unreadable)
        notes.append(f"Images passed over, unreadable or masks: {count}.")
    return notes
