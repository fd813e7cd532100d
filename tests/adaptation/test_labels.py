"""Label files as people write them: what is understood, what is mended, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.adaptation.labels import LabelledCells, read_labels
from hemashift.errors import AdaptationError, ImageError, TableError, visible
from hemashift.taxonomy import CLASSES, Taxonomy

SIX = "path,label\n" + "".join(f"{i}.png,{'NGS' if i % 2 else 'MO'}\n" for i in range(6))
Read = Callable[..., LabelledCells]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images 0.png to 7.png and sub/8.png, all different."""
    (tmp_path / "images" / "sub").mkdir(parents=True)
    for i in range(9):
        name = f"sub/{i}.png" if i == 8 else f"{i}.png"
        Image.new("RGB", (8, 8), (20 * i, 90, 120)).save(tmp_path / "images" / name)
    return tmp_path / "images"


@pytest.fixture
def read(folder: Path) -> Read:
    """Write a label file, read it, and see that it was not changed."""

    def call(content: str | bytes, taxonomy: Taxonomy | None = None) -> LabelledCells:
        path = folder.parent / "labels.csv"
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        before = sorted(folder.parent.rglob("*"))
        try:
            return read_labels(folder, path, CLASSES, taxonomy)
        finally:
            assert path.read_bytes() == data
            assert sorted(folder.parent.rglob("*")) == before

    return call


def test_labels_and_the_rest_of_the_folder(read: Read, folder: Path) -> None:
    found = read(SIX)
    assert [path.name for path in found.paths] == [f"{i}.png" for i in range(6)]
    assert found.labels == ("monocyte", "neutrophil") * 3
    assert [path.name for path in found.unlabelled] == ["6.png", "7.png", "8.png"]
    assert found.root == folder
    assert found.notes == ()
    assert len(set(found.groups)) == len(found) == 6


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + SIX.encode(),
        SIX.replace(",", ";").encode(),
        SIX.replace(",", "\t").encode(),
        SIX.replace("\n", "\r\n").encode(),
        SIX.replace("path,label", "Label , PATH").replace("Label , PATH", "Path , Label").encode(),
        SIX.replace(",", " , ").encode(),
        ("id,path,label,remark\n" + "".join(f'{i},"{r}","a, b"\n' for i, r in enumerate(
            line.replace(",", '","') for line in SIX.splitlines()[1:]))).encode(),
        SIX.replace("NGS", " segmented Neutrophils").replace("MO", "MONOCYTES").encode(),
        (SIX + "\n\n").encode(),
    ],
    ids=["BOM", "semicolons", "tabs", "CRLF", "header", "spaces", "quotes", "synonyms", "blank"],
)  # fmt: skip
def test_the_same_labels_in_other_spellings(read: Read, content: bytes) -> None:
    found = read(content)
    assert found.labels == ("monocyte", "neutrophil") * 3
    assert [path.name for path in found.paths] == [f"{i}.png" for i in range(6)]


def test_a_frame_serves_too_and_stays_as_it_is(folder: Path) -> None:
    names = [Path(f"{i}.png") for i in range(6)]
    frame = pd.DataFrame({"Path": [*names, "7.png"], "Label": ["MO", "NGS"] * 3 + [pd.NA]})
    before = frame.copy()
    assert read_labels(folder, frame, CLASSES).labels == ("monocyte", "neutrophil") * 3
    pd.testing.assert_frame_equal(frame, before)


def test_backslashes_absolute_paths_and_subfolders(read: Read, folder: Path) -> None:
    found = read(f"{SIX}sub\\8.png,LYT\n{folder / '7.png'},LYT\n")
    assert [path.name for path in found.paths[6:]] == ["8.png", "7.png"]
    assert found.labels[6:] == ("lymphocyte", "lymphocyte")


def test_rows_without_a_label_are_unlabelled_images(read: Read) -> None:
    found = read(SIX + "6.png,\nnot-there.png,\n")
    assert len(found) == 6
    assert "6.png" in [path.name for path in found.unlabelled]


def test_a_repeated_row_counts_once(read: Read) -> None:
    found = read(SIX + "0.png,monocyte\n./1.png,NGS\n")
    assert len(found) == 6
    assert found.notes == ("2 rows repeat an earlier row and were left out.",)


def test_copies_count_together(read: Read, folder: Path) -> None:
    shutil.copy(folder / "0.png", folder / "copy.png")
    found = read(SIX + "copy.png,MO\n")
    assert len(found) == 7
    assert found.groups[6] == found.groups[0]


def test_other_labels_are_classes_of_their_own(read: Read) -> None:
    found = read(SIX + "6.png,myeloblast\n7.png,Our odd cell\n")
    assert found.labels[6:] == ("myeloblast", "Our odd cell")
    assert found.notes == ("Classes that the model did not know: Our odd cell, myeloblast.",)


