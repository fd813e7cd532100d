from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hemashift.datasets import load
from hemashift.datasets.inspection import inspect_images
from hemashift.errors import ImageError


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise ImageError("the image cannot be read", where=path) from error


def test_damaged_and_repeated_images_are_found(tmp_path: Path, draw) -> None:
    first = draw("monocyte/a.png")
    draw("monocyte/b.png")
    (tmp_path / "monocyte" / "broken.png").write_bytes(first.read_bytes()[:60])
    with Image.open(first) as picture:
        (tmp_path / "basophil").mkdir()
        picture.save(tmp_path / "basophil" / "a.bmp")  # the same pixels in another container
        picture.save(tmp_path / "monocyte" / "c.png")
    inspection = inspect_images(load("imagefolder", tmp_path), _read)
    assert inspection.read == 4
    assert inspection.unreadable == {"monocyte/broken.png": "the image cannot be read"}
    assert inspection.duplicates == [("basophil/a.bmp", "monocyte/a.png", "monocyte/c.png")]
    assert inspection.contradictions == inspection.duplicates
