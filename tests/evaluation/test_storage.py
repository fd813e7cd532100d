"""What is written holds the scores and the cells, and any JSON reader can read it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from hemashift.evaluation import Evaluation, evaluate, write_evaluation


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


def test_the_file_holds_every_cell_and_how_the_scores_were_made(tmp_path: Path) -> None:
    first = example()
    write_evaluation(first, tmp_path / "evaluation.json")
    document = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert document["cells"] == {
        "path": ["a", "b", "c"],
        "box": None,
        "truth": ["monocyte", "neutrophil", "neutrophil"],
        "predicted": ["monocyte", "neutrophil", "monocyte"],
        "given": ["monocyte", "neutrophil", "monocyte"],
        "group": None,
        "probabilities": first.probabilities.tolist(),
    }
    assert document["settings"] == {"confidence": 0.95, "draws": 300, "seed": 7}
    assert document["warnings"] == list(first.warnings)
    assert document["model"]["name"] == "tiny"


def test_the_text_is_strict_json_with_null_for_what_is_not_defined() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(example().to_json(), parse_constant=refuse)
    assert document["per_class"][2]["recall"]["estimate"] is None
    assert document["overall"]["accuracy"]["estimate"] == pytest.approx(2 / 3)
    assert document["matching"]["without_prediction"] == ["x"]
    assert document["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
