"""Running studies: what is finished is found, the rest is computed, everything is drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from hemashift.errors import DatasetError, HemashiftError
from hemashift.lock import only_one
from hemashift.reports.study_page import Chapter, write_study_page
from hemashift.studies.contract import Part, Result, Results, Study
from hemashift.studies.data import dataset_names
from hemashift.studies.output import former_record, page_facts, write_drawn, write_record
from hemashift.studies.registry import STUDIES, get_study
from hemashift.studies.store import Stored
from hemashift.studies.workspace import Workspace

PAGE = "studies.html"


@dataclass(frozen=True)
class PartRecord:
    """What became of a part.

    Attributes:
        study: Name of the study.
        part: Name of the part.
        key: Hash of all that it depends on, under which it is kept; empty if it was not named.
        seconds: Time that it took when it was made.
        fresh: Whether it was made in this run, and not found.
        error: Why it could not be made; empty if it was.
    """

    study: str
    part: str
    key: str = ""
    seconds: float = 0.0
    fresh: bool = False
    error: str = ""


class Listener(Protocol):
    """Who is told how a run goes on."""

    def begins(self, study: str, part: str, number: int, count: int) -> None:
        """Hear that a part is looked for, the `number`-th (from 1) of `count` of its study."""

    def ends(self, record: PartRecord) -> None:
        """Hear what became of it."""


class _Nobody:
    """A listener that hears nothing."""

    def begins(self, study: str, part: str, number: int, count: int) -> None:
        """Hear nothing."""

    def ends(self, record: PartRecord) -> None:
        """Hear nothing."""


def run_studies(
    names: Sequence[str],
    work: Workspace,
    *,
    preset: str = "",
    listener: Listener | None = None,
) -> list[PartRecord]:
    """Run studies, and write their tables, figures, the page and the record of the run.

    A part that cannot be computed does not stop the others. The page shows all studies that have
    been run in the folder with these settings, also those that are not among `names`.

    Args:
        names: Names of the studies.
        work: Settings, datasets, models and store; its folder is written to.
        preset: Name of the preset, for the page and the record.
        listener: Who is told how it goes on.

    Returns:
        What became of each part.

    Raises:
        HemashiftError: A name is unknown, no dataset is here, or another run is at work in the
            folder.
    """
    studies = {name: get_study(name) for name in names}
    if not work.everything():
        raise DatasetError(
            "no dataset is here",
            expected=", ".join(dataset_names(work.settings)),
            hint="name the folder that your datasets lie in with --data-root or HEMASHIFT_DATA, or "
            "give a dataset of your own in a settings file",
        )
    with only_one(work.folder / "running.lock"):
        return _run(studies, work, preset, listener or _Nobody())


def _run(
    studies: dict[str, Study], work: Workspace, preset: str, listener: Listener
) -> list[PartRecord]:
    """Run studies in a folder that no other run writes to."""
    started, clock = datetime.now(UTC), time.perf_counter()
    chapters: dict[str, Chapter] = {}
    records: list[PartRecord] = []
    former = [one for one in _former_records(work) if one.study not in studies]
    for name in STUDIES:
        if name not in studies:
            own = [one for one in former if one.study == name]
            if own or (work.folder / name).is_dir():
                chapters |= _shown(get_study(name), work, own)
    for name, study in studies.items():
        results, done = _computed(study, work, listener)
        records += done
        chapters[name] = _chapter(study, results, work, [one for one in done if one.error])
        _write(chapters, work, preset)
        facts = {"started": started.isoformat(timespec="seconds"), "preset": preset}
        write_record(
            work, {**facts, "seconds": round(time.perf_counter() - clock, 1)}, [*former, *records]
        )
    return records


def facts_of(study: Study, part: Part) -> dict[str, Any]:
    """Return all that the result of a part depends on."""
    own = {"study": study.name, "study_version": study.version, "part": part.name}
    return {**own, **part.facts}


def _computed(
    study: Study, work: Workspace, listener: Listener
) -> tuple[dict[str, Result], list[PartRecord]]:
    """Return the results of the parts that could be made, and what became of each."""
    records: list[PartRecord] = []
    results: dict[str, Result] = {}
    try:
        parts = list(study.parts(work))
    except HemashiftError as error:
        record = PartRecord(study.name, "preparation", error=str(error))
        listener.ends(record)
        return {}, [record]
    for number, part in enumerate(parts, start=1):
        listener.begins(study.name, part.name, number, len(parts))
        try:
            stored = work.store.result(facts_of(study, part), part.make)
        except HemashiftError as error:
            record = PartRecord(study.name, part.name, error=str(error))
        else:
            results[part.name] = stored.result
            record = _record(study, part, stored)
        records.append(record)
        listener.ends(record)
    return results, records


def _record(study: Study, part: Part, stored: Stored) -> PartRecord:
    return PartRecord(study.name, part.name, stored.key, round(stored.seconds, 2), stored.fresh)


def _former_records(work: Workspace) -> list[PartRecord]:
    """Return what became of the parts of former runs in this folder with these settings."""
    try:
        return [PartRecord(**one) for one in former_record(work).get("parts", ())]
    except TypeError:  # written by another version of hemashift
        return []


def _shown(study: Study, work: Workspace, former: Sequence[PartRecord]) -> dict[str, Chapter]:
    """Return the chapter of a study that was not asked for, from what became of its parts."""
    try:
        parts = list(study.parts(work))
        kept = {part.name: work.store.find(facts_of(study, part)) for part in parts}
    except HemashiftError as error:
        failed = [PartRecord(study.name, "preparation", error=str(error))] if former else []
        return {study.name: _chapter(study, {}, work, failed)} if failed else {}
    results = {name: one.result for name, one in kept.items() if one is not None}
    failed = [one for one in former if one.error and one.part in kept and one.part not in results]
    return {study.name: _chapter(study, results, work, failed)} if results or failed else {}


def _chapter(
    study: Study, results: dict[str, Result], work: Workspace, failed: Sequence[PartRecord]
) -> Chapter:
    found = Results(results)
    drawn = study.draw(found, work)
    sections = write_drawn(work.folder / study.name, found, drawn)
    failures = [f"{one.part}: {one.error}" for one in failed]
    return Chapter(study.title, study.about, sections, found.notes, failures)


def _write(chapters: dict[str, Chapter], work: Workspace, preset: str) -> None:
    absent = work.absent()
    remarks = (
        [f"Datasets that are not here, and were passed over: {', '.join(absent)}."]
        if absent
        else []
    )
    write_study_page(
        work.folder / PAGE,
        [chapters[name] for name in STUDIES if name in chapters],
        subtitle=f"Preset {preset}" if preset else "",
        remarks=remarks,
        facts=page_facts(work),
        made=datetime.now(),
    )
