"""`hemashift study`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result as Answer
from PIL import Image
from typer.testing import CliRunner

from hemashift.cli import study
from hemashift.errors import HemashiftError
from hemashift.studies import datasets
from hemashift.studies.running import PAGE

app = typer.Typer()
app.command()(study.command)


def invoke(*arguments: object) -> Answer:
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A laboratory's folder of images and a settings file that names it."""
    rng = np.random.default_rng(0)
    for name in ("lymphocyte", "neutrophil"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for number in range(3):
            image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / "cells" / name / f"{number}.png")
    file = tmp_path / "mine.toml"
    file.write_text(
        'sources = []\ntargets = ["ours"]\n[datasets.ours]\nfolder = "cells"\n'
        '[study.datasets]\ntransforms = ["reinhard"]\n'
    )
    return file


def run(mine: Path, name: str = "datasets") -> Answer:
    nothing = mine.parent / "nothing"
    nothing.mkdir(exist_ok=True)
    folder = mine.parent / "out"
    return invoke(name, "--settings", mine, "--data-root", nothing, "-o", folder)


def test_a_study_of_ones_own_images_needs_a_settings_file_only(mine: Path) -> None:
    first = run(mine)
    assert first.exit_code == 0, first.output
    assert "looking at ours" in first.output  # where no bar is drawn, what is begun is told
    assert "datasets: ours" in first.output
    page = mine.parent / "out" / PAGE
    assert str(page) in first.output
    assert "Table 2" in page.read_text()
    assert (mine.parent / "out" / "datasets" / "counts.csv").is_file()
    second = run(mine)
    assert "datasets: ours: found finished" in second.output


def test_an_interrupted_study_says_that_it_goes_on(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(datasets, "_described", ctrl_c)
        interrupted = run(mine)
    assert interrupted.exit_code == 130
    assert "goes on with what is not finished" in interrupted.output
    assert run(mine).exit_code == 0


def test_a_part_that_cannot_be_computed_is_told_and_counts_as_a_failure(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise HemashiftError("the lamp is dark", hint="switch it on")

    monkeypatch.setattr(datasets, "_described", broken)
    failed = run(mine)
    assert failed.exit_code == 1
    assert "ours: not computed" in failed.output and "switch it on" in failed.output


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("everything",), "everything"),
        (("datasets", "--settings", "nowhere.toml"), "No such file"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], found: str) -> None:
    result = invoke(*arguments)
    assert isinstance(result.exception, HemashiftError)
    assert found in str(result.exception)


def test_an_unknown_preset_is_refused() -> None:
    result = invoke("datasets", "--preset", "fast")
    assert result.exit_code == 2 and "quick" in result.output
