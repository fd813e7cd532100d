"""Numbers are taken in the space and not on its map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from hemashift.cells import Cell, CellTable
from hemashift.studies.pictures.measures import numbers_of, overview, points_of
from hemashift.studies.pictures.spaces import Space

CLASSES = np.array(["monocyte"] * 24 + ["neutrophil"] * 24)
DATASETS = np.array((["ours"] * 12 + ["theirs"] * 12) * 2)


def space(class_gap: float, domain_gap: float) -> Space:
    """Two classes and two datasets, apart along different directions."""
    vectors = np.random.default_rng(0).normal(size=(48, 6)).astype(np.float32)
    vectors[:, 0] += class_gap * (CLASSES == "neutrophil")
    vectors[:, 1] += domain_gap * (DATASETS == "theirs")
    cells = [Cell(f"{row}.png", cell_class=str(name)) for row, name in enumerate(CLASSES)]
    table = CellTable.from_cells(cells, ".", "ours")
    return Space("Test", vectors, CellTable(table.frame.assign(dataset=DATASETS)))


def measured(one: Space) -> pd.DataFrame:
    return numbers_of(one, points_of(one, ["tsne"], 0, 30.0), 0)


def mean(numbers: pd.DataFrame, measure: str) -> float:
    return float(numbers[numbers["measure"] == measure]["value"].mean())


def test_points_are_tidy() -> None:
    points = points_of(space(5, 0), ["tsne"], 0, 30.0)
    assert list(points.columns) == ["map", "kind", "dataset", "class", "x", "y"]
    assert len(points) == 48
    assert points[["x", "y"]].notna().all(axis=None)


def test_silhouettes_are_those_of_the_space() -> None:
    one = space(5, 0)
    names = one.cells.frame["class"].to_numpy()
    expected = silhouette_samples(one.vectors.astype(np.float64), names)
    numbers = measured(one)
    found = numbers[numbers["measure"] == "silhouette"].set_index("class")["value"]
    for name in ("monocyte", "neutrophil"):
        assert found[name] == pytest.approx(expected[names == name].mean())


def test_classes_and_datasets_are_told_apart_independently() -> None:
    classes, datasets = measured(space(20, 0)), measured(space(0, 20))
    assert mean(classes, "purity") > 0.99
    assert mean(classes, "domain_purity") < 0.7
    assert mean(datasets, "domain_auc") == mean(datasets, "domain_purity") == 1
    assert mean(datasets, "purity") < 0.7
    pairs = datasets[datasets["measure"] == "domain_auc"]
    assert pairs[["class", "first", "second", "cells"]].values.tolist() == [
        ["monocyte", "ours", "theirs", 24],
        ["neutrophil", "ours", "theirs", 24],
    ]


def test_one_dataset_has_no_domains() -> None:
    one = space(5, 0)
    own = np.flatnonzero(one.cells.frame["dataset"] == "ours")
    alone = Space("Alone", one.vectors[own], one.cells.select(own))
    assert "domain_auc" not in set(measured(alone)["measure"])


def test_the_overview_leaves_out_thin_classes() -> None:
    rows = [
        ("images", "Before", "purity", "monocyte", 30, 0.8),
        ("images", "Before", "purity", "neutrophil", 30, 0.6),
        ("images", "Before", "purity", "basophil", 1, 0.0),
    ]
    numbers = pd.DataFrame(rows, columns=["figure", "map", "measure", "class", "cells", "value"])
    (found,) = overview(numbers).to_dict("records")
    assert found == {"figure": "images", "map": "Before", "purity": pytest.approx(0.7)}
