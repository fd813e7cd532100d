"""How figures look: one colour a class everywhere, readable in print and without colour."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hemashift.files import atomic_write
from hemashift.taxonomy import CLASS_COLOURS

if TYPE_CHECKING:
    from matplotlib.typing import LineStyleType

P = ParamSpec("P")

FURTHER_COLOURS = (
    "#332288",
    "#882255",
    "#999933",
    "#44AA99",
    "#661100",
    "#AA4499",
    "#117733",
    "#AA7744",
)
"""Colours of classes beyond the six: the darker ones of Paul Tol's muted scheme, and brown."""

LINES: tuple[LineStyleType, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (3, 2)),
)
"""Line styles, so that curves can be told apart without colour."""

INK = "#1a1a1a"
GREY = "#8a8a8a"
ACCENT = "#0072B2"
SECOND = "#D55E00"

SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "hemashift",
}


def class_colours(classes: Iterable[str]) -> dict[str, str]:
    """Return the colour of each class.

    The six classes of the paper always have their colours. Another class gets a colour from
    its name, so that it keeps it from figure to figure; only where two names would share one
    does the later, in alphabetical order, move on to the next free colour.

    Args:
        classes: Class names.

    Examples:
        >>> class_colours(["neutrophil", "blast"])["neutrophil"]
        '#56B4E9'
    """
    names = list(classes)
    colours = {name: CLASS_COLOURS[name] for name in names if name in CLASS_COLOURS}
    taken: set[int] = set()
    for name in sorted(set(names).difference(colours)):
        place = int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(FURTHER_COLOURS)
        while place in taken and len(taken) < len(FURTHER_COLOURS):
            place = (place + 1) % len(FURTHER_COLOURS)
        taken.add(place)
        colours[name] = FURTHER_COLOURS[place]
    return {name: colours[name] for name in names}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG (200 dots an inch) or SVG, by suffix."""
    with atomic_write(path) as aside:
        aside.write_bytes(save_bytes(figure, Path(path).suffix.lower().lstrip(".")))


def save_bytes(figure: Figure, form: str) -> bytes:
    """Return a figure as a file of the form "png" or "svg"; the same figure, the same bytes."""
    if form not in ("png", "svg"):
        raise ValueError(f"figures are written as png or svg, not {form!r}")
    buffer = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(
            buffer,
            format=form,
            dpi=200,
            bbox_inches="tight",
            pad_inches=0.08,
            metadata=metadata,
        )
    return buffer.getvalue()


def drawing(
    width: float, height: float
) -> Callable[
    [Callable[Concatenate[Axes, P], None]],
    Callable[Concatenate[str | Path | Axes | None, P], Figure],
]:
    """Turn a function that draws into axes into one that also makes and writes figures.

    The function made takes, in place of the axes, a path to write to, axes to draw into, or
    None, and returns the figure.

    Args:
        width: Width of a figure of its own, in inches.
        height: Its height.
    """

    def decorate(
        draw: Callable[Concatenate[Axes, P], None],
    ) -> Callable[Concatenate[str | Path | Axes | None, P], Figure]:
        @wraps(draw)
        def drawn(target: str | Path | Axes | None, /, *args: P.args, **kwargs: P.kwargs) -> Figure:
            with matplotlib.rc_context(SETTINGS):
                if isinstance(target, Axes):
                    draw(target, *args, **kwargs)
                    figure = target.get_figure(root=True)
                    assert figure is not None
                    return figure
                figure = Figure(figsize=(width, height), layout="constrained")
                FigureCanvasAgg(figure)
                draw(figure.add_subplot(), *args, **kwargs)
            if target is not None:
                save(figure, target)
            return figure

        return drawn

    return decorate
