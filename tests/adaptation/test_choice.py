from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.choice import choose, held_out_logits
from hemashift.adaptation.folds import folds
from hemashift.model.heads import Output
from hemashift.trust.softmax import fit_softmax

from .conftest import MakeTask

LABELS = ["lymphocyte", "blast"] * 6


def same_for_all(
    inputs: np.ndarray, targets: np.ndarray, n_classes: int, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """The share of each class; no input matters, nor the strength."""
    shares = np.bincount(targets, minlength=n_classes) / len(targets)
    return np.zeros((n_classes, inputs.shape[1])), np.log(shares + 1e-9)


def test_the_output_and_strength_that_predict_best(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    noise = np.random.default_rng(0).normal(size=(12, 4))
    telling = noise + 3 * np.eye(4)[task.targets // 4]
    inputs: dict[Output, np.ndarray] = {"embedding": noise, "features": telling}
    assert choose(task, inputs, (1e-2, 1e4), dict.fromkeys(inputs, fit_softmax)) == (
        "features",
        1e-2,
    )


def test_of_equals_the_first(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    inputs: dict[Output, np.ndarray] = {"features": np.zeros((12, 2))}
    assert choose(task, inputs, (0.0, 1.0, 2.0), {"features": same_for_all}) == ("features", 0.0)


def test_one_group_leaves_nothing_to_choose_by(make_task: MakeTask) -> None:
    task = replace(make_task(LABELS), groups=np.array(["one"] * 12))
    inputs: dict[Output, np.ndarray] = {"features": np.zeros((12, 2))}
    assert choose(task, inputs, (0.1, 1.0, 10.0), {"features": fit_softmax}) == ("features", 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_no_cell_is_judged_by_a_fit_that_knew_it(make_task: MakeTask, seed: int) -> None:
    """Each cell's input is its number; the fit gives the numbers that it was fitted to."""
    groups = np.array([f"pair {i // 2}" for i in range(12)])
    task = replace(make_task(LABELS, seed=seed), groups=groups)
    fitted_to: list[set[int]] = []

    def spy(
        inputs: np.ndarray, targets: np.ndarray, n_classes: int, strength: float
    ) -> tuple[np.ndarray, np.ndarray]:
        fitted_to.append(set(inputs[:, 0].astype(int).tolist()))
        return np.ones((n_classes, 1)), np.full(n_classes, strength)

    parts = folds(task.targets, task.groups, 3, task.seed)
    logits = held_out_logits(task, parts, np.arange(12.0)[:, None], 0.5, spy)
    np.testing.assert_array_equal(logits, np.tile(np.arange(12.0)[:, None] + 0.5, (1, 7)))
    for seen, (_, held) in zip(fitted_to, parts, strict=True):
        assert not set(groups[sorted(seen)]) & set(groups[held])
