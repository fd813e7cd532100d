from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from hemashift.adaptation.batchnorm import BatchNorm
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Task
from hemashift.model.bundle import Bundle

from .conftest import Draw, MakeTask

LABELS = ["lymphocyte", "eosinophil", "blast"] * 2


def images_of(draw: Draw, count: int) -> np.ndarray:
    return np.stack([draw("blast", i) for i in range(count)])


def test_a_source_that_counts_for_all_leaves_the_blend(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    task = replace(task, pool=task.pool[:0])
    found = BatchNorm(source_weight=10**12).fit(task).probabilities(task.cells)
    np.testing.assert_allclose(found, Blend().fit(task).probabilities(task.cells), atol=1e-3)


def looked_at(task: Task, monkeypatch: pytest.MonkeyPatch, most: int = 64) -> np.ndarray:
    """Return the images that the statistics are taken from."""
    seen: list[np.ndarray] = []

    def keep(images: np.ndarray, model: Bundle, source_weight: int) -> Bundle:
        seen.append(images)
        return model

    monkeypatch.setattr(import_module("hemashift.adaptation.batchnorm"), "with_statistics_of", keep)
    BatchNorm(most=most).fit(task)
    return seen[0]


def test_unlabelled_images_count_where_the_task_has_them(
    make_task: MakeTask, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(LABELS)
    np.testing.assert_array_equal(looked_at(task, monkeypatch), task.cells.images)
    pool = images_of(draw, 4)
    known = replace(task, pool_images=pool)
    everything = np.concatenate([task.cells.images, pool])
    np.testing.assert_array_equal(looked_at(known, monkeypatch), everything)


def test_no_more_images_than_fit_into_memory(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(LABELS)
    few, again = (looked_at(task, monkeypatch, most=4) for _ in range(2))
    assert len(few) == 4
    np.testing.assert_array_equal(few, again)
    places = [np.flatnonzero((task.cells.images == one).all(axis=(1, 2, 3))) for one in few]
    assert len(set(np.concatenate(places).tolist())) == 4
