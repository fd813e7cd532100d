from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hemashift.studies.pairing import BY_DATASET, BY_DRAW, paired_tests


def scores(draws: int = 3, datasets: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (f"d{dataset}", draw, condition, "accuracy", level + rng.normal(0, 0.05))
        for dataset in range(datasets)
        for draw in range(draws)
        for condition, level in (("a", 0.6), ("b", 0.7), ("c", 0.71))
    ]
    return pd.DataFrame(rows, columns=["dataset", "draw", "condition", "metric", "value"])


def adjusted(values: list[float]) -> list[float]:
    """Holm 1979, written out."""
    order = np.argsort(values)
    found, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        found[place] = highest
    return found


def test_both_pairings_are_those_of_scipy() -> None:
    table = scores()
    tests = paired_tests(table, [("a", "b"), ("b", "c")], "accuracy")
    assert tests["pairing"].tolist() == [BY_DATASET] * 2 + [BY_DRAW] * 2
    means = table.groupby(["condition", "dataset"])["value"].mean()
    by_draw = table.set_index(["condition", "dataset", "draw"])["value"]
    for pairing, values, pairs in ((BY_DATASET, means, 6), (BY_DRAW, by_draw, 18)):
        own = tests[tests["pairing"] == pairing]
        expected = [
            stats.wilcoxon(values[first].to_numpy(), values[second].to_numpy())
            for first, second in (("a", "b"), ("b", "c"))
        ]
        assert own["p"].tolist() == pytest.approx([one.pvalue for one in expected])
        assert own["statistic"].tolist() == pytest.approx([one.statistic for one in expected])
        assert own["p_holm"].tolist() == pytest.approx(adjusted([one.pvalue for one in expected]))
        assert own["pairs"].tolist() == [pairs, pairs]


def test_the_order_of_the_rows_does_not_matter() -> None:
    table = scores()
    shuffled = table.sample(frac=1, random_state=0)
    one, other = (paired_tests(rows, [("a", "b")], "accuracy") for rows in (table, shuffled))
    assert one["p"].tolist() == pytest.approx(other["p"].tolist())
    assert one["mean_difference"].iloc[0] == pytest.approx(0.1, abs=0.03)


def test_with_one_draw_there_is_one_pairing_and_its_least_p_is_told() -> None:
    tests = paired_tests(scores(draws=1, datasets=4), [("a", "b")], "accuracy")
    assert tests["pairing"].tolist() == [BY_DATASET]
    assert tests["least_p"].iloc[0] == 0.125 <= tests["p"].iloc[0]


def test_only_common_pairs_are_compared() -> None:
    table = scores(draws=1)
    table = table[(table["dataset"] != "d0") | (table["condition"] != "b")]
    tests = paired_tests(table, [("a", "b"), ("a", "c"), ("a", "nothing")], "accuracy")
    assert tests["pairs"].tolist() == [5, 6]


def test_equal_conditions_do_not_differ() -> None:
    table = scores()
    twin = table[table["condition"] == "a"].assign(condition="twin")
    tests = paired_tests(pd.concat([table, twin]), [("a", "twin")], "accuracy")
    assert tests["p"].tolist() == [1.0, 1.0]
    assert tests["unequal"].tolist() == [0, 0]


def test_without_a_pair_there_is_no_test() -> None:
    assert paired_tests(scores(), [("x", "y")], "accuracy").empty


def test_scores_equal_but_for_the_last_bit_are_equal() -> None:
    table = scores(draws=1)
    own = table[table["condition"] == "a"]
    twin = own.assign(condition="twin", value=np.nextafter(own["value"], 2))
    tests = paired_tests(pd.concat([table, twin]), [("a", "twin")], "accuracy")
    assert tests["unequal"].tolist() == [0]
    assert tests["mean_difference"].tolist() == [0]
