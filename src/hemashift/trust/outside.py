"""Outside: cells unlike any that the model was taught, such as blasts, debris or empty frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.model.heads import Encoded
from hemashift.trust.softmax import Float, told_apart
from hemashift.trust.spread import Integers, Spread, Vectors
from hemashift.trust.undecided import Undecided
from hemashift.trust.unlabelled import beyond_chance, separation, towards_unlabelled

Float32 = npt.NDArray[np.float32]
Fold = tuple[Integers, Integers]

KEPT = 0.95
"""Share of the known cells that are not to be called outside."""
# Logarithm of the distance that one unit of evidence is worth. Half or twice as much changes the
# AUROC of immature marrow cells, of which it was 0.72 without, 0.82 with it, by half a point.
_EVIDENCE = 0.1
# What the unlabelled cells of the laboratory may add, as a multiple of that, where they can be told
# from the labelled ones without a mistake.
_UNLABELLED = 5.0
# What the laboratory's own strangers may add, as a multiple of that, and how many are worth half.
_MOST, _HALF_OF_IT = 3.0, 8
# Logarithm of the distance that one unit of energy is worth. Twice as much is a point of AUROC more
# in Barcelona and less elsewhere.
_ENERGY = 0.1
# The prior on what tells the laboratory's own strangers; ten times less changes AUROC by 0.003.
_PENALTY = 0.03


@dataclass(frozen=True, eq=False)
class Outside:
    """The distance of a cell to the nearest class, as a multiple of what known cells have.

    Mahalanobis distance with one covariance for all classes (Lee et al. 2018) on the features,
    each brought to length 1. It does not ask which class is probable: a model may be sure of a
    class and yet look at a blurred frame.

    Immature cells lie close to the mature ones. Where the source holds labelled cells of none of
    the classes, it says by which features such cells are told apart, in its own laboratories; that
    evidence stretches the distance (in the manner of outlier exposure, Hendrycks et al. 2019,
    arXiv 1812.04606, on frozen features). Such cells of the laboratory itself add to it, and so
    does what tells its unlabelled cells from its labelled ones (`hemashift.trust.unlabelled`), and
    that no class speaks for a cell (`hemashift.trust.undecided`).

    Attributes:
        centres: `(C, D)` mean of each class that has a labelled cell.
        spread: How cells of one class differ.
        threshold: Distance within which a share of `KEPT` of the known cells lies.
        evidence: `(D,)` weights; a distance is multiplied by the exponential of their product with
            the vector. None where nothing is known of cells of none of the classes.
        undecided: A probe by whose energy it is multiplied in the same way; None without.
    """

    centres: npt.NDArray[np.float64]
    spread: Spread
    threshold: float
    evidence: npt.NDArray[np.float64] | None = None
    undecided: Undecided | None = None

    @classmethod
    def fit(
        cls,
        encoded: Encoded,
        targets: Integers,
        parts: Sequence[Fold],
        source: Spread | None = None,
        others: npt.NDArray[np.floating] | None = None,
        strangers: Encoded | None = None,
        unlabelled: Encoded | None = None,
        towards: Float | None = None,
    ) -> Outside:
        """Learn what known cells look like.

        Args:
            encoded: N labelled cells.
            targets: `(N,)` class index.
            parts: Folds (fit, held out); the threshold comes from cells that were held out.
            source: Spread within the classes of the source, measured on many cells; counts as
                much as that of the labelled cells.
            others: `(D,)` weights by which the source tells cells of none of the classes, for
                vectors with a mean square of 1 around their mean.
            strangers: Cells of the laboratory that are labelled as none of the classes.
            unlabelled: Other cells of the laboratory, of which nothing is known.
            towards: `(K, D)` weights that the probe of `undecided` is held close to; without
                them there is none.

        Examples:
            >>> rng = np.random.default_rng(0)
            >>> features = (rng.normal(0, 0.1, (40, 8)) + np.eye(8)[0]).astype(np.float32)
            >>> cells = Encoded(features, features)
            >>> even = np.arange(40) % 2 == 0
            >>> parts = [(np.flatnonzero(even == k), np.flatnonzero(even != k)) for k in (0, 1)]
            >>> found = Outside.fit(cells, np.zeros(40, int), parts)
            >>> bool((found.scores(cells) < 1.2).all())
            True
            >>> other = np.eye(8, dtype=np.float32)[[5]]
            >>> bool(found.scores(Encoded(other, other))[0] > 2)
            True
        """
        vectors = vectors_of(encoded)
        middle, length = vectors.mean(axis=0), _length(vectors)
        strange = None if strangers is None else vectors_of(strangers)
        unknown = vectors[:0] if unlabelled is None else vectors_of(unlabelled)
        seen = np.vstack([vectors, unknown])
        around = seen.mean(axis=0, dtype=np.float64), _length(seen)

        def fitted(rows: Integers) -> Outside:
            known: list[npt.NDArray[np.floating]] = [] if others is None else [others]
            if strange is not None:
                worth = _MOST * len(strange) / (len(strange) + _HALF_OF_IT)
                apart = told_apart(vectors[rows] / length, strange / length, _PENALTY)
                known.append(worth * apart)
            evidence = _EVIDENCE / length * np.sum(known, axis=0) if known else None
            one = _fit(vectors[rows], targets[rows], source, evidence)
            if towards is None:
                return one
            probe = Undecided.fit(vectors[rows], targets[rows], towards, *around)
            return replace(one, undecided=probe)

        everyone = np.arange(len(vectors))
        parts = [part for part in parts if len(part[0])] or [(everyone, everyone)]
        found, held_out = fitted(everyone), [fitted(fit) for fit, _ in parts]
        if len(unknown) >= len(parts) > 1:
            found, held_out = _with_unlabelled(found, held_out, vectors, parts, unknown, length)
        # The evidence of each fold has an origin of its own: all count from the middle.
        distances = [
            one._distances(vectors[held]) / one._stretch(middle)
            for one, (_, held) in zip(held_out, parts, strict=True)
        ]
        limit = _quantile(np.concatenate(distances))
        return replace(found, threshold=limit * float(found._stretch(middle)))

    def scores(self, encoded: Encoded) -> Float32:
        """Return `(N,)` scores, 0 or more; above 1 a cell is outside."""
        return (self._distances(vectors_of(encoded)) / self.threshold).astype(np.float32)

    def _distances(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        nearest: npt.NDArray[np.float64] = self.spread.distances(vectors, self.centres).min(axis=1)
        return nearest * self._stretch(vectors)

    def _from_nearest(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        """Return the `(N, D)` differences of vectors from the centre of the nearest class."""
        nearest = self.spread.distances(vectors, self.centres).argmin(axis=1)
        found: npt.NDArray[np.float64] = vectors - self.centres[nearest]
        return found

    def _stretch(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        """Return by what the evidence multiplies the distances of vectors, `(N, D)` or `(D,)`."""
        logarithm = np.zeros(vectors.shape[:-1])
        if self.evidence is not None:
            logarithm = logarithm + vectors @ self.evidence
        if self.undecided is not None:
            logarithm = logarithm + _ENERGY * self.undecided.energy(vectors)
        found: npt.NDArray[np.float64] = np.exp(logarithm)
        return found


def vectors_of(encoded: Encoded) -> Float32:
    """Return the `(N, D)` vectors that distances are measured between."""
    return encoded.vectors("features", l2=True)


def _length(vectors: Vectors) -> float:
    """Return the root mean square length of vectors around their mean."""
    return max(float(np.sqrt(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).mean())), 1e-6)


def _fit(
    vectors: Vectors,
    targets: Integers,
    source: Spread | None,
    evidence: npt.NDArray[np.float64] | None,
) -> Outside:
    own = Spread.within(vectors, targets)
    spread = own if source is None else own.joined(source)
    centres = [vectors[targets == target].mean(axis=0) for target in np.unique(targets)]
    return Outside(np.stack(centres).astype(np.float64), spread, 1.0, evidence)


def _with_unlabelled(
    found: Outside,
    held_out: Sequence[Outside],
    vectors: Vectors,
    parts: Sequence[Fold],
    unknown: Vectors,
    length: float,
) -> tuple[Outside, list[Outside]]:
    """Add to the evidence what tells the unlabelled cells from the labelled ones.

    Args:
        found: Fitted to all labelled cells.
        held_out: Fitted to those of each fold.
        vectors: `(N, D)` of the labelled cells.
        parts: The folds.
        unknown: `(M, D)` of the unlabelled cells; they are held out in turn, too.
        length: Of the vectors around their mean.

    Returns:
        `found` and `held_out` with more evidence.
    """
    fold = np.arange(len(unknown)) % len(parts)
    directions, apart = [], []
    for number, (one, (fit, held)) in enumerate(zip(held_out, parts, strict=True)):
        labelled, unlabelled = one._from_nearest(vectors), one._from_nearest(unknown)
        seen = fold != number
        direction = towards_unlabelled(labelled[fit] / length, unlabelled[seen] / length)
        directions.append(direction)
        apart.append(separation(labelled[held] @ direction, unlabelled[~seen] @ direction))
    counts = [len(held) for _, held in parts]
    share = beyond_chance(float(np.average(apart, weights=counts)), len(vectors), len(unknown))
    if share == 0:
        return found, list(held_out)
    share *= _UNLABELLED * _EVIDENCE / length
    whole = towards_unlabelled(
        found._from_nearest(vectors) / length, found._from_nearest(unknown) / length
    )

    def added(one: Outside, direction: Float) -> Outside:
        before = 0.0 if one.evidence is None else one.evidence
        return replace(one, evidence=before + share * direction)

    return added(found, whole), [
        added(one, direction) for one, direction in zip(held_out, directions, strict=True)
    ]


def _quantile(distances: npt.NDArray[np.float64]) -> float:
    """Return the conformal quantile: one more cell would be within it with probability `KEPT`."""
    place = min(math.ceil((len(distances) + 1) * KEPT), len(distances))
    return max(float(np.sort(distances)[place - 1]), 1e-9)
