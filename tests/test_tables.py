"""Tables are read alike wherever one is given, in the forms people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hemashift.cells import CellTable, text_of
from hemashift.datasets.table import TableFile
from hemashift.errors import TableError
from hemashift.tables import column_names, read_table


def test_a_spreadsheet_with_semicolons_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("\ufeffpath;label\n007.png;NA\na,b.png;Monocytes\n", encoding="utf-8")
    frame = read_table(path)
    assert frame["path"].tolist() == ["007.png", "a,b.png"]
    assert frame["label"].tolist() == ["NA", "Monocytes"]


@pytest.mark.parametrize(
    "text",
    [
        '"path";"label";"Note, long, with commas"\na.png;MO;x\n',
        'sep=;\n"path";"label"\na.png;MO\n',
        "\ufeffsep=\t\npath\tlabel\na.png\tMO\n",
        '"sep=,"\npath,label\na.png,MO\n',
    ],
)
def test_the_separator_of_a_spreadsheet(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    assert {"path", "label"} <= column_names(path)
    assert read_table(path)[["path", "label"]].to_numpy().tolist() == [["a.png", "MO"]]


@pytest.mark.parametrize("read", [read_table, CellTable.read, TableFile().read])
def test_rows_longer_than_the_header_are_refused_by_every_reader(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("path,label\na.png,neutrophil,remark\nb.png,monocyte,\n")
    with pytest.raises(TableError, match="more fields than the header"):
        read(path)


@pytest.mark.parametrize("name", ["missing.csv", "labels.xlsx"])
def test_unreadable_tables_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError):
        read_table(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_of_a_spreadsheet_in_another_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("path,label\nMünchen.png,MO\n", encoding=encoding)
    for read in (read_table, CellTable.read):
        with pytest.raises(TableError, match="not UTF-8") as caught:
            read(path)
        assert "save it as CSV in UTF-8" in str(caught.value)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
@pytest.mark.parametrize("value", [["MO", "LY"], {"name": "MO"}])
def test_several_values_in_a_field_are_refused(tmp_path: Path, suffix: str, value: object) -> None:
    path = tmp_path / f"labels{suffix}"
    frame = pd.DataFrame({"path": ["a.png", "b.png"], "Label": [None, value]})
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    with pytest.raises(TableError, match="row 2, column label") as caught:
        read_table(path)
    assert caught.value.where == str(path)
    # Columns of other names are refused where they are used.
    with pytest.raises(TableError, match="several values"):
        text_of(value)


def test_names_of_columns_without_reading_the_rows(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(b'"Path";" Label "\nM\xfcller.png;MO\n')
    assert column_names(table) == {"path", "label"}
    for name, content in {
        "a.csv": b"",
        "b.parquet": b"no",
        "c.jsonl": b"{",
        "d.xlsx": b"x",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert column_names(tmp_path / name) <= {""}
