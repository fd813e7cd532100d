from __future__ import annotations

import numpy as np
import pytest

from hemashift.model.bundle import Bundle
from hemashift.trust.mix import assumed_mix, estimate_class_mix, reweighted

PRIOR = np.array([0.25, 0.25, 0.5])


def test_the_mix_of_the_labelled_cells(bundle: Bundle) -> None:
    counts = {"neutrophil": 30, "lymphocyte": 9, "monocyte": 0}
    card = bundle.card.updated(provenance={"adaptation": {"labels": counts}})
    mix = dict(zip(card.classes, assumed_mix(card), strict=True))
    assert mix["neutrophil"] == pytest.approx(30.5 / 42)
    assert mix["monocyte"] == mix["basophil"] == pytest.approx(0.5 / 42)


@pytest.mark.parametrize("provenance", [{}, {"adaptation": 3}, {"adaptation": {"labels": "x"}}])
def test_without_labels_all_classes_alike(bundle: Bundle, provenance: dict) -> None:
    card = bundle.card.updated(provenance=provenance)
    np.testing.assert_allclose(assumed_mix(card), 1 / 6)


def test_a_row_of_a_class_that_is_not_there_stays() -> None:
    given = np.array([[1.0, 0.0], [0.6, 0.4], [np.nan, np.nan]])
    found = reweighted(given, np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(found, [[1, 0], [0, 1], [np.nan, np.nan]])


def posteriors(mix: np.ndarray, count: int, noise: float) -> np.ndarray:
    """Exact class probabilities under `PRIOR`, of cells drawn with another mix.

    A cell is its class plus noise, on the corners of a triangle.
    """
    rng = np.random.default_rng(0)
    truth = rng.choice(3, count, p=mix)
    cells = np.eye(3)[truth] + rng.normal(0, noise, (count, 3))
    distances = ((cells[:, None] - np.eye(3)) ** 2).sum(axis=2)
    likelihood = np.exp(-distances / (2 * noise**2))
    joint: np.ndarray = likelihood * PRIOR
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("mix", [(0.8, 0.15, 0.05), (1 / 3, 1 / 3, 1 / 3), (0.25, 0.25, 0.5)])
@pytest.mark.parametrize("noise", [0.2, 0.6])
def test_a_known_shift_is_found(mix: tuple[float, ...], noise: float) -> None:
    found = estimate_class_mix(posteriors(np.array(mix), 8000, noise), PRIOR)
    np.testing.assert_allclose(found, mix, atol=0.03)
    assert found.sum() == pytest.approx(1)


def test_counting_answers_would_miss_it() -> None:
    """What the estimate is for: probabilities under the old mix are drawn towards it."""
    mix = np.array([0.8, 0.15, 0.05])
    probabilities = posteriors(mix, 8000, 0.6)
    assert np.abs(probabilities.mean(axis=0) - mix).max() > 0.1


@pytest.mark.parametrize("trust", [0.0, 0.5, 0.99])
def test_no_class_falls_to_0(trust: float) -> None:
    probabilities = np.tile([1.0, 0.0, 0.0], (1000, 1))
    found = estimate_class_mix(probabilities, PRIOR, trust)
    np.testing.assert_allclose(found, trust * np.eye(3)[0] + (1 - trust) * PRIOR, atol=1e-6)
    assert (found > 0).all()


def test_the_less_trust_the_nearer_to_the_prior() -> None:
    probabilities = posteriors(np.array([0.8, 0.15, 0.05]), 2000, 0.4)
    away = [
        np.abs(estimate_class_mix(probabilities, PRIOR, trust) - PRIOR).max()
        for trust in (0, 0.3, 0.6, 0.9)
    ]
    assert away[0] == 0
    assert away == sorted(away)


def test_without_cells_it_is_the_prior() -> None:
    np.testing.assert_array_equal(estimate_class_mix(np.empty((0, 3)), PRIOR), PRIOR)


@pytest.mark.parametrize(
    ("prior", "trust"),
    [((0.5, 0.5, 0.0), 0.5), ((0.5, 0.5), 0.5), (PRIOR, 1.0), (PRIOR, -0.1), (PRIOR, np.nan)],
)
def test_what_cannot_be(prior: tuple[float, ...], trust: float) -> None:
    with pytest.raises(ValueError, match=r"prior|trust"):
        estimate_class_mix(np.full((4, 3), 1 / 3), np.array(prior), trust)
