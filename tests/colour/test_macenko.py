"""Known stains are found again, and images without stains are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.colour import Macenko
from hemashift.colour.macenko import find_stains

BLUE = np.array([0.75, 0.6, 0.28])
PINK = np.array([0.2, 0.93, 0.3])
STAINS = np.array([BLUE / np.linalg.norm(BLUE), PINK / np.linalg.norm(PINK)])


def film(stains: np.ndarray = STAINS, strength: float = 1.0, seed: int = 0) -> np.ndarray:
    """Field, pixels of either dye alone, and of both."""
    generator = np.random.default_rng(seed)
    amounts = generator.uniform(0.2, 1.2, (60, 60, 2)) * strength
    amounts[:15] = 0
    amounts[15:30, :, 1] = 0
    amounts[30:45, :, 0] = 0
    return np.clip(245 * np.exp(-amounts @ stains), 0, 255).astype(np.uint8)


def test_the_stains_are_found_again() -> None:
    found = find_stains(film())
    assert found is not None
    angles = np.degrees(np.arccos(np.clip((found.directions * STAINS).sum(axis=1), -1, 1)))
    assert angles.max() < 3
    assert found.field == pytest.approx([245, 245, 245], abs=2)
    assert found.amounts == pytest.approx([1.2, 1.2], rel=0.1)


def test_strong_and_weak_stain_come_out_alike() -> None:
    transform = Macenko().fit([film()])
    weak, strong = film(strength=0.6, seed=1), film(strength=1.2, seed=1)
    before = np.abs(weak.astype(int) - strong).mean()
    after = np.abs(transform(weak).astype(int) - transform(strong)).mean()
    assert after < 0.15 * before


def test_fitted_on_itself_an_image_stays_nearly_as_it_is() -> None:
    assert np.abs(Macenko().fit([film()])(film()).astype(int) - film()).mean() < 2


def test_black_surroundings_do_not_count() -> None:
    framed = np.zeros((100, 60, 3), np.uint8)
    framed[:60] = film()
    found, alone = find_stains(framed), find_stains(film())
    assert found is not None
    assert alone is not None
    assert found.directions == pytest.approx(alone.directions, abs=0.03)


@pytest.mark.parametrize("case", ["blank", "one dye", "few pixels", "grey"])
def test_without_two_stains_nothing_changes(case: str) -> None:
    image = np.full((40, 40, 3), 240, np.uint8)
    if case == "one dye":
        amounts = np.random.default_rng(0).uniform(0.3, 1, (40, 40, 1))
        image = (240 * np.exp(-amounts * STAINS[0])).astype(np.uint8)
        # The field must be seen, or its light cannot be told from stain.
        image[:10] = 240
    elif case == "few pixels":
        image[:5, :5] = (80, 40, 120)
    elif case == "grey":
        image[10:] = np.arange(40, 240, 5, dtype=np.uint8)[:, None]
    assert np.array_equal(Macenko()(image), image)


def test_fit_passes_over_images_without_stain() -> None:
    blank = np.full((40, 40, 3), 240, np.uint8)
    assert Macenko().fit([blank, film()]).to_dict() == Macenko().fit([film()]).to_dict()
