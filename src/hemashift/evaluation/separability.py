"""How far apart classes lie in a space, and how far apart datasets lie within a class.

A two-dimensional picture of an embedding shows what its maker hoped to see. These numbers are
taken in the space itself, of which the picture is a shadow. A good space keeps classes apart
(silhouette and purity by class near 1) and datasets together (domain AUC near 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, silhouette_samples
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hemashift.evaluation.metrics import FloatArray, IntArray
from hemashift.splitting import allocate

NEIGHBOURS = 10
"""Neighbours that purity looks at."""

FOLDS = 5
"""Folds of the linear probe that tells datasets apart."""

_LEAST_CELLS = 10
# More directions than this would only be noise to a probe with a few hundred cells.
_PROBE_DIRECTIONS = 50


@dataclass(frozen=True)
class Separation:
    """How well one class is set apart from the others.

    Attributes:
        name: The class.
        cells: Its cells.
        silhouette: Mean silhouette of its cells, -1..1; NaN where there is one class only.
        purity: Mean share of its cells' neighbours that are of the class, 0..1.
        chance: The purity expected were classes dealt at random, 0..1.
    """

    name: str
    cells: int
    silhouette: float
    purity: float
    chance: float


def class_separation(
    vectors: ArrayLike, names: Sequence[str], neighbours: int = NEIGHBOURS
) -> list[Separation]:
    """Measure how well each class is set apart in a space.

    Args:
        vectors: `(N, D)`, the cells; Euclidean distance.
        names: N class names.
        neighbours: Neighbours that purity looks at.

    Returns:
        One a class that occurs, by name.

    Raises:
        ValueError: If there are fewer than two cells, or the lengths differ.

    Examples:
        >>> found = class_separation([[0, 0], [0, 1], [9, 9], [9, 8]], list("aabb"), neighbours=1)
        >>> [(one.name, one.purity, round(one.silhouette, 2)) for one in found]
        [('a', 1.0, 0.92), ('b', 1.0, 0.92)]
    """
    space, codes = _checked(vectors, names)
    classes, counts = np.unique(codes, return_counts=True)
    silhouettes = silhouette_by_cell(space, names)
    purities = purity_by_cell(space, names, neighbours)
    return [
        Separation(
            name=str(name),
            cells=int(count),
            silhouette=float(silhouettes[codes == name].mean()),
            purity=float(purities[codes == name].mean()),
            chance=float((count - 1) / (len(codes) - 1)),
        )
        for name, count in zip(classes, counts, strict=True)
    ]


def silhouette_by_cell(vectors: ArrayLike, names: Sequence[str]) -> FloatArray:
    """Return the silhouette of each cell (Rousseeuw 1987).

    The mean distance to the nearest other class less that to the own class, over the larger of
    the two. A class of one cell has silhouette 0, by Rousseeuw's convention.

    Args:
        vectors: `(N, D)`, the cells; Euclidean distance.
        names: N class names.

    Returns:
        `(N,)`, each -1..1; all NaN where there is only one class.

    Raises:
        ValueError: If there are fewer than two cells, or the lengths differ.
    """
    space, codes = _checked(vectors, names)
    n_classes = len(np.unique(codes))
    if n_classes < 2:
        return np.full(len(codes), np.nan)
    if n_classes == len(codes):  # nothing but classes of one cell
        return np.zeros(len(codes))
    return np.asarray(silhouette_samples(space, codes), np.float64)


def purity_by_cell(
    vectors: ArrayLike, names: Sequence[str], neighbours: int = NEIGHBOURS
) -> FloatArray:
    """Return the share of each cell's nearest neighbours that bear its name.

    Args:
        vectors: `(N, D)`, the cells; Euclidean distance.
        names: N names: of classes or, to see how datasets mix, of datasets.
        neighbours: Neighbours to look at; fewer where there are fewer other cells.

    Returns:
        `(N,)`, each 0..1.

    Raises:
        ValueError: If there are fewer than two cells, or the lengths differ.

    Examples:
        >>> purity_by_cell([[0.0], [1.0], [5.0], [6.0]], ["a", "a", "b", "a"], 1).tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    space, codes = _checked(vectors, names)
    count = min(neighbours, len(codes) - 1)
    # Asked without points, scikit-learn leaves each cell out of its own neighbours.
    near = NearestNeighbors(n_neighbors=count).fit(space).kneighbors(return_distance=False)
    same: FloatArray = (codes[near] == codes[:, None]).mean(axis=1)
    return same


