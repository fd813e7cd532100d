"""The fast transform agrees with the published equations, written out literally."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemashift.colour import Reinhard
from hemashift.colour.reinhard import PUBLISHED_DEVIATION, PUBLISHED_MEAN
from hemashift.images import read_image, resize


def to_lab(image: np.ndarray) -> np.ndarray:
    """Reinhard et al. 2001, equations 4 to 6, pixel by pixel in double precision."""
    red, green, blue = np.moveaxis(np.maximum(image.astype(float) / 255, 1 / 255), 2, 0)
    long = np.log(0.3811 * red + 0.5783 * green + 0.0402 * blue)
    middle = np.log(0.1967 * red + 0.7244 * green + 0.0782 * blue)
    short = np.log(0.0241 * red + 0.1288 * green + 0.8444 * blue)
    return np.stack(
        [
            (long + middle + short) / np.sqrt(3),
            (long + middle - 2 * short) / np.sqrt(6),
            (long - middle) / np.sqrt(2),
        ]
    )


def from_lab(lab: np.ndarray) -> np.ndarray:
    """Equations 8 and 9, then clipped and rounded."""
    l, a, b = lab[0] / np.sqrt(3), lab[1] / np.sqrt(6), lab[2] / np.sqrt(2)  # noqa: E741
    long, middle, short = np.exp(l + a + b), np.exp(l + a - b), np.exp(l - 2 * a)
    rgb = [
        4.4679 * long - 3.5873 * middle + 0.1193 * short,
        -1.2186 * long + 2.3809 * middle - 0.1624 * short,
        0.0497 * long - 0.2439 * middle + 1.2045 * short,
    ]
    return np.clip(np.round(np.stack(rgb, axis=2) * 255), 0, 255).astype(np.uint8)


def literal(
    image: np.ndarray, mean: tuple[float, ...] = PUBLISHED_MEAN,
    deviation: tuple[float, ...] = PUBLISHED_DEVIATION,
) -> np.ndarray:  # fmt: skip
    lab = to_lab(image)
    for channel in range(3):
        values = lab[channel]
        spread = values.std()
        gain = deviation[channel] / spread if spread > 1e-4 else 1.0
        lab[channel] = (values - values.mean()) * gain + mean[channel]
    return from_lab(lab)


def assert_close(image: np.ndarray) -> None:
    difference = np.abs(Reinhard()(image).astype(int) - literal(image))
    assert difference.max() <= 1


@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
def test_flat_grey_images(value: int) -> None:
    assert_close(np.full((6, 5, 3), value, np.uint8))


@pytest.mark.parametrize("seed", range(5))
def test_random_images(seed: int) -> None:
    generator = np.random.default_rng(seed)
    assert_close(generator.integers(0, 256, (50, 40, 3), dtype=np.uint8))
    assert_close(generator.integers(90, 110, (50, 40, 3), dtype=np.uint8))
    assert_close(np.full((8, 8, 3), generator.integers(0, 256, 3), np.uint8))


def test_every_colour_channel_flat_in_turn() -> None:
    for channel in range(3):
        image = np.full((16, 16, 3), 180, np.uint8)
        image[..., channel] = np.arange(256).reshape(16, 16)
        assert_close(image)


def test_black_corners() -> None:
    image = np.random.default_rng(0).integers(120, 240, (60, 60, 3), dtype=np.uint8)
    image[:20, :20] = 0
    assert_close(image)


def test_real_images(real_data: Path) -> None:
    patterns = (
        "barcelona/**/*.jpg",
        "munich_2019/**/*.tiff",
        "bccd/**/*.jpeg",
        "jiangxi_tecom/**/*.bmp",
    )
    files = [path for pattern in patterns for path in sorted(real_data.glob(pattern))[:2]]
    for path in files:
        assert_close(resize(read_image(path)))


def test_an_image_larger_than_the_kept_memory() -> None:
    assert_close(np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8))


def test_the_result_has_the_target_statistics() -> None:
    image = np.random.default_rng(0).integers(60, 200, (80, 80, 3), dtype=np.uint8)
    # A target that needs no clipping.
    transform = Reinhard((-1.5, 0.0, 0.0), (0.3, 0.05, 0.02))
    mean, deviation = transform.statistics(transform(image))
    assert mean == pytest.approx([-1.5, 0.0, 0.0], abs=0.02)
    assert deviation == pytest.approx([0.3, 0.05, 0.02], abs=0.02)


def test_fit_averages_the_images_own_statistics() -> None:
    generator = np.random.default_rng(1)
    first = generator.integers(100, 200, (10, 10, 3), dtype=np.uint8)
    second = generator.integers(150, 250, (30, 30, 3), dtype=np.uint8)
    fitted = Reinhard().fit([first, second])
    means = [to_lab(image).mean(axis=(1, 2)) for image in (first, second)]
    deviations = [to_lab(image).std(axis=(1, 2)) for image in (first, second)]
    assert fitted.mean == pytest.approx(np.mean(means, axis=0), abs=1e-5)
    assert fitted.deviation == pytest.approx(np.mean(deviations, axis=0), abs=1e-5)


def test_an_image_fitted_on_itself_stays_as_it_is() -> None:
    image = np.random.default_rng(2).integers(20, 240, (40, 40, 3), dtype=np.uint8)
    same = Reinhard().fit([image])(image)
    # The published matrices are inverses of each other to three digits only.
    assert np.abs(same.astype(int) - image).max() <= 3


def test_statistics_alone_are_enough() -> None:
    short = Reinhard.from_dict({"name": "reinhard", "mean": [0, 0, 0], "deviation": [1, 1, 1]})
    assert not short.ignore_black


def test_fitting_on_a_flat_image_leaves_a_usable_target() -> None:
    fitted = Reinhard().fit([np.full((5, 5, 3), 90, np.uint8)])
    assert (fitted.deviation > 0).all()
    assert Reinhard.from_dict(fitted.to_dict()).to_dict() == fitted.to_dict()


def test_black_can_be_left_out_of_the_statistics() -> None:
    image = np.random.default_rng(0).integers(100, 240, (40, 40, 3), dtype=np.uint8)
    rotated = np.zeros((60, 40, 3), np.uint8)
    rotated[:40] = image
    plain, ignoring = Reinhard(), Reinhard(ignore_black=True)
    expected = plain(image).astype(int)
    assert np.abs(ignoring(rotated)[:40] - expected).max() <= 1
    assert np.abs(plain(rotated)[:40] - expected).mean() > 10
    assert ignoring(rotated)[40:].max() <= 1
    black = np.zeros((4, 4, 3), np.uint8)
    assert np.array_equal(ignoring(black), plain(black))
