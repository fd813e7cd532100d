"""Scores are scikit-learn's; means and deviations are NumPy's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from hemashift.studies.outcomes import Outcome
from hemashift.studies.sample_size.scores import (
    ALL,
    looked_at_summary,
    score_rows,
    summary_of,
)

CLASSES = ("eosinophil", "lymphocyte", "monocyte")


def made(truth: list[str], predicted: list[str]) -> Outcome:
    predictions = pd.DataFrame({"truth": truth, "predicted": predicted})
    return cast(Outcome, SimpleNamespace(classes=CLASSES, predictions=predictions))


def value(rows: pd.DataFrame, metric: str, name: str = ALL) -> float:
    return float(rows[(rows["metric"] == metric) & (rows["class"] == name)]["value"].item())


def test_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = (rng.choice(CLASSES, 80).tolist() for _ in range(2))
    rows = score_rows(made(truth, predicted))
    assert value(rows, "accuracy") == accuracy_score(truth, predicted)
    precision = precision_score(truth, predicted, labels=CLASSES, average=None)
    recall = recall_score(truth, predicted, labels=CLASSES, average=None)
    for k, name in enumerate(CLASSES):
        assert value(rows, "precision", name) == pytest.approx(precision[k])
        assert value(rows, "recall", name) == pytest.approx(recall[k])
    assert value(rows, "balanced_accuracy") == pytest.approx(recall.mean())


def test_a_class_without_a_scored_cell_has_no_row_and_one_never_predicted_has_zero() -> None:
    rows = score_rows(made(["lymphocyte", "eosinophil"], ["lymphocyte", "lymphocyte"]))
    assert "monocyte" not in set(rows["class"])
    assert value(rows, "precision", "eosinophil") == 0
    assert rows["value"].notna().all()


def scores(values: list[float], labels: int = 30) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": "ours",
            "approach": "own",
            "sampling": "random",
            "labels": labels,
            "draw": range(1, len(values) + 1),
            "metric": "accuracy",
            "class": ALL,
            "value": values,
        }
    )


def test_mean_and_deviation_are_over_draws() -> None:
    values = [0.8, 0.85, 0.9]
    found = summary_of(pd.concat([scores(values), scores([0.5], labels=60)]))
    first, single = found.iloc[0], found.iloc[1]
    assert (first["draws"], first["mean"]) == (3, pytest.approx(np.mean(values)))
    assert first["sd"] == pytest.approx(np.std(values, ddof=1))
    assert first["low"] < first["mean"] < first["high"]
    assert (single["draws"], single["mean"]) == (1, 0.5)
    assert np.isnan(single["sd"])


def test_cells_looked_at_are_counted_once_for_all_approaches() -> None:
    rows = [
        ("ours", approach, sampling, 30, draw, looked, 150)
        for approach in ("own", "workflow")
        for sampling, looked_at in (("random", (30, 30)), ("balanced", (80, 120)))
        for draw, looked in enumerate(looked_at)
    ]
    columns = ["dataset", "approach", "sampling", "labels", "draw", "looked_at", "offered"]
    (found,) = looked_at_summary(pd.DataFrame(rows, columns=columns)).to_dict("records")
    assert found == {
        "dataset": "ours",
        "labels": 30,
        "draws": 2,
        "mean": 100,
        "least": 80,
        "most": 120,
        "offered": 150,
    }
