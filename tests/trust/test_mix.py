from __future__ import annotations

import numpy as np
import pytest

from hemashift.model.bundle import Bundle
from hemashift.trust.mix import assumed_mix, reweighted


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
