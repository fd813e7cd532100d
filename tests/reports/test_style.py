"""A class has one colour wherever it appears, and files are written whole."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hemashift.reports.style import FURTHER_COLOURS, class_colours, save, save_bytes
from hemashift.taxonomy import CLASS_COLOURS, CLASSES


def test_the_six_classes_have_their_colours_in_any_company() -> None:
    assert class_colours(CLASSES) == {name: CLASS_COLOURS[name] for name in CLASSES}
    assert class_colours(["blast", "monocyte"])["monocyte"] == CLASS_COLOURS["monocyte"]


def test_further_classes_have_stable_colours_of_their_own() -> None:
    names = ["blast", "smudge cell", "plasma cell"]
    for order in itertools.permutations(names):
        assert class_colours(order) == class_colours(names)
    assert class_colours(["blast"])["blast"] == class_colours(["blast", "monocyte"])["blast"]
    many = class_colours(f"class {i}" for i in range(len(FURTHER_COLOURS)))
    assert len(set(many.values())) == len(FURTHER_COLOURS)
    assert not set(many.values()) & set(CLASS_COLOURS.values())
    assert len(class_colours(f"class {i}" for i in range(40))) == 40


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_figures_are_written_in_both_forms_and_repeatably(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    save(figure, tmp_path / f"figure{suffix}")
    content = (tmp_path / f"figure{suffix}").read_bytes()
    assert content.startswith(start)
    assert content == save_bytes(figure, suffix[1:])


def test_other_forms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="png or svg"):
        save(Figure(), tmp_path / "figure.bmp")
    assert list(tmp_path.iterdir()) == []