def domain_auc(
    vectors: ArrayLike, second: ArrayLike, groups: Sequence[str] | None = None, seed: int = 0
) -> float:
    """Return how well a linear probe tells two datasets apart, on cells that it has not learnt.

    A logistic regression on the leading principal components is fitted to four fifths of the
    cells and asked about the last fifth; the areas under the five ROC curves are averaged. All
    cells should be of one class, or a different mix of classes would tell the datasets apart.
    This is the proxy distance of domains of Ben-David et al. 2010 ("A theory of learning from
    different domains"), measured as an AUC, so that sizes of datasets do not matter.

    Args:
        vectors: `(N, D)`, the cells.
        second: `(N,)` booleans: whether a cell is of the second dataset.
        groups: N groups that must not straddle folds (patients, smears); each cell is its own
            where a dataset has fewer than five groups.
        seed: Seed of the folds.

    Returns:
        0.5 for datasets that a linear probe cannot tell apart, 1 for those that it always can;
        NaN where a dataset has fewer than ten cells.

    Raises:
        ValueError: If the lengths differ.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> cells = rng.normal(size=(80, 4)) + np.repeat([[0.0], [9.0]], 40, axis=0)
        >>> domain_auc(cells, np.repeat([False, True], 40))
        1.0
    """
    space = np.asarray(vectors, np.float64)
    domain = np.asarray(second, dtype=bool)
    if space.ndim != 2 or len(space) != len(domain):
        raise ValueError(f"{len(domain)} datasets for vectors of shape {space.shape}")
    if min(domain.sum(), (~domain).sum()) < _LEAST_CELLS:
        return float("nan")
    fold = allocate(
        _group_codes(domain, groups), domain.astype(np.int64), (1 / FOLDS,) * FOLDS, seed
    )
    areas = []
    for held in range(FOLDS):
        fit_on, asked = fold != held, fold == held
        if len(np.unique(domain[asked])) < 2 or len(np.unique(domain[fit_on])) < 2:
            continue  # groups of very unequal size may leave a fold with one dataset
        size = min(_PROBE_DIRECTIONS, space.shape[1], int(fit_on.sum()) - 1)
        probe = make_pipeline(
            StandardScaler(),
            PCA(size, svd_solver="full"),
            LogisticRegression(class_weight="balanced", max_iter=1000),
        )
        scores = probe.fit(space[fit_on], domain[fit_on]).decision_function(space[asked])
        areas.append(roc_auc_score(domain[asked], scores))
    return float(np.mean(areas)) if areas else float("nan")


def domain_purity(vectors: ArrayLike, second: ArrayLike, seed: int = 0) -> float:
    """Return how far two datasets keep to themselves: neighbours of the same dataset.

    Equally many cells of each are taken, drawn at random, so that 0.5 is chance whatever the
    sizes. It moves where `domain_auc` does not any more: datasets that mix in a map, and still
    differ along a single direction, have an AUC of 1 and a purity below it.

    Args:
        vectors: `(N, D)`, the cells, all of one class; Euclidean distance.
        second: `(N,)` booleans: whether a cell is of the second dataset.
        seed: Seed of the choice.

    Returns:
        About 0.5 for datasets that are mixed, 1 for those that are apart; NaN where a dataset
        has fewer than ten cells.

    Raises:
        ValueError: If the lengths differ.

    Examples:
        >>> second = np.arange(40) >= 20
        >>> domain_purity(100.0 * second[:, None] + np.arange(40)[:, None], second)
        1.0
    """
    space, domain = np.asarray(vectors, np.float64), np.asarray(second, dtype=bool)
    if space.ndim != 2 or len(space) != len(domain):
        raise ValueError(f"{len(domain)} datasets for vectors of shape {space.shape}")
    sides = [np.flatnonzero(domain == side) for side in (False, True)]
    size = min(map(len, sides))
    if size < _LEAST_CELLS:
        return float("nan")
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(side)[:size] for side in sides])
    # Half of a dataset at most, so that all neighbours can be of one.
    neighbours = min(NEIGHBOURS, size // 2)
    return float(purity_by_cell(space[rows], domain[rows].astype(str).tolist(), neighbours).mean())


def _group_codes(domain: np.ndarray, groups: Sequence[str] | None) -> IntArray:
    """Return a number for each group, or for each cell where groups are too few to be dealt."""
    if groups is not None:
        codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1].astype(np.int64)
        if all(len(np.unique(codes[domain == side])) >= FOLDS for side in (False, True)):
            return codes
    return np.arange(len(domain), dtype=np.int64)


def _checked(vectors: ArrayLike, names: Sequence[str]) -> tuple[FloatArray, np.ndarray]:
    space, codes = np.asarray(vectors, np.float64), np.asarray(names, dtype=str)
    if space.ndim != 2 or len(space) != len(codes):
        raise ValueError(f"{len(codes)} names for vectors of shape {space.shape}")
    if len(codes) < 2:
        raise ValueError("distances need at least two cells")
    return space, codes
