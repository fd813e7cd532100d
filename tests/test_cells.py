from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemashift.cells import COLUMNS, Box, Cell, CellTable
from hemashift.errors import TableError


def _table(number: int = 60, per_group: int = 4, root: str | Path = "/data") -> CellTable:
    names = ("neutrophil", "basophil", None)
    return CellTable.from_cells(
        [
            Cell(
                f"{i}.png",
                label="NGS",
                cell_class=names[i % 3],
                group=f"smear {i // per_group}",
                subset="TRAIN" if i < number // 2 else None,
                box=Box(-5, 0, 20 + i, 30) if i % 2 else None,
            )
            for i in range(number)
        ],
        root,
        "ours",
    )


def test_columns_types_and_access() -> None:
    table = _table()
    assert tuple(table.frame.columns) == COLUMNS
    assert str(table.frame["x_min"].dtype) == "Int64"
    assert table.boxes()[:2] == [None, Box(-5, 0, 21, 30)]
    assert table.classes() == ("basophil", "neutrophil")
    assert table.counts() == {"basophil": 20, "neutrophil": 20}
    assert table.absolute(3) == Path("/data/3.png") == table.paths()[3]
    assert len(table.known()) == 40
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.root = Path()  # type: ignore[misc]


def test_a_cell_without_group_is_grouped_by_its_image() -> None:
    cells = [Cell("a.png", box=Box(0, 0, 5, 5)), Cell("a.png", box=Box(5, 5, 9, 9)), Cell("b.png")]
    groups = CellTable.from_cells(cells, ".", "ours").frame["group"]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("path", None, "path"),
        ("path", " ", "path"),
        ("group", "", "group"),
        ("dataset", None, "dataset"),
        ("label", 3, "label"),
        ("class", "", "class"),
        ("x_min", 3, "box"),
        ("x_max", "wide", "x_max"),
        ("y_max", 2.5, "y_max"),
        ("x_max", float("inf"), "x_max"),
        ("x_max", 10**30, "x_max"),
        ("x_min", -(2**31), "x_min"),
    ],
)
def test_a_bad_value_is_named_by_row_and_column(column: str, value: object, expected: str) -> None:
    frame = _table().frame.astype(object)
    frame.loc[6, column] = value
    with pytest.raises(TableError) as caught:
        CellTable(frame)
    assert caught.value.where == f"row 7, column {expected}"


def test_an_empty_box_is_refused() -> None:
    frame = _table().frame.copy()
    frame.loc[3, "x_max"] = frame.loc[3, "x_min"]
    with pytest.raises(TableError, match="row 4") as caught:
        CellTable(frame)
    assert "x_min < x_max" in str(caught.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(TableError, match="no column 'group'"):
        CellTable(_table().frame.drop(columns="group"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_written_tables_come_back(tmp_path: Path, suffix: str) -> None:
    table = _table(root=tmp_path / "images")
    table.frame.loc[0, "label"] = "NA"  # a text, not a missing value
    file = tmp_path / "tables" / f"cells{suffix}"
    table.write(file)
    back = CellTable.read(file)
    assert back.paths() == table.paths()
    assert back.boxes() == table.boxes()
    columns = [name for name in COLUMNS if name != "path"]
    pd.testing.assert_frame_equal(back.frame[columns], table.frame[columns])
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_zip_members_keep_their_place(tmp_path: Path) -> None:
    table = CellTable.from_cells([Cell("a.zip!/1/x.jpg")], tmp_path / "d", "ours")
    table.write(tmp_path / "t.csv")
    assert CellTable.read(tmp_path / "t.csv").absolute(0) == tmp_path / "d" / "a.zip!" / "1/x.jpg"


def test_reading_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        CellTable.read(tmp_path / "none.csv")
    (tmp_path / "t.csv").write_text("path,label\na.png,x\n")
    with pytest.raises(TableError, match="no column") as caught:
        CellTable.read(tmp_path / "t.csv")
    assert str(tmp_path / "t.csv") in str(caught.value.where)
    (tmp_path / "t.parquet").write_text("not parquet")
    with pytest.raises(TableError, match="cannot be read"):
        CellTable.read(tmp_path / "t.parquet")
    with pytest.raises(TableError, match="CSV or Parquet"):
        _table().write(tmp_path / "t.xlsx")


def test_select_and_concat() -> None:
    table = _table()
    first = table.select(np.arange(60) < 10)
    picked = table.select([5, 3])
    assert len(first) == 10
    assert picked.frame["path"].tolist() == ["5.png", "3.png"]
    assert picked.frame.index.tolist() == [0, 1]
    assert len(table.select([])) == 0
    with pytest.raises(ValueError, match="10 values for 60 rows"):
        table.select(np.ones(10, dtype=bool))
    both = CellTable.concat([first, picked])
    assert both.root == table.root
    assert len(both) == 12
    far = CellTable.concat([first, _table(4, root="/other")])
    assert far.paths()[0] == Path("/data/0.png")
    assert far.paths()[-1] == Path("/other/3.png")
    with pytest.raises(TableError):
        CellTable.concat([])


def test_split_keeps_groups_whole_and_the_mix_of_classes() -> None:
    for seed in range(20):
        first, second = _table(240).split(0.75, seed)
        assert not set(first.frame["group"]) & set(second.frame["group"])
        assert len(first) + len(second) == 240
        assert abs(len(first) - 180) <= 4
        assert abs(first.counts()["basophil"] - 60) <= 4


def test_split_is_decided_by_the_seed() -> None:
    table = _table()
    same = [table.split(0.5, 3)[0].frame["path"].tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != table.split(0.5, 4)[0].frame["path"].tolist()


def test_every_cell_is_held_out_once() -> None:
    table = _table()
    folds = table.folds(3, seed=0)
    held_out = [name for _, part in folds for name in part.frame["path"]]
    assert sorted(held_out) == sorted(table.frame["path"])
    for fit, part in folds:
        assert not set(fit.frame["group"]) & set(part.frame["group"])
        assert len(fit) + len(part) == len(table)


def test_too_few_groups_is_an_error_that_says_so() -> None:
    one = _table(20, per_group=20)
    with pytest.raises(TableError, match="cannot be split") as caught:
        one.split(0.5, 0)
    assert "1 groups" in str(caught.value)
    assert len(one.split(0.5, 0, grouped=False)[0]) == 10
    with pytest.raises(TableError):
        one.folds(3, 0)
    with pytest.raises(ValueError, match="fraction"):
        one.split(1.0, 0)
    with pytest.raises(ValueError, match="k must"):
        one.folds(1, 0)
