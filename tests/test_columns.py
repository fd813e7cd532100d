"""Columns are read alike wherever there are labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hemashift.columns import GROUP_COLUMNS, groups_in, one_spelling, texts_of
from hemashift.evaluation.tables import read_truth
from hemashift.tables import read_table
from hemashift.taxonomy import CLASSES


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_numbers_with_gaps_stay_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labels{suffix}"
    frame = pd.DataFrame({"path": ["a", "b", "c"], "label": [1, None, 12]})
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    assert texts_of(read_table(path)["label"]) == ["1", "", "12"]


@pytest.mark.parametrize("name", [*GROUP_COLUMNS, "Smear", " Patient "])
def test_smears_and_patients_are_read_from_any_column_for_them(name: str) -> None:
    frame = pd.DataFrame({"path": ["a", "b", "c"], "label": "MO", name: [1.0, None, 1.0]})
    assert groups_in(frame) == ["1", "", "1"]
    assert read_truth(frame, CLASSES).groups == ("1", "row 1", "1")
    assert groups_in(frame[["path", "label"]]) is None


def test_slides_of_one_patient_are_one_group() -> None:
    frame = pd.DataFrame(
        {
            "path": list("abcdef"),
            "slide": ["1", "2", "3", "4", "", ""],
            "patient": ["P", "P", "Q", "", "Q", ""],
        }
    )
    assert groups_in(frame) == ["P", "P", "Q", "4", "Q", ""]


def test_files_that_name_groups_in_different_columns_lose_none() -> None:
    frame = pd.concat([pd.DataFrame({"slide": ["1", "1"]}), pd.DataFrame({"patient": ["1", "2"]})])
    groups = groups_in(frame)
    assert groups is not None
    assert len(set(groups[2:])) == 2 and groups[0] == groups[1] != ""


def test_the_first_spelling_of_a_class_stands_for_all() -> None:
    given = {"Odd-Cell": "Odd-Cell", "odd cells": "odd cells", "MO": "monocyte", "dirt": None}
    assert list(one_spelling(given).values()) == ["Odd-Cell", "Odd-Cell", "monocyte", None]
    frame = pd.DataFrame({"path": ["a", "b"], "label": ["dust grain", "Dust  grains"]})
    assert read_truth(frame, CLASSES).labels == ("dust grain", "dust grain")
