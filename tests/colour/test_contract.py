"""What every colour transform promises, whatever the image."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hemashift.colour import TRANSFORMS, ColourTransform, create, from_dict
from hemashift.errors import ImageError, ModelFileError
from hemashift.images import read_image, resize


def stained(
    seed: int = 0, size: int = 64, light: tuple[float, ...] = (250, 235, 220)
) -> np.ndarray:
    """Patches of two dyes in random amounts, on a bright field."""
    generator = np.random.default_rng(seed)
    amounts = generator.gamma(0.7, 0.7, (size, size, 2))
    amounts[: size // 4] = 0
    density = amounts @ np.array([[0.75, 0.6, 0.25], [0.15, 0.9, 0.35]])
    image = np.array(light) * np.exp(-density) + generator.normal(0, 1.5, (size, size, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def awkward() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    outlier = np.full((64, 64, 3), 250, np.uint8)
    outlier[3, 3] = (0, 255, 0)
    half = np.zeros((32, 32, 3), np.uint8)
    half[16:] = 255
    return {
        "black": np.zeros((9, 7, 3), np.uint8),
        "white": np.full((9, 7, 3), 255, np.uint8),
        "flat": np.full((9, 7, 3), (200, 100, 50), np.uint8),
        "one pixel": np.array([[[10, 200, 30]]], np.uint8),
        "empty": np.zeros((0, 5, 3), np.uint8),
        "grey": np.repeat(generator.integers(0, 256, (20, 20, 1), np.uint8), 3, axis=2),
        "one outlier": outlier,
        "half black, half white": half,
        "pure colours": generator.choice(np.array([0, 255], np.uint8), (30, 30, 3)),
        "noise": generator.integers(0, 256, (40, 30, 3), np.uint8),
        "one channel": np.pad(
            generator.integers(0, 256, (20, 20, 1), np.uint8), ((0, 0), (0, 0), (0, 2))
        ),
    }


@pytest.fixture(params=TRANSFORMS)
def transform(request: pytest.FixtureRequest) -> ColourTransform:
    return create(request.param)


@pytest.mark.parametrize("name", list(awkward()))
def test_any_image_gives_an_image_without_a_warning(transform: ColourTransform, name: str) -> None:
    image = awkward()[name]
    before = image.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = transform(image)
    assert result.dtype == np.uint8
    assert result.shape == image.shape
    assert not np.shares_memory(result, image)
    assert np.array_equal(image, before)


def test_results_do_not_change_at_the_next_call(transform: ColourTransform) -> None:
    first = transform(stained(1))
    kept = first.copy()
    transform(stained(2))
    assert np.array_equal(first, kept)


def test_the_same_image_gives_the_same_result_in_any_order(transform: ColourTransform) -> None:
    large, small = stained(1, 80), stained(2, 20)
    alone = transform(small)
    transform(large)
    assert np.array_equal(transform(small), alone)


def test_views_and_read_only_images_are_taken(transform: ColourTransform) -> None:
    image = stained(size=60)
    view = image[::2, ::-3]
    view.flags.writeable = False
    assert np.array_equal(transform(view), transform(view.copy()))


def test_threads_do_not_disturb_each_other(transform: ColourTransform) -> None:
    images = [stained(seed, 40 + seed) for seed in range(12)] * 4
    expected = [transform(image) for image in images]
    with ThreadPoolExecutor(6) as pool:
        for result, alone in zip(pool.map(transform, images), expected, strict=True):
            assert np.array_equal(result, alone)


def test_it_survives_json(transform: ColourTransform) -> None:
    fitted = transform.fit([stained(3), stained(4)])
    again = from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert type(again) is type(transform)
    assert again.to_dict() == fitted.to_dict()
    assert np.array_equal(again(stained(5)), fitted(stained(5)))


def test_fitting_returns_the_transform(transform: ColourTransform) -> None:
    assert isinstance(transform, ColourTransform)
    assert transform.fit(iter([stained()])) is transform


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "none"])
def test_a_change_of_light_is_undone(name: str) -> None:
    transform = create(name).fit([stained(seed) for seed in range(4)])
    plain = stained(9).astype(int)
    tinted = stained(9, light=(200, 215, 245))
    before = np.abs(tinted - plain).mean()
    after = np.abs(transform(tinted).astype(int) - transform(stained(9))).mean()
    assert after < 0.25 * before


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "none"])
def test_fitting_without_images_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="without an image"):
        create(name).fit([])


@pytest.mark.parametrize("name", ["Reinhard", "", "../x", None, 3, ["none"]])
def test_unknown_names_are_refused(name: object) -> None:
    with pytest.raises(ModelFileError) as caught:
        from_dict({"name": name})
    assert "reinhard-lab" in str(caught.value)


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "none"])
def test_damaged_parameters_are_refused(name: str) -> None:
    good = create(name).to_dict()
    numbers = [key for key, value in good.items() if isinstance(value, list)]
    for key in numbers:
        for wrong in (None, "text", [], [1.0], [float("nan")] * 3, [[1, 2], [3]], 5):
            with pytest.raises(ModelFileError):
                from_dict({**good, key: wrong})
        with pytest.raises(ModelFileError):
            from_dict({other: value for other, value in good.items() if other != key})
    with pytest.raises(ModelFileError):
        from_dict({**good, "more": 1})


def test_none_leaves_the_image_alone() -> None:
    assert np.array_equal(create("none")(stained()), stained())


def test_real_cells_keep_their_structure(real_data: Path, transform: ColourTransform) -> None:
    for pattern in ("barcelona/**/*.jpg", "jiangxi_tecom/**/*.bmp", "bccd_cropped/**/*.jpg"):
        for path in sorted(real_data.glob(pattern))[:200:70]:
            image = resize(read_image(path), 112)
            grey, result = image.mean(axis=2).ravel(), transform(image).mean(axis=2).ravel()
            assert np.corrcoef(grey, result)[0, 1] > 0.7
