"""The general formats: a folder a class, tables, YOLO, Pascal VOC, COCO."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import ExifTags, Image

from hemashift.cells import Box
from hemashift.datasets import load, open_table
from hemashift.datasets.voc import parse_xml
from hemashift.datasets.yolo import read_names
from hemashift.errors import DatasetError, ImageError, TableError
from hemashift.images import read_image


def test_imagefolder(tmp_path: Path, draw) -> None:
    for name in ("segs/1.png", "segs/slide 2/2.png", "lymphs/1.jpg", "junk/1.bmp", "loose.png"):
        draw(name)
    table, reader = open_table(tmp_path)
    assert reader.name == "imagefolder"
    assert table.counts() == {"lymphocyte": 1, "neutrophil": 2}
    labels = dict(zip(table.frame["path"], table.frame["label"], strict=True))
    assert labels["segs/slide 2/2.png"] == "segs"
    assert labels["loose.png"] is None
    assert set(table.frame["dataset"]) == {tmp_path.name}


@pytest.mark.parametrize(
    ("image", "label", "subset"),
    [
        ("dataset/Train/monocyte/1.png", "monocyte", "Train"),
        ("Train/Train/monocyte/1.png", "monocyte", "Train"),
        ("ours/2024/monocyte/1.png", "monocyte", None),
        ("ours/2024/monocyte/smear 1/1.png", "monocyte", None),
        ("monocyte/smear 1/1.png", "monocyte", None),
        ("smear 1/1.png", "smear 1", None),
    ],
)
def test_folders_that_wrap_the_classes(
    tmp_path: Path, draw, image: str, label: str, subset: str | None
) -> None:
    draw(image)
    table, reader = open_table(tmp_path)
    assert reader.name == "imagefolder"
    assert table.frame[["path", "label", "subset"]].to_numpy().tolist() == [[image, label, subset]]


def test_imagefolder_with_parts(tmp_path: Path, draw) -> None:
    draw("train/monocyte/1.png")
    draw("test/monocyte/1.png")
    table = load("imagefolder", tmp_path)
    assert table.counts() == {"monocyte": 2}
    assert sorted(table.frame["subset"]) == ["test", "train"]


def test_table_of_paths_and_labels(tmp_path: Path, draw) -> None:
    draw("images/a.png")
    draw("images/b.png")
    file = tmp_path / "cells.csv"
    file.write_text(
        "image,label,x_min,y_min,x_max,y_max,group\n"
        "images/a.png,segs,1,2,9,8,patient 1\n"
        "images/b.png,K7,,,,,patient 2\n"
    )
    for place in (file, tmp_path):
        table, reader = open_table(place)
        assert reader.name == "csv"
        assert table.boxes() == [Box(1, 2, 9, 8), None]
        assert table.frame["class"].tolist() == ["neutrophil", None]
        assert table.frame["group"].tolist() == ["patient 1", "patient 2"]
        assert all(path.is_file() for path in table.paths())


@pytest.mark.parametrize(
    "text",
    [
        "path;label\na.png;NGS\n",
        "\ufeffPath\tLabel\na.png\tNGS\n",
        "file_name,category\na.png,NGS\n",
        "Filename,class\na.png,NGS\n",
    ],
)
def test_a_table_as_others_write_it(tmp_path: Path, draw, text: str) -> None:
    draw("a.png")
    (tmp_path / "cells.csv").write_text(text, encoding="utf-8")
    table, reader = open_table(tmp_path)
    assert reader.name == "csv"
    assert table.frame[["label", "class"]].to_numpy().tolist() == [["NGS", "neutrophil"]]


def test_folders_named_like_a_place_in_an_archive(tmp_path: Path, draw) -> None:
    draw("new!/a.png")
    draw("old.zip!/b.png")
    (tmp_path / "cells.csv").write_text("path,label\nnew!/a.png,NGS\nold.zip!/b.png,LYT\n")
    table = load("csv", tmp_path)
    assert [read_image(path).shape for path in table.paths()] == [(10, 12, 3)] * 2


def test_parquet_table_with_numbers_as_labels(tmp_path: Path, draw) -> None:
    draw("a.png")
    file = tmp_path / "cells.parquet"
    pd.DataFrame({"path": ["a.png"], "label": [3], "class": ["monocyte"]}).to_parquet(file)
    table = load("csv", file)
    assert table.frame[["label", "class"]].to_numpy().tolist() == [["3", "monocyte"]]


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("image,label\na.png,x\nnone.png,y\n", "images of the table are missing", "row 2"),
        ("image,label\na.png,x\n,y\n", "no path", "row 2"),
        ("label\nx\n", "no column of paths", "cells.csv"),
        ("path,label,x_min\na.png,x,3\n", "part of the box columns", "cells.csv"),
        ("path,x_min,y_min,x_max,y_max\na.png,1,1,1,5\n", "box is empty", "row 1"),
        ("path,x_min,y_min,x_max,y_max\na.png,1,1,x,5\n", "not four whole", "row 1"),
        ("path,x_min,y_min,x_max,y_max\na.png,1,1,3e9,5\n", "not four whole", "row 1"),
        ("path,x_min,y_min,x_max,y_max\na.png,1,1,3000000000,5\n", "beyond any", "row 1"),
        ("path,label,class\na.png,x,zebra\n", "not one of the classes", "row 1"),
        ("path,Path\na.png,a.png\n", "two columns have the same name", "cells.csv"),
    ],
)
def test_mistakes_in_a_table(tmp_path: Path, draw, text: str, message: str, where: str) -> None:
    draw("a.png")
    file = tmp_path / "cells.csv"
    file.write_text(text)
    with pytest.raises((TableError, DatasetError), match=message) as caught:
        open_table(file)
    assert where in str(caught.value.where)


YAML = {
    "inline": "path: .\nnames: ['neutrophil', \"RBC\"]\n",
    "lines": "nc: 2\nnames:\n  - neutrophil\n  - RBC  # red\ntrain: images\n",
    "numbers": "names:\n  0: neutrophil\n  1: RBC\n",
    "braces": "names: {0: neutrophil, 1: RBC}\n",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_names_of_a_yolo_yaml(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert read_names(tmp_path / "data.yaml") == ["neutrophil", "RBC"]


@pytest.mark.parametrize("text", ["nc: 3\n", "names: []\n", "names: {0: a, 2: b}\n"])
def test_a_yaml_without_usable_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError, match="no class names"):
        read_names(tmp_path / "data.yaml")


@pytest.mark.parametrize(
    ("image", "labels", "subset"),
    [
        ("images/a.jpg", "labels/a.txt", None),
        ("images/train/a.jpg", "labels/train/a.txt", "train"),
        ("train/images/a.jpg", "train/labels/a.txt", "train"),
        ("a.jpg", "a.txt", None),
    ],
)
def test_yolo(tmp_path: Path, draw, image: str, labels: str, subset: str | None) -> None:
    draw(image, (200, 100))
    (tmp_path / "data.yaml").write_text(YAML["inline"])
    (tmp_path / labels).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / labels).write_text("0 0.5 0.5 0.2 0.4\n\n1 0.1 0.1 0.3 0.1 0.3 0.4 0.1 0.4\n")
    table, reader = open_table(tmp_path)
    assert reader.name == "yolo"
    assert table.boxes() == [Box(80, 30, 120, 70), Box(20, 10, 60, 40)]
    assert table.frame["class"].tolist() == ["neutrophil", None]
    assert table.frame["subset"].tolist() == [subset, subset]
    assert table.frame["group"].nunique() == 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_yolo_boxes_of_a_picture_that_lies_on_its_side(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (200, 100)).save(tmp_path / name, exif=exif)
    (tmp_path / "classes.txt").write_text("neutrophil\n")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    table = load("yolo", tmp_path)
    assert read_image(table.paths()[0]).shape == (200, 100, 3)
    assert table.boxes() == [Box(40, 60, 60, 140)]


def test_yolo_opens_no_image_of_another_format(tmp_path: Path) -> None:
    """Pillow knows the sizes of formats that it hands to other programs, such as PostScript."""
    Image.new("RGB", (200, 100)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    (tmp_path / "classes.txt").write_text("neutrophil\n")
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    with pytest.raises(ImageError, match="accepted format") as caught:
        load("yolo", tmp_path)
    assert "a.jpg" in str(caught.value.where)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5", "not understood"),
        ("x 0.5 0.5 0.1 0.1", "not understood"),
        ("2 0.5 0.5 0.1 0.1", "without a name"),
        ("0 0.5 0.5 0 0.1", "empty"),
        ("0 50 50 20 20", "fractions"),
        ("0 nan 0.5 0.1 0.1", "empty"),
    ],
)
def test_mistakes_in_yolo_labels(tmp_path: Path, draw, line: str, message: str) -> None:
    draw("a.jpg")
    (tmp_path / "classes.txt").write_text("neutrophil\nRBC\n")
    (tmp_path / "a.txt").write_text(f"0 0.5 0.5 0.2 0.4\n{line}\n")
    with pytest.raises(DatasetError, match=message) as caught:
        load("yolo", tmp_path)
    assert "a.txt, line 2" in str(caught.value.where)


def _xml(body: str, name: str = "a.jpg") -> str:
    return f"<annotation><filename>{name}</filename>{body}</annotation>"


BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>"
CELL = f"<object><name>Eosinophil</name>{BOX}</object>"


@pytest.mark.parametrize(
    ("image", "xml", "subset"),
    [
        ("JPEGImages/a.jpg", "Annotations/a.xml", None),
        ("images/train/a.jpg", "annotations/train/a.xml", "train"),
        ("a.png", "a.xml", None),
        ("train/a.jpg", "train/a.xml", "train"),
    ],
)
def test_voc(tmp_path: Path, draw, image: str, xml: str, subset: str | None) -> None:
    draw(image)
    (tmp_path / xml).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / xml).write_text(_xml(CELL))
    table, reader = open_table(tmp_path)
    assert reader.name == "voc"
    assert table.frame["path"].tolist() == [image]
    assert table.boxes() == [Box(0, 1, 9, 8)]
    assert table.frame["class"].tolist() == ["eosinophil"]
    assert table.frame["subset"].tolist() == [subset]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_xml(f"<object>{BOX}</object>"), "no name"),
        (_xml("<object><name>x</name></object>"), "four numbers"),
        (_xml(CELL.replace(">9<", ">nan<")), "four numbers"),
        (_xml(CELL.replace(">9<", ">0<")), "empty"),
        (_xml(CELL.replace(">9<", ">1e30<")), "beyond any image"),
        (_xml(CELL)[:-5], "no valid XML"),
        (_xml(CELL, "b.jpg"), "is missing"),
    ],
)
def test_mistakes_in_voc(tmp_path: Path, draw, text: str, message: str) -> None:
    draw("JPEGImages/a.jpg")
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "z.xml").write_text(text)
    with pytest.raises(DatasetError, match=message) as caught:
        load("voc", tmp_path)
    assert "z.xml" in str(caught.value.where)


BOMB = (
    '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<annotation><filename>&b;</filename></annotation>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_xml_with_a_document_type_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "bomb.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}'.encode(encoding))
    with pytest.raises(DatasetError, match="document type"):
        parse_xml(path)


def test_a_huge_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.xml"
    path.write_bytes(b"<annotation>" + b" " * 10_000_001 + b"</annotation>")
    with pytest.raises(DatasetError, match="too large"):
        parse_xml(path)


def test_fields_named_from_where_one_is(tmp_path: Path, draw, monkeypatch) -> None:
    draw("set/JPEGImages/a.jpg")
    (tmp_path / "set" / "Annotations").mkdir()
    (tmp_path / "set" / "Annotations" / "a.xml").write_text(_xml(CELL))
    draw("coco/a.jpg")
    (tmp_path / "coco" / "cells.json").write_text(_coco())
    monkeypatch.chdir(tmp_path / "coco")
    for name, reader in (("../set", "voc"), (".", "coco")):
        opened = open_table(name)
        assert opened.reader.name == reader
        assert opened.table.paths()[0].samefile(
            tmp_path / ("set/JPEGImages" if reader == "voc" else "coco") / "a.jpg"
        )


def test_voc_looks_for_images_by_bare_name_only(tmp_path: Path, draw) -> None:
    draw("secret.jpg")
    draw("set/JPEGImages/a.jpg")
    (tmp_path / "set" / "Annotations").mkdir()
    (tmp_path / "set" / "Annotations" / "z.xml").write_text(_xml(CELL, "../../secret.jpg"))
    with pytest.raises(DatasetError, match="is missing"):
        load("voc", tmp_path / "set")


def _coco(**changes: object) -> str:
    content = {
        "images": [{"id": 5, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "monocytes"}],
        "annotations": [{"image_id": 5, "category_id": 1, "bbox": [1.5, 2, 10, 5.2]}],
    }
    return json.dumps(content | changes)


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("a.jpg", "_annotations.coco.json"),
        ("images/a.jpg", "annotations/instances_train.json"),
        ("train/a.jpg", "annotations/instances_train.json"),
        ("train/a.jpg", "train/_annotations.coco.json"),
    ],
)
def test_coco(tmp_path: Path, draw, image: str, file: str) -> None:
    draw(image)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(_coco())
    table, reader = open_table(tmp_path)
    assert reader.name == "coco"
    assert table.boxes() == [Box(1, 2, 12, 8)]
    assert table.counts() == {"monocyte": 1}
    assert table.paths()[0].is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": [{"id": 5}]}, "image or category"),
        ({"images": [{"id": 5, "file_name": "none.jpg"}]}, "is missing"),
        ({"images": [{"id": 5, "file_name": "../secret.jpg"}]}, "outside the dataset"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2]}]}, "understood"),
        ({"annotations": [{"image_id": 5, "category_id": 1, "bbox": [1, 1]}]}, "understood"),
        ({"annotations": [{"image_id": 5, "category_id": 1, "bbox": [1, 1, 0, 2]}]}, "empty"),
        ({"annotations": [{"image_id": 5, "category_id": 1, "bbox": [1, 1, 2, 1e30]}]}, "beyond"),
    ],
)
def test_mistakes_in_coco(tmp_path: Path, draw, changes: dict[str, object], message: str) -> None:
    draw("secret.jpg")
    draw("set/a.jpg")
    (tmp_path / "set" / "cells.json").write_text(_coco(**changes))
    with pytest.raises(DatasetError, match=message) as caught:
        load("coco", tmp_path / "set" / "cells.json")
    assert "cells.json" in str(caught.value.where)


def test_nothing_known_is_an_error_that_lists_the_formats(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DatasetError, match="known layout") as caught:
        open_table(tmp_path)
    assert "COCO" in str(caught.value.expected)
    with pytest.raises(DatasetError, match="no such"):
        open_table(tmp_path / "none")
    with pytest.raises(DatasetError, match="no COCO JSON here"):
        load("coco", tmp_path)
