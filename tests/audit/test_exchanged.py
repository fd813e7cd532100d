"""Exchanged classes are noticed, and classes that a model hardly knows are not called exchanged."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.audit.exchanged import exchange_findings, find_exchanges, opinion_of

CLASSES = ("lymphocyte", "monocyte", "neutrophil")
TRUTH = np.repeat([0, 1, 2], (20, 15, 40))


def opinion(truth: np.ndarray, favour: tuple[float, ...], seed: int = 0) -> np.ndarray:
    """What a model says that knows the classes in part and prefers some."""
    rng = np.random.default_rng(seed)
    scores = 2 * np.eye(len(favour))[truth] + np.array(favour) + rng.normal(0, 1, (len(truth), 3))
    weights = np.exp(scores)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def exchanged(truth: np.ndarray, first: int, second: int) -> np.ndarray:
    names = np.arange(3)
    names[[first, second]] = names[[second, first]]
    return names[truth]


# A model at home, one that hardly ever says lymphocyte, one that calls most cells monocytes.
MODELS = [(0.0, 0.0, 0.0), (-4.0, 0.0, 0.0), (0.0, 3.0, 0.0)]


@pytest.mark.parametrize("favour", MODELS)
@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_an_exchange_is_found_and_named(favour: tuple[float, ...], pair: tuple[int, int]) -> None:
    found = find_exchanges(exchanged(TRUTH, *pair), opinion(TRUTH, favour))
    assert [(one.first, one.second) for one in found] == [pair]
    assert found[0].crossed > found[0].straight
    assert found[0].p_value < 0.01


@pytest.mark.parametrize("favour", MODELS)
def test_right_labels_are_left_in_peace(favour: tuple[float, ...]) -> None:
    for seed in range(20):
        assert find_exchanges(TRUTH, opinion(TRUTH, favour, seed)) == []


def test_a_model_that_knows_nothing_raises_no_alarm() -> None:
    alarms = 0
    for seed in range(100):
        guess = np.random.default_rng(seed).dirichlet(np.ones(3), len(TRUTH)).astype(np.float32)
        alarms += bool(find_exchanges(TRUTH, guess))
    assert alarms <= 8  # level 0.05


def test_too_few_cells_and_unknown_classes_are_not_judged() -> None:
    few = np.array([0, 0, 1, 1])
    assert find_exchanges(exchanged(few, 0, 1), opinion(few, MODELS[0])) == []
    unknown = opinion(TRUTH, MODELS[0])
    unknown[:, 1] = 0
    assert find_exchanges(exchanged(TRUTH, 0, 1), unknown) == []
    assert find_exchanges(np.empty(0, np.int64), np.empty((0, 3), np.float32)) == []


def test_the_finding_shows_the_clearest_cells_first() -> None:
    labels = exchanged(TRUTH, 0, 1)
    source = opinion(TRUTH, MODELS[0])
    names = tuple(f"{row}.png" for row in range(len(labels)))
    (found,) = exchange_findings(labels, source, CLASSES, names)
    assert (found.kind, found.severity) == ("exchanged classes", "error")
    assert "The labels of lymphocyte and monocyte look exchanged" in found.sentence
    assert len(found.paths) == 35
    row = int(found.paths[0].split(".")[0])
    assert source[row, 1 - labels[row]] > 0.8
    assert found.captions[0] == (
        f"labelled {CLASSES[labels[row]]}, looks {opinion_of(source[row], CLASSES)}"
    )
