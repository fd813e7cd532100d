"""Curves show the means of the table, with panels for what there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from hemashift.reports.study_figures_samples import (
    draw_cells_looked_at,
    draw_class_score_by_size,
    draw_score_by_size,
)
from hemashift.reports.style import class_colours, save

CLASSES = ("eosinophil", "lymphocyte")
SIZES = (30, 60, 100)


def summary(datasets: int = 2, sd: float = 0.05) -> pd.DataFrame:
    rows = [
        (f"data {d}", sampling, size, metric, name, 0.5 + 0.1 * d + size / 1000, sd)
        for d in range(datasets)
        for sampling in ("random", "balanced")
        for size in SIZES
        for metric, names in (("accuracy", ("all",)), ("recall", CLASSES))
        for name in names
        if (d, name) != (1, "eosinophil")  # a class that the second dataset lacks
    ]
    columns = ["dataset", "sampling", "labels", "metric", "class", "mean", "sd"]
    return pd.DataFrame(rows, columns=columns)


def curves(axes: Axes) -> dict[str, list[float]]:
    return {str(line.get_linestyle()): list(line.get_ydata()) for line in axes.lines}  # type: ignore


def test_a_panel_a_dataset_with_both_samplings() -> None:
    figure = draw_score_by_size(summary(), "accuracy", "Accuracy")
    first, second = figure.axes
    assert (first.get_title("left"), second.get_title("left")) == ("data 0", "data 1")
    assert curves(second) == {line: pytest.approx([0.63, 0.66, 0.7]) for line in ("-", "--")}
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 2


def test_the_band_is_one_deviation_and_none_for_a_single_draw() -> None:
    def heights(figure_sd: float) -> np.ndarray:
        axes = draw_score_by_size(summary(1, figure_sd), "accuracy", "Accuracy").axes[0]
        band = axes.collections[0].get_paths()[0].vertices
        return np.asarray(band)[:, 1]

    assert heights(0.05).min() == pytest.approx(0.53 - 0.05)
    assert heights(0.05).max() == pytest.approx(0.6 + 0.05)
    assert heights(float("nan")).max() == pytest.approx(0.6)


def test_classes_have_their_colours_and_absent_ones_an_empty_panel() -> None:
    figure = draw_class_score_by_size(summary(), "recall", "Recall", CLASSES)
    grid = np.array(figure.axes).reshape(2, 2)
    assert to_hex(grid[0, 1].lines[0].get_color()) == class_colours(CLASSES)["lymphocyte"].lower()
    assert len(grid[1, 0].lines) == 0
    assert [text.get_text() for text in grid[1, 0].texts] == ["no cells"]
    assert grid[1, 0].get_ylabel() == "data 1\nRecall"


@pytest.mark.parametrize("datasets", [1, 5])
def test_any_number_of_datasets_fits(datasets: int, tmp_path: Path) -> None:
    table = summary(datasets)
    for number, figure in enumerate(
        (
            draw_score_by_size(table, "accuracy", "Accuracy"),
            draw_class_score_by_size(table, "recall", "Recall", CLASSES),
        )
    ):
        save(figure, tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 5000


def test_the_cost_of_balance_is_drawn_against_chance() -> None:
    rows = [("ours", size, 3.0 * size) for size in SIZES]
    table = pd.DataFrame(rows, columns=["dataset", "labels", "mean"])
    axes = draw_cells_looked_at(None, table).axes[0]
    drawn = {str(line.get_label()): list(line.get_ydata()) for line in axes.lines}  # type: ignore
    assert drawn == {"ours": [90, 180, 300], "drawn at random": [30, 60, 100]}
