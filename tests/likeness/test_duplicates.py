"""Pictures of one and the same cell are recognised, and different cells are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, rotate, shift

from hemashift.images import read_image
from hemashift.likeness.duplicates import find_copies
from hemashift.likeness.rings import likeness, rings, same_cell, spectra
from hemashift.model.bundle import default_model

DrawCell = Callable[[int], np.ndarray]

PAIR = np.array([[0, 1]])


def alike(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(same_cell(spectra(np.stack([rings(first), rings(second)])), PAIR)[0])


def jpeg(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=70)
    return np.array(Image.open(buffer))


CHANGES = {
    "turned by a right angle": np.rot90,
    "mirrored": np.fliplr,
    "turned by 33 degrees": lambda i: rotate(i, 33, (0, 1), reshape=False, mode="nearest", order=1),
    "mirrored and turned": lambda i: rotate(i[:, ::-1], 100, (0, 1), reshape=False, mode="nearest"),
    "saved as JPEG": jpeg,
    "made smaller": lambda i: np.array(Image.fromarray(i).resize((61, 61))),
    "brighter": lambda i: np.minimum(i.astype(int) + 15, 255).astype(np.uint8),
    "cut out a little beside": lambda i: shift(i, (1.5, -1, 0), mode="nearest", order=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_the_same_cell(change: str, draw_lobes: DrawCell) -> None:
    for seed in range(5):
        assert alike(draw_lobes(seed), CHANGES[change](draw_lobes(seed)))


def test_different_cells_are_different(draw_lobes: DrawCell) -> None:
    cells = spectra(np.stack([rings(draw_lobes(seed)) for seed in range(40)]))
    pairs = np.array([(i, j) for i in range(40) for j in range(i)])
    assert same_cell(cells, pairs).sum() <= 1  # three round lobes in a row, by chance


def test_round_cells_that_differ_in_their_texture_only_are_not_one() -> None:
    """They agree ring by ring; only what is left beside the rings tells them apart."""
    rng = np.random.default_rng(0)
    away = np.hypot(*np.mgrid[-48:48, -48:48])
    round_cell = 220 - 130 / (1 + np.exp((away - 22) / 2))

    def picture() -> np.ndarray:
        texture = 60 * gaussian_filter(rng.normal(size=away.shape), 4)
        return np.repeat((round_cell + texture)[..., None], 3, 2).clip(0, 255).astype(np.uint8)

    cells = spectra(np.stack([rings(picture()), rings(picture())]))
    like, turn = likeness(cells, PAIR)
    assert like[0] > 0.95
    assert turn[0] < 0.85
    assert not same_cell(cells, PAIR)[0]


def test_a_blank_picture_is_like_nothing() -> None:
    blank = np.full((80, 80, 3), 130, np.uint8)
    assert not alike(blank, blank)


def test_copies_of_copies_and_equal_files_share_a_number(draw_lobes: DrawCell) -> None:
    pictures = [
        draw_lobes(1),
        draw_lobes(2),
        np.rot90(draw_lobes(1)),
        draw_lobes(3),
        np.fliplr(np.rot90(draw_lobes(1))),
    ]
    samples = np.stack([rings(picture) for picture in pictures])
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert find_copies(vectors, samples).tolist() == [0, 1, 0, 2, 0]
    assert find_copies(vectors, samples, ["a", "b", "c", "b", "d"]).tolist() == [0, 1, 0, 1, 0]


def test_one_cell_and_none() -> None:
    samples = np.zeros((1, 3, 12, 32), np.uint8)
    assert find_copies(np.zeros((1, 2), np.float32), samples).tolist() == [0]
    assert find_copies(np.zeros((0, 2), np.float32), samples[:0]).tolist() == []


def test_a_cell_cut_out_twice_in_a_published_dataset(real_data: Path) -> None:
    """The same cell, once labelled neutrophil and once monocyte; and another neutrophil."""
    folder = real_data / "jiangxi_tecom" / "Dataset 1"
    if not folder.is_dir():
        pytest.skip("Jiangxi Tecom is not here")
    prepared = default_model().card.preprocessing
    once, again, other = (prepared(read_image(folder / f"{n}.bmp")) for n in ("060", "090", "200"))
    assert alike(once, again)
    assert not alike(once, other)
