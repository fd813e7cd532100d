"""Rows of the output, and writing them as CSV, Parquet or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from hemashift.classification.pipeline import Batch
from hemashift.errors import HemashiftError
from hemashift.files import atomic_write
from hemashift.trust.outside import Outside

SUFFIXES = (".csv", ".parquet", ".jsonl")
BOX = ("x_min", "y_min", "x_max", "y_max")
OUTSIDE, EMBEDDING = "outside", "embedding"
SEPARATOR = "|"
_NO_NUMBER = "the model gives no number as a probability of this image"


def check_suffix(path: Path) -> str:
    """Return the suffix of an output.

    Raises:
        HemashiftError: It is none of `SUFFIXES`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise HemashiftError(
            "the format of the output is chosen by its suffix",
            expected=", ".join(SUFFIXES),
            found=suffix or "no suffix",
            where=path,
        )
    return suffix


def row_schema(
    classes: tuple[str, ...], boxes: bool, n_embedding: int, outside: bool = False
) -> pa.Schema:
    """Return the columns of a row.

    Args:
        classes: Names of the K classes.
        boxes: Whether the four numbers of the box are given.
        n_embedding: Length of the embedding, 0 to leave it out.
        outside: Whether there is a score of how unlike all classes a cell is.
    """
    fields: list[tuple[str, pa.DataType]] = [("path", pa.string())]
    fields += [(name, pa.int64()) for name in BOX if boxes]
    fields += [("label", pa.string())]
    fields += [(f"p_{name}", pa.float32()) for name in classes]
    fields += [(OUTSIDE, pa.float32()) for _ in range(outside)]
    fields += [("error", pa.string())]
    if n_embedding:
        fields += [(EMBEDDING, pa.list_(pa.float32(), n_embedding))]
    return pa.schema(fields)


def rows_of(batch: Batch, schema: pa.Schema, outside: Outside | None = None) -> pa.Table:
    """Turn a batch into rows; one without a result has an error and no label.

    The result is missing where the image could not be read, or a probability is no number.

    Args:
        batch: Items and what the network said about them.
        schema: The columns, from `row_schema`.
        outside: Scores how unlike all classes a cell is, where the schema has a column for it.
    """
    read = np.array([error is None for error in batch.errors])
    # Position of each item's result; -1 has none.
    place = np.where(read, np.cumsum(read) - 1, -1)
    errors = np.array(batch.errors, dtype=object)
    sound = np.isfinite(batch.prediction.probabilities).all(axis=1)
    errors[np.flatnonzero(read)[~sound]] = _NO_NUMBER
    read[read] = sound
    place[~read] = -1
    labels = batch.prediction.labels
    columns: dict[str, pa.Array] = {
        "path": pa.array([item.name for item in batch.items], pa.string()),
        "label": pa.array([labels[k] if k >= 0 else None for k in place], pa.string()),
        "error": pa.array(errors, pa.string()),
    }
    for position, name in enumerate(BOX):
        if name in schema.names:
            pixels = [item.box[position] if item.box else None for item in batch.items]
            columns[name] = pa.array(pixels, pa.int64())
    take = pa.array(place, pa.int64(), mask=~read)
    for position, name in enumerate(batch.prediction.classes):
        values = np.ascontiguousarray(batch.prediction.probabilities[:, position])
        columns[f"p_{name}"] = pa.array(values, pa.float32()).take(take)
    if outside is not None:
        scores = outside.scores(batch.prediction.encoded)
        columns[OUTSIDE] = pa.array(scores, pa.float32()).take(take)
    if EMBEDDING in schema.names:
        vectors = batch.prediction.encoded.embedding
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1), pa.float32())
        whole = pa.FixedSizeListArray.from_arrays(flat, schema.field(EMBEDDING).type.list_size)
        columns[EMBEDDING] = whole.take(take)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def write_rows(
    stretches: Iterable[pa.Table], schema: pa.Schema, path: Path, metadata: dict[str, str]
) -> None:
    """Write the finished output aside, then rename it.

    Args:
        stretches: The rows, in order.
        schema: Their columns.
        path: The output; its suffix chooses the format.
        metadata: What a Parquet file says about itself, such as the model's hash.
    """
    suffix = check_suffix(path)
    with atomic_write(path) as aside:
        if suffix == ".parquet":
            schema = schema.with_metadata(metadata)
            with pq.ParquetWriter(aside, schema) as parquet:
                for rows in stretches:
                    parquet.write_table(rows.replace_schema_metadata(metadata))
        elif suffix == ".csv":
            flat = _flat_schema(schema)
            options = pyarrow.csv.WriteOptions(quoting_style="needed")
            with pyarrow.csv.CSVWriter(aside, flat, write_options=options) as csv:
                for rows in stretches:
                    csv.write_table(_flat(rows, flat))
        else:
            with aside.open("w", encoding="utf-8", newline="\n") as stream:
                for rows in stretches:
                    stream.writelines(_json_line(row) for row in rows.to_pylist())


def _flat_schema(schema: pa.Schema) -> pa.Schema:
    """CSV has no lists: one column a component, ``e_000`` and on; texts are joined by ``|``."""
    fields = []
    for field in schema:
        if field.name == EMBEDDING:
            fields += [(f"e_{k:03d}", pa.float32()) for k in range(field.type.list_size)]
        else:
            fields.append((field.name, pa.string() if pa.types.is_list(field.type) else field.type))
    return pa.schema(fields)


def _flat(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in rows.schema:
        column = rows.column(field.name)
        if field.name == EMBEDDING:
            whole = column.combine_chunks()
            columns += [pc.list_element(whole, k) for k in range(field.type.list_size)]
        elif pa.types.is_list(field.type):
            columns.append(pc.binary_join(column, SEPARATOR))
        else:
            columns.append(column)
    return pa.table(columns, schema=schema)


def _json_line(row: dict[str, Any]) -> str:
    for name, value in row.items():
        # float32 as a double has digits that mean nothing: 0.30000001192092896.
        if isinstance(value, float):
            row[name] = _short(value)
        elif name == EMBEDDING and value is not None:
            row[name] = [_short(number) for number in value]
    return json.dumps(row, ensure_ascii=False) + "\n"


def _short(value: float) -> float:
    return float(str(np.float32(value)))
