"""What unlabelled cells may count for: chosen inside the labels, or nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.choice import Fit
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.probe import Probe, standardised
from hemashift.adaptation.refinement import WithPool, refine
from hemashift.trust.softmax import fit_softmax

from .conftest import MakeTask

LABELS = ["lymphocyte", "blast", "neutrophil"] * 4


def with_helpful_pool(best: float) -> WithPool:
    """Make a fit that is the better the nearer the strength is to the best one."""

    def with_pool(pool: np.ndarray, penalty: float, towards: np.ndarray) -> Fit:
        def fit(
            inputs: np.ndarray, targets: np.ndarray, n_classes: int, strength: float
        ) -> tuple[np.ndarray, np.ndarray]:
            weight, bias = fit_softmax(inputs, targets, n_classes, penalty=1e-4)
            sign = 1 if abs(strength - best) < 0.01 else -1
            return sign * weight, sign * bias

        return fit

    return with_pool


def probabilities(fitted: FittedHead, task: Task) -> np.ndarray:
    return fitted.probabilities(task.cells)


def test_the_strength_is_chosen_inside_the_labels(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    for best in (0.1, 0.3):
        _, strength = refine(task, (0.1, 0.3), with_helpful_pool(best))
        assert strength == best


def test_unlabelled_cells_that_mislead_count_for_nothing(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    fitted, strength = refine(task, (0.0, 0.1, 0.3), with_helpful_pool(5))
    assert strength == 0
    np.testing.assert_array_equal(
        probabilities(fitted, task), probabilities(Probe().fit(task), task)
    )


@pytest.mark.parametrize("lacking", ["pool", "groups"])
def test_without_pool_or_groups_it_is_the_probe(make_task: MakeTask, lacking: str) -> None:
    task = make_task(LABELS)
    lack = {"pool": task.pool[:0], "groups": np.array(["one"] * len(task))}
    task = replace(task, **{lacking: lack[lacking]})
    fitted, strength = refine(task, (0.1, 0.3), with_helpful_pool(0.3))
    assert strength == 0
    np.testing.assert_array_equal(
        probabilities(fitted, task), probabilities(Probe().fit(task), task)
    )


def test_labelled_and_unlabelled_cells_are_in_one_basis(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    inputs, mean, scale = standardised(task, "features")
    pool = (task.pool.vectors("features", l2=True) - mean) / scale
    seen = []

    def with_pool(given: np.ndarray, penalty: float, towards: np.ndarray) -> Fit:
        def fit(
            own: np.ndarray, targets: np.ndarray, n_classes: int, strength: float
        ) -> tuple[np.ndarray, np.ndarray]:
            if len(own) == len(task):
                seen.append((own, given))
            return fit_softmax(own, targets, n_classes, penalty=1e-4)

        return fit

    fitted, strength = refine(task, (0.3,), with_pool)
    assert strength == 0.3
    ((own, given),) = seen
    np.testing.assert_allclose(given @ own.T, pool @ inputs.T, atol=1e-4)
    np.testing.assert_allclose(given @ given.T, pool @ pool.T, atol=1e-4)
    # The head gives for the cells' own vectors what the fit gave in that basis.
    weight, bias = fit_softmax(own, task.targets, len(task.classes), penalty=1e-4)
    logits = fitted.head.logits(task.cells.encoded)
    np.testing.assert_allclose(logits, own @ weight.T + bias, rtol=1e-3, atol=1e-2)
