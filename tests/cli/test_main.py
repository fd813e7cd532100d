"""Errors become one message and an exit status, those of the operating system, too."""

from __future__ import annotations

import errno
import io
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
    ("words", "message"),
    [
        (words.replace("PLACE", place).split(), message)
        for place, message in {
            "FILE/output": "the output cannot be written",
            "FOLDER/output": "the output is a folder",
        }.items()
        for words in (
            "select IMAGES -n 2 -o PLACE.csv",
            "select IMAGES -n 2 -o NEW.csv --montage PLACE.png",
            "audit IMAGES --labels LABELS -o PLACE.html",
            "adapt IMAGES --labels LABELS -o NEW --report PLACE.html",
            "classify IMAGES -o PLACE.csv",
        )
    ]
    + [
        (
            ["adapt", "IMAGES", "--labels", "LABELS", "-o", "FILE/model"],
            "the output cannot be written",
        ),
        (
            ["evaluate", "LABELS", "--labels", "LABELS", "-o", "FILE/report"],
            "the output cannot be written",
        ),
    ],
)
def test_a_place_for_no_file_is_refused_before_the_work(
    words: list[str],
    message: str,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"IMAGES": "images", "LABELS": "labels.csv"}
    (images.parent / "FILE").write_text("no folder")
    for suffix in (".csv", ".png", ".html"):
        (images.parent / "FOLDER" / f"output{suffix}").mkdir(parents=True)
    (images.parent / "labels.csv").write_text("path,label\n0.png,MO\n1.png,LY\n")
    monkeypatch.chdir(images.parent)
    assert status_of(monkeypatch, *(names.get(word, word) for word in words)) == 2
    told = capsys.readouterr().err
    assert message in told
    assert any(name in told for name in ("FILE", "FOLDER"))
    assert "reading images" not in told


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"hemashift {version('hemashift')}\n"


def test_an_interruption_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> Bundle:
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "default_model", interrupted)
    assert status_of(monkeypatch, "adapt", "images", "-o", "new") == 130
    assert capsys.readouterr().err == "hemashift: interrupted\n"


@pytest.mark.parametrize("word", ["~", "~/images"])
def test_without_a_home_folder(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert status_of(monkeypatch, "classify", word, "-o", "new.csv") == 2
    told = capsys.readouterr().err
    assert "home folder" in told and word in told and "HOME" in told


@pytest.mark.skipif(os.name == "nt", reason="there it is the home folder")
def test_a_backslash_behind_the_tilde_is_a_part_of_the_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, "datasets", "check", r"~\data") == 2
    assert "neither a dataset nor a folder" in capsys.readouterr().err


def test_output_that_knows_few_letters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a pipe on Windows."""
    (tmp_path / "метки").mkdir()
    monkeypatch.setenv("HEMASHIFT_DATA", str(tmp_path / "метки"))
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="cp1252") for _ in range(2)]
    monkeypatch.setattr("sys.stdout", streams[0])
    monkeypatch.setattr("sys.stderr", streams[1])
    assert status_of(monkeypatch, "datasets", "list") == 0
    assert status_of(monkeypatch, "datasets", "check") == 2
    for stream in streams:
        stream.flush()
        assert rb"\u043c\u0435\u0442\u043a\u0438" in stream.buffer.getvalue()


@pytest.mark.parametrize("words", [("-o", "~/cells.csv"), ("--output=~/cells.csv",)])
def test_the_home_folder_is_found_where_the_shell_left_it(
    words: tuple[str, ...],
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(images.parent))
    monkeypatch.setenv("USERPROFILE", str(images.parent))
    (images.parent / "cells.csv").mkdir()
    assert status_of(monkeypatch, "classify", "~/images", *words) == 2
    told = capsys.readouterr().err
    assert "the output is a folder" in told
    assert str(images.parent / "cells.csv") in told
