"""Teaching more than the six classes: the ten maturation stages of Jin Woo Choi, end to end."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemashift.adaptation import adapt
from hemashift.classification import classify
from hemashift.datasets.jin_woo_choi import ARCHIVE, STAGES
from hemashift.model.bundle import Bundle, default_model, shipped_models
from hemashift.taxonomy import Taxonomy

_LABELLED, _CLASSIFIED = 5, 2


@pytest.mark.skipif(not shipped_models(), reason="no shipped model in this checkout")
def test_ten_stages_are_taught_and_roll_up_to_the_six(real_data: Path, tmp_path: Path) -> None:
    images, others, rows = tmp_path / "labelled", tmp_path / "others", []
    with zipfile.ZipFile(real_data / "jin_woo_choi" / ARCHIVE) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for number, stage in enumerate(STAGES):
            own = [name for name in names if name.startswith(f"{number}/")]
            for place, name in enumerate(own[: _LABELLED + _CLASSIFIED]):
                folder = images if place < _LABELLED else others
                path = folder / f"{number}-{place}.jpg"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(archive.read(name))
                if place < _LABELLED:
                    rows.append((path.name, stage))
    (tmp_path / "stages.json").write_text(json.dumps({"classes": STAGES}))
    adapted = adapt(
        images,
        pd.DataFrame(rows, columns=["path", "label"]),
        method="probe",
        taxonomy=Taxonomy.from_file(tmp_path / "stages.json"),
    )
    model = Bundle.load(adapted.bundle.save(tmp_path / "model"))
    assert model.card.classes == (*default_model().card.classes, *sorted(STAGES))
    assert {name for name, count in adapted.counts.items() if count} == set(STAGES)

    report = classify(others, model, tmp_path / "cells.jsonl", coverage=0.8, roll_up=True)
    found = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    assert report.n_images == len(found) == 10 * _CLASSIFIED
    meant = {
        "pronormoblast": None,
        "basophilic normoblast": "erythroblast",
        "polychromatic normoblast": "erythroblast",
        "orthochromatic normoblast": "erythroblast",
        "myeloblast": None,
        "promyelocyte": None,
        "myelocyte": None,
        "metamyelocyte": None,
        "band neutrophil": "neutrophil",
        "segmented neutrophil": "neutrophil",
    }
    said = {row["label"] for row in found}
    assert said <= set(STAGES) and len(said) > 3
    for row in found:
        assert row["main_class"] == meant[row["label"]]
        assert row["label"] in row["set"]
        assert np.isfinite(row["outside"])
    right = [row["label"] == STAGES[int(row["path"].split("-")[0])] for row in found]
    assert np.mean(right) > 0.25, "two and a half times as often as by chance"
