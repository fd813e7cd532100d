"""Reading the two tables of an evaluation: what was predicted, and what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hemashift.cell_schema import BEYOND, BOX_COLUMNS
from hemashift.cells import Box, CellTable
from hemashift.columns import groups_in, one_spelling, texts_of
from hemashift.errors import TableError
from hemashift.evaluation.checks import check_probabilities
from hemashift.evaluation.metrics import UNLISTED, FloatArray, IntArray, encode_labels
from hemashift.tables import read_table
from hemashift.taxonomy import CLASSES, OUTSIDE, Taxonomy, default_taxonomy
from hemashift.trust.unidentified import UNIDENTIFIED

PROBABILITY_PREFIX = "p_"


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said about N images.

    Attributes:
        classes: The K class names, in the order of the table's columns.
        paths: N image paths as written.
        boxes: N boxes, None for a whole image.
        codes: Shape (N,), positions of the predicted classes; of the most probable one where the
            label is none of the classes.
        labels: N labels as written, `unidentified` and `outside` among them; the class of `codes`
            where none is written.
        probabilities: Shape (N, K).
        failed: Path -> reason, for the images that could not be classified.
    """

    classes: tuple[str, ...]
    paths: tuple[str, ...]
    boxes: tuple[Box | None, ...]
    codes: IntArray
    labels: tuple[str, ...]
    probabilities: FloatArray
    failed: dict[str, str]


@dataclass(frozen=True, eq=False)
class Truth:
    """What N cells are.

    Attributes:
        paths: N image paths as written.
        boxes: N boxes, None for a whole image.
        labels: N labels as given; empty where there is none.
        classes: N classes of the model; None where the label counts as none of them.
        groups: N patients or smears, or None where the table does not tell.
        root: Folder that relative paths start from; empty if not known.
    """

    paths: tuple[str, ...]
    boxes: tuple[Box | None, ...]
    labels: tuple[str, ...]
    classes: tuple[str | None, ...]
    groups: tuple[str, ...] | None
    root: str


def read_predictions(table: str | Path | pd.DataFrame) -> Predictions:
    """Read what `hemashift classify` wrote: path, label, p_<class>..., and perhaps error.

    Args:
        table: The file, or its rows.

    Raises:
        TableError: If a column is missing, probabilities are no distribution, or a label is
            not one of the classes; the message names the row.
    """
    frame, where = _open(table, "the predictions")
    _require(frame, ("path",), where)
    columns = [str(c) for c in frame.columns if str(c).startswith(PROBABILITY_PREFIX)]
    classes = tuple(c.removeprefix(PROBABILITY_PREFIX) for c in columns)
    if not classes:
        raise TableError(
            "the predictions hold no probabilities",
            expected="a column p_<class> for each class, as `hemashift classify` writes them",
            found=", ".join(map(str, frame.columns)),
            where=where,
        )
    errors = texts_of(frame["error"]) if "error" in frame else [""] * len(frame)
    failed = {p: e for p, e in zip(texts_of(frame["path"]), errors, strict=True) if e}
    rows = np.flatnonzero(np.array([not e for e in errors], dtype=bool))
    frame = frame.iloc[rows]
    probabilities = _probabilities(frame[columns], where)
    codes, labels = _predicted(frame, classes, probabilities.argmax(axis=1), where, rows)
    paths, boxes = tuple(texts_of(frame["path"])), _boxes(frame, where, rows)
    return Predictions(classes, paths, boxes, codes, labels, probabilities, failed)


def _probabilities(frame: pd.DataFrame, where: str) -> FloatArray:
    """Return the numbers of the columns, checked."""
    numbers = frame.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    try:
        return check_probabilities(numbers, frame.shape[1])
    except TableError as error:
        raise TableError(
            error.message,
            expected=error.expected,
            found=error.found,
            where=f"{where}, {error.where}" if error.where else where,
            hint=error.hint,
        ) from None


