"""How cells of one class differ from each other: a covariance of few directions and a rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]

# Directions that are kept; more change the benchmark little and cost space.
_RANK = 32
_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Spread:
    """The covariance of cells around the mean of their class, the same for all classes.

    Features outnumber labelled cells, so only the directions in which cells vary most have a
    variance of their own; all others share one (Tipping and Bishop 1999).

    Attributes:
        directions: `(R, D)` orthonormal rows.
        variances: `(R,)` along each of them, above 0.
        rest: Variance along every other direction, above 0.
    """

    directions: Float
    variances: Float
    rest: float

    @classmethod
    def within(cls, vectors: Vectors, targets: Integers) -> Spread:
        """Measure the spread within classes; a class with one cell says nothing about it.

        Without two cells of any class, the spread of all cells stands in.

        Args:
            vectors: `(N, D)`.
            targets: `(N,)` class index.

        Examples:
            >>> rng = np.random.default_rng(0)
            >>> cells = rng.normal(size=(200, 3)) * [3, 1, 1]
            >>> found = Spread.within(cells, np.repeat([0, 1], 100))
            >>> bool(found.variances[0] > 6), bool(0.5 < found.rest < 1.5)
            (True, True)
        """
        values = np.asarray(vectors, np.float64)
        repeated = [target for target in np.unique(targets) if (targets == target).sum() > 1]
        groups = [values[targets == target] for target in repeated] or [values]
        residuals = np.concatenate(
            [(own - own.mean(axis=0)) * np.sqrt(len(own) / max(len(own) - 1, 1)) for own in groups]
        )
        if not residuals.any():
            return cls(np.empty((0, values.shape[1])), np.empty(0), 1.0)
        # No more than half of what so few cells span, so that something is left for the rest.
        span = min(len(residuals) - len(groups), values.shape[1])
        return _spread(residuals / np.sqrt(len(residuals)), 0.0, min(_RANK, span // 2))

    def joined(self, other: Spread) -> Spread:
        """Return the mean of two covariances."""
        excess = [
            np.sqrt(np.maximum(one.variances - one.rest, 0) / 2)[:, None] * one.directions
            for one in (self, other)
        ]
        return _spread(np.concatenate(excess), (self.rest + other.rest) / 2, _RANK)

    def distances(self, vectors: Vectors, centres: Vectors) -> Float:
        """Return the Mahalanobis distances `(N, C)` of vectors `(N, D)` to centres `(C, D)`."""
        one, other = np.asarray(vectors, np.float64), np.asarray(centres, np.float64)
        squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
        difference = (one @ self.directions.T)[:, None] - (other @ self.directions.T)
        along = (difference**2 * (1 / self.variances - 1 / self.rest)).sum(axis=2)
        found: Float = np.sqrt(np.maximum(squares / self.rest + along, 0))
        return found


def _spread(rows: Float, rest: float, rank: int) -> Spread:
    """Decompose rows.T @ rows + rest * I; what exceeds the rank is shared by all directions."""
    narrow = rows.shape[0] <= rows.shape[1]
    values, vectors = np.linalg.eigh(rows @ rows.T if narrow else rows.T @ rows)
    values = np.maximum(values, 0)
    order = np.argsort(-values)[:rank]
    order = order[values[order] > 1e-9 * values.sum()]
    leading = values[order]
    directions = vectors[:, order].T
    if narrow:
        directions = directions @ rows / np.sqrt(leading)[:, None]
    shared = (values.sum() - leading.sum()) / (rows.shape[1] - len(leading))
    return Spread(directions, np.maximum(leading + rest, _LEAST), max(rest + shared, _LEAST))
