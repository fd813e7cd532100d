"""Clusters of cells that look alike, and the cell that is most typical of its cluster."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.neighbors import NearestNeighbors

from hemashift.selection.contract import Float, Rows

# Up to here exact k-means takes about a second.
_MANY = 4000
# More clusters than these say nothing new about a laboratory; a second round goes over them.
_MOST_CLUSTERS = 500
_NEIGHBOURS = 20

Weights = npt.NDArray[np.floating]


def cluster(vectors: Float, count: int, seed: int, weights: Weights | None = None) -> Rows:
    """Divide cells into clusters by k-means; mini-batches above 4,000 cells.

    Args:
        vectors: `(N, D)`, N at least 1.
        count: Number of clusters; N where that is less.
        seed: Seed of the first centres.
        weights: `(N,)` weight of each cell; all equal by default.

    Returns:
        `(N,)` number of the cluster, from 0. Where vectors are equal, some numbers may not occur.

    Examples:
        >>> points = np.array([[0.0], [0.1], [5.0], [5.1]], np.float32)
        >>> found = cluster(points, 2, seed=0)
        >>> bool(found[0] == found[1] != found[2] == found[3])
        True
    """
    count = min(count, len(vectors))
    if len(vectors) > _MANY:
        made = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=4096)
    else:
        made = KMeans(count, random_state=seed, n_init=3)
    with warnings.catch_warnings():
        # Equal vectors make fewer clusters than asked for, which does no harm here.
        warnings.simplefilter("ignore")
        return np.asarray(made.fit(vectors, sample_weight=weights).labels_, np.int64)


def typicality(vectors: Float, member: Rows) -> npt.NDArray[np.float64]:
    """Say how typical each cell is of its cluster.

    The inverse of the mean distance to the 20 nearest neighbours within the cluster (Hacohen et
    al. 2022, arXiv 2202.02794).

    Args:
        vectors: `(N, D)`.
        member: `(N,)` number of the cluster.

    Returns:
        `(N,)`, above 0; the higher, the more typical.
    """
    found = np.ones(len(vectors))
    for number in np.unique(member):
        rows = np.flatnonzero(member == number)
        if len(rows) < 2:
            continue
        nearest = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(rows) - 1))
        distances, _ = nearest.fit(vectors[rows]).kneighbors()
        found[rows] = 1 / (distances.mean(axis=1) + 1e-6)
    return found


def typical_places(
    vectors: Float, known: int, n: int, seed: int, weights: Weights | None = None
) -> list[tuple[int, int]]:
    """Choose the most typical cell of each cluster that has no label yet.

    There are as many clusters as labels and cells to choose, 500 at most. The clusters with the
    fewest labels come first, and among these the largest.

    Args:
        vectors: `(N, D)`; the first `known` cells have a label.
        known: Number of labelled cells.
        n: How many to choose, at most N - `known`.
        seed: Seed of the clusters.
        weights: `(N,)` weight of each cell; all equal by default.

    Returns:
        Place and size of its cluster for each of the n.
    """
    member = cluster(vectors, min(known + n, _MOST_CLUSTERS), seed, weights)
    typical = typicality(vectors, member)
    cells = np.bincount(member)
    sizes = cells if weights is None else np.bincount(member, weights)
    covered = np.bincount(member[:known], minlength=len(cells))
    free = np.arange(len(vectors)) >= known
    chosen: list[tuple[int, int]] = []
    while len(chosen) < n:
        left = np.unique(member[free])
        best = left[np.lexsort((-sizes[left], covered[left]))[0]]
        inside = np.flatnonzero(free & (member == best))
        place = int(inside[typical[inside].argmax()])
        chosen.append((place, int(cells[best])))
        free[place] = False
        covered[best] += 1
    return chosen


def diverse_places(vectors: Float, worth: Weights, n: int, seed: int) -> Rows:
    """Choose cells that are worth much, no two of them alike.

    The five times n cells of the highest worth are divided into n clusters, weighted by worth,
    and each gives its best (after Zhdanov 2019, "Diverse mini-batch active learning", arXiv
    1901.05954).

    Args:
        vectors: `(M, D)`.
        worth: `(M,)`, at least 0.
        n: How many, at most M.
        seed: Seed of the clusters.

    Returns:
        `(n,)` places, the highest worth first.
    """
    offer = np.argsort(-worth, kind="stable")[: 5 * n]
    member = cluster(vectors[offer], n, seed, worth[offer] + 1e-3)
    # `offer` goes by worth, so the first of a cluster is its best.
    _, first = np.unique(member, return_index=True)
    rest = np.setdiff1d(np.arange(len(offer)), first)
    return np.asarray(offer[np.concatenate([np.sort(first), rest])[:n]], np.int64)
