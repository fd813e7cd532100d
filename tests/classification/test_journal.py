"""Two runs of one output neither mix their rows nor hinder each other for ever."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hemashift.classification.journal import SETTINGS, Journal
from hemashift.errors import HemashiftError

SCHEMA = pa.schema([("path", pa.string()), ("label", pa.string())])


def rows(label: str) -> pa.Table:
    return pa.table({"path": ["1.bmp"], "label": [label]}, schema=SCHEMA)


def unfinished(output: Path, model: str = "A") -> Path:
    journal = Journal(output, {"model": model}, SCHEMA)
    journal.append(rows(f"from {model}"))
    journal.close()
    return journal.folder


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    first = Journal(output, {"model": "A"}, SCHEMA)
    with pytest.raises(HemashiftError, match="another run is writing"):
        Journal(output, {"model": "B"}, SCHEMA)
    first.append(rows("from A"))
    assert [part["label"].to_pylist() for part in first.read()] == [["from A"]]
    first.close()
    second = Journal(output, {"model": "B"}, SCHEMA)
    assert (second.restarted, second.n_rows) == ("model changed", 0)
    second.discard()
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_rows_of_other_settings_are_not_used(tmp_path: Path) -> None:
    folder, other = unfinished(tmp_path / "a.csv"), unfinished(tmp_path / "b.csv", "B")
    part = "000000000.parquet"
    (folder / part).write_bytes((other / part).read_bytes())
    journal = Journal(tmp_path / "a.csv", {"model": "A"}, SCHEMA)
    assert journal.n_rows == 0
    journal.close()


def test_rows_without_settings_are_started_anew(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "out.csv")
    (folder / SETTINGS).unlink()
    (folder / ".000000001-abc.part.parquet").write_bytes(b"cut sh")
    journal = Journal(tmp_path / "out.csv", {"model": "A"}, SCHEMA)
    assert (journal.restarted, journal.n_rows) == ("its settings are not readable", 0)
    journal.close()
    assert [path.name for path in folder.iterdir()] == [SETTINGS]


def test_tables_of_somebody_else_are_not_removed(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "out.csv")
    (folder / "thesis.parquet").write_bytes(b"precious")
    with pytest.raises(HemashiftError, match="in the way"):
        Journal(tmp_path / "out.csv", {"model": "B"}, SCHEMA)
    assert (folder / "thesis.parquet").exists()


@pytest.mark.parametrize("text", ["[1]", "[" * 100_000, "{"])
def test_settings_that_are_none_start_anew(tmp_path: Path, text: str) -> None:
    folder = unfinished(tmp_path / "out.csv")
    (folder / SETTINGS).write_text(text)
    journal = Journal(tmp_path / "out.csv", {"model": "A"}, SCHEMA)
    assert (journal.restarted, journal.n_rows) == ("its settings are not readable", 0)
    journal.close()
