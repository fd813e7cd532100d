"""Where things lie in the drawings of the pages; the templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemashift.app.advice import Point
from hemashift.app.versions import Version
from hemashift.differential import Differential
from hemashift.evaluation import Interval
from hemashift.reports.parts import with_limits

if TYPE_CHECKING:
    from hemashift.adaptation.adapt import Limits

WIDTH = 640.0
"""Width of a drawing in its own units; the page scales it."""


@dataclass(frozen=True)
class Mark:
    """A value with its limits, in units of the drawing.

    Attributes:
        x: Where the value lies.
        low: Where the lower limit lies; `x` where there is none.
        high: Where the upper limit lies.
        y: Height, from above.
        text: The value and limits in words.
        name: What it is.
        kind: "before", "after", "expected" or the role in the count.
    """

    x: float
    low: float
    high: float
    y: float
    text: str
    name: str = ""
    kind: str = ""


def words(limits: Limits) -> str:
    """Write a share with its limits in percent.

    Examples:
        >>> words((0.9, 0.85, 0.94)), words((0.5, None, None))
        ('90.0 % (85.0 to 94.0)', '50.0 %')
    """
    value, low, high = (math.nan if one is None else one for one in limits)
    return with_limits(Interval(value, low, high))


SCORES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
EXPECTED = "expected"


def before_and_after(version: Version) -> list[Mark]:
    """Place the scores before and after an adaptation, two lines a score, 0 to 100 %.

    Below them lies the accuracy to expect on all cells, where the version has it.
    """
    marks = []
    for place, (key, name) in enumerate(SCORES.items()):
        for offset, (kind, scores) in enumerate(
            (("before", version.before), ("after", version.after))
        ):
            if key in scores:
                y = 24.0 + 64 * place + 22 * offset
                marks.append(_mark(scores[key], y, name, kind))
    if EXPECTED in version.after:
        y = 24.0 + 64 * len(SCORES)
        marks.append(_mark(version.after[EXPECTED], y, "All cells", EXPECTED))
    return marks


def _mark(limits: Limits, y: float, name: str, kind: str) -> Mark:
    value, low, high = limits
    return Mark(
        x=WIDTH * value,
        low=WIDTH * (value if low is None else low),
        high=WIDTH * (value if high is None else high),
        y=y,
        text=words(limits),
        name=name,
        kind=kind,
    )


@dataclass(frozen=True)
class Curve:
    """A learning curve, in units of the drawing.

    Attributes:
        points: A point a version: x, y, upper and lower end of its limits.
        line: The points as SVG takes them.
        ticks: Labels below, with their places.
    """

    points: tuple[tuple[float, float, float, float, str], ...]
    line: str
    ticks: tuple[tuple[float, str], ...]


HEIGHT = 200.0


def curve(points: Sequence[Point]) -> Curve | None:
    """Place a learning curve: labels to the right, accuracy 0 to 100 % upwards."""
    if not points:
        return None
    most = max(point.labels for point in points)
    step = next(s for s in (5, 10, 20, 50, 100, 200, 500, 1000, 10_000) if most / s <= 8)
    end = step * max(1, math.ceil(most / step))
    placed = []
    for point in points:
        value, low, high = point.accuracy
        x = WIDTH * point.labels / end
        upper, lower = (HEIGHT * (1 - (value if v is None else v)) for v in (high, low))
        text = f"version {point.version}, {point.labels} labels: {words(point.accuracy)}"
        placed.append((x, HEIGHT * (1 - value), upper, lower, text))
    return Curve(
        points=tuple(placed),
        line=" ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in placed),
        ticks=tuple((WIDTH * n / end, str(n)) for n in range(0, end + 1, step)),
    )


def bars(differential: Differential) -> dict[str, Mark]:
    """Place the lines of a differential on an axis of 0 to 100; what lies beyond is cut off."""
    placed = {}
    for line in differential.lines:
        if math.isnan(line.value):
            continue
        x, low, high = (WIDTH * min(v, 100.0) / 100 for v in (line.value, line.low, line.high))
        text = f"{line.value:.1f} ({line.low:.1f} to {line.high:.1f})"
        placed[line.name] = Mark(x, low, high, 0.0, text, line.name, line.role.value)
    return placed
