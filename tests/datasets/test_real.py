"""The readers on the real images, where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.datasets import get, load, open_table

COUNTS = {
    "barcelona": dict.fromkeys(get("barcelona").published_counts or {}, 900),
    "munich_2019": {
        "basophil": 8,
        "eosinophil": 8,
        "erythroblast": 8,
        "lymphocyte": 8,
        "monocyte": 8,
        "neutrophil": 264,
    },
    "jiangxi_tecom": get("jiangxi_tecom").published_counts,
    "jin_woo_choi": {"erythroblast": 150, "neutrophil": 100},
    "bccd": dict.fromkeys(("eosinophil", "lymphocyte", "monocyte", "neutrophil"), 400),
    "bccd_cropped": get("bccd_cropped").published_counts,
}
SIZES = {
    "barcelona": 5650,
    "munich_2019": 450,
    "jiangxi_tecom": 300,
    "jin_woo_choi": 627,
    "bccd": 1600,
    "bccd_cropped": 351,
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(real_data: Path, name: str) -> None:
    table = load(name, real_data)
    assert table.counts() == COUNTS[name]
    assert len(table) == SIZES[name]
    if name != "jin_woo_choi":
        assert all(path.is_file() for path in table.paths())
    assert open_table(real_data / name).reader.name == name


@pytest.mark.parametrize("name", COUNTS)
def test_no_group_is_on_both_sides(real_data: Path, name: str) -> None:
    first, second = load(name, real_data).split(0.6, seed=1)
    assert not set(first.frame["group"]) & set(second.frame["group"])
    assert len(first) and len(second)


def test_barcelona_cells_outside(real_data: Path) -> None:
    table = load("barcelona", real_data)
    outside = table.frame[table.frame["class"].isna()]
    folders = outside["path"].str.split("/").str[0].value_counts().to_dict()
    assert folders == {"ig": 150, "platelet": 100}


def test_bccd_parts(real_data: Path) -> None:
    subsets = load("bccd", real_data).frame["subset"].value_counts().to_dict()
    assert subsets == {"TEST": 1000, "TRAIN": 600}