def _predicted(
    frame: pd.DataFrame, classes: tuple[str, ...], likeliest: IntArray, where: str, rows: IntArray
) -> tuple[IntArray, tuple[str, ...]]:
    """Return position and label of what was predicted; `rows` are as in `_boxes`.

    A cell that was given no class counts by its most probable one.
    """
    labels = texts_of(frame["label"]) if "label" in frame else [""] * len(frame)
    given = encode_labels(labels, classes)
    for row, label, code in zip(rows, labels, given, strict=True):
        if code == UNLISTED and label not in ("", UNIDENTIFIED, OUTSIDE):
            raise TableError(
                "a predicted label is not one of the classes",
                expected=", ".join(classes),
                found=repr(label),
                where=f"{where}, row {row + 1}",
            )
    codes = np.where(given == UNLISTED, likeliest, given)
    return codes, tuple(label or classes[code] for label, code in zip(labels, codes, strict=True))


def read_truth(
    table: str | Path | pd.DataFrame | CellTable,
    classes: Sequence[str],
    taxonomy: Taxonomy | None = None,
) -> Truth:
    """Read true labels and say which class of the model each counts as.

    A cell table, or a file with columns path and label, and perhaps class (which wins over
    label), a box, and one of `columns.GROUP_COLUMNS`.

    Args:
        table: The table, or its file.
        classes: The classes of the model.
        taxonomy: What labels mean; by default the built-in one.

    Raises:
        TableError: If a column is missing.
    """
    root = ""
    if isinstance(table, CellTable):
        frame, where = table.frame, "the labels"
        root = str(table.root.resolve())
    else:
        frame, where = _open(table, "the labels")
        if not isinstance(table, pd.DataFrame):
            root = str(Path(table).resolve().parent)
    if "class" not in frame:
        _require(frame, ("path", "label"), where)
    _require(frame, ("path",), where)
    labels = texts_of(frame["label"]) if "label" in frame else [""] * len(frame)
    if "class" in frame:
        named = texts_of(frame["class"])
        labels = [a or b for a, b in zip(named, labels, strict=True)]
    meanings = {label: class_of(label, classes, taxonomy) for label in dict.fromkeys(labels)}
    strange = one_spelling({one: one for one, found in meanings.items() if found is None})
    groups = groups_in(frame)
    return Truth(
        tuple(texts_of(frame["path"])),
        _boxes(frame, where, np.arange(len(frame))),
        tuple(strange.get(label) or label for label in labels),
        tuple(meanings[label] for label in labels),
        None if groups is None else tuple(g or f"row {i}" for i, g in enumerate(groups)),
        root,
    )


def class_of(label: str, classes: Sequence[str], taxonomy: Taxonomy | None = None) -> str | None:
    """Return the class of the model that a label counts as, or None.

    Examples:
        >>> class_of("Band neutrophils", ("lymphocyte", "neutrophil"))
        'neutrophil'
        >>> class_of("smudge cell", ("lymphocyte", "neutrophil")) is None
        True
    """
    if not label:
        return None
    if label in classes:
        return label
    meaning = taxonomy or default_taxonomy()
    if taxonomy is not None or set(classes) <= set(CLASSES):
        main = meaning.main_class(label)
        if main in classes:
            return main
    return meaning.roll_up(label, classes)


def _open(table: str | Path | pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    if isinstance(table, pd.DataFrame):
        return table, name
    return read_table(table), str(table)


def _require(frame: pd.DataFrame, names: Sequence[str], where: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise TableError(
            f"the table has no column {missing[0]!r}",
            expected=", ".join(names),
            found=", ".join(map(str, frame.columns)) or "no columns",
            where=where,
        )


def _boxes(frame: pd.DataFrame, where: str, rows: IntArray) -> tuple[Box | None, ...]:
    """Return the box of each row; `rows` are their places in the table, for the message."""
    if not set(BOX_COLUMNS) <= set(map(str, frame.columns)):
        return (None,) * len(frame)
    numbers = (
        frame[list(BOX_COLUMNS)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    )
    far = np.flatnonzero((np.abs(numbers) >= BEYOND).any(axis=1))
    if len(far):
        raise TableError(
            "a box lies beyond any image",
            expected="pixels",
            found=", ".join(f"{end:g}" for end in numbers[far[0]]),
            where=f"{where}, row {rows[far[0]] + 1}",
        )
    return tuple(None if np.isnan(row).any() else Box(*map(int, row)) for row in numbers)
