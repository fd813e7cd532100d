"""Maps show every cell once, in the colour of its class and the shape of its dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hemashift.reports.panels import dataset_marks
from hemashift.reports.study_figures_pictures import draw_maps
from hemashift.reports.style import class_colours, save

CLASSES = ("eosinophil", "lymphocyte")
HEADINGS = {"Before": "silhouette 0.10", "After": "silhouette 0.50\ndomain AUC 0.70"}


@pytest.fixture
def points() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (name, dataset, CLASSES[i % 2], *rng.normal(size=2))
        for name in HEADINGS
        for dataset in ("barcelona", "raabin")
        for i in range(10)
    ]
    return pd.DataFrame(rows, columns=["map", "dataset", "class", "x", "y"])


def test_every_cell_is_on_its_map(points: pd.DataFrame) -> None:
    figure = draw_maps(points, HEADINGS)
    before, after = figure.axes
    assert (before.get_title("left"), after.get_title("left")) == ("Before", "After")
    assert after.get_xlabel() == HEADINGS["After"]
    drawn = np.vstack([np.asarray(part.get_offsets()) for part in after.collections])
    expected = points[points["map"] == "After"][["x", "y"]].to_numpy()
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))


def test_colours_are_classes_or_datasets(points: pd.DataFrame) -> None:
    def colours(colour_by: str) -> set[str]:
        axes = draw_maps(points, HEADINGS, colour_by).axes[0]  # type: ignore[arg-type]
        return {to_hex(one) for part in axes.collections for one in part.get_facecolors()}  # type: ignore

    assert colours("class") == {one.lower() for one in class_colours(CLASSES).values()}
    marks = dataset_marks(["barcelona", "raabin"])
    assert colours("dataset") == {colour.lower() for _, colour in marks.values()}


def test_the_legend_tells_shapes_only_where_there_are_several(points: pd.DataFrame) -> None:
    def named(table: pd.DataFrame) -> list[str]:
        (legend,) = draw_maps(table, HEADINGS).legends
        return [text.get_text() for text in legend.get_texts()]

    assert named(points) == [*CLASSES, "barcelona", "raabin"]
    assert named(points[points["dataset"] == "raabin"]) == list(CLASSES)


def test_a_single_map_can_be_written(points: pd.DataFrame, tmp_path: Path) -> None:
    save(draw_maps(points, {"Before": "silhouette 0.10"}), tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_bytes().startswith(b"<?xml")
