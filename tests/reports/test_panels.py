"""Panels stand in a grid; datasets have shapes of their own."""

from __future__ import annotations

import matplotlib
from matplotlib.figure import Figure

from hemashift.reports.panels import (
    class_handles,
    dataset_marks,
    legend_beside,
    marker_handle,
    panels,
    styled,
)
from hemashift.reports.style import class_colours


def test_panels_have_their_size_and_room_beside() -> None:
    figure, grid = panels(2, 3, 1.5, 1.0, beside=0.5, sharey=True)
    assert figure.get_size_inches().tolist() == [5.0, 2.0]
    assert [len(row) for row in grid] == [3, 3]
    assert grid[0][0].get_shared_y_axes().joined(grid[0][0], grid[1][2])


def test_datasets_have_shapes_of_their_own_whatever_their_order() -> None:
    names = ["raabin", "bccd", "jslh"]
    marks = dataset_marks(names)
    assert marks == dataset_marks(names[::-1])
    assert len({shape for shape, _ in marks.values()}) == 3
    assert len({colour for _, colour in marks.values()}) == 3
    assert len(dataset_marks(f"dataset {i}" for i in range(40))) == 40


def test_the_legend_names_classes_in_their_colours() -> None:
    figure, _ = panels(1, 1, 3, 3, beside=1)
    handles = [*class_handles(["monocyte"]), marker_handle("s", "raabin")]
    legend_beside(figure, handles, "Cells")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["monocyte", "raabin"]
    assert handles[0].get_color() == class_colours(["monocyte"])["monocyte"]


def test_figures_are_drawn_in_the_style_and_leave_none_behind() -> None:
    @styled
    def draw() -> tuple[Figure, float]:
        return panels(1, 1, 1, 1)[0], float(matplotlib.rcParams["font.size"])

    before = float(matplotlib.rcParams["font.size"])
    assert draw()[1] == draw()[1] == 9
    assert float(matplotlib.rcParams["font.size"]) == before != 9
