"""What the known cells of the source look like, for a model before and an adaptation after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.trust.outside import Outside
from hemashift.trust.softmax import Float, fit_softmax, span
from hemashift.trust.spread import Integers
from hemashift.trust.storage import Trust, attach

Names = npt.NDArray[np.str_]

_FOLDS = 5
# Ten times less or more changes the accuracy in new laboratories by less than a point.
_PENALTY = 0.1


@dataclass(frozen=True, eq=False)
class Others:
    """Labelled cells of the source that are of none of the classes.

    Attributes:
        encoded: The M cells.
        laboratories: `(M,)` name of the laboratory of each.
    """

    encoded: Encoded
    laboratories: Names


def fit_source(
    bundle: Bundle,
    encoded: Encoded,
    targets: Integers,
    laboratories: Names,
    seed: int = 0,
    others: Others | None = None,
) -> Bundle:
    """Attach to a source model what its known cells look like.

    The scores of such a model compare with the laboratories of the source: on images of another
    laboratory, all cells may look outside. An adaptation starts from what is measured here: how
    cells of a class differ from each other, and by which weights the classes are told apart.

    Args:
        bundle: The model.
        encoded: Known cells, encoded by it; best such as it was not trained on, to which it is
            not closer than to cells to come.
        targets: `(N,)` class index of each.
        laboratories: `(N,)` name of the laboratory of each.
        seed: Seed of the folds from which the threshold is found.
        others: Cells of none of the classes, of the same laboratories.

    Returns:
        The same model with trust data.
    """
    fold = np.random.default_rng([seed, 23]).permutation(len(targets)) % _FOLDS
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(_FOLDS)]
    vectors, n_classes = encoded.vectors("features", l2=True), len(bundle.card.classes)
    weights = None if others is None else _others_apart(vectors, targets, laboratories, others)
    outside = Outside.fit(encoded, targets, parts, others=weights)
    probe = source_probe(vectors, targets, laboratories, n_classes)
    return attach(
        bundle, Trust(outside=outside, source=outside.spread, probe=probe, others=weights)
    )


def _others_apart(
    vectors: npt.NDArray[np.floating], targets: Integers, laboratories: Names, others: Others
) -> Float:
    """Return the `(D,)` weights by which cells of none of the classes are told from the others."""
    kept = np.isin(others.laboratories, laboratories)
    strange = others.encoded.vectors("features", l2=True)[kept]
    n_classes = int(targets.max()) + 1
    weights = source_probe(
        np.vstack([vectors, strange]),
        np.concatenate([targets, np.full(len(strange), n_classes)]),
        np.concatenate([laboratories, others.laboratories[kept]]),
        n_classes + 1,
        n_centred=n_classes,
    )
    found: Float = weights[n_classes]
    return found


def source_probe(
    vectors: npt.NDArray[np.floating],
    targets: Integers,
    laboratories: Names,
    n_classes: int,
    n_centred: int | None = None,
) -> Float:
    """Learn to tell classes apart in several laboratories at once.

    The cells of each laboratory are centred by the mean of its class means and scaled to a mean
    square of 1, so that what is learnt holds within a laboratory. A laboratory counts by the square
    root of its number of cells, and each of its classes alike.

    Args:
        vectors: `(N, D)`.
        targets: `(N,)` class index, 0 to K-1.
        laboratories: `(N,)`.
        n_classes: K.
        n_centred: Only the first so many classes say where the middle of a laboratory is; all of
            them where not given. Each laboratory needs cells of them.

    Returns:
        `(K, D)` weights of the centred and scaled vectors.

    Examples:
        >>> cells = np.array([[1.0], [3.0], [11.0], [13.0]])
        >>> weights = source_probe(cells, np.array([0, 1, 0, 1]), np.array(list("aabb")), 2)
        >>> bool(weights[1, 0] > 0 > weights[0, 0])
        True
    """
    inputs = np.asarray(vectors, np.float64).copy()
    importance = np.zeros(len(targets))
    for name in np.unique(laboratories):
        here = laboratories == name
        classes = [here & (targets == k) for k in np.unique(targets[here])]
        known = here if n_centred is None else here & (targets < n_centred)
        middle = [inputs[rows & known].mean(axis=0) for rows in classes if (rows & known).any()]
        inputs[here] -= np.mean(middle, axis=0)
        length = np.sqrt((inputs[known] ** 2).sum(axis=1).mean())
        inputs[here] /= length if length > 0 else 1.0
        for rows in classes:
            importance[rows] = np.sqrt(here.sum()) / len(classes) / rows.sum()
    importance *= len(targets) / importance.sum()
    coordinates, basis = span(inputs)
    weight, _ = fit_softmax(coordinates, targets, n_classes, _PENALTY, weights=importance)
    found: Float = weight @ basis
    return found
