"""Scores from counts: how often each true class was called each class, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from hemashift.evaluation import Evaluation, Interval
from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_confusions
from hemashift.evaluation.intervals import percentile_interval
from hemashift.evaluation.metrics import (
    OVERALL,
    PER_CLASS,
    IntArray,
    confusion_matrix,
    encode_labels,
)
from hemashift.evaluation.scores import score_intervals
from hemashift.taxonomy import CLASSES

Overall = dict[str, Interval]
ByClass = dict[str, dict[str, Interval]]


def counted(evaluation: Evaluation) -> pd.DataFrame:
    """Return the counts that all scores and their limits follow from.

    Args:
        evaluation: Predictions for cells of known class.

    Returns:
        Columns `group` (empty where there are none), `truth`, `predicted`, `cells`.
    """
    names = np.array(evaluation.classes, dtype=object)
    frame = pd.DataFrame(
        {
            "group": evaluation.groups or "",
            "truth": names[evaluation.y_true],
            "predicted": names[evaluation.y_pred],
        }
    )
    keys = ["group", "truth", "predicted"]
    return frame.groupby(keys, sort=True).size().reset_index(name="cells")


def scores_over_draws(
    counts: pd.DataFrame, classes: Sequence[str], *, bootstrap: int, seed: int
) -> tuple[Overall, ByClass]:
    """Return scores averaged over draws of labels, with limits for a single adaptation.

    With one draw the limits are those of `score_intervals`. With several, the bootstrap draws of
    all are put together: the limits then cover both the chance of which cells were labelled and
    that of which were scored.

    Args:
        counts: Columns `draw`, and those of `counted`; one dataset and one approach.
        classes: The K classes.
        bootstrap: Number of bootstrap draws, all draws of labels together.
        seed: Their seed.

    Returns:
        The scores of `OVERALL` by name; those of `PER_CLASS` by class, then name. A class that
        occurs in no draw has NaN.
    """
    draws = [_cells(part, classes) for _, part in counts.groupby("draw", sort=True)]
    size = len(classes)
    if len(draws) == 1:
        true, called, groups = draws[0]
        overall, by_class = score_intervals(
            true, called, size, groups=groups, draws=bootstrap, seed=seed
        )
        return overall, dict(zip(classes, by_class, strict=True))
    # Exact limits serve below as a fallback, where all bootstrap draws agree.
    exact = [
        score_intervals(true, called, size, groups=groups, draws=1)
        for true, called, groups in draws
    ]
    each = max(1, bootstrap // len(draws))
    matrices = np.stack([confusion_matrix(true, called, size) for true, called, _ in draws])
    drawn = np.concatenate(
        [
            _drawn(one, matrix, size, each, seed + number)
            for number, (one, matrix) in enumerate(zip(draws, matrices, strict=True))
        ]
    )
    pooled = {
        name: _pooled(score(matrices), score(drawn), [one[0][name] for one in exact])
        for name, score in OVERALL.items()
    }
    found: ByClass = {name: {} for name in classes}
    for metric, score in PER_CLASS.items():
        estimates, samples = score(matrices), score(drawn)
        if metric == "precision":
            # A bootstrap draw in which nothing was called so says nothing about those that are,
            # unless nothing is called so among all cells: then the precision is 0 by rule.
            by_rule = np.repeat(matrices.sum(axis=1) == 0, each, axis=0)
            samples = np.where((drawn.sum(axis=1) > 0) | by_rule, samples, np.nan)
        for place, name in enumerate(classes):
            limits = [one[1][place][metric] for one in exact]
            found[name][metric] = _pooled(estimates[:, place], samples[:, place], limits)
    return pooled, found


def scores_by_draw(counts: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the overall scores of each draw.

    Args:
        counts: Columns `draw`, and those of `counted`; one dataset and one approach.
        classes: The classes.

    Returns:
        Columns `draw`, `metric`, `value`.
    """
    rows = []
    for number, part in counts.groupby("draw", sort=True):
        true, called, _ = _cells(part, classes)
        matrix = confusion_matrix(true, called, len(classes))
        rows += [(number, name, float(score(matrix))) for name, score in OVERALL.items()]
    return pd.DataFrame(rows, columns=["draw", "metric", "value"])


def in_order(classes: Iterable[str]) -> tuple[str, ...]:
    """Return class names, each once: the six first in their order, others by name.

    Examples:
        >>> in_order(["neutrophil", "blast", "basophil", "neutrophil"])
        ('basophil', 'neutrophil', 'blast')
    """
    present = set(classes)
    return (*(name for name in CLASSES if name in present), *sorted(present.difference(CLASSES)))


def _cells(
    counts: pd.DataFrame, classes: Sequence[str]
) -> tuple[IntArray, IntArray, list[str] | None]:
    """Return a row a cell: positions of the true and the predicted class, and the groups."""
    times = counts["cells"].to_numpy(dtype=np.int64)
    true, called = (
        np.repeat(encode_labels(counts[name].tolist(), classes), times)
        for name in ("truth", "predicted")
    )
    groups = [str(name) for name in np.repeat(counts["group"].to_numpy(dtype=np.str_), times)]
    return true, called, groups if any(groups) else None


def _drawn(
    cells: tuple[IntArray, IntArray, list[str] | None],
    matrix: IntArray,
    size: int,
    count: int,
    seed: int,
) -> IntArray:
    true, called, groups = cells
    if groups is None:
        return bootstrap_confusions(matrix, draws=count, seed=seed)
    return bootstrap_grouped_confusions(true, called, groups, size, draws=count, seed=seed)


def _pooled(estimates: np.ndarray, samples: np.ndarray, limits: Sequence[Interval]) -> Interval:
    """Return the mean of the draws with the limits of all bootstrap draws together."""
    defined = estimates[~np.isnan(estimates)]
    mean = float(defined.mean()) if defined.size else float("nan")
    found = percentile_interval(mean, samples, method="bootstrap over draws of labels")
    if found.low < found.high:
        return found
    # All draws agree, as where every cell is right; exact limits take the place of none.
    return next((one for one in limits if not np.isnan(one.estimate)), found)
