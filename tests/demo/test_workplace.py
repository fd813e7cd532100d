from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.demo.drawn import draw_dataset
from hemashift.demo.workplace import Workplace
from hemashift.errors import HemashiftError
from hemashift.images import list_images

COUNTS = {"neutrophil": 6, "lymphocyte": 4}


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path / "demo")
    place.clear()
    return place


def test_images_and_truth_are_laid_out_as_a_laboratory_would(
    place: Workplace, tmp_path: Path
) -> None:
    table = draw_dataset(tmp_path / "far", counts=COUNTS)
    known = place.fill(table)
    assert sorted(known) == [path.name for path in list_images(place.images)]
    lines = place.truth.read_text().splitlines()
    assert lines[0] == "path,label"
    assert dict(line.split(",") for line in lines[1:]) == known


def test_images_that_are_there_already_stay(place: Workplace) -> None:
    table = draw_dataset(place.images, counts=COUNTS)
    assert len(place.fill(table)) == 10
    assert len(list_images(place.images)) == 10


def test_labels_are_drawn_by_the_seed_alone(place: Workplace) -> None:
    known = place.fill(draw_dataset(place.images, counts=COUNTS))
    one, same, other = (place.label(known, 3, seed) for seed in (1, 1, 2))
    assert one == same != other
    rows = [line.split(",") for line in place.labels.read_text().splitlines()[1:]]
    assert rows == [[name, known[name]] for name in other]


@pytest.mark.parametrize("count", [0, 10, 11])
def test_some_cells_must_be_left_for_scoring(place: Workplace, count: int) -> None:
    known = place.fill(draw_dataset(place.images, counts=COUNTS))
    with pytest.raises(HemashiftError, match="1 to 9"):
        place.label(known, count, 0)


def test_an_earlier_demonstration_is_cleared_away(place: Workplace) -> None:
    place.fill(draw_dataset(place.images, counts=COUNTS))
    (place.folder / "notes.txt").write_text("mine")
    place.clear()
    assert list(place.images.iterdir()) == []
    assert not place.truth.exists()
    assert (place.folder / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.png").write_bytes(b"precious")
    with pytest.raises(HemashiftError, match="not empty"):
        Workplace(tmp_path).clear()
    assert (tmp_path / "images" / "mine.png").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(HemashiftError, match="not empty"):
        Workplace(tmp_path / "file").clear()
