"""How often the true class of a wrongly predicted cell comes second (Fig. 13)."""

from __future__ import annotations

import pandas as pd

from hemashift.evaluation.intervals import clopper_pearson


def second_places(predictions: pd.DataFrame) -> pd.DataFrame:
    """Count, for every class of every dataset, wrong cells whose true class is second.

    Args:
        predictions: Rows with `dataset`, `class` and `rank` of the true class (1: predicted).

    Returns:
        One row a dataset and class: `cells`, `wrong`, `second`, and `share` of the wrong cells
        with exact 95 % limits `low` and `high`; NaN, 0 and 1 where none is wrong.

    Examples:
        >>> told = pd.DataFrame({"dataset": "ours", "class": "monocyte", "rank": [1, 2, 2, 3]})
        >>> second_places(told)[["cells", "wrong", "second"]].values.tolist()
        [[4, 3, 2]]
    """
    rows = []
    for (dataset, name), part in predictions.groupby(["dataset", "class"], sort=False):
        wrong, second = int((part["rank"] > 1).sum()), int((part["rank"] == 2).sum())
        share = clopper_pearson(second, wrong)
        rows.append(
            (dataset, name, len(part), wrong, second, share.estimate, share.low, share.high)
        )
    columns = ["dataset", "class", "cells", "wrong", "second", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)
