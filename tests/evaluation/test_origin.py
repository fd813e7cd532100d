"""Predictions of one model are not taken for those of another."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hemashift.errors import TableError
from hemashift.evaluation import evaluate

SAID = pd.DataFrame({"path": ["a", "b"], "p_monocyte": [0.9, 0.2], "p_neutrophil": [0.1, 0.8]})
TRUE = pd.DataFrame({"path": ["a", "b"], "label": ["MO", "NGS"]})
CARD = {"classes": ["neutrophil", "monocyte"], "hash": "b" * 64}


def test_other_classes_are_another_model() -> None:
    assert len(evaluate(SAID, TRUE, model=CARD)) == 2
    assert len(evaluate(SAID, TRUE, model={"name": "ours"})) == 2
    with pytest.raises(TableError, match="not those of the model") as caught:
        evaluate(SAID, TRUE, model={"classes": ["monocyte", "blast"]})
    assert "--exclude" in str(caught.value)


def test_a_parquet_file_names_its_model(tmp_path: Path) -> None:
    path = tmp_path / "said.parquet"
    table = pa.Table.from_pandas(SAID).replace_schema_metadata({"hemashift_model_hash": "a" * 64})
    pq.write_table(table, path)
    assert len(evaluate(path, TRUE, model={**CARD, "hash": "a" * 64})) == 2
    assert len(evaluate(path, TRUE, model={"classes": CARD["classes"]})) == 2
    with pytest.raises(TableError, match="not those of the model") as caught:
        evaluate(path, TRUE, model=CARD)
    assert "aaaaaaaaaaaa" in str(caught.value)
    SAID.to_parquet(path)
    assert len(evaluate(path, TRUE, model=CARD)) == 2
