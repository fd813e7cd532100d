"""`hemashift evaluate` from files to a report."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hemashift.classification.inputs import Images, Item, list_items
from hemashift.cli.main import app
from hemashift.errors import HemashiftError, TableError
from hemashift.model.bundle import Bundle
from hemashift.model.card import Card, Normalisation
from hemashift.model.preprocessing import Preprocessing


@pytest.fixture
def files(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "laboratory"
    tmp_path.mkdir()
    rng = np.random.default_rng(0)
    said, true = ["path,label,p_monocyte,p_neutrophil,error"], ["path;label"]
    for i in range(40):
        truth = "MO" if i % 2 else "band neutrophil"
        p = float(np.clip(rng.normal(0.75 if i % 2 else 0.25, 0.2), 0, 1))
        label = "monocyte" if p > 0.5 else "neutrophil"
        said.append(f"cells/{i}.png,{label},{p:.6f},{1 - p:.6f},")
        true.append(f"{i}.png;{truth}")
        (tmp_path / "cells").mkdir(exist_ok=True)
        Image.new("RGB", (30, 30), (i, 90, 120)).save(tmp_path / "cells" / f"{i}.png")
    said.append("cells/bad.png,,,,the image is truncated")
    true.append("bad.png;MO")
    (tmp_path / "said.csv").write_text("\n".join(said))
    (tmp_path / "true.csv").write_text("\n".join(true))
    return tmp_path


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_from_predictions_to_a_report(files: Path) -> None:
    (files / "seen.csv").write_text("path,label\ncells/0.png,NGS\ncells/1.png,MO\n")
    report = files.with_name("report")
    shown = invoke(
        files / "said.csv", "--labels", files / "true.csv", "-o", report,
        "--exclude", files / "seen.csv", "--images", files, "--title", "Our cells",
    )  # fmt: skip
    document = json.loads((report / "evaluation.json").read_text())
    accuracy = document["overall"]["accuracy"]["estimate"]
    assert document["n"] == 38
    assert f"{100 * accuracy:.1f} %" in shown
    assert "WARNING: 2 cells left out" in shown
    assert "the image is truncated" in shown
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "<title>Our cells</title>" in page
    assert page.count("data:image/jpeg") == sum(
        a != b
        for a, b in zip(document["cells"]["truth"], document["cells"]["predicted"], strict=True)
    )


@pytest.fixture
def asked(files: Path, monkeypatch: pytest.MonkeyPatch) -> list[Item]:
    """What a stand-in that is always right is asked for; the model has learnt from 3.png."""
    seen = hashlib.sha256((files / "cells" / "3.png").read_bytes()).hexdigest()
    card = Card(
        name="stand-in",
        architecture="none",
        classes=("monocyte", "neutrophil"),
        preprocessing=Preprocessing(),
        normalisation=Normalisation(mean=(0, 0, 0), std=(1, 1, 1)),
        n_features=4,
        created=datetime(2024, 1, 1, tzinfo=UTC),
        provenance={"adaptation": {"labelled_sha256": [seen]}},
    )
    asked: list[Item] = []

    def classify(images: Images, model: Bundle, output: Path, **options: Any) -> None:
        asked.extend(list_items(images))
        output.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{one.name},{'0.9,0.1' if int(one.path.stem) % 2 else '0.1,0.9'}" for one in asked]
        output.write_text("\n".join(["path,p_monocyte,p_neutrophil", *rows]))

    monkeypatch.setattr("hemashift.classification.classify", classify)
    monkeypatch.setattr("hemashift.model.bundle.default_model", lambda: Bundle(card, {}))
    return asked


def test_images_are_classified_first_and_only_the_labelled_ones(
    files: Path, asked: list[Item]
) -> None:
    Image.new("RGB", (30, 30)).save(files / "cells" / "unlabelled.png")
    invoke(files / "cells", "-l", files / "true.csv", "-o", files / "report")
    assert sorted(int(one.path.stem) for one in asked) == list(range(40))
    document = json.loads((files / "report" / "evaluation.json").read_text())
    assert (document["n"], document["overall"]["accuracy"]["estimate"]) == (39, 1.0)
    assert [Path(path).name for path in document["matching"]["excluded"]] == ["3.png"]
    assert document["model"]["name"] == "stand-in"
    (files / "other.csv").write_text("path,label\nelsewhere.png,MO\n")
    with pytest.raises(TableError, match="none of the labelled images"):
        invoke(files / "cells", "-l", files / "other.csv", "-o", files / "report")


def test_labels_of_ones_own_are_understood(files: Path) -> None:
    true = files / "true.csv"
    true.write_text(true.read_text().replace(";MO", ";K7"))
    (files / "ours.toml").write_text('[labels]\nK7 = "monocyte"\n')
    documents = []
    for words in ([], ["--classes", files / "ours.toml"]):
        invoke(files / "said.csv", "-l", true, "-o", files / "report", *words)
        documents.append(json.loads((files / "report" / "evaluation.json").read_text()))
    assert [one["n"] for one in documents] == [20, 40]


def test_a_model_that_may_have_been_adapted_is_asked_about(files: Path) -> None:
    shown = invoke(files / "said.csv", "-l", files / "true.csv", "-o", files / "report")
    assert "--model or --exclude" in shown


def test_mistakes_of_the_user_are_messages(files: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        invoke(files / "none.csv", "-l", files / "true.csv", "-o", files / "report")
    with pytest.raises(HemashiftError, match="needs a folder"):
        invoke(files / "said.csv", "-l", files / "true.csv", "-o", files / "true.csv")
    with pytest.raises(HemashiftError, match="taken for cells"):
        invoke(files / "cells", "-l", files / "true.csv", "-o", files / "cells" / "report")
    with pytest.raises(HemashiftError, match="taken for cells"):
        invoke(
            files / "said.csv", "-l", files / "true.csv", "--images", files / "cells",
            "-o", files / "cells" / "report",
        )  # fmt: skip
    assert not (files / "cells" / "report").exists()
    (files / "others.csv").write_text("path,label\nelsewhere.png,MO\n")
    with pytest.raises(TableError, match="no cell is left"):
        invoke(files / "said.csv", "-l", files / "others.csv", "-o", files / "report")


def test_cells_of_a_relative_folder_are_known_to_the_model(
    files: Path, asked: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And names that are there twice, in subfolders, stay apart."""
    (files / "cells" / "sub").mkdir()
    Image.new("RGB", (30, 30), (0, 0, 99)).save(files / "cells" / "sub" / "1.png")
    (files / "true.csv").write_text((files / "true.csv").read_text() + "\nsub/1.png;MO\n")
    monkeypatch.chdir(files)
    shown = invoke("cells", "-l", "true.csv", "-o", "report")
    assert {one.name for one in asked} >= {"1.png", "sub/1.png"}
    document = json.loads((files / "report" / "evaluation.json").read_text())
    assert document["n"] == 40
    assert document["matching"]["excluded"] == ["3.png"]
    assert "may have been used" not in shown


