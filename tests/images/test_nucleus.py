"""The nucleus is found on drawn cells, and on real ones where masks exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.images import locate_nucleus, normalise_scale, read_image, standard_box

FIELD = (240, 232, 225)
RED_CELL = (205, 150, 135)
CYTOPLASM = (190, 180, 215)
NUCLEUS = (90, 45, 130)


def disc(image: np.ndarray, x: float, y: float, radius: float, colour: tuple[int, ...]) -> None:
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    image[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = colour


def film(height: int = 200, width: int = 200, seed: int = 0) -> np.ndarray:
    """An empty field with red cells, somewhat noisy."""
    generator = np.random.default_rng(seed)
    image = np.full((height, width, 3), FIELD, np.uint8)
    for _ in range(10):
        disc(image, *generator.uniform((0, 0), (width, height)), 0.09 * width, RED_CELL)
    return np.clip(image + generator.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("radius", [14, 25, 40])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_place_and_size_of_a_round_nucleus(radius: int, seed: int) -> None:
    image = film(seed=seed)
    disc(image, 110, 90, 1.5 * radius, CYTOPLASM)
    disc(image, 110, 90, radius, NUCLEUS)
    nucleus = locate_nucleus(image)
    assert nucleus is not None
    assert abs(nucleus.x - 110) < 4
    assert abs(nucleus.y - 90) < 4
    assert nucleus.diameter == pytest.approx(2 * radius, rel=0.15)
    assert nucleus.spread == pytest.approx(nucleus.diameter, rel=0.1)


def test_lobes_count_together_and_spread_further() -> None:
    image = film()
    disc(image, 100, 100, 45, CYTOPLASM)
    for x, y in ((80, 85), (120, 88), (100, 122)):
        disc(image, x, y, 16, NUCLEUS)
    nucleus = locate_nucleus(image)
    assert nucleus is not None
    assert abs(nucleus.x - 100) < 5
    assert abs(nucleus.y - 98) < 5
    assert nucleus.spread > 1.2 * nucleus.diameter


def test_a_neighbour_at_the_edge_is_not_taken() -> None:
    image = film()
    disc(image, 100, 100, 25, NUCLEUS)
    disc(image, 195, 30, 40, NUCLEUS)
    nucleus = locate_nucleus(image)
    assert nucleus is not None
    assert np.hypot(nucleus.x - 100, nucleus.y - 100) < 6


def test_black_corners_are_no_nucleus() -> None:
    image = film()
    rows, columns = np.mgrid[:200, :200]
    image[rows + columns < 110] = 0
    disc(image, 130, 120, 22, NUCLEUS)
    nucleus = locate_nucleus(image)
    assert nucleus is not None
    assert np.hypot(nucleus.x - 130, nucleus.y - 120) < 6


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_images_have_no_nucleus(value: int) -> None:
    assert locate_nucleus(np.full((50, 60, 3), value, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (8, 8), (9, 400)])
def test_odd_shapes_do_no_harm(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = locate_nucleus(image)
    assert found is None or found.diameter > 0
    assert normalise_scale(image, 16).shape == (16, 16, 3)


def test_magnification_disappears() -> None:
    pictures = []
    for zoom in (1.0, 1.6):
        image = film(240, 240)
        image[:] = FIELD
        disc(image, 120, 120, 36 * zoom, CYTOPLASM)
        disc(image, 120, 120, 24 * zoom, NUCLEUS)
        pictures.append(normalise_scale(image, 64).astype(int))
    assert np.abs(pictures[0] - pictures[1]).mean() < 4


def test_the_box_is_square_bounded_and_reaches_only_a_little_outside() -> None:
    image = film()
    disc(image, 12, 100, 20, NUCLEUS)
    x_min, y_min, x_max, y_max = standard_box(image)
    side = x_max - x_min
    assert side == y_max - y_min
    assert 50 <= side <= 240
    assert x_min >= -0.16 * side
    assert x_min < 12 < x_max


def test_no_nucleus_means_the_whole_image() -> None:
    assert standard_box(np.full((60, 80, 3), 230, np.uint8)) == (10, 0, 70, 60)


def test_a_fraction_must_be_one() -> None:
    with pytest.raises(ValueError, match="fraction"):
        standard_box(film(), fraction=1.5)


def test_overlap_with_the_masks_of_jiangxi(real_data: Path) -> None:
    folder = real_data / "jiangxi_tecom" / "Dataset 1"
    if not folder.is_dir():
        pytest.skip("the Jiangxi Tecom dataset is not here")
    overlaps = []
    for path in sorted(folder.glob("*.bmp"))[::5]:
        truth = np.asarray(Image.open(path.with_suffix(".png")).convert("L")) > 200
        found = locate_nucleus(read_image(path))
        assert found is not None
        size = (truth.shape[1], truth.shape[0])
        mask = np.asarray(Image.fromarray(found.mask).resize(size, Image.Resampling.NEAREST))
        overlaps.append((mask & truth).sum() / (mask | truth).sum())
    assert np.median(overlaps) > 0.85
    assert np.mean(np.array(overlaps) > 0.5) > 0.9


def test_barcelona_cells_are_found_in_the_middle(real_data: Path) -> None:
    files = sorted((real_data / "barcelona").glob("**/*.jpg"))[::150]
    if not files:
        pytest.skip("the Barcelona dataset is not here")
    for path in files:
        image = read_image(path)
        found = locate_nucleus(image)
        assert found is not None
        assert np.hypot(found.x / image.shape[1] - 0.5, found.y / image.shape[0] - 0.5) < 0.2
