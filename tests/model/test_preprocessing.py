from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hemashift.colour import create
from hemashift.errors import ImageError, ModelFileError
from hemashift.images import crop, resize
from hemashift.model.preprocessing import Preprocessing


def picture(height: int = 90, width: int = 120) -> np.ndarray:
    return np.random.default_rng(0).integers(60, 256, (height, width, 3), dtype=np.uint8)


def test_any_size_becomes_the_network_size() -> None:
    for shape in ((90, 120), (1, 1), (300, 20)):
        assert Preprocessing(size=64)(picture(*shape)).shape == (64, 64, 3)


def test_the_box_is_what_is_seen() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    image[40:60, 40:60] = (90, 30, 120)
    seen = Preprocessing(size=32)(image, box=(40, 40, 60, 60))
    assert (seen == (90, 30, 120)).all()


@pytest.mark.parametrize("shape", [(90, 120), (120, 90), (80, 80)])
@pytest.mark.parametrize(
    "options",
    [{"fit": "stretch"}, {"fit": "centre"}, {"fit": "pad"}, {"scale": {"size": 64}},
     {"scale": {"size": 64, "fraction": 0.3, "box_range": [0.2, 0.9], "border": "edge"}}],
)  # fmt: skip
def test_what_the_network_sees_can_be_found_in_the_image(
    options: dict[str, Any], shape: tuple[int, int]
) -> None:
    image = np.full((*shape, 3), 235, np.uint8)
    image[30:60, 45:70] = (90, 30, 120)
    preprocessing = Preprocessing(size=64, **options)
    seen = resize(crop(image, preprocessing.box_of(image)), 64)
    np.testing.assert_array_equal(seen, preprocessing(image))


def test_the_border_rule_is_used() -> None:
    image = np.full((20, 20, 3), 100, np.uint8)
    box = (-20, 0, 20, 20)
    assert (Preprocessing(size=32, border="edge")(image, box) == 100).all()
    assert (Preprocessing(size=32, border="constant")(image, box) == 255).any()


def test_colour_and_scale_are_applied_and_survive_json() -> None:
    plain = Preprocessing(size=64)
    coloured = Preprocessing(size=64, colour=create("reinhard").to_dict())
    again = Preprocessing.model_validate(json.loads(coloured.model_dump_json()))
    image = picture()
    assert (plain(image) != coloured(image)).any()
    np.testing.assert_array_equal(again(image), coloured(image))
    scaled = Preprocessing(size=64, scale={})
    assert scaled(image).shape == (64, 64, 3)


def test_bad_settings_are_refused() -> None:
    for settings in ({"size": 5}, {"fit": "squash"}, {"unknown": 1}):
        with pytest.raises(ValidationError):
            Preprocessing(**settings)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError):
        Preprocessing(colour={"name": "no such"})(picture())


def test_a_box_outside_is_an_image_error() -> None:
    with pytest.raises(ImageError):
        Preprocessing(size=64)(picture(), box=(500, 500, 600, 600))
