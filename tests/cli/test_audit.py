"""`hemashift audit` from a label file to messages, a page and an exit status."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from hemashift.cli import audit
from hemashift.errors import AdaptationError, HemashiftError

app = typer.Typer()
app.command()(audit.command)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Six different pictures, and a copy of the first."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cells"
    folder.mkdir()
    for i in range(6):
        pixels = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    shutil.copy(folder / "0.png", folder / "copy.png")
    return folder


def run(cells: Path, labels: str, *more: object) -> Result:
    (cells.parent / "labels.csv").write_text(labels)
    arguments = [cells, "-l", cells.parent / "labels.csv", *more]
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def test_an_error_is_shown_on_the_page_and_in_the_exit_status(cells: Path) -> None:
    page = cells.parent / "audit.html"
    result = run(cells, "path,label\n0.png,MO\ncopy.png,LYT\n1.png,MO\n", "-o", page)
    shown = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "3 labels, 7 images" in shown
    assert "error: 1 cell is shown by several images with different labels." in shown
    assert "copy.png (cell 1: lymphocyte)" in shown
    assert "Label audit" in page.read_text(encoding="utf-8")


def test_clean_labels_end_well(cells: Path) -> None:
    (cells / "copy.png").unlink()
    result = run(cells, "path,label\n0.png,MO\n1.png,LYT\n")
    assert result.exit_code == 0
    assert "nothing suspicious was found" in result.output


def test_warnings_alone_end_well(cells: Path) -> None:
    result = run(cells, "path,label\n0.png,MO\n1.png,LYT\n")
    assert result.exit_code == 0
    assert "warning: 1 image" in " ".join(result.output.split())


def test_a_bad_file_is_a_message_for_people(cells: Path) -> None:
    with pytest.raises(AdaptationError, match="not there"):
        run(cells, "path,label\ngone.png,MO\n")


def test_labels_are_not_written_over(cells: Path) -> None:
    text = "path,label\n0.png,MO\n1.png,LYT\n"
    with pytest.raises(HemashiftError, match="overwrite the labels"):
        run(cells, text, "-o", cells.parent / "labels.csv")
    assert (cells.parent / "labels.csv").read_text() == text
    with pytest.raises(HemashiftError, match="a file that is none"):
        run(cells, text, "-o", cells / "0.png")
