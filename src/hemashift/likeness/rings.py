"""A cell seen along rings around its middle, so that a turned or mirrored copy is recognised."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from hemashift.images import resize

RINGS, SPOKES = 12, 32
# Radius of the outermost ring, by the side of the image: the cell, and little of what is around.
_REACH = 0.35
_SIDE = 64
# Share of the area that each sample of a ring stands for.
_AREA = np.arange(1, RINGS + 1)[:, None] / (SPOKES * RINGS * (RINGS + 1) / 2)
# Found on the cells of three laboratories and on the augmented BCCD, see docs: pictures of one
# cell reach both, and of a million pairs of different cells about ten do.
_LIKE, _TURN = 0.95, 0.85
_CHUNK = 2000

Pixels = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]


class Spectra(NamedTuple):
    """Rings of N cells, brought to one length and transformed along each ring.

    Attributes:
        values: complex64 `(N, 3, 12, 17)`.
        spread: `(N,)` length that is left when the mean of each ring is taken away.
    """

    values: npt.NDArray[np.complex64]
    spread: Float


def rings(image: Pixels) -> Pixels:
    """Sample an image along 12 rings of 32 points around its middle.

    Args:
        image: uint8 `(H, W, 3)`, the cell in the middle, as a model's preprocessing makes it.

    Returns:
        uint8 `(3, 12, 32)`. Turning the image shifts the last axis, mirroring reverses it.

    Examples:
        >>> rings(np.zeros((224, 224, 3), np.uint8)).shape
        (3, 12, 32)
    """
    small = resize(image, _SIDE)
    radius = np.arange(1, RINGS + 1) * _REACH * _SIDE / RINGS
    angle = np.arange(SPOKES) * 2 * np.pi / SPOKES
    middle = (_SIDE - 1) / 2
    rows = middle + np.outer(radius, np.sin(angle))
    columns = middle + np.outer(radius, np.cos(angle))
    return np.stack([map_coordinates(small[..., c], [rows, columns], order=1) for c in range(3)])


def spectra(samples: Pixels) -> Spectra:
    """Transform what `rings` gives, uint8 `(N, 3, 12, 32)`.

    Each colour loses its mean, so that light does not count. A sample counts by its area.
    """
    values = np.empty((len(samples), 3, RINGS, SPOKES // 2 + 1), np.complex64)
    for start in range(0, len(samples), _CHUNK):
        part = samples[start : start + _CHUNK].astype(np.float32)
        part -= (part * _AREA).sum(axis=(2, 3), keepdims=True)
        part *= np.sqrt(_AREA)
        length = np.sqrt((part**2).sum(axis=(1, 2, 3), keepdims=True))
        values[start : start + _CHUNK] = np.fft.rfft(part / np.maximum(length, 1e-6), norm="ortho")
    along = np.abs(values[..., 1:]) ** 2
    along[..., :-1] *= 2  # each of these stands for a pair of frequencies
    spread = np.sqrt(along.sum(axis=(1, 2, 3)))
    return Spectra(values, np.maximum(spread, 1e-6).astype(np.float32))


def same_cell(cells: Spectra, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which pairs of pictures show one and the same cell.

    Two pictures show one cell if, in the position in which they agree best (all turns, mirrored
    or not), their correlation is at least 0.95, and still 0.85 when the mean of each ring is
    taken away. Without the second rule any two round cells without structure would be one.

    Args:
        cells: See `spectra`.
        pairs: `(P, 2)` row numbers.

    Returns:
        `(P,)`.
    """
    found = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), _CHUNK):
        like, turn = likeness(cells, pairs[start : start + _CHUNK])
        found[start : start + _CHUNK] = (like >= _LIKE) & (turn >= _TURN)
    return found


def likeness(cells: Spectra, pairs: npt.NDArray[np.int64]) -> tuple[Float, Float]:
    """Return the correlation of pairs in their best position, with and without ring means.

    Arguments as `same_cell`; both results are `(P,)`, -1 to 1.
    """
    one, other = cells.values[pairs[:, 0]], cells.values[pairs[:, 1]]
    spread = cells.spread[pairs].prod(axis=1)
    rows = np.arange(len(pairs))
    like = np.full(len(pairs), -1, np.float32)
    turn = np.full(len(pairs), -1, np.float32)
    for mirrored in (np.conj(other), other):
        product = (one * mirrored).sum(axis=(1, 2))
        whole = np.fft.irfft(product, n=SPOKES) * SPOKES
        product[:, 0] = 0  # the mean along each ring
        bare = np.fft.irfft(product, n=SPOKES) * SPOKES
        best = whole.argmax(axis=1)
        better = whole[rows, best] > like
        like = np.where(better, whole[rows, best], like).astype(np.float32)
        turn = np.where(better, bare[rows, best] / spread, turn).astype(np.float32)
    return like, turn
