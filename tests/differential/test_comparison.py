"""Comparing two counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hemashift.differential import Differential, Role, compare


def test_classes_are_tested_and_corrected() -> None:
    first = Differential.of({"neutrophil": 120, "lymphocyte": 70, "monocyte": 10})
    second = Differential.of({"neutrophil": 90, "lymphocyte": 100, "monocyte": 10})
    result = compare(first, second, ("A", "B"))
    assert result.names == ("A", "B")
    lines = {line.name: line for line in result.lines}
    tables = {"neutrophil": [[120, 80], [90, 110]], "lymphocyte": [[70, 130], [100, 100]]}
    for name, table in tables.items():
        assert lines[name].p_value == pytest.approx(stats.fisher_exact(table).pvalue)
    # Holm: the smallest p-value is multiplied by the number of classes, the next by one less.
    assert lines["lymphocyte"].corrected == pytest.approx(3 * lines["lymphocyte"].p_value)
    assert lines["neutrophil"].corrected == pytest.approx(
        max(2 * lines["neutrophil"].p_value, lines["lymphocyte"].corrected)
    )
    assert lines["monocyte"].corrected == 1
    assert not lines["neutrophil"].within and lines["monocyte"].within


def test_within_is_asked_both_ways() -> None:
    """0 of 20 lies within 3 of 100, whose lower limit is above 0; so it is not within."""
    first = Differential.of({"basophil": 0, "neutrophil": 20})
    second = Differential.of({"basophil": 3, "neutrophil": 97})
    line = compare(first, second).lines[0]
    assert line.first.low <= line.second.value <= line.first.high
    assert not line.within


def test_a_class_in_one_count_only() -> None:
    first = Differential.of({"neutrophil": 50})
    second = Differential.of({"neutrophil": 49, "blast": 1, "erythroblast": 5})
    lines = compare(first, second).lines
    assert [line.name for line in lines] == ["neutrophil", "blast", "erythroblast"]
    assert lines[1].first.count == 0
    # Erythroblasts are compared with the leucocytes, among which they are not.
    expected = stats.fisher_exact([[0, 50], [5, 50]]).pvalue
    assert lines[2].p_value == pytest.approx(expected)


def test_the_same_count_does_not_differ() -> None:
    count = Differential.of({"neutrophil": 50, "lymphocyte": 50})
    assert all(line.p_value == 1 and line.within for line in compare(count, count).lines)


def test_without_leucocytes_nothing_is_tested() -> None:
    count = Differential.of({"neutrophil": 50})
    [line] = compare(count, Differential.of({"neutrophil": 0})).lines
    assert np.isnan(line.p_value) and np.isnan(line.corrected) and not line.within


def test_counts_that_mean_different_things_are_not_compared() -> None:
    first = Differential.of({"smudge cell": 5, "neutrophil": 5})
    second = Differential.of({"smudge cell": 5}, roles={"smudge cell": Role.LEUCOCYTE})
    with pytest.raises(ValueError, match="do not agree"):
        compare(first, second)
