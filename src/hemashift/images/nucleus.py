"""Finding the nucleus of the cell that an image shows, by its stain.

Nuclei take up the most dye in every Romanowsky stain, and absorb red and green light more than
blue, whereas red cells absorb mostly blue. A threshold (Otsu, IEEE Trans. SMC 9(1), 1979) on
that absorbance finds them without any training, and so without preferring one laboratory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from hemashift.images.decode import Pixels

Mask = npt.NDArray[np.bool_]
Field = npt.NDArray[np.float32]
Labels = npt.NDArray[np.signedinteger]

# The search runs on a copy of this longest side: enough for a nucleus, and fast.
WORKING_SIZE = 96
# Darker than any stain: the black corners of rotated images, and masked-out background.
VOID = 16
# Smallest and largest plausible equivalent diameter, as a fraction of the shorter side.
PLAUSIBLE = (0.05, 0.95)
# Least absorbance by which a nucleus stands out of its surroundings.
LEAST_CONTRAST = 0.12
# How far from the middle of the image a nucleus is looked for (fraction of the side).
REACH = 0.3
# Lobes of one nucleus: gap relative to the radius of the largest, and difference of absorbance
# relative to the absorbance of the largest.
LOBE_GAP = 1.0
LOBE_DIFFERENCE = 0.3
# Platelets and dirt are smaller than this part of the largest lobe.
LOBE_AREA = 0.05
# Number of levels of absorbance told apart.
BINS = 128
# A part this large (fraction of the image) that reaches the edge is several cells.
CROWDED = 0.3
# Touching neighbours are parted where the width falls below this fraction of the widest place.
NECK = 0.6


@dataclass(frozen=True)
class Nucleus:
    """Where the nucleus of the depicted cell lies.

    Attributes:
        x: Column of its centre of mass, in pixels of the image.
        y: Row of its centre of mass, in pixels of the image.
        diameter: Diameter in pixels of the disc of the same area.
        spread: Diameter in pixels of the disc of the same radius of gyration. Equal to
            `diameter` for a round nucleus and larger for one of several lobes.
        mask: Where it is, on the working copy of the image; bool, (rows, columns).
    """

    x: float
    y: float
    diameter: float
    spread: float
    mask: Mask = field(repr=False, compare=False)


def locate_nucleus(image: Pixels) -> Nucleus | None:
    """Find the nucleus of the cell nearest to the middle.

    Args:
        image: `uint8`, (height, width, 3), RGB; one cell, roughly centred.

    Returns:
        The nucleus, all its lobes together; None where there is none of a plausible size.

    Examples:
        >>> image = np.full((100, 100, 3), 240, np.uint8)
        >>> image[40:60, 30:50] = (90, 40, 140)
        >>> nucleus = locate_nucleus(image)
        >>> round(nucleus.x), round(nucleus.y)
        (40, 50)
        >>> locate_nucleus(np.full((100, 100, 3), 240, np.uint8)) is None
        True
    """
    height, width = image.shape[:2]
    if min(height, width) < 8:
        return None
    stain, void = _stain(image)
    nearness = _nearness(stain.shape)
    threshold = _threshold(stain[~void], nearness[~void])
    if threshold is None:
        return None
    mask = _select((stain > threshold) & ~void, stain, nearness)
    area = int(mask.sum())
    if area == 0:
        return None
    rows, columns = np.nonzero(mask)
    y, x = rows.mean() + 0.5, columns.mean() + 0.5
    gyration = ((rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2).mean()
    to_pixels = max(height, width) / max(mask.shape)
    diameter = 2 * float(np.sqrt(area / np.pi)) * to_pixels
    low, high = (fraction * min(height, width) for fraction in PLAUSIBLE)
    if not low <= diameter <= high:
        return None
    return Nucleus(
        x=float(x) * width / mask.shape[1],
        y=float(y) * height / mask.shape[0],
        diameter=diameter,
        spread=2 * float(np.sqrt(2 * gyration)) * to_pixels,
        mask=mask,
    )


def _stain(image: Pixels) -> tuple[Field, Mask]:
    """Return the absorbance that marks nuclei, smoothed, and where there is no image at all."""
    height, width = image.shape[:2]
    scale = WORKING_SIZE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(image).resize(size, method, reducing_gap=1.0))
    void = small.max(axis=2) < VOID
    density = -np.log((small.astype(np.float32) + 1) / 256)
    if not void.all():
        # The empty field is the lightest tenth; what it absorbs is lamp, glass and plasma.
        # Every third pixel gives it as well as all do.
        sample = density[~void][::3]
        density -= np.partition(sample, len(sample) // 10, axis=0)[len(sample) // 10]
        np.maximum(density, 0, out=density)
    red, green, blue = np.moveaxis(density, 2, 0)
    # What absorbs more blue than red is a red cell or an eosinophil granule. The weights are
    # those with the best overlap with the nucleus masks of Jiangxi and fewest red cells in BCCD.
    stain = red + green - 0.5 * blue - 2 * np.maximum(blue - red, 0)
    np.maximum(stain, 0, out=stain)
    stain[void] = 0
    return ndimage.gaussian_filter(stain, 1.0), void


def _nearness(shape: tuple[int, ...]) -> Field:
    """Return how near to the middle each pixel is: 1 in the middle, falling off as a Gaussian."""
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    distance = ((rows + 0.5) / height - 0.5) ** 2 + ((columns + 0.5) / width - 0.5) ** 2
    return np.exp(-distance / (2 * REACH**2)).astype(np.float32)


def _threshold(values: Field, weights: Field) -> float | None:
    """Return the absorbance from which on a pixel is nucleus; None where nothing stands out."""
    if values.size < 64:
        return None
    low = float(values.min())
    # A few specks of dirt must not stretch the scale.
    rank = values.size - 1 - values.size // 200
    high = float(np.partition(values, rank)[rank])
    if high - low < LEAST_CONTRAST:
        return None
    scale = BINS / (high - low)
    levels = np.minimum((values - low) * scale, BINS - 1).astype(np.intp)
    histogram = np.bincount(levels, weights, minlength=BINS)
    return low + _otsu(histogram) / scale


def _otsu(histogram: npt.NDArray[Any]) -> int:
    """Return the first bin of the upper class."""
    below = np.cumsum(histogram)[:-1] / histogram.sum()
    moment = np.cumsum(histogram * np.arange(BINS)) / histogram.sum()
    product = below * (1 - below)
    between = np.zeros(BINS - 1)
    np.divide((moment[-1] * below - moment[:-1]) ** 2, product, out=between, where=product > 1e-9)
    return int(np.argmax(between)) + 1


def _select(mask: Mask, stain: Field, nearness: Field) -> Mask:
    """Keep the nucleus nearest to the middle and its lobes; drop specks and neighbours."""
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask))
    labels, count = ndimage.label(mask)
    if count == 0:
        return np.zeros_like(mask)
    weight = nearness * stain
    main = _heaviest(labels, weight)
    nucleus: Mask = labels == main
    if nucleus.mean() > CROWDED and _touches_edge(nucleus):
        nucleus = _cut_free(nucleus, weight)
    if count > 1:
        nucleus = nucleus | _lobes(main, labels, stain)
    return nucleus


def _touches_edge(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _cut_free(mask: Mask, weight: Field) -> Mask:
    """Part a nucleus from neighbours that it touches, at the narrow places between them."""
    depth = ndimage.distance_transform_edt(mask)
    core_depth = NECK * depth.max()
    cores, count = ndimage.label(depth > core_depth)
    if count < 2:
        return mask
    main = _heaviest(cores, weight)
    # Each pixel belongs to the nearest core, and is not further from it than the core is deep.
    distance, nearest = ndimage.distance_transform_edt(cores == 0, return_indices=True)
    owner = cores[tuple(nearest)]
    parted: Mask = mask & (owner == main) & (distance <= core_depth + 1)
    return parted


def _heaviest(labels: Labels, weight: Field) -> int:
    """Return the label of the part with the greatest sum of weights."""
    return int(np.argmax(np.bincount(labels.ravel(), weight.ravel())[1:])) + 1


def _lobes(main: int, labels: Labels, stain: Field) -> Mask:
    """Return the parts that are near to the main one, as dark as it, and not cut by the edge."""
    nucleus = labels == main
    gap = LOBE_GAP * np.sqrt(nucleus.sum() / np.pi)
    near = np.unique(labels[ndimage.distance_transform_edt(~nucleus) <= gap])
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    area = np.bincount(labels.ravel())
    darkness = np.bincount(labels.ravel(), stain.ravel()) / np.maximum(area, 1)
    alike = np.abs(darkness - darkness[main]) <= LOBE_DIFFERENCE * darkness[main]
    alike &= area >= LOBE_AREA * area[main]
    lobes = [part for part in near if part > 0 and alike[part] and part not in edge]
    return np.isin(labels, lobes)
