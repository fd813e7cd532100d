"""`hemashift select` from a folder to a list, and what it refuses to overwrite."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from hemashift.cli import select
from hemashift.errors import HemashiftError
from hemashift.selection import DEFAULT, STRATEGIES

app = typer.Typer()
app.command()(select.command)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Twelve pictures of noise on fields of two colours, and one file that is none."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cells"
    folder.mkdir()
    for i in range(12):
        colour = (60, 30, 150) if i % 2 else (200, 140, 60)
        pixels = np.array(colour) + rng.normal(0, 40, (40, 40, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i:02d}.png")
    (folder / "damaged.png").write_bytes(b"nothing")
    return folder


def run(cells: Path, *more: object) -> Result:
    arguments = [str(cells), *map(str, more)]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_from_folder_to_list_and_picture(cells: Path) -> None:
    output, picture = cells.parent / "new" / "cells.csv", cells.parent / "cells.png"
    result = run(cells, "-n", 11, "-o", output, "--montage", picture)
    assert result.exit_code == 0
    shown = " ".join(result.output.split())
    assert "11 of 12 cells selected (balanced), 0 have a label" in shown
    assert "Images passed over, unreadable or masks: 1." in shown
    assert "damaged.png" in "".join(result.output.split())  # long paths are broken at the margin
    assert f"hemashift adapt {cells} --labels {output}" in shown
    frame = pd.read_csv(output, keep_default_na=False)
    assert len(set(frame["path"])) == 11
    assert frame["label"].eq("").all()
    with Image.open(picture) as drawn:
        assert min(drawn.size) > 100


@pytest.mark.skipif(os.name == "nt", reason="shlex is of POSIX shells")
def test_the_next_command_can_be_pasted(cells: Path) -> None:
    folder = cells.rename(cells.parent / "our cells; $(date)")
    output = cells.parent / "to label.csv"
    shown = run(folder, "-n", 2, "-o", output).output
    (command,) = (line.split("then: ")[1] for line in shown.splitlines() if "then: " in line)
    assert shlex.split(command)[2:5] == [str(folder), "--labels", str(output)]


def test_a_second_round_leaves_the_labels_as_they_are(cells: Path) -> None:
    labels, output = cells.parent / "labels.csv", cells.parent / "more.csv"
    text = "path,label\n" + "".join(f"{i:02d}.png,{'MO' if i % 2 else 'EO'}\n" for i in range(8))
    labels.write_text(text)
    result = run(cells, "-n", 3, "-o", output, "-l", labels, "--strategy", "margin")
    shown = " ".join(result.output.split())
    assert "3 of 12 cells selected (margin), 8 have a label" in shown
    assert f"--labels {labels} --labels {output}" in shown
    assert "too early to say" in shown
    assert labels.read_text() == text
    assert not set(pd.read_csv(output)["path"]) & {f"{i:02d}.png" for i in range(8)}


@pytest.mark.parametrize("content", ["path,label\n00.png,MO\n", "my notes", "a\0b"])
def test_labels_and_other_files_are_not_overwritten(cells: Path, content: str) -> None:
    output = cells.parent / "cells.csv"
    output.write_text(content)
    with pytest.raises(HemashiftError, match="would overwrite"):
        run(cells, "-n", 3, "-o", output)
    with pytest.raises(HemashiftError, match="would overwrite the labels"):
        run(cells, "-n", 3, "-o", output, "-l", output)
    assert output.read_text() == content


def test_a_list_without_labels_may_be_made_again(cells: Path) -> None:
    output = cells.parent / "cells.csv"
    assert run(cells, "-n", 3, "-o", output).exit_code == 0
    first = output.read_text()
    assert run(cells, "-n", 4, "-o", output).exit_code == 0
    assert len(output.read_text().splitlines()) == len(first.splitlines()) + 1


def test_bad_options(cells: Path) -> None:
    with pytest.raises(HemashiftError, match="written as CSV"):
        run(cells, "-n", 3, "-o", cells.parent / "cells.xlsx")
    for picture, message in {
        cells.parent / "cells.xyz": "format cannot be written",
        cells.parent / "cells": "format cannot be written",
        cells / "chosen.png": "taken for cells",
    }.items():
        with pytest.raises(HemashiftError, match=message):
            run(cells, "-n", 3, "-o", cells.parent / "cells.csv", "--montage", picture)
    assert not (cells.parent / "cells.csv").exists()
    assert run(cells, "-n", 3, "-o", "a.csv", "--seed", 2**32).exit_code == 2
    assert run(cells, "-n", 0, "-o", cells.parent / "cells.csv").exit_code == 2
    assert run(cells, "-n", 3, "-o", "a.csv", "--strategy", "best").exit_code == 2


def test_the_choices_are_those_of_the_package() -> None:
    assert {one.value for one in select.StrategyName} == set(STRATEGIES)
    assert DEFAULT == "balanced"
