"""What is told of wrong predictions agrees with the predictions; planted label errors show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.cells import Cell, CellTable
from hemashift.datasets import get
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.errors.looking import (
    label_errors_of,
    pictures_of,
    predictions_of,
    vectors_of,
)
from hemashift.studies.errors.ranks import second_places
from hemashift.studies.outcomes import Outcome
from hemashift.studies.settings import DatasetSettings

CLASSES = ("lymphocyte", "monocyte", "neutrophil")


def outcome_of(truth: list[str], probabilities: np.ndarray, root: Path = Path()) -> Outcome:
    """An outcome in which the rows of the dataset are scored from the last to the first."""
    cells = [Cell(f"{row}.png", cell_class=name) for row, name in enumerate(truth[::-1])]
    table = CellTable.from_cells(cells, root, "ours")
    ours = Dataset("ours", "ours", DatasetSettings(), get("bccd"), table, table, "print")
    rows = np.arange(len(truth))[::-1]
    predicted = np.array(CLASSES)[probabilities.argmax(axis=1)]
    columns = {f"p_{name}": probabilities[:, k] for k, name in enumerate(CLASSES)}
    predictions = pd.DataFrame({"row": rows, "truth": truth, "predicted": predicted, **columns})
    return Outcome(ours, "own", Draw(0, np.array([], np.int64), rows, 0), predictions, 0, 0.0)


@pytest.fixture
def few() -> Outcome:
    probabilities = np.array(
        [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.6, 0.1, 0.3], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2]]
    )
    truth = ["lymphocyte", "monocyte", "monocyte", "neutrophil", "monocyte"]
    return outcome_of(truth, probabilities)


def test_ranks_and_probabilities_of_the_truth(few: Outcome) -> None:
    told = predictions_of(few)
    assert told["rank"].tolist() == [1, 2, 3, 1, 2]  # the last is a tie that the truth lost
    assert told["own"].tolist() == [0.7, 0.3, 0.1, 0.5, 0.4]
    assert told["confidence"].tolist() == [0.7, 0.6, 0.6, 0.5, 0.4]
    assert told["path"].tolist() == [f"{row}.png" for row in (4, 3, 2, 1, 0)]


def test_second_places_are_counted_a_class(few: Outcome) -> None:
    found = second_places(predictions_of(few)).set_index("class")
    monocyte = found.loc["monocyte"]
    assert monocyte[["cells", "wrong", "second"]].tolist() == [3, 3, 2]
    assert monocyte["share"] == pytest.approx(2 / 3)
    assert monocyte["low"] < 2 / 3 < monocyte["high"]
    assert found.loc["neutrophil", "wrong"] == 0
    assert np.isnan(found.loc["neutrophil", "share"])


def test_vectors_are_those_of_wrong_cells_of_the_class(few: Outcome) -> None:
    vectors = vectors_of(few, "monocyte")
    assert len(vectors) == 3 * 3
    wide = vectors.pivot(index="cell", columns="class", values="probability")
    assert wide.loc[3].tolist() == [0.6, 0.3, 0.1]
    assert vectors_of(few, "neutrophil").empty


def test_a_planted_label_error_is_the_first_suspect() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(CLASSES, 120)
    logits = rng.normal(size=(120, 3)) + 4 * (truth[:, None] == np.array(CLASSES))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sure = int(probabilities.max(axis=1).argmax())
    labels = truth.copy()
    labels[sure] = CLASSES[(CLASSES.index(truth[sure]) + 1) % 3]
    found = label_errors_of(outcome_of(labels.tolist(), probabilities.astype(np.float32)))
    first = found.iloc[0]
    assert (first["row"], first["label"], first["suggested"]) == (
        119 - sure,
        labels[sure],
        truth[sure],
    )
    assert found["place"].tolist() == list(range(1, len(found) + 1))
    assert found["own"].is_monotonic_increasing


def test_pictures_are_found_by_their_row(few: Outcome, tmp_path: Path) -> None:
    Image.new("RGB", (50, 30), (250, 0, 0)).save(tmp_path / "2.png")
    (tmp_path / "4.png").write_text("no image")
    table = replace(few.dataset.cells, root=tmp_path)
    dataset = replace(few.dataset, cells=table)
    found = pictures_of(dataset, {"lymphocyte": [2, 4], "suspect": [2]})
    assert list(found) == ["lymphocyte 2", "suspect 2"]
    assert found["suspect 2"].shape == (112, 112, 3)
    assert tuple(found["suspect 2"][56, 56]) == (250, 0, 0)
    assert pictures_of(dataset, {"suspect": []}) == {}
