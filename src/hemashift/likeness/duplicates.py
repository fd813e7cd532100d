"""Which pictures show one and the same cell: copies of a file, and the cell cut out again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from hemashift.likeness.rings import same_cell, spectra

Float = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# A copy is among the nearest neighbours; only these are compared picture by picture.
_NEIGHBOURS = 20


def find_copies(vectors: Float, samples: npt.NDArray[np.uint8], hashes: Sequence[str] = ()) -> Rows:
    """Number the cells, so that pictures of one and the same cell share a number.

    Files with the same hash are copies. So are pictures that agree when one is turned or
    mirrored (`rings.same_cell`), compared with the 20 pictures that the encoder finds most alike.
    What is a copy of a copy is a copy.

    Args:
        vectors: `(N, D)`, see `vectors.comparable`.
        samples: uint8 `(N, 3, 12, 32)`, see `rings.rings`.
        hashes: N hashes of the files; none by default.

    Returns:
        `(N,)` numbers from 0, in the order of the first picture of each cell.
    """
    count = len(vectors)
    pairs = [_equal(hashes)]
    if count > 1:
        search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, count - 1), algorithm="brute")
        near = search.fit(vectors).kneighbors(return_distance=False)
        alike = np.column_stack([np.repeat(np.arange(count), near.shape[1]), near.ravel()])
        alike = np.unique(np.sort(alike, axis=1), axis=0)
        pairs.append(alike[same_cell(spectra(samples), alike)])
    first, second = np.concatenate(pairs).T
    links = coo_matrix((np.ones(len(first)), (first, second)), shape=(count, count))
    _, numbers = connected_components(links, directed=False)
    return np.asarray(numbers, np.int64)


def _equal(hashes: Sequence[str]) -> Rows:
    """Return `(P, 2)` pairs that link all files of one hash."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(hashes)]
    return np.array(pairs, np.int64).reshape(-1, 2)
