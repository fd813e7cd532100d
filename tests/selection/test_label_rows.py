"""Label files are read row by row, also where `adapt` would refuse them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hemashift.errors import AdaptationError, ImageError, TableError
from hemashift.selection.label_rows import LabelRow, all_images, read_rows
from hemashift.taxonomy import CLASSES, Taxonomy


def rows(laboratory: Path, text: str, **other: object) -> list[LabelRow]:
    (laboratory / "labels.csv").write_text(text)
    return read_rows(laboratory / "cells", laboratory / "labels.csv", CLASSES, **other)  # type: ignore[arg-type]


def test_rows_keep_their_place_and_meaning(laboratory: Path) -> None:
    found = rows(
        laboratory,
        "Path;Label;Reason\nsmear-1\\00.png;NGS;\nagain.png;;typical\nturned.png;blob;\n",
    )
    assert [(row.number, row.name, row.meaning) for row in found] == [
        (1, "smear-1/00.png", "neutrophil"),
        (2, "again.png", None),
        (3, "turned.png", "blob"),
    ]
    assert [row.offered for row in found] == [False, True, False]


def test_few_and_contradictory_labels_are_kept(laboratory: Path) -> None:
    found = rows(laboratory, "path,label\nagain.png,MO\nagain.png,LYT\n")
    assert [row.meaning for row in found] == ["monocyte", "lymphocyte"]
    assert rows(laboratory, "path,label\n") == []


def test_smears_are_read_where_the_file_names_them(laboratory: Path) -> None:
    found = rows(laboratory, "path,label,slide\nagain.png,MO,7\nturned.png,MO,\n")
    assert [row.group for row in found] == ["7", ""]
    found = rows(laboratory, "path,label\nagain.png,MO\n")
    assert [row.group for row in found] == [""]


def test_labels_outside_mean_nothing(laboratory: Path) -> None:
    (laboratory / "own.toml").write_text('[labels]\nK7 = "lymphocyte"\ndirt = "outside"\n')
    own = Taxonomy.from_file(laboratory / "own.toml")
    found = rows(laboratory, "path,label\nagain.png,K7\nturned.png,dirt\n", taxonomy=own)
    assert [(row.label, row.meaning) for row in found] == [("K7", "lymphocyte"), ("dirt", None)]


def test_labelled_images_that_are_not_there(laboratory: Path) -> None:
    with pytest.raises(AdaptationError, match="1 of 1 labelled images are not there") as raised:
        rows(laboratory, "path,label\ngone.png,MO\nalso-gone.png,\n")
    assert "gone.png" in str(raised.value)
    with pytest.raises(AdaptationError, match="not there"):
        rows(laboratory, "path,label\n../labels.csv,MO\n")


def test_files_that_are_no_label_files(laboratory: Path) -> None:
    with pytest.raises(TableError, match="no column 'label'"):
        rows(laboratory, "path\nagain.png\n")
    with pytest.raises(TableError, match="a label but no path"):
        rows(laboratory, "path,label\n,MO\n")


def test_labelled_images_that_are_hidden_are_images_too(laboratory: Path) -> None:
    root = laboratory / "cells"
    (root / ".hidden.png").write_bytes((root / "again.png").read_bytes())
    frame = pd.DataFrame({"path": [str(root / ".hidden.png"), "again.png"], "label": "MO"})
    found = all_images(root, read_rows(root, frame, CLASSES))
    assert [path for path in found if path.name == ".hidden.png"] == [root / ".hidden.png"]
    assert len(found) == len(set(found)) == 28
    with pytest.raises(ImageError, match="does not exist"):
        all_images(laboratory / "nowhere", [])


def test_spellings_of_a_new_class_are_one(laboratory: Path) -> None:
    found = rows(laboratory, "path,label\nagain.png,Odd cell\nturned.png,odd  CELLS\n")
    assert [row.meaning for row in found] == ["Odd cell", "Odd cell"]
