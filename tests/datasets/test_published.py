"""Every published dataset on a small tree in exactly its published layout."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.cells import Box, CellTable
from hemashift.datasets import get, load, open_table, published, recognise
from hemashift.errors import DatasetError, ImageError
from hemashift.taxonomy import Taxonomy


def _by_path(table: CellTable, column: str) -> dict[str, object]:
    return dict(zip(table.frame["path"], table.frame[column], strict=True))


def test_barcelona(tmp_path: Path, draw) -> None:
    root = "PBC_dataset_normal_DIB"
    for name in (
        "basophil/BA_1.jpg",
        "neutrophil/BNE_2.jpg",
        "neutrophil/SNE_3.jpg",
        "neutrophil/NEUTROPHIL_4.jpg",
        "erythroblast/ERB_5.jpg",
        "ig/MMY_6.jpg",
        "ig/IG_7.jpg",
        "platelet/PLATELET_8.jpg",
    ):
        draw(f"{root}/{name}")
    (tmp_path / root / "basophil" / ".DS_Store").write_bytes(b"x")
    table = load("barcelona", tmp_path)
    assert table.root == tmp_path / root
    assert table.counts() == {"basophil": 1, "erythroblast": 1, "neutrophil": 3}
    labels = _by_path(table, "label")
    assert labels["neutrophil/BNE_2.jpg"] == "BNE"
    assert labels["neutrophil/NEUTROPHIL_4.jpg"] == "neutrophil"
    # ERB is any erythroblast here, though the glossary means the basophilic one by it.
    assert labels["erythroblast/ERB_5.jpg"] == "erythroblast"
    assert table.frame["group"].is_unique


def test_munich_2019_takes_the_tiff_where_a_copy_lies_beside(tmp_path: Path, draw) -> None:
    root = "AML-Cytomorphology_LMU"
    for name in (
        "NGS/NGS_0001.tiff",
        "NGS/NGS_0001.jpg",
        "NGS/NGS_0002.png",
        "NGB/NGB_0001.tiff",
        "LYA/LYA_0001.tiff",
        "MOB/MOB_0001.tiff",
        "EBO/EBO_0001.tiff",
    ):
        draw(f"{root}/{name}")
    (tmp_path / root / "annotations.dat").write_text("x")
    table = load("munich_2019", tmp_path)
    assert table.counts() == {"erythroblast": 1, "neutrophil": 3}
    assert sorted(p for p in table.frame["path"] if "NGS" in p) == [
        "NGS/NGS_0001.tiff",
        "NGS/NGS_0002.png",
    ]
    assert get("munich_2021").find(tmp_path) is None


@pytest.mark.parametrize("block", ["0001-1000/", ""])
def test_munich_2021(tmp_path: Path, draw, block: str) -> None:
    for code in ("BAS", "ABE", "LYI", "LYT", "NGB", "PEB"):
        draw(f"BM_cytomorphology_data/{code}/{block}{code}_00001.jpg")
    table = load("munich_2021", tmp_path)
    assert table.counts() == {"basophil": 1, "lymphocyte": 1, "neutrophil": 1}
    assert len(table) == 6
    assert get("munich_2019").find(tmp_path) is None


def test_raabin_groups_by_smear(tmp_path: Path, draw) -> None:
    for name in (
        "Train/Neutrophil/20190527_1_1.jpg",
        "Train/Neutrophil/20190527_1_2.jpg",
        "Train/Basophil/20190527_2_1.jpg",
        "TestA/Monocyte/95-5-13-1_7_1.jpg",
        "TestB/Neutrophil/lab3_smear_1_1.jpg",
    ):
        draw(name)
    table = load("raabin", tmp_path)
    assert table.counts() == {"basophil": 1, "monocyte": 1, "neutrophil": 3}
    assert set(table.frame["group"]) == {
        "raabin/20190527",
        "raabin/95-5-13-1",
        "raabin/lab3_smear",
    }
    assert table.frame["subset"].tolist() == ["Train"] * 3 + ["TestA", "TestB"]


@pytest.mark.parametrize(
    ("image", "group"),
    [
        ("TestA/TestA/Basophil/20190526_162951_0.jpg", "raabin/20190526"),
        ("Train/Train/Monocyte/95-5-13-1_7_1.jpg", "raabin/95-5-13-1"),
        ("Train/Monocyte/95-5-13-1_7_1.jpg", "raabin/95-5-13-1"),
    ],
)
def test_raabin_in_part(tmp_path: Path, draw, image: str, group: str) -> None:
    draw(image)
    table, reader = open_table(tmp_path)
    assert reader.name == "raabin"
    assert table.frame["group"].tolist() == [group]
    assert table.frame["subset"].tolist() == [image.split("/", maxsplit=1)[0]]


def _lisc(tmp_path: Path, draw, masks: bool = True) -> Path:
    root = tmp_path / "LISC Database"
    for name in ("Baso/1", "eosi/2", "mixt/1"):
        draw(f"LISC Database/Main Dataset/{name}.bmp", (720, 576))
    mask = np.zeros((576, 720), dtype=np.uint8)
    mask[100:140, 200:260] = 128
    mask[110:130, 220:240] = 255
    mask[500, 10] = 255  # a speck
    for name in ("Baso/areaforexpert1/1_expert", "eosi/areaforexpert1/2_expert"):
        path = root / "Ground Truth Segmentation" / f"{name}.bmp"
        path.parent.mkdir(parents=True)
        if masks:
            Image.fromarray(mask).save(path)
    return root


def test_lisc_takes_the_window_around_the_mask(tmp_path: Path, draw) -> None:
    root = _lisc(tmp_path, draw)
    table = load("lisc", tmp_path)
    assert table.root == root
    assert table.counts() == {"basophil": 1, "eosinophil": 1}
    boxes = dict(zip(table.frame["path"], table.boxes(), strict=True))
    assert boxes["Main Dataset/Baso/1.bmp"] == Box(105, -5, 355, 245)
    assert boxes["Main Dataset/mixt/1.bmp"] is None
    assert _by_path(table, "group")["Main Dataset/Baso/1.bmp"] == "lisc/Baso/1"


def test_lisc_masks_lack_a_border(tmp_path: Path, draw) -> None:
    root = _lisc(tmp_path, draw)
    path = root / "Ground Truth Segmentation" / "Baso" / "areaforexpert1" / "1_expert.bmp"
    with Image.open(path) as mask:
        mask.crop((4, 4, 716, 572)).save(path)
    boxes = load("lisc", tmp_path).boxes()
    assert boxes[0] == Box(105, -5, 355, 245)


def test_lisc_says_which_mask_is_missing(tmp_path: Path, draw) -> None:
    root = _lisc(tmp_path, draw, masks=False)
    with pytest.raises(DatasetError, match="no expert mask") as caught:
        load("lisc", tmp_path)
    assert "1_expert.bmp" in str(caught.value.expected)
    empty = root / "Ground Truth Segmentation" / "Baso" / "areaforexpert1" / "1_expert.bmp"
    Image.new("L", (720, 576)).save(empty)
    with pytest.raises(DatasetError, match="mask is empty"):
        load("lisc", tmp_path)
    empty.write_bytes(b"BM")
    with pytest.raises(ImageError, match="damaged"):
        load("lisc", tmp_path)
    empty.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    with pytest.raises(ImageError, match="accepted format") as caught_image:
        load("lisc", tmp_path)
    assert "1_expert.bmp" in str(caught_image.value.where)
    (root / "Main Dataset").rename(root / "Main")
    with pytest.raises(DatasetError, match="no folder 'Main Dataset'"):
        load("lisc", tmp_path)


def test_jslh(tmp_path: Path, draw) -> None:
    for kind in (
        "segmented neutrophil",
        "band neutrophil",
        "basophilic erythroblast",
        "polychromatic erythroblast",
        "orthochromatic erythroblast",
    ):
        draw(f"jslh/{kind}/1.png")
    table = load("jslh", tmp_path)
    assert table.counts() == {"erythroblast": 3, "neutrophil": 2}
    draw("jslh/lymphocyte/1.png")
    assert get("jslh").find(tmp_path) is None


def _choi(draw) -> None:
    for stage in range(10):
        for number in (2, 10):
            draw(f"jin_woo_choi/{stage}/{number}.jpg")


def test_jin_woo_choi_unpacked(tmp_path: Path, draw) -> None:
    _choi(draw)
    table = load("jin_woo_choi", tmp_path)
    assert table.counts() == {"erythroblast": 6, "neutrophil": 4}
    assert table.frame["path"].tolist()[:2] == ["0/2.jpg", "0/10.jpg"]
    assert _by_path(table, "label")["8/2.jpg"] == "band neutrophil"


def test_jin_woo_choi_from_the_zip(tmp_path: Path, draw) -> None:
    _choi(draw)
    archive = tmp_path / "zipped" / "data_WBC_torch.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as writer:
        for image in sorted((tmp_path / "jin_woo_choi").rglob("*.jpg")):
            writer.write(image, f"{image.parent.name}/{image.name}")
        writer.writestr("wbc_plosone/.git/hooks/pre-commit.sample", "#!/bin/sh")
        writer.writestr("../9/evil.jpg", "x")
    for place in (archive.parent, archive):
        table = load("jin_woo_choi", place)
        assert table.counts() == {"erythroblast": 6, "neutrophil": 4}
        assert table.frame["path"].tolist()[2] == "data_WBC_torch.zip!/1/2.jpg"
        assert table.root == archive.parent
    whole = archive.read_bytes()
    entry = whole.index(b"PK\x01\x02")
    strange = {
        "a version of zip to come": (entry + 6, b"\xff"),
        "a name that is not UTF-8, though it says so": (entry + 46, b"\xff"),
    }
    for place, byte in strange.values():
        content = bytearray(whole)
        content[entry + 9] |= 8  # names are UTF-8
        content[place : place + 1] = byte
        archive.write_bytes(content)
        with pytest.raises(DatasetError, match="zip cannot be read"):
            load("jin_woo_choi", archive)
    archive.write_bytes(b"PK damaged")
    with pytest.raises(DatasetError, match="zip cannot be read"):
        load("jin_woo_choi", archive.parent)
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("readme.txt", "no image")
    for place in (archive.parent, archive):
        with pytest.raises(DatasetError, match="holds no image"):
            load("jin_woo_choi", place)


@pytest.mark.parametrize(("name", "number"), [("jiangxi_tecom", 1), ("cellavision_blog", 2)])
def test_zheng(tmp_path: Path, draw, name: str, number: int) -> None:
    for image in range(1, 6):
        draw(f"Dataset {number}/{image:03d}.bmp")
        draw(f"Dataset {number}/{image:03d}.png")  # the mask
    labels = tmp_path / f"Class Labels of Dataset {number}.csv"
    labels.write_bytes(b"image ID,class label\r\n1,1\r\n2,2\r\n3,3\r\n4,4\r\n5,5\r\n")
    table = load(name, tmp_path)
    assert table.frame["class"].tolist() == [
        "neutrophil",
        "lymphocyte",
        "monocyte",
        "eosinophil",
        "basophil",
    ]
    assert table.frame["path"].tolist()[0] == f"Dataset {number}/001.bmp"

    table, reader = open_table(tmp_path / f"Dataset {number}")
    assert (reader.name, len(table)) == (name, 5)

    labels.write_text("image ID,class label\n1,6\n")
    with pytest.raises(DatasetError, match="not understood") as caught:
        load(name, tmp_path)
    assert "line 2" in str(caught.value.where)
    labels.write_text("image ID,class label\n77,1\n")
    with pytest.raises(DatasetError, match="image of the labels is missing") as caught:
        load(name, tmp_path)
    assert "077.bmp" in str(caught.value.expected)
    labels.write_bytes("image ID,class label\n1,1 é\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="labels cannot be read") as caught:
        load(name, tmp_path)
    assert labels.name in str(caught.value.where)
    labels.unlink()
    with pytest.raises(DatasetError, match="labels are missing"):
        load(name, tmp_path)


@pytest.mark.parametrize("nested", ["", "dataset2-master/"])
def test_bccd_never_mixes_train_and_test(tmp_path: Path, draw, nested: str) -> None:
    root = f"bccd/{nested}dataset2-master/images"
    for part in ("TRAIN", "TEST", "TEST_SIMPLE"):
        for kind in ("EOSINOPHIL", "NEUTROPHIL"):
            for i in range(4):
                draw(f"{root}/{part}/{kind}/_{i}_{i}12.jpeg")
    table = load("bccd", tmp_path)
    assert table.counts() == {"eosinophil": 12, "neutrophil": 12}
    first, second = table.split(0.4, seed=0)
    train = [set(t.frame["subset"]) for t in (first, second)]
    assert {"TRAIN"} in train
    assert {"TEST", "TEST_SIMPLE"} in train


def test_bccd_cropped_groups_by_original(tmp_path: Path, draw) -> None:
    draw("Basophil/BloodImage_00008_1.jpg")
    draw("Neutrophil/BloodImage_00010_1.jpg")
    draw("Neutrophil/BloodImage_00010_2.jpg")
    table = load("bccd_cropped", tmp_path)
    assert table.counts() == {"basophil": 1, "neutrophil": 2}
    assert table.frame["group"].tolist() == ["BloodImage_00008", *["BloodImage_00010"] * 2]


def _voc(number: int, *names: str) -> str:
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{1 + i}</xmin><ymin>2</ymin>"
        f"<xmax>{9 + i}</xmax><ymax>8</ymax></bndbox></object>"
        for i, name in enumerate(names)
    )
    return f"<annotation><filename>BloodImage_{number:05d}.jpg</filename>{objects}</annotation>"


def test_bccd_voc_labels_only_the_boxes_that_are_sure(tmp_path: Path, draw) -> None:
    fields = {
        0: ("RBC", "WBC"),
        1: ("WBC", "WBC"),
        2: ("WBC", "WBC"),
        3: ("WBC",),
        4: ("WBC", "WBC"),
    }
    for number, names in fields.items():
        draw(f"dataset-master/JPEGImages/BloodImage_{number:05d}.jpg")
        xml = tmp_path / f"dataset-master/Annotations/BloodImage_{number:05d}.xml"
        xml.parent.mkdir(exist_ok=True)
        xml.write_text(_voc(number, *names))
    with pytest.raises(DatasetError, match="labels are missing"):
        load("bccd_voc", tmp_path)
    (tmp_path / "dataset-master" / "labels.csv").write_bytes(b"Image,Category\n0,\xe9\n")
    with pytest.raises(DatasetError, match="labels cannot be read") as caught:
        load("bccd_voc", tmp_path)
    assert "labels.csv" in str(caught.value.where)
    (tmp_path / "dataset-master" / "labels.csv").write_text(
        ',Image,Category\n0,0,NEUTROPHIL\n1,1,"LYMPHOCYTE, NEUTROPHIL"\n2,2,MONOCYTE\n3,3,\n'
        '4,4,"EOSINOPHIL, EOSINOPHIL"\n'
    )
    table = load("bccd_voc", tmp_path)
    assert table.counts() == {"eosinophil": 2, "neutrophil": 1}
    rows = table.frame.set_index("group")["label"]
    assert rows["BloodImage_00001"].tolist() == ["WBC"] * 2
    assert rows["BloodImage_00002"].tolist() == ["WBC"] * 2
    assert rows["BloodImage_00003"] == "WBC"
    assert table.boxes()[0] == Box(1, 1, 10, 8)


def test_tianjin_takes_a_window_around_the_box(tmp_path: Path, draw) -> None:
    draw("Tianjin/images/f1.jpg", (600, 600))
    (tmp_path / "Tianjin/labels").mkdir()
    (tmp_path / "Tianjin/labels/f1.txt").write_text("0 0.5 0.5 0.1 0.2\n4 0.1 0.9 0.1 0.1\n")
    (tmp_path / "Tianjin/classes.txt").write_text(
        "neutrophil\nlymphocyte\nmonocyte\neosinophil\nbasophil\n"
    )
    table = load("tianjin", tmp_path)
    assert table.counts() == {"basophil": 1, "neutrophil": 1}
    assert table.boxes() == [Box(175, 175, 425, 425), Box(-65, 415, 185, 665)]
    assert table.frame["group"].nunique() == 1


def test_ruijin_keeps_the_box_and_only_lymphocytes(tmp_path: Path, draw) -> None:
    draw("ruijin/JPEGImages/a.jpg")
    (tmp_path / "ruijin/Annotations").mkdir()
    xml = _voc(0, "lymphocyte", "lymphoma", "blast").replace("BloodImage_00000", "a")
    (tmp_path / "ruijin/Annotations/a.xml").write_text(xml)
    table = load("ruijin", tmp_path)
    assert table.counts() == {"lymphocyte": 1}
    assert table.boxes()[0] == Box(0, 1, 9, 8)


@pytest.mark.parametrize("name", published())
def test_an_empty_folder_is_an_error_with_the_layout(tmp_path: Path, name: str) -> None:
    reader = get(name)
    assert reader.find(tmp_path) is None
    with pytest.raises(DatasetError) as caught:
        load(name, tmp_path)
    assert caught.value.expected == reader.layout
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("name", published())
def test_every_reader_says_where_it_comes_from(name: str) -> None:
    reader = get(name)
    assert reader.title and reader.licence and reader.citation
    assert reader.url.startswith("http")
    assert reader.role in ("source", "target", "set aside")


def test_own_classes_reach_the_table(tmp_path: Path, draw) -> None:
    draw("neutrophil/SNE_1.jpg")
    draw("neutrophil/BNE_1.jpg")
    ours = tmp_path / "ours.toml"
    ours.write_text('classes = ["band neutrophil", "segmented neutrophil"]')
    table = load("barcelona", tmp_path, Taxonomy.from_file(ours))
    assert table.counts() == {"band neutrophil": 1, "segmented neutrophil": 1}


def test_a_published_dataset_is_recognised_for_a_path_of_ones_own(tmp_path: Path, draw) -> None:
    draw("unpacked/PBC_dataset_normal_DIB/basophil/BA_1.jpg")
    draw("unpacked/PBC_dataset_normal_DIB/monocyte/MO_1.jpg")
    table, reader = open_table(tmp_path / "unpacked")
    assert reader.name == "barcelona"
    assert len(table) == 2
    assert recognise(tmp_path / "unpacked" / "PBC_dataset_normal_DIB").name == "barcelona"
