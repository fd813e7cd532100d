"""What the person who adapts a model should know about the outcome, in sentences."""

from __future__ import annotations

from hemashift.adaptation.contract import Task
from hemashift.adaptation.labels import LabelledCells
from hemashift.evaluation.evaluation import Evaluation
from hemashift.model.bundle import WEIGHTS, Bundle
from hemashift.trust.storage import read_trust

# Fewer than this many labels of a class say little about it.
THIN = 5
# Cells of the classes alone would be about 0.05.
_MANY_OUTSIDE = 0.15


def copies_among(task: Task) -> list[str]:
    """Say so where several of the labelled images show one cell."""
    count = 0 if task.copies is None else len(task) - len(set(task.copies.tolist()))
    if not count:
        return []
    shown = "1 labelled image shows" if count == 1 else f"{count} labelled images show"
    return [f"{shown} a cell that another one shows, too; they count together."]


def rare_lost(before: Evaluation, after: Evaluation) -> list[str]:
    """Say so where rare classes are found less often than before."""
    macro = [one.overall["macro_f1"].estimate for one in (before, after)]
    if macro[1] >= macro[0]:
        return []
    return [
        f"Macro F1, in which rare classes count as much as common ones, falls from {macro[0]:.3f} "
        f"to {macro[1]:.3f}: label more cells of the rare classes."
    ]


def thin_classes(counts: dict[str, int]) -> list[str]:
    """Name the classes with few labelled cells and with none."""
    absent = [name for name, count in counts.items() if count == 0]
    thin = [f"{name} ({count})" for name, count in counts.items() if 0 < count < THIN]
    notes = []
    if absent:
        notes.append(
            f"Without a labelled cell: {', '.join(absent)}. The adapted model knows these from its "
            "source alone and misses many; if the laboratory has such cells, label some."
        )
    if thin:
        notes.append(
            f"Fewer than {THIN} labelled cells: {', '.join(thin)}. Do not trust these classes yet."
        )
    return notes


def already_used(cells: LabelledCells, earlier: frozenset[str]) -> list[str]:
    """Say so where the model started from has learnt from some of the cells."""
    count = sum(digest in earlier for digest in cells.hashes)
    if not count:
        return []
    return [
        f"{count} labelled cells were already used to adapt the model started from. Both scores "
        "are too high: start from the model before it instead."
    ]


def many_outside(adapted: Bundle, task: Task) -> list[str]:
    """Say so where many unlabelled images are unlike the labelled cells.

    Args:
        adapted: The adapted model, with trust data. One with an encoder of its own sees the
            images anew only when it classifies them, and nothing is said.
        task: The labelled cells and the unlabelled images.
    """
    judge = read_trust(adapted).outside
    same = adapted.card.files[WEIGHTS] == task.model.card.files[WEIGHTS]
    if judge is None or not same or not len(task.pool):
        return []
    count = int((judge.scores(task.pool) > 1).sum())
    if count <= _MANY_OUTSIDE * len(task.pool):
        return []
    return [
        f"{count} of {len(task.pool)} unlabelled images are unlike the labelled cells, that is, "
        "outside: cells of none of the classes, or of a kind that has no label yet. Label some of "
        "them; what is of no class, as outside."
    ]
