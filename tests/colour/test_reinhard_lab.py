"""CIELAB statistics agree with known colours and with a literal computation."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.colour import ReinhardLab

# sRGB colours and their CIELAB values (D65), as tabulated by common colour calculators.
KNOWN = [
    ((255, 255, 255), (100.0, 0.0, 0.0)),
    ((0, 0, 0), (0.0, 0.0, 0.0)),
    ((255, 0, 0), (53.24, 80.09, 67.20)),
    ((0, 255, 0), (87.73, -86.18, 83.18)),
    ((0, 0, 255), (32.30, 79.19, -107.86)),
    ((119, 119, 119), (50.03, 0.0, 0.0)),
]


@pytest.mark.parametrize(("colour", "lab"), KNOWN)
def test_known_colours(colour: tuple[int, ...], lab: tuple[float, ...]) -> None:
    mean, deviation = ReinhardLab().statistics(np.full((3, 4, 3), colour, np.uint8))
    assert mean == pytest.approx(lab, abs=0.05)
    assert deviation == pytest.approx([0, 0, 0], abs=0.02)


def literal(image: np.ndarray, transform: ReinhardLab) -> np.ndarray:
    """The transform in double precision, without tables."""
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
         [0.0193339, 0.1191920, 0.9503041]]
    )  # fmt: skip
    white = matrix.sum(axis=1)
    values = image / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    relative = linear @ matrix.T / white
    root = np.where(
        relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29
    )
    x, y, z = np.moveaxis(root, 2, 0)
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2)
    mean, deviation = lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))
    gain = np.where(deviation > 0.02, transform.deviation / np.maximum(deviation, 0.02), 1)
    lab = (lab - mean) * gain + transform.mean
    y = (lab[..., 0] + 16) / 116
    root = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=2)
    relative = np.where(root > 6 / 29, root**3, (root - 4 / 29) * 3 * (6 / 29) ** 2)
    linear = np.clip(relative * white @ np.linalg.inv(matrix).T, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(srgb * 255).astype(np.uint8)


@pytest.mark.parametrize("bounds", [(0, 256), (100, 220), (0, 40), (200, 256)])
def test_random_images_within_one_grey_level(bounds: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(*bounds, (60, 50, 3), dtype=np.uint8)
    transform = ReinhardLab()
    difference = np.abs(transform(image).astype(int) - literal(image, transform))
    assert difference.max() <= 1


def test_an_image_fitted_on_itself_stays_as_it_is() -> None:
    image = np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.abs(ReinhardLab().fit([image])(image).astype(int) - image).max() <= 1


def test_black_can_be_left_out_of_the_statistics() -> None:
    image = np.random.default_rng(0).integers(100, 240, (40, 40, 3), dtype=np.uint8)
    rotated = np.zeros((60, 40, 3), np.uint8)
    rotated[:40] = image
    expected = ReinhardLab()(image).astype(int)
    assert np.abs(ReinhardLab(ignore_black=True)(rotated)[:40] - expected).max() <= 1
    assert np.abs(ReinhardLab()(rotated)[:40] - expected).mean() > 10
