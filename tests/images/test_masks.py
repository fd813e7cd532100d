from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.datasets import load
from hemashift.errors import ImageError
from hemashift.images import read_cell, read_image
from hemashift.images.masks import mask_levels


def nucleus(levels: tuple[int, ...] = (0, 128, 255)) -> np.ndarray:
    """A mask of rings, the nucleus innermost."""
    rows, columns = np.mgrid[:40, :40] - 20
    ring = np.clip(np.hypot(rows, columns) * len(levels) // 20, 0, len(levels) - 1).astype(int)
    return np.array(levels, np.uint8)[ring][..., None].repeat(3, axis=2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_mask_is_refused_by_name(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "007.png"
    Image.fromarray(nucleus()).convert(mode).save(file)
    with pytest.raises(ImageError, match="a mask, not a photograph") as refused:
        read_cell(file)
    assert str(file) in str(refused.value)
    assert "3 levels of grey" in str(refused.value)


def test_of_one_level_is_an_empty_frame_not_a_mask() -> None:
    assert mask_levels(np.full((40, 40, 3), 255, np.uint8)) == 0


def test_a_picture_without_colour_is_no_mask() -> None:
    assert mask_levels(nucleus(tuple(range(0, 250, 10)))) == 0


def test_one_pixel_of_colour_makes_no_mask() -> None:
    mask = nucleus()
    mask[3, 3, 2] = 7
    assert mask_levels(mask) == 0


def test_a_cell_is_read_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "cell.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)).save(file)
    np.testing.assert_array_equal(read_cell(file), read_image(file))


def test_real_masks_and_none_of_the_cells(real_data: Path) -> None:
    cells = [Path(path) for path in load("jiangxi_tecom", real_data).paths()]
    assert not any(mask_levels(read_image(path)) for path in cells)
    masks = [path.with_suffix(".png") for path in cells]
    assert len(masks) == 300
    assert all(mask_levels(read_image(path)) for path in masks)
