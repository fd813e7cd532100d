from __future__ import annotations

import numpy as np
import pytest
import torch

from hemashift.training.augmentation import augment
from hemashift.training.recipe import PRESETS, Augmentation

STILL = Augmentation(rotate=False)
STRONG = Augmentation(
    window=(0.3, 1.5),
    shift=0.3,
    aspect=0.2,
    stain_mix=0.5,
    stain_gain=0.5,
    stain_offset=0.5,
    gamma=0.5,
    contrast=0.5,
    saturation=0.5,
    resolution=(20, 60),
    resolution_chance=0.7,
    noise=0.2,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images() -> torch.Tensor:
    coarse = torch.rand(8, 3, 6, 6, generator=generator(1))
    smooth = torch.nn.functional.interpolate(coarse, (48, 48), mode="bicubic").clamp(0.01, 1)
    return smooth


def discs(radius: float, side: int = 96, count: int = 64) -> torch.Tensor:
    """Dark discs of a radius, relative to the side, on white."""
    grid = (torch.arange(side) + 0.5) / side - 0.5
    dark = torch.hypot(grid[:, None], grid[None, :]) < radius
    return (~dark).float().expand(count, 3, side, side).contiguous()


def radii(images: torch.Tensor) -> torch.Tensor:
    """The radius of each image's dark disc, relative to the side."""
    area = (images.mean(1) < 0.5).float().mean((1, 2))
    return (area / np.pi).sqrt()


def test_with_all_switched_off_the_image_stays(images: torch.Tensor) -> None:
    result = augment(images, 48, STILL, generator())
    assert torch.allclose(result, images, atol=1e-4)


@pytest.mark.parametrize("settings", [STRONG, *(p.augmentation for p in PRESETS.values())])
def test_the_result_is_an_image_of_the_size_asked_for(
    images: torch.Tensor, settings: Augmentation
) -> None:
    result = augment(images, 32, settings, generator())
    assert result.shape == (8, 3, 32, 32)
    assert bool(torch.isfinite(result).all())
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_the_same_seed_gives_the_same_and_another_seed_another(images: torch.Tensor) -> None:
    first, again = (augment(images, 32, STRONG, generator(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(images, 32, STRONG, generator(4)))


def test_the_window_keeps_to_its_range() -> None:
    settings = Augmentation(rotate=False, window=(0.5, 1.0))
    found = radii(augment(discs(0.2), 96, settings, generator()))
    assert float(found.min()) > 0.2 * 0.97
    assert float(found.max()) < 0.4 * 1.03
    assert float(found.max() - found.min()) > 0.1


def test_only_the_chosen_are_zoomed_and_reduced(images: torch.Tensor) -> None:
    settings = Augmentation(
        rotate=False, window=(0.5, 0.6), resolution=(20, 40), resolution_chance=1.0
    )
    chosen = torch.tensor([True, False] * 4)
    result = augment(images, 48, settings, generator(), chosen=chosen)
    change = (result - images).abs().mean((1, 2, 3))
    assert bool((change[chosen] > 0.02).all())
    assert bool((change[~chosen] < 1e-4).all())


def test_a_reduced_image_has_lost_its_detail() -> None:
    checks = (torch.arange(64)[:, None] + torch.arange(64)[None, :]) % 2
    images = checks.float().expand(8, 3, 64, 64).contiguous()
    settings = Augmentation(rotate=False, resolution=(60, 60), resolution_chance=1.0)
    result = augment(images, 64, settings, generator())
    assert float(result.std()) < 0.2 * float(images.std())


def test_the_window_counts_from_the_frame_not_from_the_margin() -> None:
    result = augment(discs(0.2 / 1.4), 96, STILL, generator(), margin=1.4)
    assert radii(result).numpy() == pytest.approx(0.2, abs=0.01)


def test_the_margin_shows_what_is_really_around_the_frame() -> None:
    images = torch.ones(4, 3, 140, 140)
    images[..., 20:120, 20:120] = 0.2  # the frame; white is around it
    inside = augment(images, 100, STILL, generator(), margin=1.4)
    assert float(inside.max()) < 0.25
    wider = Augmentation(rotate=False, window=(1.3, 1.3))
    outside = augment(images, 100, wider, generator(), margin=1.4)
    assert float(outside[..., :5, :].min()) > 0.9


def test_the_shift_keeps_to_its_range() -> None:
    settings = Augmentation(rotate=False, shift=0.2)
    result = augment(discs(0.1), 96, settings, generator())
    dark = (result.mean(1) < 0.5).float()
    place = ((torch.arange(96) + 0.5) / 96 - 0.5)[None]
    x = (dark.sum(1) * place).sum(1) / dark.sum((1, 2))
    assert 0.05 < float(x.abs().max()) <= 0.1 + 0.01  # a fifth of half the frame


def test_colour_is_standardised_after_the_cut() -> None:
    images = torch.ones(2, 3, 60, 60)
    images[..., 20:40, 20:40] = 0.0
    seen = []

    def standardise(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        return batch * 0.5

    settings = Augmentation(rotate=False, window=(0.3, 0.3))
    augment(images, 32, settings, generator(), standardise=standardise)
    assert float(seen[0].max()) < 0.01
