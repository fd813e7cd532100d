"""Calibrated answers about cells of three classes, one of them rare."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemashift.trust.calibration import Calibration

MIX = np.array([0.6, 0.35, 0.05])
Answers = tuple[np.ndarray, np.ndarray]


def draw_answers(count: int, seed: int, mix: np.ndarray = MIX) -> Answers:
    """Probabilities `(N, 3)` that are right as often as they say under `MIX`, and the truth."""
    rng = np.random.default_rng(seed)
    targets = rng.choice(3, count, p=mix)
    seen = rng.normal(np.eye(3)[targets] * 1.6, 1.0)
    likelihood = np.exp(-((seen[:, None] - 1.6 * np.eye(3)) ** 2).sum(axis=2) / 2)
    joint = likelihood * MIX
    return joint / joint.sum(axis=1, keepdims=True), targets


@pytest.fixture
def answers() -> Callable[..., Answers]:
    return draw_answers


@pytest.fixture
def known() -> Calibration:
    return Calibration.of(*draw_answers(60, 1))
