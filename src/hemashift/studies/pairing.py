"""Paired tests between conditions, with the pairing spelt out and corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hemashift.evaluation.comparison import holm, wilcoxon

Comparison = tuple[str, str]

BY_DATASET = "dataset"
"""A pair is a dataset: the mean over its draws under one condition and under the other."""
BY_DRAW = "dataset and draw"
"""A pair is one draw of labels of one dataset: same labelled and same scored cells under both."""


def paired_tests(
    scores: pd.DataFrame, comparisons: Sequence[Comparison], metric: str
) -> pd.DataFrame:
    """Test whether a score differs between conditions (Wilcoxon's signed-rank test, two-sided).

    Two pairings are tested. By dataset, pairs are independent, but few: with n pairs, no p-value
    can lie below 2 / 2^n. By dataset and draw, there are more pairs, but draws of one dataset
    share cells, so that these p-values are smaller than the data warrant. The p-values of all
    comparisons with one pairing are corrected together (Holm 1979).

    Args:
        scores: Columns `dataset`, `draw`, `condition`, `metric`, `value`.
        comparisons: Pairs of conditions; the second is expected to be the better.
        metric: Which score.

    Returns:
        A row a pairing and comparison: `metric`, `pairing`, `first`, `second`, `pairs` (all of
        them), `unequal` (those that carry information), `mean_difference` (second minus first),
        `statistic`, `p`, `p_holm`, `least_p` (the smallest that so many unequal pairs allow).
        Comparisons without a common pair are left out; with one draw, the second pairing is.
    """
    own = scores[scores["metric"] == metric]
    wide = own.pivot(index=["dataset", "draw"], columns="condition", values="value")
    tables = [(BY_DATASET, wide.groupby(level="dataset", sort=False).mean())]
    if wide.index.get_level_values("draw").nunique() > 1:
        tables.append((BY_DRAW, wide))
    found = []
    for pairing, table in tables:
        rows = [_tested(table, one) for one in comparisons if set(one) <= set(table.columns)]
        frame = pd.DataFrame([row for row in rows if row["pairs"]])
        if len(frame):
            frame.insert(0, "pairing", pairing)
            frame["p_holm"] = holm(frame["p"])
            found.append(frame)
    if not found:
        return pd.DataFrame()
    result = pd.concat(found, ignore_index=True)
    result.insert(0, "metric", metric)
    return result


def _tested(table: pd.DataFrame, comparison: Comparison) -> dict[str, str | int | float]:
    first, second = comparison
    pairs = table[[first, second]].dropna()
    about: dict[str, str | int | float] = {"first": first, "second": second, "pairs": len(pairs)}
    if pairs.empty:
        return about
    before, after = (pairs[name].to_numpy(dtype=np.float64) for name in comparison)
    # Scores that are equal but for the last bit of a mean are equal.
    after = np.where(np.isclose(before, after, rtol=0, atol=1e-12), before, after)
    test = wilcoxon(before, after)
    return about | {
        "unequal": test.n,
        "mean_difference": float((after - before).mean()),
        "statistic": test.statistic,
        "p": test.p_value,
        "least_p": min(1.0, 2 * 0.5**test.n),
    }
