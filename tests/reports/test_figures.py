"""Figures show the numbers of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from hemashift.evaluation import Evaluation, Interval
from hemashift.reports import figures
from hemashift.reports.style import class_colours

Simulated = Callable[..., Evaluation]

DRAWN = [
    figures.draw_confusion,
    figures.draw_precision_recall,
    figures.draw_reliability,
    figures.draw_class_scores,
    figures.draw_risk_coverage,
]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("draw", DRAWN)
def test_every_figure_goes_to_a_file_or_into_axes(
    simulated: Simulated, draw: Callable[..., Figure], tmp_path: Path
) -> None:
    evaluation = simulated()
    draw(tmp_path / "figure.png", evaluation)
    assert (tmp_path / "figure.png").stat().st_size > 5000
    own = Figure()
    left, _ = own.subplots(1, 2)
    assert draw(left, evaluation) is own
    assert left.get_xlabel()


@pytest.mark.parametrize("draw", DRAWN)
def test_a_single_cell_can_be_drawn(draw: Callable[..., Figure], tmp_path: Path) -> None:
    one = Evaluation.from_labels(["monocyte"], [[0.2, 0.1, 0.7]], ("basophil", "blast", "monocyte"))
    draw(tmp_path / "figure.svg", one)
    assert (tmp_path / "figure.svg").read_bytes().startswith(b"<?xml")


def test_the_confusion_matrix_shows_every_count(simulated: Simulated) -> None:
    evaluation = simulated()
    shown = [int(text.split("\n")[0]) for text in texts(figures.draw_confusion(None, evaluation))]
    assert shown == evaluation.confusion[evaluation.confusion > 0].tolist()
    shares = figures.draw_confusion(None, evaluation).axes[0].images[0].get_array()
    np.testing.assert_allclose(np.asarray(shares)[:3].sum(axis=1), 1)


def test_curves_have_the_colours_of_their_classes_and_tell_their_area(simulated: Simulated) -> None:
    evaluation = simulated()
    axes = figures.draw_precision_recall(None, evaluation).axes[0]
    labels = [str(line.get_label()) for line in axes.lines]
    assert [label.split(" (")[0] for label in labels] == [
        "eosinophil",
        "lymphocyte",
        "monocyte",
        "average",
    ]
    assert axes.lines[1].get_color() == class_colours(evaluation.classes)["lymphocyte"]
    assert f"{evaluation.average_precision_recall.area:.3f}" in labels[-1]


def test_the_reliability_diagram_shows_the_bins(simulated: Simulated) -> None:
    evaluation = simulated()
    axes = figures.draw_reliability(None, evaluation).axes[0]
    bins = evaluation.reliability
    observed = next(line for line in axes.lines if line.get_label() == "observed")
    np.testing.assert_allclose(observed.get_ydata(), bins.accuracy[bins.count > 0])
    assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(1)


def test_methods_are_compared_with_limits_also_where_there_are_none() -> None:
    before = {"accuracy": Interval(0.6, 0.5, 0.7)}
    after = {"accuracy": Interval(0.9, np.nan, np.nan)}
    figure = figures.draw_comparison(
        None,
        {"before": before, "after": after, "never": {"accuracy": Interval(*[np.nan] * 3)}},
        ("accuracy",),
    )
    assert texts(figure) == ["0.600", "0.900"]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["before", "after"]