def test_boxes_in_a_table_with_semicolons(files: Path, asked: list[Item]) -> None:
    (files / "true.csv").write_text(
        "path;label;x_min;y_min;x_max;y_max\n1.png;MO;0;0;9;9\n2.png;NGS;5;5;20;20\n4.png;NGS;;;;\n"
    )
    invoke(files / "cells", "-l", files / "true.csv", "-o", files / "report")
    assert [one.box for one in asked] == [(0, 0, 9, 9), (5, 5, 20, 20), None]


def test_labels_are_not_written_over_by_predictions(files: Path, asked: list[Item]) -> None:
    (files / "report").mkdir()
    labels = files / "report" / "predictions.csv"
    labels.write_text("path,label\n1.png,MO\n")
    with pytest.raises(HemashiftError, match="would overwrite"):
        invoke(files / "cells", "-l", labels, "-o", files / "report")
    assert labels.read_text() == "path,label\n1.png,MO\n"


def test_classes_with_brackets_are_shown(files: Path) -> None:
    for name in ("said.csv", "true.csv"):
        text = (files / name).read_text()
        (files / name).write_text(text.replace("monocyte", "[/odd]").replace(";MO", ";[/odd]"))
    assert "[/odd]" in invoke(files / "said.csv", "-l", files / "true.csv", "-o", files / "report")
