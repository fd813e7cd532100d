"""Augmentation changes colour as dyes and lamps do, repeatably and within its ranges."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.colour.augmentation import StainAugmentation


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(30, 230, (24, 20, 3), dtype=np.uint8)


def test_the_same_seed_gives_the_same_change(image: np.ndarray) -> None:
    augment = StainAugmentation()
    first = augment(image, np.random.default_rng(5))
    assert np.array_equal(first, augment(image, np.random.default_rng(5)))
    assert not np.array_equal(first, augment(image, np.random.default_rng(6)))
    assert first.dtype == np.uint8
    assert first.shape == image.shape


def test_the_image_itself_is_not_touched(image: np.ndarray) -> None:
    before = image.copy()
    StainAugmentation()(image, np.random.default_rng(0))
    assert np.array_equal(image, before)


def test_strength_zero_changes_nothing(image: np.ndarray) -> None:
    still = StainAugmentation().scaled(0)(image, np.random.default_rng(0))
    assert np.abs(still.astype(int) - image).max() <= 1


def test_strength_scales_the_change(image: np.ndarray) -> None:
    def change(strength: float) -> float:
        augment = StainAugmentation().scaled(strength)
        return float(
            np.mean(
                [
                    np.abs(augment(image, np.random.default_rng(seed)).astype(int) - image).mean()
                    for seed in range(20)
                ]
            )
        )

    assert 0 < change(0.3) < change(1.0) < change(2.0)


def test_offset_and_tint_only_change_the_light(image: np.ndarray) -> None:
    augment = StainAugmentation(mixing=0, gain=0, gamma=0)
    for seed in range(10):
        changed = augment(image, np.random.default_rng(seed))
        lit = (changed > 20) & (changed < 250)
        ratio = np.log(changed / image.astype(float))
        for channel in range(3):
            values = ratio[..., channel][lit[..., channel]]
            assert np.ptp(values) < 0.1
            assert abs(np.median(values)) <= augment.offset + augment.tint + 0.02


def test_mixing_and_gain_leave_a_white_field_white() -> None:
    white = np.full((4, 4, 3), 255, np.uint8)
    augment = StainAugmentation(offset=0, tint=0)
    for seed in range(20):
        assert augment(white, np.random.default_rng(seed)).min() >= 254


def test_mixing_alone_leaves_grey_grey() -> None:
    grey = np.repeat(np.arange(40, 240, dtype=np.uint8)[None, :, None], 3, axis=2)
    augment = StainAugmentation(gain=0, offset=0, tint=0, gamma=0)
    for seed in range(20):
        assert np.abs(augment(grey, np.random.default_rng(seed)).astype(int) - grey).max() <= 1


@pytest.mark.parametrize("value", [0, 255])
def test_extreme_strength_still_gives_an_image(value: int) -> None:
    flat = np.full((5, 5, 3), value, np.uint8)
    for seed in range(20):
        changed = StainAugmentation().scaled(20)(flat, np.random.default_rng(seed))
        assert changed.dtype == np.uint8
        assert changed.shape == flat.shape


def test_negative_ranges_are_refused() -> None:
    with pytest.raises(ValueError, match="tint"):
        StainAugmentation(tint=-0.1)
