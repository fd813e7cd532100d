"""Real cells and the shipped model, from the folder to the signed report."""

from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path

import pytest

from hemashift.app import classifying, exporting, importing, signing
from hemashift.app.counting import draft
from hemashift.app.project import Project
from hemashift.app.reviewing import bins, cells, gallery, reclassify
from hemashift.model.bundle import shipped_models
from hemashift.taxonomy import default_taxonomy

from .conftest import event

TYPES = ("EOS", "LYT", "MON", "NGS")
EACH = 6


def test_from_the_folder_to_the_report(real_data: Path, tmp_path: Path) -> None:
    found = {one: sorted((real_data / "munich_2019").rglob(f"{one}/*"))[:EACH] for one in TYPES}
    if not all(found.values()) or not shipped_models():
        pytest.skip("no cells of Munich 2019 here, or no shipped model")
    (tmp_path / "smear").mkdir()
    for path in chain.from_iterable(found.values()):
        shutil.copy(path, tmp_path / "smear" / path.name)
    with Project.open(tmp_path / "smear") as project:
        importing.refresh(project)
        assert classifying.classify_project(project) == EACH * len(TYPES)
        views = cells(project, gallery(project))
        truth = {one: default_taxonomy().main_class(one) for one in TYPES}
        right = sum(view.predicted == truth[view.path[:3]] for view in views)
        assert right > 0.5 * len(views)
        doubtful = gallery(project, "unidentified")
        if doubtful:
            reclassify(project, reader="A", cells=doubtful, bin="lymphocyte", event=event())
        assert bins(project)["unidentified"] == 0
        signing.sign(project, by="A", token=draft(project).token, event=event())
        page = exporting.export(project, "html", tmp_path / "report.html", version=1)
        assert page.read_bytes().count(b"data:image/jpeg") == EACH * len(TYPES)
