"""Tables are read in the forms people have, and refused by row where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hemashift.cells import Box, Cell, CellTable
from hemashift.errors import TableError
from hemashift.evaluation.tables import class_of, read_predictions, read_truth
from hemashift.tables import read_table
from hemashift.taxonomy import CLASSES

SAID = pd.DataFrame(
    {
        "path": ["001.png", "002.png", "003.png"],
        "label": ["monocyte", "neutrophil", ""],
        "p_monocyte": [0.9, 0.25, None],
        "p_neutrophil": [0.1, 0.75, None],
        "error": [None, None, "the image is truncated"],
    }
)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_predictions_in_every_form(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"said{suffix}"
    if suffix in (".csv", ".tsv"):
        SAID.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    elif suffix == ".parquet":
        SAID.to_parquet(path)
    else:
        SAID.to_json(path, orient="records", lines=True)
    said = read_predictions(path)
    assert said.classes == ("monocyte", "neutrophil")
    assert said.paths == ("001.png", "002.png")
    assert said.codes.tolist() == [0, 1]
    assert said.probabilities[1].tolist() == [0.25, 0.75]
    assert said.failed == {"003.png": "the image is truncated"}


def test_predictions_without_probabilities_or_with_a_gap_are_refused() -> None:
    with pytest.raises(TableError, match="p_<class>"):
        read_predictions(SAID[["path", "label"]])
    with pytest.raises(TableError, match="not a distribution"):
        read_predictions(SAID.drop(columns="error"))
    with pytest.raises(TableError, match="row 2"):
        read_predictions(SAID.iloc[:2].assign(label=["monocyte", "blast"]))
    with pytest.raises(TableError, match="'path'"):
        read_predictions(SAID.drop(columns="path"))


@pytest.mark.parametrize("end", ["inf", "1e30", 2**31])
def test_a_box_that_no_image_holds_is_refused(end: object) -> None:
    box = {"x_min": [0, 0], "y_min": [0, 0], "x_max": [9, end], "y_max": [9, 9]}
    with pytest.raises(TableError, match="beyond any image") as caught:
        read_predictions(SAID.iloc[[0, 2, 1]].assign(x_min=0, y_min=0, x_max=[9, "", end], y_max=9))
    assert str(caught.value.where).endswith("row 3")
    with pytest.raises(TableError, match="row 2"):
        read_truth(pd.DataFrame({"path": ["a", "b"], "label": ["MO", "LY"], **box}), CLASSES)


def test_capitals_in_the_header_as_a_spreadsheet_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("Path;Label;Patient;p_Odd Cell\na.png;NGS;7;0.5\n")
    assert read_table(path).columns.tolist() == ["path", "label", "Patient", "p_Odd Cell"]
    truth = read_truth(path, CLASSES)
    assert (truth.classes, truth.groups) == (("neutrophil",), ("7",))


def test_labels_are_mapped_to_the_classes_of_the_model() -> None:
    truth = read_truth(
        pd.DataFrame(
            {
                "path": list("abcd"),
                "label": ["NGS", "Band neutrophils", "artefact", ""],
                "patient": ["1", "1", "2", "2"],
            }
        ),
        CLASSES,
    )
    assert truth.classes == ("neutrophil", "neutrophil", None, None)
    assert truth.groups == ("1", "1", "2", "2")
    assert class_of("band neutrophil", ("band neutrophil", "segmented neutrophil")) == (
        "band neutrophil"
    )
    assert class_of("my own class", ("my own class", "rest")) == "my own class"


def test_a_cell_table_serves_as_truth() -> None:
    table = CellTable.from_cells(
        [Cell("f.png", "MO", "monocyte", "p1", box=Box(0, 0, 5, 5)), Cell("g.png", "LY")],
        "/data",
        "ours",
    )
    truth = read_truth(table, CLASSES)
    assert truth.classes == ("monocyte", "lymphocyte")
    assert truth.boxes == ((0, 0, 5, 5), None)
    assert truth.groups == ("p1", "ours/g.png")
    assert truth.root == "/data"


def test_labels_without_a_label_column_are_refused() -> None:
    with pytest.raises(TableError, match="'label'"):
        read_truth(pd.DataFrame({"path": ["a"], "truth": ["b"]}), CLASSES)


def test_a_cell_without_a_class_counts_by_its_most_probable_one() -> None:
    said = read_predictions(
        pd.DataFrame(
            {
                "path": ["a", "b", "c"],
                "label": ["unidentified", "outside", "lymphocyte"],
                "p_lymphocyte": [0.4, 0.9, 0.8],
                "p_monocyte": [0.6, 0.1, 0.2],
            }
        )
    )
    assert [said.classes[code] for code in said.codes] == ["monocyte", "lymphocyte", "lymphocyte"]
    assert said.labels == ("unidentified", "outside", "lymphocyte")
