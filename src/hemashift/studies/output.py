"""Writing what studies show: tables, figures, and the record of a run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from hemashift.files import atomic_write
from hemashift.model.runtime import available_threads
from hemashift.model.versions import versions
from hemashift.reports.sections import Pictures, Plate, Section
from hemashift.reports.style import save_bytes
from hemashift.studies.contract import Drawn, Illustration, Results
from hemashift.studies.workspace import Workspace

if TYPE_CHECKING:
    from hemashift.studies.running import PartRecord

RECORD = "run.json"


def write_drawn(folder: Path, results: Results, drawn: Drawn) -> list[Section]:
    """Write the tables of a study as CSV and Parquet, and its figures as PNG and SVG.

    Args:
        folder: Folder of the study.
        results: Tables of its parts.
        drawn: Its figures and summaries.

    Returns:
        The parts of the page. Figures have become the SVG that was written: the page is written
        after each study, and need not render those of the studies before it again.
    """
    tables = {name: results.table(name) for name in results.names}
    for name, table in {**tables, **drawn.tables}.items():
        _write_table(table, folder / name)
    return [
        replace(section, items=[_written(item, folder) for item in section.items])
        if isinstance(section, Pictures)
        else section
        for section in drawn.sections
    ]


def _write_table(table: pd.DataFrame, path: Path) -> None:
    with atomic_write(path.with_suffix(".csv")) as aside:
        table.to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")
    with atomic_write(path.with_suffix(".parquet")) as aside:
        table.to_parquet(aside, index=False)


def _written(plate: Plate, folder: Path) -> Plate:
    """Write a figure that has a name, and return it as the page shows it."""
    if not isinstance(plate, Illustration):
        return plate
    picture, path = plate.picture, folder / plate.name
    if isinstance(picture, bytes):
        _write_bytes(picture, path.with_suffix(".png"))
    elif isinstance(picture, Figure):
        _write_bytes(save_bytes(picture, "png"), path.with_suffix(".png"))
        drawn = save_bytes(picture, "svg")
        _write_bytes(drawn, path.with_suffix(".svg"))
        return replace(plate, picture=drawn)
    return plate


def _write_bytes(content: bytes, path: Path) -> None:
    with atomic_write(path) as aside:
        aside.write_bytes(content)


def write_record(work: Workspace, facts: Mapping[str, Any], parts: Sequence[PartRecord]) -> None:
    """Write what a run depended on and what became of its parts, as JSON.

    Args:
        work: The workspace.
        facts: Further facts, such as when it started.
        parts: What became of each part.
    """
    document = {
        **facts,
        "settings": work.settings.model_dump(mode="json"),
        "versions": versions(),
        "computer": computer(),
        "datasets": {
            one.name: {
                "fingerprint": one.fingerprint,
                "cells": len(one.cells),
                "classes": one.cells.counts(),
            }
            for one in (*work.sources(), *work.targets())
        },
        "absent": list(work.absent()),
        "models": work.models_used(),
        "parts": [asdict(part) for part in parts],
    }
    with atomic_write(work.folder / RECORD) as aside:
        text = json.dumps(document, indent=1, ensure_ascii=False)
        aside.write_text(text + "\n", encoding="utf-8")


def former_record(work: Workspace) -> dict[str, Any]:
    """Return what `write_record` wrote in this folder with these settings; empty if nothing.

    Args:
        work: The workspace.
    """
    try:
        document = json.loads((work.folder / RECORD).read_text(encoding="utf-8"))
        same = document["settings"] == work.settings.model_dump(mode="json")
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return document if same else {}


def computer() -> dict[str, str | int]:
    """Return what timings depend on: processor, threads, system."""
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": available_threads(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(),
    }


def page_facts(work: Workspace) -> list[tuple[str, str]]:
    """Return what a reader of the page should know of how it was made."""
    settings = work.settings
    datasets = [
        f"{one.name} ({len(one.cells):,} cells, {one.fingerprint[:8]})"
        for one in (*work.sources(), *work.targets())
    ]
    return [
        ("Seed", str(settings.seed)),
        ("Draws of labels", f"{settings.draws}, {settings.labelling}"),
        ("Datasets", ", ".join(datasets)),
        ("Models", ", ".join(f"{name} ({one[:8]})" for name, one in work.models_used().items())),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        ("Computer", ", ".join(f"{name} {value}" for name, value in computer().items())),
    ]
