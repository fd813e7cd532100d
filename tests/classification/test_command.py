from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from hemashift.classification import ClassifyReport
from hemashift.cli.main import app
from hemashift.errors import HemashiftError, ModelFileError
from hemashift.model import bundle as bundles
from hemashift.model.bundle import Bundle


@pytest.fixture(autouse=True)
def shipped(model: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "default_model", lambda: model)


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["classify", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_folder_with_the_shipped_model(folder: Path, tmp_path: Path) -> None:
    (folder / "a" / "03.png").write_bytes(b"?")
    shown = invoke(folder, "-o", tmp_path / "out.csv", "--embeddings", "--threads", 1)
    assert "dark" in shown and "light" in shown
    assert "a/03.png" in shown and "not readable" in shown
    rows = pd.read_csv(tmp_path / "out.csv")
    assert len(rows) == 20 and "e_003" in rows


def test_boxes(folder: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("path,x_min,y_min,x_max,y_max\na/05.png,0,0,10,10\na/05.png,5,5,20,20\n")
    invoke(folder, "--boxes", boxes, "-o", tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    with pytest.raises(HemashiftError, match="overwrite the boxes"):
        invoke(folder, "--boxes", boxes, "-o", boxes)


def test_classes_of_ones_own_are_counted_by(folder: Path, tmp_path: Path) -> None:
    classes, output = tmp_path / "ours.toml", tmp_path / "out.csv"
    classes.write_text(
        'classes = ["shade", "other"]\n'
        '[types.SHD]\nname = "shade"\n'
        '[types.DRK]\nname = "dark"\nparent = "SHD"\n'
    )
    invoke(folder, "-o", output, "--roll-up", "--classes", classes)
    rows = pd.read_csv(output)
    assert rows.loc[rows["label"] == "dark", "main_class"].eq("shade").all()
    assert rows.loc[rows["label"] == "light", "main_class"].isna().all()
    assert rows["label"].nunique() == 2
    with pytest.raises(HemashiftError, match="not asked for"):
        invoke(folder, "-o", output, "--classes", classes)
    with pytest.raises(HemashiftError, match="overwrite the classes"):
        invoke(folder, "-o", classes, "--roll-up", "--classes", classes)


def test_a_model_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model here"):
        invoke(folder, "-o", tmp_path / "out.csv", "--model", tmp_path / "none")


def test_no_resume_says_so(folder: Path, tmp_path: Path, stand_in: type) -> None:
    def stop(total: int) -> None:
        if total > 8:
            raise RuntimeError("power cut")

    stand_in.hook = staticmethod(stop)
    with pytest.raises(RuntimeError):
        invoke(folder, "-o", tmp_path / "out.csv", "--batch-size", 4)
    stand_in.hook = None
    assert "as asked for" in invoke(folder, "-o", tmp_path / "out.csv", "--no-resume")


def test_trust_on_the_command_line(
    folder: Path, trusted: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "default_model", lambda: trusted)
    shown = invoke(
        folder, "-o", tmp_path / "out.csv", "--coverage", 0.9, "--max-error", 0.25, "--outside",
        "--class-mix", "estimate", "--roll-up",
    )  # fmt: skip
    assert "unidentified" in shown and "outside" in shown
    assert "these images look like: dark" in " ".join(shown.split())
    assert "labelled cells" in shown
    rows = pd.read_csv(tmp_path / "out.csv")
    assert {"set", "outside", "main_class"} <= set(rows.columns)


def test_classes_with_brackets_are_shown(
    folder: Path, model: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ClassifyReport(tmp_path, 1, 0, None, {"[/odd]": 1}, [], 1.0, "m", "h")
    monkeypatch.setattr("hemashift.classification.classify", lambda *_, **__: report)
    assert "[/odd]" in invoke(folder, "-o", tmp_path / "out.csv")


def test_an_interruption_tells_how_to_go_on(folder: Path, tmp_path: Path, stand_in: type) -> None:
    def stop(total: int) -> None:
        if total > 8:
            raise KeyboardInterrupt

    stand_in.hook = staticmethod(stop)
    words = ["classify", str(folder), "-o", str(tmp_path / "out.csv"), "--batch-size", "4"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 130
    assert "the same command goes on" in result.output
