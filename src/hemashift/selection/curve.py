"""The learning curve inside the labels, and what it promises of more labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.adaptation.contract import Method, Task
from hemashift.adaptation.folds import folds
from hemashift.evaluation.intervals import Interval, percentile_interval

SHARES = (0.4, 0.6, 0.8, 1.0)
# From slow to steep; which holds cannot be told from so few labels, so all have their say.
_EXPONENTS = (0.5, 1.0, 2.0)
# Drawing the scored cells again shows half of the variance: those learnt from are a draw as well.
_WIDER = np.sqrt(2)
_FOLDS = 5

Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """How well N labelled cells are recognised from fewer and more of the others.

    Attributes:
        sizes: `(S,)` mean number of labels learnt from, rising.
        right: `(N, S)` share of the repeats in which each cell was recognised, 0 to 1.
        groups: `(N,)` pictures of one cell, and cells of one smear or patient, share a group.
    """

    sizes: Float
    right: Float
    groups: npt.NDArray[np.str_]

    @property
    def accuracy(self) -> Float:
        """`(S,)` accuracy at each size, 0 to 1."""
        return np.asarray(self.right.mean(axis=0))


def learning_curve(task: Task, method: Method, repeats: int = 4) -> LearningCurve:
    """Score a method that learns from parts of the labels, each time on cells not learnt from.

    The cells are divided into 5 folds. From the other four, a method learns from 40, 60, 80 and
    100 % of the labels, each part within the next, and is scored on the fold. All of it is
    repeated with other folds.

    Args:
        task: The labelled cells.
        method: What is to learn; best one without choices of its own, for time.
        repeats: How often.
    """
    right = np.zeros((len(task), len(SHARES)))
    sizes = np.zeros((0, len(SHARES)))
    # Many small products: threads of BLAS would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        for repeat in range(repeats):
            seed = 1000 * task.seed + repeat
            rng = np.random.default_rng([seed, 17])
            for fit_rows, held_rows in folds(task.targets, task.groups, _FOLDS, seed):
                parts = _nested(fit_rows, task.groups, rng)
                for number, part in enumerate(parts):
                    found = method.fit(task[part]).probabilities(task.cells[held_rows])
                    hit = found.argmax(axis=1) == task.targets[held_rows]
                    right[held_rows, number] += hit / repeats
                sizes = np.vstack([sizes, [len(part) for part in parts]])
    return LearningCurve(sizes.mean(axis=0), right, task.groups)


def expected_gain(
    curve: LearningCurve, labels: int, more: int = 10, draws: int = 1000, seed: int = 0
) -> Interval:
    """Return how much accuracy more labels will bring.

    Power laws, accuracy = a - b / labels^c with b at least 0, are fitted to the curve by least
    squares for c of 0.5, 1 and 2, and followed to where there are more labels. The estimate is
    the mean over c. Its limits come from drawing the scored cells (whole groups) and c, and are
    widened by the square root of 2, because other labels to learn from would have given another
    curve as well. In simulations they then hold the true gain in 19 of 20 cases or more.

    Args:
        curve: The learning curve.
        labels: Number of labels now.
        more: How many more.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.

    Returns:
        The gain, 0 to 1, with 95 % limits.
    """
    _, member = np.unique(curve.groups, return_inverse=True)
    count = int(member.max()) + 1
    cells = np.bincount(member).astype(np.float64)
    hits = np.stack([np.bincount(member, column) for column in curve.right.T], axis=1)
    rng = np.random.default_rng([seed, 19])
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    drawn = _gains(curve.sizes, (times @ hits) / (times @ cells)[:, None], labels, more)
    exponent = rng.integers(len(_EXPONENTS), size=draws)
    estimate = _gains(curve.sizes, curve.accuracy[None], labels, more).mean()
    samples = estimate + _WIDER * (drawn[np.arange(draws), exponent] - estimate)
    return percentile_interval(
        float(estimate), np.maximum(samples, 0), method="power law, bootstrap"
    )


def _nested(rows: Rows, groups: npt.NDArray[np.str_], rng: np.random.Generator) -> list[Rows]:
    """Return parts of the rows, each within the next; whole groups."""
    names = rng.permutation(np.unique(groups[rows]))
    counts = [max(1, round(share * len(names))) for share in SHARES]
    return [rows[np.isin(groups[rows], names[:count])] for count in counts]


def _gains(sizes: Float, accuracy: Float, labels: int, more: int) -> Float:
    """Return `(D, C)` gains by D curves `(D, S)` and each of the C exponents."""
    found = []
    for exponent in _EXPONENTS:
        x = sizes**-exponent
        apart = x - x.mean()
        slope = -(accuracy @ apart) / max(float(apart @ apart), 1e-12)
        step = labels**-exponent - (labels + more) ** -exponent
        found.append(np.maximum(slope, 0) * step)
    return np.stack(found, axis=1)
