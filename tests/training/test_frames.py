from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.cells import Cell, CellTable
from hemashift.errors import HemashiftError
from hemashift.images import standard_box
from hemashift.model.preprocessing import Preprocessing
from hemashift.training.frames import MARGIN, WideFrame, preprocessing_of
from hemashift.training.recipe import recipe
from hemashift.training.store import ImageStore


def drawn(x: float, y: float, radius: float, shape: tuple[int, int] = (120, 150)) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.full((*shape, 3), (235, 225, 230), np.float64)
    # A gradient tells where each pixel came from.
    image[..., 1] -= columns / 4
    image[..., 2] -= rows / 4
    image[np.hypot(columns - x, rows - y) < radius] = (90, 40, 140)
    return image.astype(np.uint8)


@pytest.mark.parametrize("place", [(75, 60, 20), (60, 66, 14), (90, 50, 28), (40, 40, 11)])
def test_the_middle_of_the_wide_frame_is_what_classification_sees(
    place: tuple[float, float, float],
) -> None:
    image = drawn(*place)
    settings = recipe("robust", size=100, colour="none")
    wide = WideFrame(preprocessing_of(settings), size=140)(image)
    seen = preprocessing_of(settings)(image)
    assert wide.shape == (140, 140, 3)
    middle = wide[20:120, 20:120]
    assert np.abs(middle.astype(int) - seen).mean() < 1.5


def test_around_the_frame_is_the_image_itself() -> None:
    image = drawn(75, 60, 12)
    box = standard_box(image)
    wide = WideFrame(Preprocessing(size=100, scale={}), size=140)(image)
    left = image[60, round(box[0] - (box[2] - box[0]) * (MARGIN - 1) / 2)]
    assert np.abs(wide[70, 0].astype(int) - left).max() <= 2


def test_without_scale_the_frame_is_the_whole_crop() -> None:
    image = drawn(75, 60, 20)
    frame = WideFrame(preprocessing_of(recipe("paper", size=64, colour="none")), size=64)
    assert frame.margin == 1
    assert np.array_equal(frame(image), frame.preprocessing(image))
    box = (30, 20, 130, 110)
    assert np.array_equal(frame(image, box), frame.preprocessing(image, box))


def table(folder: Path, count: int = 4) -> CellTable:
    for i in range(count):
        Image.fromarray(drawn(70 + i, 60, 20)).save(folder / f"{i}.png")
    return CellTable.from_cells(
        [Cell(f"{i}.png", "NGS", "neutrophil") for i in range(count)], folder, "ours"
    )


def test_the_store_keeps_every_image_in_order_and_is_reused(tmp_path: Path) -> None:
    cells, prepare = table(tmp_path), Preprocessing(size=32)
    told = []
    run = tmp_path / "run"
    store = ImageStore.build(cells, prepare, run, lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    expected = prepare(np.asarray(Image.open(tmp_path / "2.png")))
    assert np.array_equal(store.images[2], expected)
    again = ImageStore.build(cells, prepare, run, lambda done, total: told.append((done, total)))
    assert again.file == store.file
    assert len(told) == 4
    other = ImageStore.build(cells, Preprocessing(size=48), run)
    assert other.file != store.file


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    cells, prepare, run = table(tmp_path), Preprocessing(size=32), tmp_path / "run"
    file = ImageStore.build(cells, prepare, run).file
    (left := run / f".{file.stem}-a1b2.part.npy").write_bytes(b"half")
    file.unlink()
    ImageStore.build(cells, prepare, run)
    assert list(run.iterdir()) == [file]
    assert not left.exists()


def test_a_disk_without_room_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, start: int, length: int) -> None:
        assert length > 4 * 32 * 32 * 3
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="full"):
        ImageStore.build(table(tmp_path), Preprocessing(size=32), tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    cells = table(tmp_path)
    (tmp_path / "1.png").write_bytes(b"no image")
    (tmp_path / "3.png").unlink()
    with pytest.raises(HemashiftError, match="2 of 4") as caught:
        ImageStore.build(cells, Preprocessing(size=32), tmp_path / "run")
    assert "1.png" in str(caught.value)
    assert "3.png" in str(caught.value)
    assert not list((tmp_path / "run").glob("*"))
