from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from hemashift.trust.temperature import cautious_temperature


def draw(count: int, true_temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model that is too sure by that temperature, and what the cells are."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (count, 4))
    chances = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    targets = np.array([rng.choice(4, p=row) for row in chances])
    return honest * true_temperature, targets


def most_likely(logits: np.ndarray, targets: np.ndarray) -> float:
    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(targets)), targets].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


@pytest.mark.parametrize("wanted", [0.6, 1.0, 2.0])
def test_many_cells_decide(wanted: float) -> None:
    logits, targets = draw(3000, wanted)
    assert cautious_temperature(logits, targets) == pytest.approx(wanted, rel=0.1)


def test_few_cells_move_it_less_than_the_likelihood_would() -> None:
    for seed in range(5):
        logits, targets = draw(30, 1.0, seed)
        free, held = most_likely(logits, targets), cautious_temperature(logits, targets)
        assert abs(np.log(held)) < abs(np.log(free))
        assert (held - 1) * (free - 1) > 0


def test_cells_that_are_all_right_do_not_make_it_sure_of_everything() -> None:
    logits = np.log([[0.9, 0.1]] * 20)
    assert 0.6 < cautious_temperature(logits, np.zeros(20, np.int64)) < 1