def test_a_new_class_is_one_whatever_it_is_called(read: Read) -> None:
    found = read(SIX + "6.png,myeloblast\n7.png,Myeloblasts\n")
    assert found.labels[6:] == ("myeloblast", "myeloblast")


def test_what_is_outside_is_no_class(read: Read) -> None:
    found = read(SIX + "6.png,Outside\n7.png,outside\n7.png, outside \n")
    assert len(found) == 6
    assert [path.name for path in found.strangers] == ["6.png", "7.png"]
    assert len({*found.hashes, *found.stranger_hashes}) == 8
    assert [path.name for path in found.unlabelled] == ["8.png"]
    assert "Labelled as none of the classes, to learn what is outside: 2." in found.notes
    with pytest.raises(AdaptationError, match="contradict") as raised:
        read(SIX + "5.png,outside\n")
    assert "5.png: neutrophil and outside" in str(raised.value.found)


def test_labels_of_ones_own(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "classes.toml"
    path.write_text(
        'classes = ["granulocyte", "Monocytes", "lymphocyte"]\n'
        '[labels]\nK7 = "lymphocyte"\nK8 = "outside"\nsmear = "outside"\n'
    )
    ours = Taxonomy.from_file(path)
    rows = ["K7", "NGS", "K8", "smear", "monocyte", "k7", "EO", "blob"]
    text = "path,label\n" + "".join(f"{i}.png,{label}\n" for i, label in enumerate(rows))
    found = read(text, ours)
    assert found.labels == (
        "lymphocyte", "granulocyte", "monocyte", "lymphocyte", "granulocyte", "blob",
    )  # fmt: skip
    assert "Labelled as none of the classes, to learn what is outside: 2." in found.notes
    assert [path.name for path in found.strangers] == ["2.png", "3.png"]
    assert len(found) == len(found.hashes) == 6
    assert len(found.stranger_hashes) == 2


@pytest.mark.parametrize("name", ["gone.png", "../labels.csv", "../images2/0.png", "sub", "a\0b"])
def test_missing_files_and_paths_out_of_the_folder(read: Read, folder: Path, name: str) -> None:
    shutil.copytree(folder, folder.parent / "images2")
    frame = pd.DataFrame({"path": ["0.png", name], "label": ["MO", "NGS"]})
    with pytest.raises(AdaptationError, match="1 of 2 labelled images are not there") as raised:
        read_labels(folder, frame, CLASSES)
    assert visible(name) in str(raised.value)


def test_links_out_of_the_folder_are_missing(read: Read, folder: Path) -> None:
    shutil.copy(folder / "0.png", folder.parent / "secret.png")
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    with pytest.raises(AdaptationError, match=r"link\.png"):
        read(SIX + "link.png,MO\n")


def test_contradictory_labels(read: Read) -> None:
    with pytest.raises(AdaptationError, match="contradict") as raised:
        read(SIX + "0.png,LYT\n")
    assert "0.png: monocyte and lymphocyte" in str(raised.value)


def test_copies_with_other_labels(read: Read, folder: Path) -> None:
    shutil.copy(folder / "0.png", folder / "copy.png")
    with pytest.raises(AdaptationError, match="contradict") as raised:
        read(SIX + "copy.png,NGS\n")
    assert "0.png (monocyte) and its copy copy.png (neutrophil)" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read"),
        ("file,label\n0.png,MO\n", "no column 'path'"),
        ("path,class\n0.png,MO\n", "no column 'label'"),
        ("path\n0.png\n", "no column 'label'"),
        ("path,label,Label\n0.png,MO,MO\n", "more than one column 'label'"),
        ("path,label,label\n0.png,MO,NGS\n", "more than one column 'label'"),
        ("path,label\n,MO\n", "a label but no path"),
        ("path,label\n0.png,MO,x\n1.png,NGS,x\n", "cannot be read"),
        (b"\xff\xfe\x00\x01", "cannot be read"),
        (b"path,label\n\xe9.png,MO\n", "cannot be read"),
    ],
)
def test_files_that_are_no_label_files(read: Read, content: str | bytes, message: str) -> None:
    with pytest.raises(TableError, match=message) as raised:
        read(content)
    assert "labels.csv" in str(raised.value)


