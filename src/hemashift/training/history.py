"""The course of a training, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hemashift.files import atomic_write


def draw_history(history: Sequence[dict[str, float]], path: str | Path) -> None:
    """Draw the loss and the held-out accuracy of each dataset by epoch.

    Args:
        history: One row an epoch: `epoch`, `loss` and `<dataset>/accuracy`.
        path: The picture to write; its suffix tells the format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], marker="o", color="#000000")
    left.set(xlabel="epoch", ylabel="training loss")
    names = sorted({key for row in history for key in row if key.endswith("/accuracy")})
    for name, marker in zip(names, "osD^v<>Phx" * (len(names) // 10 + 1), strict=False):
        values = [row.get(name, float("nan")) for row in history]
        right.plot(epochs, values, marker=marker, label=name.removesuffix("/accuracy"))
    right.set(xlabel="epoch", ylabel="held-out accuracy")
    if names:
        right.legend()
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    with atomic_write(path) as aside:
        figure.savefig(aside, dpi=150)
