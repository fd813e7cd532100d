"""Vectors in which cells that look alike lie close together."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from hemashift.model.heads import Encoded, unit

Float = npt.NDArray[np.float32]

# Distances between cells change little beyond; they are computed 20 times as fast.
DIRECTIONS = 64
_LEAST_SCALE = 1e-6


def comparable(encoded: Encoded, directions: int = DIRECTIONS) -> Float:
    """Turn the pooled features of a laboratory's cells into vectors for distances.

    Each vector is brought to length 1 and standardised over the laboratory's cells, so that what
    all its images share (stain, light) does not count; then brought to length 1 again, and
    reduced to the directions of largest variance. Half the squared distance of two vectors is
    then close to one minus the cosine of the angle between them.

    Args:
        encoded: What the encoder says about the N cells.
        directions: Most columns of the result.

    Returns:
        `(N, D)` float32, D the smallest of `directions`, N and the number of features; zeros
        for a single cell.

    Examples:
        >>> features = np.random.default_rng(0).normal(size=(50, 200)).astype(np.float32)
        >>> comparable(Encoded(features, features[:, :4]), directions=8).shape
        (50, 8)
    """
    features = encoded.vectors("features", l2=True)
    if len(features) < 2:
        return np.zeros((len(features), 1), np.float32)
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), _LEAST_SCALE)
    features = unit(features)
    width = min(directions, *features.shape)
    features -= features.mean(axis=0)
    narrow = len(features) <= features.shape[1]
    leading = _leading(features @ features.T if narrow else features.T @ features, width)
    if narrow:
        # Left singular vectors: times the singular values, they are the coordinates.
        return np.asarray(leading * np.linalg.norm(features.T @ leading, axis=0), np.float32)
    return np.asarray(features @ leading, np.float32)


def _leading(products: Float, count: int) -> npt.NDArray[np.float64]:
    """Return the eigenvectors `(M, count)` of the largest eigenvalues, the largest first."""
    products = np.asarray(products, np.float64)
    if len(products) > 8 * count:  # a few of many are found four times as fast one after another
        start = np.random.default_rng(0).normal(size=len(products))
        with suppress(ArpackNoConvergence):
            values, vectors = eigsh(products, k=count, v0=start)
            return np.asarray(vectors[:, np.argsort(-values)])
    return np.asarray(np.linalg.eigh(products)[1][:, : -count - 1 : -1])
