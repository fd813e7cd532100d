"""Simulated evaluations for the tests of figures and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hemashift.evaluation import Evaluation

CLASSES = ("eosinophil", "lymphocyte", "monocyte", "blast & co")


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Evaluation]:
    """A function that makes predictions, often right; the last class never occurs."""

    def make(sharpness: float = 2.0, n: int = 120, **options: Any) -> Evaluation:
        rng = np.random.default_rng(0)
        truth = rng.integers(0, 3, n)
        weights = np.exp(rng.normal(size=(n, 4)) + sharpness * np.eye(4)[truth])
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        options.setdefault("draws", 200)
        return Evaluation(CLASSES, truth, probabilities, **options)

    return make
