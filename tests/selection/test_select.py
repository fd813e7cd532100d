"""From a folder of images to a list to be filled in."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.adaptation import read_labels
from hemashift.errors import AdaptationError, HemashiftError, ImageError
from hemashift.images import list_images
from hemashift.model.bundle import Bundle
from hemashift.selection import Selection, select
from hemashift.selection.label_rows import LabelRow
from hemashift.selection.looking import Seen, look
from hemashift.selection.select import make_problem
from hemashift.taxonomy import CLASSES, Taxonomy

Choose = Callable[..., Selection]


@pytest.fixture
def choose(cells: Path, shipped: Bundle, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Select from the drawn cells, which are not looked at again."""
    # The function bears the name of its module, which hides it from a dotted name.
    monkeypatch.setattr(import_module("hemashift.selection.select"), "look", lambda *_: seen)
    return lambda n=6, **other: select(cells, n, model=shipped, **other)


def label(names: list[str], labels: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"path": names, "label": labels})


def test_the_list_is_filled_in_and_goes_into_adapt(
    choose: Choose, cells: Path, tmp_path: Path
) -> None:
    selection = choose(8)
    selection.write(tmp_path / "new" / "cells.csv")
    frame = pd.read_csv(tmp_path / "new" / "cells.csv", keep_default_na=False)
    assert frame.columns.tolist() == ["path", "label", "rank", "reason"]
    assert frame["label"].eq("").all()
    assert frame["rank"].tolist() == list(range(1, 9))
    frame["label"] = ["MO", "NGS"] * 3 + ["", "LYT"]
    found = read_labels(cells, frame, CLASSES)
    assert len(found) == 7
    assert found.notes == ()


@pytest.mark.parametrize(
    "content",
    [
        "path,label,rank,reason\n00.png,MO,1,rare\n",
        "path;label;rank;reason\n00.png;MO;1;rare\n",
        "path,label\n00.png,MO\n",
        "path,label,p_monocyte,error\n00.png,,,unreadable\n",
        "path,label,rank,reason,remark\n00.png,,1,rare,ask again\n",
        "my notes",
    ],
)
def test_a_list_never_replaces_what_is_no_empty_list(
    choose: Choose, tmp_path: Path, content: str
) -> None:
    output, selection = tmp_path / "cells.csv", choose(4)
    output.write_text(content)
    with pytest.raises(HemashiftError, match="would overwrite"):
        selection.write(output)
    assert output.read_text() == content
    output.unlink()
    selection.write(output)
    choose(3).write(output)
    assert len(pd.read_csv(output)) == 3


def test_a_cell_is_asked_once_whatever_images_show_it(choose: Choose) -> None:
    selection = choose(100)
    assert len(selection) == 24
    names = {Path(name).name for name in selection.paths}
    assert len(names & {"turned.png", "00.png"}) == 1
    assert len(names & {"again.png", "01.png"}) == 1
    assert any(note.startswith("2 images show a cell") for note in selection.notes)
    assert "Only 24 cells are left that nobody was asked about." in selection.notes


def test_an_image_that_cannot_be_read_is_passed_over(choose: Choose) -> None:
    selection = choose(100)
    assert selection.n_images == 26
    assert len(selection.unreadable) == 1
    assert "damaged.png" in selection.unreadable[0]
    assert "damaged.png" not in selection.paths


def test_no_picture_of_a_labelled_cell_is_asked_for(choose: Choose) -> None:
    labels = label(["smear-1/00.png", "again.png"], ["MO", "LYT"])
    names = {Path(name).name for name in choose(100, labels=labels).paths}
    assert len(names) == 22
    assert not names & {"00.png", "turned.png", "01.png", "again.png"}


def test_labels_lead_to_doubtful_cells_and_advice(choose: Choose) -> None:
    names = [f"smear-1/{i:02d}.png" for i in range(8)]
    labels = label(names, ["MO", "NGS"] * 4)
    selection = choose(5, labels=labels)
    assert all(reason.startswith("the model is in doubt") for reason in selection.reasons)
    assert selection.n_labelled == 8
    assert selection.advice is not None
    assert selection.advice.labels == 8


def test_cells_of_one_patient_are_not_divided_for_the_advice(shipped: Bundle, seen: Seen) -> None:
    named = zip(seen.paths[:12], CLASSES[:2] * 6, strict=True)
    rows = [
        LabelRow(i + 1, path.name, path, name, name, group=f"patient {i // 2}")
        for i, (path, name) in enumerate(named)
    ]
    _, task = make_problem(shipped, seen, rows, seed=0)
    assert task.groups[::2].tolist() == task.groups[1::2].tolist()
    assert len(set(task.groups)) >= 5


