"""The learning curve and the advice, on simulated classes of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.contract import Task
from hemashift.adaptation.probe import Probe
from hemashift.errors import AdaptationError
from hemashift.evaluation.intervals import Interval
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.model.heads import Encoded
from hemashift.selection.curve import LearningCurve, expected_gain, learning_curve
from hemashift.selection.learning import only_encoded
from hemashift.selection.stopping import Advice, advise

PROBE = Probe(outputs=("features",), penalties=(0.03,))
Draw = Callable[[int, int], Task]


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """A model without a probe of its source, which could not read 12 dimensions."""
    return load_model(TWO_SOURCES)


@pytest.fixture
def laboratory(shipped: Bundle) -> Draw:
    """Draw labelled cells of three overlapping classes in 12 dimensions."""
    centres = 0.8 * np.random.default_rng(5).normal(size=(3, 12))

    def draw(count: int, seed: int) -> Task:
        rng = np.random.default_rng([seed, 23])
        truth = rng.integers(3, size=count)
        features = (centres[truth] + rng.normal(size=(count, 12))).astype(np.float32)
        pool = rng.normal(size=(40, 12)).astype(np.float32)
        return Task(
            shipped,
            only_encoded(Encoded(features, np.zeros((count, 128), np.float32))),
            truth + 1,
            np.arange(count).astype(str),
            shipped.card.classes,
            Encoded(pool, np.zeros((40, 128), np.float32)),
            seed,
        )

    return draw


def accuracy(task: Task, test: Task) -> float:
    predicted = PROBE.fit(task).probabilities(test.cells).argmax(axis=1)
    return float((predicted == test.targets).mean())


def test_ten_labels_bring_more_early_than_late(laboratory: Draw) -> None:
    early, late = (
        np.mean(
            [
                expected_gain(learning_curve(laboratory(n, seed), PROBE, 2), n).estimate
                for seed in range(3)
            ]
        )
        for n in (25, 90)
    )
    assert early > 2 * late > 0


def test_the_limits_hold_the_true_gain(laboratory: Draw) -> None:
    count = 40
    test = laboratory(1500, 999)
    first = np.arange(count)
    true_gain = np.mean(
        [
            accuracy(task, test) - accuracy(task[first], test)
            for task in (laboratory(count + 10, 100 + seed) for seed in range(30))
        ]
    )
    assert 0.003 < true_gain < 0.03
    inside = 0
    for seed in range(10):
        gain = expected_gain(learning_curve(laboratory(count, seed), PROBE, 1), count)
        assert gain.low <= gain.estimate <= gain.high
        assert gain.high < 0.12
        inside += gain.low <= true_gain <= gain.high
    assert inside >= 9


def test_the_curve_scores_each_cell_at_each_size(laboratory: Draw) -> None:
    curve = learning_curve(laboratory(50, 0), PROBE, 2)
    np.testing.assert_allclose(curve.sizes, [16, 24, 32, 40])
    assert curve.right.shape == (50, 4)
    assert set(np.unique(curve.right)) <= {0.0, 0.5, 1.0}


def test_a_flat_curve_promises_nothing_and_a_falling_one_no_loss() -> None:
    names = np.arange(100).astype(str)
    sizes = np.array([20.0, 40.0, 60.0, 80.0])
    flat = LearningCurve(sizes, np.tile(np.arange(100)[:, None] < 90, (1, 4)).astype(float), names)
    assert expected_gain(flat, 100).estimate == pytest.approx(0, abs=1e-12)
    falling = LearningCurve(sizes, np.arange(100)[:, None] < [90.0, 88, 86, 84], names)
    assert expected_gain(falling, 100).high >= expected_gain(falling, 100).low >= 0


def test_a_power_law_is_followed() -> None:
    """Accuracy 1 - 4 / labels: from 100 to 110 labels it gains 0.0036."""
    sizes = np.array([20.0, 40.0, 60.0, 80.0])
    share = np.tile(1 - 4 / sizes, (50, 1))
    gain = expected_gain(LearningCurve(sizes, share, np.arange(50).astype(str)), 100)
    assert gain.low <= 4 / 100 - 4 / 110 <= gain.high
    assert gain.estimate == pytest.approx(4 / 100 - 4 / 110, rel=0.5)


def test_advice_counts_classes_and_says_what_to_do(laboratory: Draw) -> None:
    advice = advise(laboratory(40, 0))
    assert advice.labels == 40
    assert advice.accuracy.low < advice.accuracy.estimate < advice.accuracy.high
    assert not np.isnan(advice.gain.estimate)
    assert advice.curve is not None
    assert "cross-validation" in advice.sentences[0]
    assert "10 more labels are expected to add" in advice.sentences[1]


def test_the_same_seed_gives_the_same_advice(laboratory: Draw) -> None:
    first, second = (advise(laboratory(30, 1), PROBE) for _ in range(2))
    assert first.sentences == second.sentences


def test_early_on_there_is_no_curve(laboratory: Draw) -> None:
    advice = advise(laboratory(12, 0))
    assert advice.curve is None
    assert np.isnan(advice.gain.estimate)
    assert not advice.enough
    assert "too early" in advice.sentences[-1]


@pytest.mark.parametrize("targets", [[1] * 12, [1, 2, 1, 2, 1]])
def test_too_few_to_say_anything(laboratory: Draw, targets: list[int]) -> None:
    task = replace(laboratory(len(targets), 0), targets=np.array(targets))
    with pytest.raises(AdaptationError, match="too few"):
        advise(task)


def test_a_class_that_only_the_source_model_sees_is_missed_until_it_is_refuted(
    laboratory: Draw, shipped: Bundle
) -> None:
    """The pool's embeddings are zero here, so the source model gives it one name."""
    empty = Encoded(np.zeros((12, 12), np.float32), np.zeros((12, 128), np.float32))
    called = int(shipped.head.probabilities(empty).argmax(axis=1)[0])
    rng = np.random.default_rng(0)
    many = Encoded(np.zeros((400, 12), np.float32), 9 * rng.normal(size=(400, 128)).astype("f4"))
    answers = shipped.head.probabilities(many).argmax(axis=1)
    # Labelled cells that the source model takes for two other classes, and rightly so.
    others = [k for k in np.unique(answers) if k != called][:2]
    rows = np.concatenate([np.flatnonzero(answers == k)[:6] for k in others])
    task = laboratory(len(rows), 0)
    right = replace(task, cells=only_encoded(many[rows]), targets=answers[rows])
    assert advise(right, PROBE).missing == {shipped.card.classes[called]: 1.0}
    # Now it takes all of them for the class in question, and none is one.
    refuted = replace(right, cells=only_encoded(empty[: len(rows)]))
    assert advise(refuted, PROBE).missing == {}


def advice_of(gain: float, thin: dict[str, int] | None = None) -> Advice:
    limits = Interval(gain, 0.0, 2 * gain)
    return Advice(50, Interval(0.9, 0.8, 0.95), limits, None, thin or {}, {}, gain < 0.01)


def test_the_recommendation() -> None:
    assert advice_of(0.03).sentences[-1] == "Label 10 more."
    thin = advice_of(0.03, {"basophil": 2, "eosinophil": 4}).sentences
    assert thin[-1] == "Label 10 more, above all basophil and eosinophil."
    assert "basophil (2), eosinophil (4)" in thin[2]
    assert advice_of(0.002).sentences[-1].startswith("Enough: 10 more labels")
    assert "Label more of basophil only" in advice_of(0.002, {"basophil": 2}).sentences[-1]
