"""Errors become one message and an exit status, those of the operating system, too."""

from __future__ import annotations

import errno
import os
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.cli import main
from hemashift.model import bundle as model
from hemashift.model.bundle import Bundle
from hemashift.selection import Selection


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    return folder


def status_of(monkeypatch: pytest.MonkeyPatch, *words: object) -> object:
    monkeypatch.setattr("sys.argv", ["hemashift", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main.run()
    return ended.value.code


def test_a_full_disk_is_a_message(
    images: Path,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = images.parent / "cells.csv"

    def full(selection: Selection, path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Selection, "write", full)
    monkeypatch.setattr(model, "default_model", lambda: bundle)
    assert status_of(monkeypatch, "select", images, "-n", 2, "-o", output) == 2
    told = capsys.readouterr().err
    assert os.strerror(errno.ENOSPC) in told
    assert str(output) in told
    assert "free some room" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "words",
    [
        ("select", "IMAGES", "-n", "2", "-o", "FILE/cells.csv"),
        ("select", "IMAGES", "-n", "2", "-o", "NEW/cells.csv", "--montage", "FILE/cells.png"),
        ("audit", "IMAGES", "--labels", "LABELS", "-o", "FILE/page.html"),
        ("evaluate", "LABELS", "--labels", "LABELS", "-o", "FILE/report"),
        ("adapt", "IMAGES", "--labels", "LABELS", "-o", "FILE/model"),
        ("adapt", "IMAGES", "--labels", "LABELS", "-o", "NEW", "--report", "FILE/page.html"),
        ("classify", "IMAGES", "-o", "FILE/cells.csv"),
    ],
)
def test_an_output_below_a_file_is_refused_before_the_work(
    words: tuple[str, ...],
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, labels = images.parent / "file", images.parent / "labels.csv"
    file.write_text("no folder")
    labels.write_text("path,label\n0.png,MO\n1.png,LY\n")

    def in_full(word: str) -> str:
        named = word.replace("IMAGES", str(images)).replace("LABELS", str(labels))
        return named.replace("FILE", str(file)).replace("NEW", str(images.parent / "new"))

    assert status_of(monkeypatch, *map(in_full, words)) == 2
    told = capsys.readouterr().err
    assert "the output cannot be written" in told
    assert str(file) in told
    assert "reading images" not in told


@pytest.mark.parametrize(
    "words",
    [
        ("select", "IMAGES", "-n", "2", "-o", "FOLDER.csv"),
        ("audit", "IMAGES", "--labels", "LABELS", "-o", "FOLDER.csv"),
        ("adapt", "IMAGES", "--labels", "LABELS", "-o", "NEW", "--report", "FOLDER.csv"),
        ("classify", "IMAGES", "-o", "FOLDER.csv"),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(
    words: tuple[str, ...],
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"IMAGES": images, "LABELS": "labels.csv", "NEW": "new", "FOLDER.csv": "folder.csv"}
    (images.parent / "folder.csv").mkdir()
    (images.parent / "labels.csv").write_text("path,label\n0.png,MO\n1.png,LY\n")
    monkeypatch.chdir(images.parent)
    assert status_of(monkeypatch, *(names.get(word, word) for word in words)) == 2
    told = capsys.readouterr().err
    assert "the output is a folder" in told
    assert "reading images" not in told


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"hemashift {version('hemashift')}\n"
