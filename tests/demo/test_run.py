from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from hemashift.cli.main import app
from hemashift.demo import data as data_module
from hemashift.demo import run as module
from hemashift.demo.drawn import draw_dataset
from hemashift.demo.run import DemoResult, run_demo
from hemashift.demo.telling import Silent
from hemashift.errors import HemashiftError, ModelFileError, WorseModelError
from hemashift.model.bundle import Bundle, default_model

COUNTS = {"eosinophil": 10, "lymphocyte": 14, "monocyte": 10, "neutrophil": 16}


@pytest.fixture(scope="module")
def model() -> Bundle:
    try:
        return default_model()
    except ModelFileError:
        pytest.skip("this checkout has no shipped model")


@pytest.fixture(autouse=True, scope="module")
def few_cells(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Draw few cells, find no data folder, and keep to a cache of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(data_module, "find_data_root", lambda: None)
        patch.setattr(
            data_module,
            "draw_dataset",
            lambda folder, seed: draw_dataset(folder, counts=COUNTS, seed=seed),
        )
        yield


@pytest.fixture(scope="module")
def typed(model: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, DemoResult]:
    """A demonstration on drawn cells: what the command prints, and what it found."""
    found: list[DemoResult] = []

    def listened(*arguments: Any, **options: Any) -> DemoResult:
        found.append(run_demo(*arguments, **options))
        return found[0]

    folder = tmp_path_factory.mktemp("demo") / "out"
    words = ["demo", "--offline", "--labels", "20", "--seed", "1", "-o", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_demo", listened)
        outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0, outcome.output
    return outcome, found[0]


@pytest.fixture(scope="module")
def done(typed: tuple[Result, DemoResult]) -> DemoResult:
    return typed[1]


def test_labelled_cells_are_not_scored_on(done: DemoResult) -> None:
    assert len(done.labelled) == 20
    assert len(done.before) == sum(COUNTS.values()) - 20
    for evaluation in (done.before, done.after):
        if evaluation is not None:
            assert not set(done.labelled) & {Path(path).name for path in evaluation.paths}


def test_what_is_written_is_what_was_found(done: DemoResult) -> None:
    folder = done.report.parent
    facts = json.loads((folder / "demo.json").read_text())
    assert facts["drawn"] is True
    assert facts["held_out"] == len(done.before)
    assert facts["scores"]["before"]["accuracy"] == done.before.overall["accuracy"].estimate
    table = pd.read_csv(folder / "before.csv").merge(
        pd.read_csv(folder / "truth.csv"), on="path", suffixes=("", "_true")
    )
    rest = table[~table["path"].isin(done.labelled)]
    assert (rest["label"] == rest["label_true"]).mean() == pytest.approx(
        facts["scores"]["before"]["accuracy"]
    )


def test_the_page_is_whole_in_itself_and_says_that_cells_are_drawn(done: DemoResult) -> None:
    page = done.report.read_text(encoding="utf-8")
    assert "DRAWN by the computer" in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    for part in ("In short", "Labels given", "look at", "Confusion matrix", "Do it yourself"):
        assert part in page


def test_the_commands_shown_do_the_same(done: DemoResult, tmp_path: Path) -> None:
    """Typed one after the other, the commands give the same predictions and scores."""
    folder = done.report.parent
    made = [name for name in ("before.csv", "after.csv") if (folder / name).exists()]
    expected = {name: (folder / name).read_bytes() for name in made}
    for name in made:
        (folder / name).unlink()
    for words in done.commands:
        assert words[0] == "hemashift"
        outcome = CliRunner().invoke(app, list(words[1:]))
        refused = done.after is None and words[1] == "adapt"
        assert refused == (outcome.exit_code != 0), (words, outcome.output, outcome.exception)
    assert {name: (folder / name).read_bytes() for name in made} == expected
    if done.after is not None:
        typed = json.loads((folder / "evaluation" / "evaluation.json").read_text("utf-8"))
        assert tuple(typed["cells"]["path"]) == done.after.paths
        accuracy = typed["overall"]["accuracy"]["estimate"]
        assert accuracy == done.after.overall["accuracy"].estimate


def test_a_model_that_would_be_worse_is_refused_and_the_page_says_so(
    model: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise WorseModelError("the adapted model would be worse", found="0.5 after adaptation")

    monkeypatch.setattr(module, "adapt", refuse)
    result = run_demo(tmp_path / "out", model=model, labels=5, offline=True)
    assert (result.after, result.adapted) == (None, None)
    assert "The adaptation was refused" in result.report.read_text(encoding="utf-8")
    assert not (tmp_path / "out" / "model").exists()


def test_more_labels_than_cells_are_refused(model: Bundle, tmp_path: Path) -> None:
    with pytest.raises(HemashiftError, match="cannot be labelled"):
        run_demo(tmp_path / "out", labels=1000, offline=True)


def test_the_command_tells_every_step(typed: tuple[Result, DemoResult]) -> None:
    for part in ("1. Images", "2. Label 20", "$ hemashift adapt", "DRAWN", "before", "Report:"):
        assert part in typed[0].output


@pytest.fixture
def half_of_jiangxi_tecom(real_data: Path, tmp_path: Path) -> Path:
    """A folder of datasets with every second of the real cells."""
    source = real_data / "jiangxi_tecom"
    if not source.is_dir():
        pytest.skip("Jiangxi Tecom is not among the real images")
    target = tmp_path / "data" / "jiangxi_tecom"
    (target / "Dataset 1").mkdir(parents=True)
    [labels] = source.glob("*.csv")
    half = pd.read_csv(labels).iloc[::2]
    half.to_csv(target / labels.name, index=False)
    for number in half["image ID"]:
        for file in (source / "Dataset 1").glob(f"{number:03d}.*"):
            (target / "Dataset 1" / file.name).symlink_to(file)
    return target.parent


def test_real_cells_are_adapted_to(
    model: Bundle, half_of_jiangxi_tecom: Path, tmp_path: Path
) -> None:
    told: list[int] = []

    class Listener(Silent):
        def progress(self, done: int, total: int | None) -> None:
            told.append(done)

    result = run_demo(tmp_path / "out", data=half_of_jiangxi_tecom, tell=Listener())
    assert (result.data.origin, len(result.before)) == ("folder", 120)
    assert result.after is not None
    gained = result.after.overall["accuracy"].estimate - result.before.overall["accuracy"].estimate
    assert gained > 0.1
    assert max(told) >= 150
    assert "DRAWN" not in result.report.read_text(encoding="utf-8")
