"""Wrong cells are circled, and probability vectors stand in their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hemashift.reports.study_figures_errors import (
    MOST_BARS,
    draw_error_map,
    draw_probability_vectors,
)
from hemashift.reports.style import class_colours

CLASSES = ("eosinophil", "monocyte", "neutrophil")


def test_wrong_cells_of_the_class_are_circled_on_both_maps() -> None:
    rows = [
        (0.0, 0.0, "neutrophil", "neutrophil"),
        (1.0, 0.0, "neutrophil", "monocyte"),
        (2.0, 0.0, "monocyte", "neutrophil"),
    ]
    cells = pd.DataFrame(rows, columns=["x", "y", "class", "predicted"])
    figure = draw_error_map(cells, "neutrophil", CLASSES)
    for axes, column in zip(figure.axes, ("class", "predicted"), strict=True):
        dots, circles = axes.collections
        assert np.asarray(circles.get_offsets()).tolist() == [[1.0, 0.0]]
        colours = [to_hex(one) for one in dots.get_facecolors()]  # type: ignore[attr-defined]
        assert colours == [class_colours(CLASSES)[name].lower() for name in cells[column]]
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["monocyte", "neutrophil", "neutrophil, wrong"]


def vectors(probabilities: list[tuple[float, float, float]]) -> pd.DataFrame:
    rows = [
        (cell, CLASSES[int(np.argmax(one))], name, value)
        for cell, one in enumerate(probabilities)
        for name, value in zip(CLASSES, one, strict=True)
    ]
    return pd.DataFrame(rows, columns=["cell", "predicted", "class", "probability"])


def test_vectors_are_grouped_by_prediction_and_ordered_by_the_truth() -> None:
    table = vectors([(0.1, 0.8, 0.1), (0.9, 0.0, 0.1), (0.1, 0.5, 0.4), (0.5, 0.3, 0.2)])
    axes = draw_probability_vectors(None, table, "neutrophil", CLASSES).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["called eosinophil", "called monocyte"]
    neutrophils = [bar.get_width() for bar in axes.containers[0]]  # type: ignore
    assert neutrophils == [0.2, 0.1, 0.4, 0.1]
    ends = [bar.get_x() + bar.get_width() for bar in axes.containers[-1]]  # type: ignore
    assert ends == pytest.approx([1, 1, 1, 1])


def test_a_dot_marks_cells_whose_truth_is_second() -> None:
    table = vectors([(0.5, 0.3, 0.2), (0.5, 0.2, 0.3)])
    axes = draw_probability_vectors(None, table, "neutrophil", CLASSES).axes[0]
    dots = next(line for line in axes.lines if line.get_label() == "neutrophil is second")
    assert list(dots.get_ydata()) == [0]  # type: ignore[call-overload]


def test_many_vectors_are_thinned_and_one_is_enough(tmp_path: Path) -> None:
    many = draw_probability_vectors(None, vectors([(0.6, 0.1, 0.3)] * 99), "neutrophil", CLASSES)
    assert len(many.axes[0].containers[0]) == MOST_BARS
    file = tmp_path / "one.png"
    draw_probability_vectors(file, vectors([(0.6, 0.1, 0.3)]), "neutrophil", CLASSES)
    assert file.stat().st_size > 5000
