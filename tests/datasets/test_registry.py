from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.datasets import available, find_data_root, get, load, open_table, published
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


@pytest.mark.parametrize(
    ("image", "name", "place"),
    [
        ("PBC_224/PBC_224/basophil/BA_1.jpg", "barcelona", "PBC_224/PBC_224"),
        ("PKG/AML/AML-Cytomorphology_LMU/NGS/NGS_0001.tiff", "munich_2019", None),
        ("PKG/BM_cytomorphology_data/NGS/0001-1000/NGS_00001.jpg", "munich_2021", None),
    ],
)
def test_a_dataset_in_its_wrappings(
    tmp_path: Path, draw, image: str, name: str, place: str | None
) -> None:
    draw(image)
    table, reader = open_table(tmp_path)
    assert reader.name == name
    assert place is None or table.root == tmp_path / place
    assert get(name).find(tmp_path) == table.root


@pytest.mark.parametrize(
    "images",
    [
        ["monocyte/MO_12.jpg", "blast/BL_12.jpg"],
        ["NGS/NGS_0001.jpg", "UNK/UNK_0001.jpg"],
        ["NGS/NGS_00001.jpg", "UNK/UNK_00001.jpg"],
        ["Basophil/BloodImage_00008_1.jpg", "Blast/BloodImage_00009_1.jpg"],
        [f"{patient}/1.jpg" for patient in range(1, 11)],
    ],
)
def test_own_folders_that_look_published_keep_all_their_classes(
    tmp_path: Path, draw, images: list[str]
) -> None:
    for image in images:
        draw(image)
    table, reader = open_table(tmp_path)
    assert reader.name == "imagefolder"
    assert set(table.frame["label"]) == {image.split("/")[0] for image in images}


def test_a_folder_of_datasets_is_none(tmp_path: Path, draw) -> None:
    draw("dataset2-master/dataset2-master/images/TRAIN/EOSINOPHIL/_0_1.jpeg")
    draw("dataset-master/dataset-master/JPEGImages/BloodImage_00000.jpg")
    with pytest.raises(DatasetError, match="is no dataset, but holds some") as caught:
        open_table(tmp_path)
    assert "BCCD, augmented" in str(caught.value.found)
