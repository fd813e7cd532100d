"""Whole studies on the small world: what is shown, and what a kill costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from hemashift.errors import DatasetError, HemashiftError
from hemashift.reports.sections import Table
from hemashift.studies import running
from hemashift.studies.contract import Drawn, Part, Result, Results
from hemashift.studies.running import PAGE, PartRecord, run_studies
from hemashift.studies.settings import Settings
from hemashift.studies.workspace import Workspace

Again = Callable[..., Workspace]


class Counting:
    """A study of three parts that takes down what is made."""

    name, title, about, version = "datasets", "Counting", "Counts.", 1

    def __init__(self) -> None:
        self.made: list[str] = []
        self.at: dict[str, BaseException] = {}

    def parts(self, work: Workspace) -> Iterator[Part]:
        for name in ("one", "two", "three"):
            yield Part(name, {"seed": work.settings.seed}, lambda name=name: self.make(name))

    def make(self, name: str) -> Result:
        if name in self.at:
            raise self.at[name]
        self.made.append(name)
        return Result({"names": pd.DataFrame({"name": [name]})}, notes=(f"note on {name}",))

    def draw(self, results: Results, work: Workspace) -> Drawn:
        names = results.table("names")
        rows = [(name,) for name in names["name"]] if len(names) else []
        return Drawn([Table("Names", ("Name",), rows)])


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Counting:
    made = Counting()
    monkeypatch.setattr(running, "get_study", lambda name: made)
    return made


def test_a_kill_half_way_repeats_nothing_that_was_finished(
    work: Workspace, again: Again, study: Counting
) -> None:
    study.at = {"two": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        run_studies(["datasets"], work)
    assert study.made == ["one"]
    study.at = {}
    records = run_studies(["datasets"], again(work))
    assert study.made == ["one", "two", "three"]
    assert [record.fresh for record in records] == [False, True, True]
    names = pd.read_csv(work.folder / "datasets" / "names.csv")
    assert names["name"].tolist() == ["one", "two", "three"]
    run_studies(["datasets"], again(work))
    assert len(study.made) == 3


def test_a_second_run_in_the_folder_is_refused_while_one_is_at_work(
    work: Workspace, again: Again, study: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = study.make

    def meanwhile(name: str) -> Result:
        with pytest.raises(HemashiftError, match="another run is writing"):
            run_studies(["datasets"], again(work))
        return make(name)

    monkeypatch.setattr(study, "make", meanwhile)
    run_studies(["datasets"], work)
    assert study.made == ["one", "two", "three"]
    run_studies(["datasets"], again(work))  # nothing is left behind that keeps it out


def test_a_part_that_fails_does_not_stop_the_others(work: Workspace, study: Counting) -> None:
    study.at = {"two": HemashiftError("no such light", hint="switch it on")}
    told: list[PartRecord] = []

    class Listener:
        def begins(self, study: str, part: str, number: int, count: int) -> None:
            assert count == 3

        def ends(self, record: PartRecord) -> None:
            told.append(record)

    records = run_studies(["datasets"], work, listener=Listener())
    assert records == told
    assert [bool(record.error) for record in records] == [False, True, False]
    page = (work.folder / PAGE).read_text()
    assert "no such light" in page and "switch it on" in page
    assert "note on three" in page


def test_changed_settings_are_computed_anew(work: Workspace, again: Again, study: Counting) -> None:
    run_studies(["datasets"], work)
    run_studies(["datasets"], again(work, seed=1))
    assert study.made == ["one", "two", "three"] * 2
    study.version = 2
    run_studies(["datasets"], again(work))
    assert len(study.made) == 9


def test_a_run_is_recorded(work: Workspace, study: Counting) -> None:
    run_studies(["datasets"], work, preset="quick")
    record = json.loads((work.folder / "run.json").read_text())
    assert record["preset"] == "quick"
    assert record["settings"]["seed"] == 0
    assert record["versions"]["hemashift"]
    assert record["datasets"]["gamma"]["cells"] == 32
    assert len(record["datasets"]["gamma"]["fingerprint"]) == 24
    assert record["absent"] == ["raabin"]
    assert [part["part"] for part in record["parts"]] == ["one", "two", "three"]
    assert all(part["seconds"] >= 0 and part["key"] for part in record["parts"])


def test_the_page_keeps_the_studies_that_were_run_before(
    work: Workspace, again: Again, study: Counting
) -> None:
    run_studies(["datasets"], work)
    study.at = {name: HemashiftError("broken") for name in ("one", "two", "three")}
    (work.folder / "targets").mkdir()
    run_studies(["targets"], again(work))
    page = (work.folder / PAGE).read_text()
    assert "1. Counting" in page and "2. Counting" in page
    assert "passed over: raabin" in page


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> tuple[Counting, Counting]:
    """Two studies, `datasets` and `targets`."""
    first, second = Counting(), Counting()
    second.name, second.title = "targets", "Other"
    made = {"datasets": first, "targets": second}
    monkeypatch.setattr(running, "get_study", made.__getitem__)
    return first, second


@pytest.mark.parametrize("broken", [("two",), ("one", "two", "three")])
def test_what_failed_in_a_former_run_stays_on_the_page_and_in_the_record(
    work: Workspace, again: Again, two: tuple[Counting, Counting], broken: tuple[str, ...]
) -> None:
    first, _ = two
    first.at = {name: HemashiftError(f"no light for {name}") for name in broken}
    run_studies(["datasets"], work)
    records = run_studies(["targets"], again(work))
    assert {record.study for record in records} == {"targets"}
    page = (work.folder / PAGE).read_text()
    assert "1. Counting" in page and "2. Other" in page
    assert all(f"no light for {name}" in page for name in broken)
    parts = json.loads((work.folder / "run.json").read_text())["parts"]
    assert [part["study"] for part in parts] == ["datasets"] * 3 + ["targets"] * 3
    assert [part["part"] for part in parts if part["error"]] == list(broken)

    first.at = {}
    run_studies(["datasets"], again(work))
    run_studies(["targets"], again(work))
    assert "no light" not in (work.folder / PAGE).read_text()
    parts = json.loads((work.folder / "run.json").read_text())["parts"]
    assert len(parts) == 6 and not any(part["error"] for part in parts)


def test_what_failed_with_other_settings_is_not_shown(
    work: Workspace, again: Again, two: tuple[Counting, Counting]
) -> None:
    two[0].at = {"two": HemashiftError("no such light")}
    run_studies(["datasets"], work)
    run_studies(["targets"], again(work, seed=1))
    assert "no such light" not in (work.folder / PAGE).read_text()
    parts = json.loads((work.folder / "run.json").read_text())["parts"]
    assert {part["study"] for part in parts} == {"targets"}


def test_without_any_dataset_it_says_where_to_look(settings: Settings, tmp_path: Path) -> None:
    nothing = settings.model_copy(update={"sources": (), "targets": ("raabin",)})
    with pytest.raises(DatasetError, match="no dataset") as caught:
        run_studies(["datasets"], Workspace(tmp_path / "out", nothing, tmp_path))
    assert "--data-root" in str(caught.value)
    assert not (tmp_path / "out" / PAGE).exists()
