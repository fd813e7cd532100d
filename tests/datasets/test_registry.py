from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.datasets import available, find_data_root, get, load, published
from hemashift.errors import DatasetError


def test_names() -> None:
    assert published() == (
        "barcelona",
        "munich_2019",
        "munich_2021",
        "raabin",
        "lisc",
        "jslh",
        "jin_woo_choi",
        "jiangxi_tecom",
        "cellavision_blog",
        "bccd",
        "bccd_voc",
        "bccd_cropped",
        "tianjin",
        "ruijin",
    )
    assert set(available()) - set(published()) == {"imagefolder", "csv", "yolo", "voc", "coco"}
    with pytest.raises(DatasetError, match="no dataset 'nope'") as caught:
        get("nope")
    assert "barcelona" in str(caught.value.expected)


def test_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEMASHIFT_DATA", str(tmp_path))
    assert find_data_root() == tmp_path
    monkeypatch.setenv("HEMASHIFT_DATA", str(tmp_path / "none"))
    with pytest.raises(DatasetError, match="names no folder"):
        find_data_root()
    monkeypatch.delenv("HEMASHIFT_DATA")
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert find_data_root() == tmp_path / "shared" / "data"


def test_load_takes_the_data_root(tmp_path: Path, draw, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("bccd_cropped/Basophil/BloodImage_00008_1.jpg")
    monkeypatch.setenv("HEMASHIFT_DATA", str(tmp_path))
    assert len(load("bccd_cropped")) == 1
