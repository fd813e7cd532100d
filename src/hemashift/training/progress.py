"""What a training tells while it runs, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hemashift.training.recipe import Recipe


@dataclass(frozen=True)
class Report:
    """What the loop tells after each step.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        epoch: Number of the epoch that the step belongs to, from 1.
        loss: Mean training loss of the last 50 steps of the epoch (label smoothing included).
        images_per_second: Over the last 50 steps, all devices together.
        seconds_left: Estimate from the pace so far and the sizes of the images to come.
        member: Which network of several is trained, from 1.
        members: How many are, one after the other; `seconds_left` counts all.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    images_per_second: float
    seconds_left: float
    member: int = 1
    members: int = 1


Listener = Callable[[Report], None]


class Pace:
    """Measures steps, and foretells the rest from the number of pixels that a step works on.

    Args:
        recipe: Says how large the images of each step are.
        steps: Steps in all.
        done: Steps done before this run.
    """

    def __init__(self, recipe: Recipe, steps: int, done: int) -> None:
        pixels = [recipe.size_at(step, steps) ** 2 for step in range(steps)]
        self._upto = np.concatenate([[0.0], np.cumsum(pixels, dtype=np.float64)])
        self._start = done
        self._elapsed = 0.0
        self._recent: deque[float] = deque(maxlen=50)
        self.resume()

    def resume(self) -> None:
        """Start the clock, at first and after anything that is no step."""
        self._mark = time.monotonic()

    def tick(self) -> None:
        """Take down that a step has ended, and start the clock for the next."""
        now = time.monotonic()
        self._recent.append(now - self._mark)
        self._elapsed += now - self._mark
        self._mark = now

    @property
    def steps_per_second(self) -> float:
        """Mean of the last 50 steps."""
        return len(self._recent) / max(sum(self._recent), 1e-9)

    def seconds_left(self, done: int, runs: int = 0) -> float:
        """Return the estimate for the steps after the first `done`, scoring not included.

        Args:
            done: Steps done.
            runs: Trainings of as many steps that follow.
        """
        seconds_per_pixel = self._elapsed / (self._upto[done] - self._upto[self._start])
        pixels = (1 + runs) * self._upto[-1] - self._upto[done]
        return float(seconds_per_pixel * pixels)
