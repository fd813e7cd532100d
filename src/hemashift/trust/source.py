"""What the cells of the source look like, so that "not one of these" works before adaptation."""

from __future__ import annotations

import numpy as np

from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.trust.outside import Outside
from hemashift.trust.spread import Integers
from hemashift.trust.storage import Trust, attach

_FOLDS = 5


def fit_source(bundle: Bundle, encoded: Encoded, targets: Integers, seed: int = 0) -> Bundle:
    """Attach to a source model what its known cells look like.

    The scores of such a model compare with the laboratories of the source: on images of another
    laboratory, all cells may look outside. An adaptation starts from the spread measured here.

    Args:
        bundle: The model.
        encoded: Known cells, encoded by it; best such as it was not trained on, to which it is
            not closer than to cells to come.
        targets: `(N,)` class index of each.
        seed: Seed of the folds from which the threshold is found.

    Returns:
        The same model with trust data.
    """
    fold = np.random.default_rng([seed, 23]).permutation(len(targets)) % _FOLDS
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(_FOLDS)]
    outside = Outside.fit(encoded, targets, parts)
    return attach(bundle, Trust(outside=outside, source=outside.spread))