def test_too_few_labels_to_learn_from(choose: Choose) -> None:
    labels = label(["smear-1/00.png"], ["MO"])
    selection = choose(4, labels=labels, strategy="margin")
    assert selection.advice is None
    assert any("margin needs 6 labels of two classes" in note for note in selection.notes)
    assert all(reason.startswith(("typical", "looks")) for reason in selection.reasons)


def test_cells_that_nobody_could_name_are_not_asked_again(choose: Choose) -> None:
    first = choose(10).frame()
    second = choose(100, labels=first)
    assert not set(first["path"]) & set(second.paths)
    assert len(second) == 14
    # Without the reason it is a list of images, not an answer.
    listed = choose(100, labels=first.drop(columns="reason"))
    assert len(listed) == 24


def test_labels_outside_and_new_classes(choose: Choose, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[labels]\ndirt = "outside"\n')
    own = Taxonomy.from_file(tmp_path / "own.toml")
    labels = label(
        [f"smear-1/{i:02d}.png" for i in range(2, 10)],
        ["dirt", "blob", "MO", "blob", "MO", "blob", "MO", "blob"],
    )
    selection = choose(100, labels=labels, taxonomy=own)
    assert selection.n_labelled == 7
    assert len(selection) == 16


def test_one_image_with_two_labels(choose: Choose) -> None:
    labels = label(["again.png", "again.png"], ["MO", "LYT"])
    with pytest.raises(AdaptationError, match="contradict") as raised:
        choose(labels=labels)
    assert "again.png: monocyte and lymphocyte" in str(raised.value)


def test_bad_requests(choose: Choose) -> None:
    with pytest.raises(HemashiftError, match="unknown strategy"):
        choose(strategy="best")
    with pytest.raises(HemashiftError, match="nothing to select"):
        choose(0)


def test_folders_without_a_readable_image(shipped: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        select(tmp_path / "nowhere", 3, model=shipped)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="no image can be read"):
        select(tmp_path / "broken", 3, model=shipped)


def test_a_folder_of_ones_own(laboratory: Path, shipped: Bundle) -> None:
    """The whole of it, with nothing replaced."""
    selection = select(laboratory / "cells", 3, model=shipped)
    assert len(selection) == 3
    assert all((laboratory / "cells" / name).is_file() for name in selection.paths)


def test_images_are_looked_at_in_parts(
    cells: Path, shipped: Bundle, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemashift.selection.looking._CHUNK", 7)
    told: list[tuple[str, int, int]] = []
    parts = look(shipped, list_images(cells), lambda *news: told.append(news), threads=1)
    np.testing.assert_array_equal(seen.encoded.features, parts.encoded.features)
    np.testing.assert_array_equal(seen.rings, parts.rings)
    assert seen.paths == parts.paths
    assert seen.unreadable == parts.unreadable
    assert [done for _, done, _ in told] == list(range(1, 28))
    assert {total for *_, total in told} == {27}


def test_a_class_and_outside_contradict_each_other(choose: Choose) -> None:
    with pytest.raises(AdaptationError, match="contradict") as raised:
        choose(labels=label(["turned.png", "turned.png"], ["MO", "outside"]))
    assert "turned.png: monocyte and outside" in str(raised.value)


@pytest.mark.parametrize("other", ["outside", "LYT"])
def test_identical_files_with_two_labels(choose: Choose, other: str) -> None:
    with pytest.raises(AdaptationError, match="contradict") as raised:
        choose(labels=label(["smear-1/01.png", "again.png"], ["MO", other]))
    assert "smear-1/01.png (monocyte) and its copy again.png" in str(raised.value)


def test_labels_that_are_all_of_one_cell(laboratory: Path, shipped: Bundle) -> None:
    """Six pictures of it, with two classes: nothing to advise, and cells to choose."""
    folder = laboratory / "cells"
    picture = np.asarray(Image.open(folder / "smear-1" / "00.png"))
    names = []
    for turns in range(4):
        for flipped in (picture, picture[:, ::-1]):
            names.append(f"turned-{len(names)}.png")
            Image.fromarray(np.rot90(flipped, turns)).save(folder / names[-1])
    given = label(names[:6], ["MO", "NGS"] * 3)
    selection = select(folder, 3, given, shipped)
    assert selection.advice is None
    assert len(selection) == 3
