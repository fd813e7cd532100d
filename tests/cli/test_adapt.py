"""`hemashift adapt` from a folder to a model and a page."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hemashift.adaptation.registry import METHODS
from hemashift.cli.adapt import MethodName
from hemashift.cli.main import app, run
from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle


@pytest.fixture
def laboratory(tmp_path: Path, bundle: Bundle) -> Path:
    """Twelve images in `cells`, of which `labels.csv` labels eight, and the folder `start`."""
    rng = np.random.default_rng(0)
    rows = ["path;label"]
    (tmp_path / "cells").mkdir()
    for i in range(12):
        colour = (60, 30, 150) if i % 2 else (200, 140, 60)
        pixels = np.array(colour) + rng.normal(0, 5, (40, 40, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "cells" / f"{i}.png")
        if i < 8:
            rows.append(f"{i}.png;{'MO' if i % 2 else '[odd]'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    bundle.save(tmp_path / "start")
    return tmp_path


def arguments(folder: Path, *more: object) -> list[str]:
    start = ["adapt", folder / "cells", "-l", folder / "labels.csv", "-m", folder / "start"]
    return [*map(str, start), "--method", "probe", *map(str, more)]


def test_from_folder_to_model_and_page(laboratory: Path) -> None:
    model, page = laboratory / "new" / "model", laboratory / "reports" / "page.html"
    result = CliRunner().invoke(
        app, arguments(laboratory, "-o", model, "--report", page), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "labelled cells: 8" in shown
    assert "after (probe), cross-validated" in shown
    assert "Classes that the model did not know: [odd]." in shown
    card = Bundle.load(model).card
    assert card.classes[-1] == "[odd]"
    text = page.read_text(encoding="utf-8")
    assert "Adaptation to a laboratory" in text
    assert "thin: fewer than 5" in text
    assert "http" not in text.split("<body")[1].split("<svg")[0]


def test_only_classes_that_occur(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = laboratory / "model"
    asked = arguments(laboratory, "-o", model, "--only", "monocyte, NGS")
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert Bundle.load(model).card.classes == ("monocyte", "neutrophil", "[odd]")
    assert "Never given, as they are said not to occur" in " ".join(result.output.split())
    other = laboratory / "other"
    asked = arguments(laboratory, "-o", other, "--only", "monocyte,blast")
    monkeypatch.setattr(sys, "argv", ["hemashift", *asked])
    with pytest.raises(SystemExit) as stop:
        run()
    assert stop.value.code == 2
    assert "does not know all classes" in capsys.readouterr().err
    assert not other.exists()


def test_a_bad_input_is_a_message_and_exit_status_2(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (laboratory / "labels.csv").write_text("path,label\n0.png,MO\n../labels.csv,EO\n")
    command = arguments(laboratory, "-o", laboratory / "model")
    monkeypatch.setattr(sys, "argv", ["hemashift", *command])
    with pytest.raises(SystemExit) as stopped:
        run()
    shown = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "hemashift: 1 of 2 labelled images are not there" in shown
    assert "Traceback" not in shown
    assert not (laboratory / "model").exists()


def test_an_output_that_is_in_use_is_refused_before_the_work(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hemashift", *arguments(laboratory, "-o", laboratory)])
    with pytest.raises(SystemExit) as stopped:
        run()
    shown = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "this is not a model, so it is not overwritten" in shown
    assert "reading labelled cells" not in shown


def test_every_method_can_be_asked_for() -> None:
    assert {method.value for method in MethodName} == set(METHODS)


def test_without_labels(laboratory: Path) -> None:
    for i in range(12, 50):
        source = laboratory / "cells" / f"{i % 12}.png"
        (laboratory / "cells" / f"{i}.png").write_bytes(source.read_bytes())
    start = ["adapt", str(laboratory / "cells"), "-m", str(laboratory / "start")]
    model = laboratory / "model"
    result = CliRunner().invoke(app, [*start, "-o", str(model)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "adapted without labels to 50 images" in shown
    assert "How many are right is not known" in shown
    assert "name those that do: --only" in shown
    assert Bundle.load(model).card.provenance["adaptation"]["images"] == 50
    limited = [*start, "-o", str(model), "--only", "MO,neutrophil"]
    result = CliRunner().invoke(app, limited, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "Never given" in shown and "--only" not in shown
    assert Bundle.load(model).card.classes == ("monocyte", "neutrophil")


@pytest.mark.parametrize("more", [["--method", "probe"], ["--report", "page.html"]])
def test_what_needs_labels_is_refused_without(
    laboratory: Path,
    more: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = ["adapt", str(laboratory / "cells"), "-o", str(laboratory / "model"), *more]
    monkeypatch.setattr(sys, "argv", ["hemashift", *start])
    with pytest.raises(SystemExit) as stop:
        run()
    assert stop.value.code == 2
    assert f"{more[0]}" in capsys.readouterr().err
    assert not (laboratory / "model").exists()


def test_labels_are_not_written_over_by_the_report(laboratory: Path) -> None:
    labels = laboratory / "labels.csv"
    before = labels.read_text()
    with pytest.raises(HemashiftError, match="overwrite the labels"):
        CliRunner().invoke(
            app,
            arguments(laboratory, "-o", laboratory / "model", "--report", labels),
            catch_exceptions=False,
        )
    assert labels.read_text() == before
    assert not (laboratory / "model").exists()


def test_a_report_in_the_model_folder_is_refused_before_the_work(laboratory: Path) -> None:
    model = laboratory / "model"
    asked = arguments(laboratory, "-o", model, "--report", model / "report.html")
    result = CliRunner().invoke(app, asked)
    assert "cannot lie in the folder of the model" in str(result.exception)
    assert not model.exists()
