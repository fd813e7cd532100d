"""Cells drawn at random: what every other strategy must beat."""

from __future__ import annotations

import numpy as np

from hemashift.selection.contract import Pick, Problem


class Random:
    """Every cell has the same chance.

    Labels that were drawn at random are also the only ones whose share of classes, and whose
    cross-validated accuracy, stand for all cells of the laboratory.
    """

    name = "random"

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Draw cells; see `Strategy.choose`."""
        rng = np.random.default_rng([problem.seed, 11])
        drawn = rng.permutation(problem.candidates)[:n]
        return [Pick(int(row), "drawn at random") for row in drawn]
