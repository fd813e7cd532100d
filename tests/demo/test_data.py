from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.demo import data as module
from hemashift.demo import public
from hemashift.demo.data import find_data
from hemashift.demo.drawn import draw_dataset
from hemashift.demo.public import JIANGXI_TECOM, PublicDataset, contents_hash
from hemashift.demo.telling import Silent
from hemashift.errors import DatasetError

from .conftest import Answer, Site
from .test_public import archive

CLASSES = (1, 2, 3, 1)


class Listener(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def write_jiangxi(folder: Path) -> Path:
    """Write four images in the published layout."""
    (folder / "Dataset 1").mkdir(parents=True)
    with (folder / "Class Labels of Dataset 1.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("image ID", "class label"), *enumerate(CLASSES, 1)])
    rng = np.random.default_rng(0)
    for number in range(1, len(CLASSES) + 1):
        pixels = rng.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "Dataset 1" / f"{number:03d}.bmp")
    return folder


@pytest.fixture
def small(tmp_path: Path, site: Site) -> PublicDataset:
    """Jiangxi Tecom with four images, on the server of the test."""
    folder = write_jiangxi(tmp_path / "published")
    names = tuple(n for n in JIANGXI_TECOM.files if (folder / n).exists())
    body = archive({name: (folder / name).read_bytes() for name in names})
    return dataclasses.replace(
        JIANGXI_TECOM,
        url=site.url("/HEAD.zip", Answer(body)),
        files=names,
        contents_sha256=contents_hash(folder, names),
    )


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data folder, an empty cache, and few cells to draw."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "find_data_root", lambda: None)
    few = {"neutrophil": 2, "lymphocyte": 1}
    monkeypatch.setattr(
        module, "draw_dataset", lambda folder, seed: draw_dataset(folder, counts=few, seed=seed)
    )


def test_a_given_folder_comes_first(tmp_path: Path, small: PublicDataset, site: Site) -> None:
    write_jiangxi(tmp_path / "mine" / "jiangxi_tecom")
    found = find_data(tmp_path / "mine", drawn_folder=tmp_path / "drawn", dataset=small)
    assert (found.origin, found.drawn, found.licence) == ("folder", False, "GPL-3.0")
    assert found.table.counts() == {"lymphocyte": 1, "monocyte": 1, "neutrophil": 2}
    assert site.asked == []


def test_the_folder_of_datasets_is_found_by_itself(
    tmp_path: Path, small: PublicDataset, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jiangxi(tmp_path / "all" / "jiangxi_tecom")
    monkeypatch.setattr(module, "find_data_root", lambda: tmp_path / "all")
    assert find_data(drawn_folder=tmp_path / "drawn", dataset=small).origin == "folder"
    assert site.asked == []


def test_a_given_folder_without_the_dataset_is_an_error(
    tmp_path: Path, small: PublicDataset
) -> None:
    with pytest.raises(DatasetError, match="Jiangxi Tecom is not there"):
        find_data(tmp_path / "empty", drawn_folder=tmp_path / "drawn", dataset=small)


def test_then_it_is_downloaded_and_then_taken_from_the_cache(
    tmp_path: Path, small: PublicDataset, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_data_root", lambda: tmp_path / "empty")
    tell = Listener()
    first = find_data(drawn_folder=tmp_path / "drawn", dataset=small, tell=tell)
    second = find_data(drawn_folder=tmp_path / "drawn", dataset=small, offline=True)
    assert (first.origin, second.origin) == ("download", "cache")
    assert len(first.table) == len(second.table) == 4
    assert site.asked == ["/HEAD.zip"]
    assert any("is not in" in note for note in tell.notes)
    assert any(small.contents_sha256 in note for note in tell.notes)


def test_offline_cells_are_drawn_and_announced_as_drawn(
    tmp_path: Path, small: PublicDataset, site: Site
) -> None:
    tell = Listener()
    found = find_data(drawn_folder=tmp_path / "d", dataset=small, offline=True, tell=tell)
    assert found.drawn
    assert found.table.counts() == {"lymphocyte": 1, "neutrophil": 2}
    assert site.asked == []
    assert any("DRAWN" in text for text in tell.warnings)
    assert "drawn" in found.title


@pytest.mark.parametrize(
    "answer", [Answer(b"", 404), Answer(b"<html>"), Answer(archive({"a": b""}))]
)
def test_a_failed_download_is_told_and_cells_are_drawn(
    tmp_path: Path, small: PublicDataset, site: Site, answer: Answer
) -> None:
    site.answers["/HEAD.zip"] = answer
    tell = Listener()
    assert find_data(drawn_folder=tmp_path / "d", dataset=small, tell=tell).drawn
    assert "could not be had" in tell.warnings[0]
    assert public.cached(small) is None
