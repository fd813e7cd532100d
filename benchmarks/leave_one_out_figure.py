"""The rows of `benchmarks/leave_one_out.py` as curves: accuracy by labels, a panel a laboratory.

    python benchmarks/leave_one_out_figure.py FILE [--store FILE] [--approaches workflow,auto]

Nothing is computed anew. Bands are the 95 % t-interval over the draws. `workflow-30` starts from a
source trained for the paper's 15 epochs, `workflow` from one of two epochs.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from common.left_out import RESULTS, TARGETS
from common.rows import read_store
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hemashift.evaluation.intervals import t_interval
from hemashift.reports.panels import legend_beside, marker_handle, panels, styled
from hemashift.reports.style import ACCENT, GREY, SECOND, save

# What an approach is called, its colour, marker and line.
LOOKS = {
    "workflow": ("workflow of the paper,\nsource of 2 epochs,\nlabels at random", GREY, "s", ":"),
    "workflow-30": ("workflow of the paper,\nlabels at random", GREY, "s", ":"),
    "auto": ("hemashift,\nlabels at random", ACCENT, "o", "--"),
    "selected": ("hemashift,\nlabels it asks for", SECOND, "D", "-"),
}
COLUMNS = 3

Curves = dict[tuple[str, str], dict[int, list[float]]]


def curves_of(store: Path) -> Curves:
    """Return the accuracies of all draws by target, approach and number of labels."""
    found: Curves = defaultdict(lambda: defaultdict(list))
    for (_, target, name, _, count), values in read_store(store).items():
        found[target, name][int(count)].append(values[0])
    return found


def draw_curve(axes: Axes, by_count: dict[int, list[float]], name: str) -> None:
    _, colour, marker, line = LOOKS[name]
    counts = sorted(by_count)
    limits = [t_interval(by_count[count]) for count in counts]
    mean = [one.estimate for one in limits]
    low, high = np.array([(one.low, one.high) for one in limits]).T
    axes.fill_between(counts, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(counts, mean, color=colour, marker=marker, linestyle=line, markersize=3.5)


@styled
def draw(curves: Curves, names: list[str]) -> Figure:
    """Draw a panel for each target."""
    rows = -(-len(TARGETS) // COLUMNS)
    figure, grid = panels(rows, COLUMNS, 2.3, 2.1, beside=1.7, sharex=True, sharey=True)
    places = [axes for row in grid for axes in row]
    for place, (axes, target) in enumerate(zip(places, TARGETS, strict=False)):
        for name in names:
            if curves[target.dataset, name]:
                draw_curve(axes, curves[target.dataset, name], name)
        axes.set_title(target.dataset)
        if place % COLUMNS == 0:
            axes.set_ylabel("Accuracy")
    for axes in grid[-1]:
        axes.set_xlabel("Labels")
        axes.set_xticks([0, 10, 30, 50, 100])
    places[0].set_ylim(0, 1)
    handles = [
        marker_handle(LOOKS[name][2], LOOKS[name][0], LOOKS[name][1], linestyle=LOOKS[name][3])
        for name in names
    ]
    legend_beside(figure, handles)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figure", type=Path, metavar="FILE", help="a PNG or SVG file")
    parser.add_argument("--store", type=Path, default=RESULTS)
    parser.add_argument("--approaches", default="workflow-30,auto,selected")
    options = parser.parse_args()
    save(draw(curves_of(options.store), options.approaches.split(",")), options.figure)


if __name__ == "__main__":
    main()
