from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.reports.montage import draw_montage
from hemashift.taxonomy import CLASS_COLOURS


def test_cells_of_any_shape_stand_in_equal_squares_in_the_colour_of_their_class(
    tmp_path: Path,
) -> None:
    red = np.zeros((20, 40, 3), dtype=np.uint8)
    red[:] = (255, 0, 0)
    file = tmp_path / "cells.png"
    draw_montage([("monocyte", [red, red]), ("zebra", [red.transpose(1, 0, 2)])], file, "Cells")
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    # Three cells, each half of its square of 0.9 inches at 120 dots, but for the frame.
    share = (np.abs(pixels - (255, 0, 0)).max(axis=1) < 30).sum() / (0.9 * 120) ** 2
    assert 1.1 < share < 1.5
    colour = tuple(int(CLASS_COLOURS["monocyte"][i : i + 2], 16) for i in (1, 3, 5))
    assert (np.abs(pixels - colour).max(axis=1) < 5).sum() > 200


def test_no_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no image"):
        draw_montage([("monocyte", [])], tmp_path / "cells.png")
    assert list(tmp_path.iterdir()) == []
