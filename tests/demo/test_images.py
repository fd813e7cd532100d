"""The images of the demonstration are laid out once, and stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.demo import data, public
from hemashift.demo.drawn import draw_dataset
from hemashift.demo.images import lay_out_images
from hemashift.errors import HemashiftError
from hemashift.images import list_images


@pytest.fixture(autouse=True)
def nothing_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No dataset and no cache, so that cells are drawn; few, as each takes a while."""
    (tmp_path / "no-data").mkdir()
    monkeypatch.setenv("HEMASHIFT_DATA", str(tmp_path / "no-data"))
    monkeypatch.setattr(public, "cached", lambda dataset: None)
    few = {"lymphocyte": 8, "neutrophil": 12}
    monkeypatch.setattr(data, "draw_dataset", lambda at, seed: draw_dataset(at, counts=few))


def test_they_are_laid_out_once(tmp_path: Path) -> None:
    folder = lay_out_images(tmp_path / "show", offline=True)
    first = {path.name: path.stat().st_mtime_ns for path in list_images(folder)}
    assert len(first) == 20
    (tmp_path / "show" / "images.hemashift").write_text("what was said about them")
    assert lay_out_images(tmp_path / "show", offline=True) == folder
    assert {path.name: path.stat().st_mtime_ns for path in list_images(folder)} == first
    assert (tmp_path / "show" / "images.hemashift").exists()


def test_what_was_left_half_done_is_done_again(tmp_path: Path) -> None:
    folder = lay_out_images(tmp_path / "show", offline=True)
    count = len(list_images(folder))
    next(iter(list_images(folder))).unlink()
    (tmp_path / "show" / "demo.json").write_text("{}")
    assert len(list_images(lay_out_images(tmp_path / "show", offline=True))) == count


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(HemashiftError, match="not empty"):
        lay_out_images(tmp_path, offline=True)
