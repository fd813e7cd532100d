"""Boxes may reach beyond the image; resizing neither shifts nor aliases."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.errors import ImageError
from hemashift.images import box_around_centre, crop, resize


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)


def test_a_box_inside_is_a_copy_of_that_part(image: np.ndarray) -> None:
    part = crop(image, (3, 5, 10, 9))
    assert np.array_equal(part, image[5:9, 3:10])
    part[:] = 0
    assert image[5:9, 3:10].any()


def test_what_lies_beyond_the_image(image: np.ndarray) -> None:
    box = (-4, -2, 6, 8)
    edge = crop(image, box, "edge")
    reflect = crop(image, box, "reflect")
    constant = crop(image, box, "constant")
    for part in (edge, reflect, constant):
        assert part.shape == (10, 10, 3)
        assert np.array_equal(part[2:, 4:], image[:8, :6])
    assert np.array_equal(edge[5, :4], np.repeat(image[3:4, 0], 4, axis=0))
    assert np.array_equal(reflect[5, :4], image[3, :4][::-1])
    assert (constant[:2] == 255).all()


def test_a_mirror_wider_than_the_image(image: np.ndarray) -> None:
    assert crop(image[:2, :2], (-9, -9, 9, 9), "reflect").shape == (18, 18, 3)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (9, 5, 5, 9), (30, 0, 40, 5), (-9, 0, 0, 5)])
def test_boxes_without_any_image_are_refused(image: np.ndarray, box: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="box"):
        crop(image, box)


def test_a_box_far_larger_than_the_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="box is too large"):
        crop(image, (0, 0, 2**31 - 1, 2**31 - 1))
    assert crop(image, (-1000, -1000, 1000, 1000)).shape == (2000, 2000, 3)


def test_boxes_around_points() -> None:
    assert box_around_centre(10, 20, 4) == (8, 18, 12, 22)


def test_stretch_takes_in_the_whole_image() -> None:
    wide = np.zeros((60, 80, 3), np.uint8)
    wide[:, 40:] = 200
    small = resize(wide, 32)
    assert small.shape == (32, 32, 3)
    assert (small[:, :14] == 0).all()
    assert (small[:, 18:] == 200).all()


def test_pad_keeps_proportions_and_centre_keeps_the_middle() -> None:
    wide = np.full((60, 120, 3), 90, np.uint8)
    wide[:, 30:90] = 200
    padded = resize(wide, 60, "pad")
    assert (padded[:, 20:40] == 200).all()
    assert (padded[:, :10] == 90).all()
    assert (resize(wide, 60, "centre") == 200).all()


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((240, 240, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, 70)
    assert np.abs(small.astype(int) - 127).max() < 12


def test_the_right_size_is_left_alone(image: np.ndarray) -> None:
    square = image[:20, :20]
    again = resize(square, 20)
    assert np.array_equal(again, square)
    assert again is not square


def test_results_can_be_written_to(image: np.ndarray) -> None:
    assert resize(image, 16).flags.writeable
