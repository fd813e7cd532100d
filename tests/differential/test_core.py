"""Percentages, exact limits, and what is in the denominator."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hemashift.differential import Differential, Role, role_of


@pytest.mark.parametrize(
    ("cells", "leucocytes", "low", "high"),
    [(5, 100, 1.64, 11.28), (10, 200, 2.42, 9.00), (0, 100, 0.0, 3.62)],
)
def test_limits_are_those_of_the_table_of_ruemke(
    cells: int, leucocytes: int, low: float, high: float
) -> None:
    count = Differential.of({"basophil": cells, "neutrophil": leucocytes - cells})
    line = count.line("basophil")
    assert (round(line.low, 2), round(line.high, 2)) == (low, high)
    assert line.value == pytest.approx(100 * cells / leucocytes)
    assert line.unit == "%"


def test_erythroblasts_are_beside_the_count() -> None:
    without = Differential.of({"neutrophil": 60, "lymphocyte": 40})
    count = Differential.of({"erythroblast": 150, "neutrophil": 60, "lymphocyte": 40})
    assert count.leucocytes == 100
    assert count.line("neutrophil") == without.line("neutrophil")
    line = count.line("erythroblast")
    assert (line.value, line.unit) == (pytest.approx(150), "per 100 leucocytes")
    # There may be more of them than leucocytes, so the limits may lie above 100.
    assert line.low > 100 and line.high < 250
    assert [one.name for one in count.lines] == ["neutrophil", "lymphocyte", "erythroblast"]


def test_limits_per_100_leucocytes_are_exact() -> None:
    """At a limit, what was seen, or something further from it, has a chance of 2.5 %."""
    line = Differential.of({"erythroblast": 3, "neutrophil": 100}).line("erythroblast")
    upper, lower = (ratio / (100 + ratio) for ratio in (line.high, line.low))
    assert stats.binom.cdf(3, 103, upper) == pytest.approx(0.025, abs=1e-6)
    assert stats.binom.sf(2, 103, lower) == pytest.approx(0.025, abs=1e-6)


def test_a_class_of_the_user_may_have_another_role() -> None:
    counts = {"smudge cell": 10, "lymphocyte": 90}
    assert Differential.of(counts).leucocytes == 90
    count = Differential.of(counts, roles={"smudge cell": Role.LEUCOCYTE})
    assert count.leucocytes == 100
    assert count.line("smudge cell").value == pytest.approx(10)


def test_what_is_not_reported_is_counted_apart() -> None:
    count = Differential.of({"neutrophil": 5, "outside": 3, "platelet": 2, "unidentified": 4})
    assert (count.leucocytes, count.outside, count.unidentified) == (5, 5, 4)
    assert [line.name for line in count.lines] == ["neutrophil"]
    assert np.isnan(count.line("platelet").value)


def test_without_leucocytes_nothing_is_defined() -> None:
    count = Differential.of({"neutrophil": 0, "erythroblast": 7})
    assert all(np.isnan([line.value, line.low, line.high]).all() for line in count.lines)


def test_a_smaller_confidence_gives_narrower_limits() -> None:
    counts = {"basophil": 5, "neutrophil": 95}
    wide, narrow = (Differential.of(counts, confidence=c).line("basophil") for c in (0.99, 0.9))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Differential.of({"neutrophil": -1})
    with pytest.raises(ValueError, match="twice"):
        Differential.of([("neutrophil", 1), ("neutrophil", 2)])


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("neutrophil", Role.LEUCOCYTE),
        ("blast", Role.LEUCOCYTE),
        ("a class of our own", Role.LEUCOCYTE),
        ("NRBC", Role.PER_100),
        ("proerythroblast", Role.PER_100),
        ("orthochromatic erythroblast", Role.PER_100),
        ("smudge cell", Role.PER_100),
        ("thrombocyte", Role.OUTSIDE),
        ("artefact", Role.OUTSIDE),
        ("outside", Role.OUTSIDE),
        ("unidentified", Role.UNIDENTIFIED),
    ],
)
def test_roles(name: str, role: Role) -> None:
    assert role_of(name) is role