def test_no_label_file(folder: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        read_labels(folder, folder / "labels.csv", CLASSES)


@pytest.mark.parametrize("rows", ["", "0.png,\n", "0.png,MO\n", "0.png,MO\n1.png,MO\n2.png,PMO\n"])
def test_fewer_than_two_classes(read: Read, rows: str) -> None:
    rows = rows.replace("PMO", "monocyte")
    with pytest.raises(AdaptationError, match="at least two classes"):
        read("path,label\n" + rows)


@pytest.mark.parametrize("label", ["=1+1", "a\x1b[31m", "x" * 101])
def test_labels_that_no_class_can_have(read: Read, label: str) -> None:
    rows = "".join(f"{number}.png,{label}\n" for number in (2, 3))
    with pytest.raises(AdaptationError, match="cannot be the name of a class"):
        read(f"path,label\n0.png,MO\n1.png,MO\n{rows}")


def test_too_few_labels(read: Read) -> None:
    with pytest.raises(AdaptationError, match="too few"):
        read("path,label\n0.png,MO\n1.png,NGS\n2.png,LYT\n")
    assert len(read("path,label\n0.png,MO\n1.png,NGS\n2.png,MO\n3.png,NGS\n")) == 4


def test_no_images(tmp_path: Path) -> None:
    frame = pd.DataFrame({"path": ["0.png"], "label": ["MO"]})
    with pytest.raises(ImageError, match="does not exist"):
        read_labels(tmp_path / "nowhere", frame, CLASSES)
    with pytest.raises(ImageError, match="no image"):
        read_labels(tmp_path, frame, CLASSES)


def test_a_model_with_other_classes(folder: Path) -> None:
    names = [f"{i}.png" for i in range(4)]
    frame = pd.DataFrame({"path": names, "label": ["NGS", "NGB", "EO", "LYT"]})
    found = read_labels(folder, frame, ("granulocyte", "lymphocyte"))
    assert found.labels == ("granulocyte",) * 3 + ("lymphocyte",)
    assert isinstance(found.groups, np.ndarray)


def test_several_files_are_read_one_below_the_other(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".png")
    first, second = folder.parent / "first.csv", folder.parent / "second.csv"
    first.write_text("path,label\n" + "".join(f"{name},MO\n" for name in names[:3]))
    second.write_text("label,path\n" + "".join(f"EO,{name}\n" for name in names[3:6]))
    cells = read_labels(folder, [first, second], CLASSES)
    assert [path.name for path in cells.paths] == names[:6]
    assert cells.labels == ("monocyte",) * 3 + ("eosinophil",) * 3


def test_labels_that_contradict_across_files_name_both(folder: Path) -> None:
    name = next(path.name for path in folder.iterdir() if path.suffix == ".png")
    first, second = folder.parent / "first.csv", folder.parent / "second.csv"
    first.write_text(f"path,label\n{name},MO\n")
    second.write_text(f"path,label\n{name},EO\n")
    with pytest.raises(AdaptationError, match=r"first\.csv.*second\.csv"):
        read_labels(folder, [first, second], CLASSES)


def test_spellings_of_a_new_class_are_one(read: Read) -> None:
    rows = ("6.png,weird cell", "7.png,Weird Cell", "sub/8.png,weird  cells", "7.png,WEIRD-CELL")
    found = read(SIX + "\n".join(rows))
    assert found.labels[6:] == ("weird cell",) * 3
    assert "Classes that the model did not know: weird cell." in found.notes
    assert (
        "Taken for one class in several spellings: weird cell = Weird Cell = weird  cells = "
        "WEIRD-CELL." in found.notes
    )


def test_patients_are_kept_together(folder: Path) -> None:
    rows = [f"{i}.png" for i in range(8)]
    frame = pd.DataFrame({"path": rows, "label": ["MO", "NGS"] * 4, "Patient": list("11234567")})
    found = read_labels(folder, frame, CLASSES)
    assert found.groups[0] == found.groups[1]
    assert len(set(found.groups)) == 7
    assert any("stay together in cross-validation: 7 groups" in note for note in found.notes)
    assert len(set(found.hashes)) == 8
    plain = read_labels(folder, frame.drop(columns="Patient"), CLASSES)
    assert plain.groups.tolist() == list(plain.hashes)
    assert plain.notes == ()


@pytest.mark.parametrize(("disk", "table"), [("a\u0308", "\u00e4"), ("\u00e4", "a\u0308")])
def test_accents_as_a_mac_writes_them(read: Read, folder: Path, disk: str, table: str) -> None:
    (folder / disk).mkdir()
    for i in range(6):
        (folder / f"{i}.png").rename(folder / disk / f"{disk}{i}.png")
    found = read(
        "path,label\n"
        + "".join(f"{table}/{table}{i}.png,MO\n" for i in range(5))
        + f"{table}/{table}5.png,NGS\n"
    )
    assert found.paths == tuple(folder / disk / f"{disk}{i}.png" for i in range(6))
    assert [path.name for path in found.unlabelled] == ["6.png", "7.png", "8.png"]
