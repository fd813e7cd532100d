"""A cell's picture for a page is square, cut out where there is a box, and may be missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.cells import Box
from hemashift.errors import ImageError
from hemashift.reports.pictures import read_picture


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A black image, white from its fifth column on."""
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[:, 4:] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_whole_image_becomes_a_square(image: Path) -> None:
    found = read_picture(image, 24)
    assert found is not None and found.shape == (24, 24, 3)
    assert (found[:, :6] < 50).all() and (found[:, 12:] > 200).all()


def test_a_box_is_cut_out(image: Path) -> None:
    found = read_picture(image, 4, Box(4, 0, 12, 8))
    assert found is not None and found.shape == (4, 4, 3) and (found == 255).all()


def test_what_cannot_be_read_is_no_picture_and_a_wrong_box_is_an_error(image: Path) -> None:
    assert read_picture(image.with_name("none.png"), 8) is None
    with pytest.raises(ImageError, match="outside the image"):
        read_picture(image, 8, Box(50, 50, 60, 60))
