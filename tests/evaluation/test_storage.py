"""What is written can be read again, by this package and by any JSON reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemashift.errors import TableError
from hemashift.evaluation import Evaluation, evaluate, read_evaluation, write_evaluation


def example() -> Evaluation:
    predictions = pd.DataFrame(
        {
            "path": list("abcd"),
            "p_monocyte": [0.9, 0.2, 0.6, 0.5],
            "p_neutrophil": [0.1, 0.7, 0.3, 0.5],
            "p_basophil": [0.0, 0.1, 0.1, 0.0],
        }
    )
    labels = pd.DataFrame({"path": list("abcx"), "label": ["MO", "NGS", "NGS", "MO"]})
    return evaluate(predictions, labels, model={"name": "tiny"}, seed=7, draws=300)


def test_round_trip(tmp_path: Path) -> None:
    first = example()
    write_evaluation(first, tmp_path / "evaluation.json")
    second = read_evaluation(tmp_path / "evaluation.json")
    assert second.overall == first.overall
    assert second.matching == first.matching
    assert second.warnings == first.warnings
    assert (second.seed, second.draws, second.model["name"]) == (7, 300, "tiny")
    np.testing.assert_array_equal(second.probabilities, first.probabilities)
    assert Evaluation.from_json(first.to_json()).paths == first.paths


def test_the_text_is_strict_json_with_null_for_what_is_not_defined() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(example().to_json(), parse_constant=refuse)
    assert document["per_class"][2]["recall"]["estimate"] is None
    assert document["overall"]["accuracy"]["estimate"] == pytest.approx(2 / 3)
    assert document["matching"]["without_prediction"] == ["x"]
    assert document["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other", "version": 1}'])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(TableError, match="not a complete evaluation"):
        Evaluation.from_json(text)


def test_scores_alone_cannot_be_read_back() -> None:
    text = example().to_json(cells=False)
    assert "cells" not in json.loads(text)
    with pytest.raises(TableError, match="cells"):
        Evaluation.from_json(text)


def test_a_missing_file_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        read_evaluation(tmp_path / "none.json")
