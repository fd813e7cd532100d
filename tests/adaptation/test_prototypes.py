from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, softmax

from hemashift.adaptation.prototypes import Prototypes, nearest_mean
from hemashift.model.heads import Encoded

from .conftest import MakeTask


def cells(n_classes: int, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.arange(20) % n_classes
    return rng.normal(size=(n_classes, width))[targets] + rng.normal(size=(20, width)), targets


@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_probabilities_are_the_softmax_of_squared_distances(sharpness: float) -> None:
    inputs, targets = cells(3)
    weight, bias = nearest_mean(inputs, targets, 3, sharpness)
    means = np.stack([inputs[targets == k].mean(axis=0) for k in range(3)])
    distances = cdist(inputs, means, "sqeuclidean")
    expected = softmax(-sharpness * distances, axis=1)
    np.testing.assert_allclose(softmax(inputs @ weight.T + bias, axis=1), expected, atol=1e-10)


def test_how_common_a_class_is_plays_no_part() -> None:
    inputs, targets = cells(2)
    rows = np.flatnonzero(targets == 0)
    once = nearest_mean(inputs, targets, 2, 1.0)
    thrice = nearest_mean(
        np.vstack([inputs, inputs[rows], inputs[rows]]), np.append(targets, [0] * 2 * len(rows)),
        2, 1.0,
    )  # fmt: skip
    for ours, theirs in zip(once, thrice, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_a_class_without_a_cell_is_unlikely_everywhere() -> None:
    inputs, targets = cells(2)
    weight, bias = nearest_mean(inputs, targets, 4, 2.0)
    anywhere = 10 * np.random.default_rng(1).normal(size=(1000, 5))
    found = softmax(anywhere @ weight.T + bias, axis=1)
    assert found[:, 2:].max() < 1 / 40
    assert found[:, :2].max() > 0.9


def test_sharpness_is_chosen_by_held_out_cells(make_task: MakeTask) -> None:
    """Classes far apart: the surer the better. Classes that overlap altogether: the reverse."""
    task = make_task(["lymphocyte", "blast"] * 8)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(16, 8)).astype(np.float32)
    apart = noise + 40 * np.eye(8, dtype=np.float32)[task.targets]
    chosen = []
    for vectors in (apart, noise):
        encoded = Encoded(vectors, vectors)
        one = replace(task, cells=replace(task.cells, encoded=encoded), pool=encoded[:0])
        method = Prototypes(sharpness=(0.1, 8.0))
        head = method.fit(one).head
        chosen.append(method.chosen)
        logs = log_softmax(head.logits(encoded), axis=1)
        assert np.isfinite(logs).all()
    assert chosen == [("features", 8.0), ("features", 0.1)]
