from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.representation import expected_accuracy, representation
from hemashift.evaluation.intervals import clopper_pearson
from hemashift.model.heads import Encoded

from .conftest import MakeTask

LABELS = ["lymphocyte", "monocyte", "neutrophil", "eosinophil"]


def encoded(angles: list[float]) -> Encoded:
    """Encode cells as points of a circle."""
    turns = np.deg2rad(np.asarray(angles, np.float64))
    vectors = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    return Encoded(vectors, vectors)


def test_each_unlabelled_cell_counts_for_the_labelled_one_most_like_it(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    task = replace(
        task,
        cells=replace(task.cells, encoded=encoded([0, 90, 180, 270])),
        pool=encoded([5, -5, 5, -5, 85, 275]),
    )
    assert representation(task).tolist() == [5, 2, 1, 2]


def test_a_mistake_counts_for_the_cells_it_stands_for(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    predicted = np.eye(len(task.classes), dtype=np.float32)[task.targets]
    predicted[2] = np.roll(predicted[2], 1)
    task = replace(
        task,
        cells=replace(task.cells, encoded=encoded([0, 90, 180, 270])),
        pool=encoded([5, -5, 5, -5, 85, 275]),
    )
    found = expected_accuracy(predicted, task)
    assert found.estimate == pytest.approx(9 / 10)
    assert found.low < 0.75 and found.high < 1


def test_without_unlabelled_cells_it_is_the_share_of_the_labelled_ones(make_task: MakeTask) -> None:
    task = make_task(LABELS * 3)
    predicted = np.eye(len(task.classes), dtype=np.float32)[task.targets]
    predicted[0] = np.roll(predicted[0], 1)
    found = expected_accuracy(predicted, replace(task, pool=task.pool[:0]))
    exact = clopper_pearson(11, 12)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (exact.estimate, exact.low, exact.high)
    )


def test_copies_of_one_cell_make_nothing_surer(make_task: MakeTask) -> None:
    task = make_task(LABELS * 3)
    predicted = np.eye(len(task.classes), dtype=np.float32)[task.targets]
    predicted[0] = np.roll(predicted[0], 1)
    task = replace(task, pool=task.pool[:0])
    alone = expected_accuracy(predicted, task)
    copies = expected_accuracy(predicted, replace(task, groups=np.repeat(["a", "b", "c"], 4)))
    assert copies.estimate == alone.estimate
    assert copies.low < alone.low
