"""From a table of predictions and a table of labels to an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hemashift.cells import CellTable
from hemashift.errors import TableError
from hemashift.evaluation.evaluation import Evaluation
from hemashift.evaluation.exclusion import Exclusion, find_excluded, labelled_hashes
from hemashift.evaluation.matching import Matching, match_paths, normalise_path
from hemashift.evaluation.origin import check_origin
from hemashift.evaluation.tables import Predictions, Truth, read_predictions, read_truth
from hemashift.model.bundle import Bundle, load_model
from hemashift.taxonomy import Taxonomy

Key = tuple[str, Hashable]
Pair = tuple[int, int]
"""Rows of one cell: in the labels, and in the predictions."""


def evaluate(
    predictions: str | Path | pd.DataFrame,
    truth: str | Path | pd.DataFrame | CellTable,
    *,
    images: str | Path | None = None,
    exclude: Iterable[str] | Exclusion = (),
    taxonomy: Taxonomy | None = None,
    model: Bundle | str | Path | Mapping[str, Any] | None = None,
    grouped: bool = True,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """Compare predictions with labels, cell by cell, and leave no row unaccounted for.

    Rows are matched by image path (see `match_paths`) and box. Whatever cannot be used is
    left out, counted and named in `Evaluation.matching`; nothing is left out silently.

    Args:
        predictions: What `hemashift classify` wrote: CSV, Parquet or JSON lines, or its rows.
        truth: Labels: a file with columns path and label, its rows, or a cell table.
        images: Folder that predicted paths start from, if they are relative.
        exclude: Cells to leave out: image paths, SHA-256 hashes of image files, or what
            `read_exclusion` found in a table. Give the cells that the model was adapted with, for
            it has seen their labels.
        taxonomy: What labels mean; by default the built-in one.
        model: The model, its folder or the name of a shipped one, or facts about it, such as
            `Bundle.facts`. Cells that it was adapted with, whose image hashes its card lists under
            `labelled_sha256`, are left out as well.
        grouped: Do not take cells of one group (patient, smear) for independent where the labels
            name groups.
        confidence: Nominal coverage of all limits, in 0..1.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.

    Raises:
        TableError: If a table has not the form it must have, no cell is left, or the predictions
            are those of another model.

    Examples:
        >>> said = pd.DataFrame({"path": ["1.png", "2.png"], "p_monocyte": [0.9, 0.2],
        ...                      "p_neutrophil": [0.1, 0.8]})
        >>> true = pd.DataFrame({"path": ["1.png", "2.png"], "label": ["MO", "band neutrophil"]})
        >>> evaluate(said, true).overall["accuracy"].estimate
        1.0
    """
    card = _facts_of(model)
    said = read_predictions(predictions)
    check_origin(predictions, said.classes, card)
    true = read_truth(truth, said.classes, taxonomy)
    said_root = "" if images is None else str(Path(images).resolve())
    facts: dict[str, Any] = {}

    pairs = _of_known_class(_pairs(said, true, said_root, facts), said, true, facts)
    pairs = _not_seen(pairs, said, true, said_root, _seen(exclude, card), facts)
    if not pairs:
        raise TableError(
            "no cell is left to evaluate",
            found=" ".join(Matching(**facts).warnings()),
            hint="check that both tables name the same images, and that labels are classes",
        )
    rows = [s for _, s in pairs]
    return Evaluation.from_labels(
        [true.classes[t] for t, _ in pairs],
        said.probabilities[rows],
        said.classes,
        y_pred=said.codes[rows],
        given=tuple(said.labels[s] for s in rows),
        paths=tuple(said.paths[s] for s in rows),
        boxes=tuple(said.boxes[s] or true.boxes[t] for t, s in pairs),
        groups=tuple(true.groups[t] for t, _ in pairs) if grouped and true.groups else None,
        matching=Matching(**facts),
        model=card,
        confidence=confidence,
        draws=draws,
        seed=seed,
    )


def _pairs(said: Predictions, true: Truth, said_root: str, facts: dict[str, Any]) -> list[Pair]:
    """Find the prediction of each labelled cell; what has no partner goes into the facts."""
    said_rows, true_rows = _first_predictions(said, facts), _first_labels(true, facts)
    by_box = {key[1] for key in said_rows} != {None} and {key[1] for key in true_rows} != {None}
    said_keys, true_keys = list(said_rows), list(true_rows)
    hits = match_paths(
        [path for path, _ in true_keys],
        [path for path, _ in said_keys],
        truth_root=true.root,
        predicted_root=said_root,
        boxes=([b for _, b in true_keys], [b for _, b in said_keys]) if by_box else None,
    )
    pairs = [
        (true_rows[key], said_rows[said_keys[hit]])
        for key, hit in zip(true_keys, hits, strict=True)
        if hit is not None
    ]
    labelled = [true.paths[row] for row in true_rows.values()]
    failed = _matched(said.failed, labelled, true.root)
    facts["failed"] = {name: said.failed[name] for name in failed}
    facts["without_prediction"] = tuple(
        path
        for path, hit in zip(labelled, hits, strict=True)
        if hit is None and path not in failed.values()
    )
    used = {s for _, s in pairs}
    facts["without_truth"] = tuple(said.paths[s] for s in said_rows.values() if s not in used)
    return pairs


def _of_known_class(
    pairs: list[Pair], said: Predictions, true: Truth, facts: dict[str, Any]
) -> list[Pair]:
    """Leave out the cells whose label is no class of the model, and count what they were called."""
    outside = [(t, s) for t, s in pairs if true.classes[t] is None]
    facts["outside"] = dict(Counter(true.labels[t] for t, _ in outside))
    facts["outside_called"] = dict(Counter(said.labels[s] for _, s in outside))
    known = [(t, s) for t, s in pairs if true.classes[t] is not None]
    facts["matched"] = len(known)
    return known


def _seen(exclude: Iterable[str] | Exclusion, card: Mapping[str, Any]) -> Exclusion:
    """Return what the user leaves out, and the cells that the card says the model learnt from."""
    given = exclude if isinstance(exclude, Exclusion) else Exclusion(frozenset(exclude))
    return replace(given, cells=given.cells | labelled_hashes(card))


def _not_seen(
    pairs: list[Pair],
    said: Predictions,
    true: Truth,
    said_root: str,
    seen: Exclusion,
    facts: dict[str, Any],
) -> list[Pair]:
    """Leave out the cells whose labels the model has seen; count others of the same groups."""
    written = [(said.paths[s], true.paths[t]) for t, s in pairs]
    found, facts["unchecked"] = find_excluded(written, seen.cells, (said_root, true.root))
    facts["excluded"] = tuple(said.paths[s] for i, (_, s) in enumerate(pairs) if i in found)
    left = [pair for i, pair in enumerate(pairs) if i not in found]
    if true.groups is not None:
        touched = seen.groups | {true.groups[pairs[i][0]] for i in found}
        facts["same_group"] = sum(true.groups[t] in touched for t, _ in left)
    return left


def _facts_of(model: Bundle | str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    if isinstance(model, str | Path):
        model = load_model(model)
    return model.facts if isinstance(model, Bundle) else dict(model or {})


def _first_predictions(said: Predictions, facts: dict[str, Any]) -> dict[Key, int]:
    """Return one row a cell; a cell predicted in several ways is left out."""
    rows: dict[Key, int] = {}
    unlike: set[Key] = set()
    for row, key in enumerate(_keys(said.paths, said.boxes)):
        first = rows.setdefault(key, row)
        same = np.allclose(said.probabilities[first], said.probabilities[row], atol=1e-6)
        if not (same and said.labels[first] == said.labels[row]):
            unlike.add(key)
    facts["repeated_predictions"] = tuple(said.paths[rows[key]] for key in rows if key in unlike)
    return {key: row for key, row in rows.items() if key not in unlike}


def _first_labels(true: Truth, facts: dict[str, Any]) -> dict[Key, int]:
    """Return one row a cell; a cell without a label, or with several, is left out."""
    rows: dict[Key, int] = {}
    repeated: dict[Key, None] = {}
    unlike: dict[Key, None] = {}
    unlabelled: list[str] = []
    for row, key in enumerate(_keys(true.paths, true.boxes)):
        if not true.labels[row]:
            unlabelled.append(true.paths[row])
            continue
        first = rows.setdefault(key, row)
        if first == row:
            continue
        repeated[key] = None
        alike = true.classes[first] == true.classes[row] and (
            true.classes[row] is not None or true.labels[first] == true.labels[row]
        )
        if not alike:
            unlike[key] = None
    facts["unlabelled"] = tuple(unlabelled)
    facts["contradictory_truth"] = tuple(true.paths[rows[key]] for key in unlike)
    facts["repeated_truth"] = tuple(true.paths[rows[k]] for k in repeated if k not in unlike)
    return {key: row for key, row in rows.items() if key not in unlike}


def _keys(paths: Sequence[str], boxes: Sequence[Hashable]) -> Iterator[Key]:
    return ((normalise_path(path), box) for path, box in zip(paths, boxes, strict=True))


def _matched(wanted: Iterable[str], among: Sequence[str], root: str) -> dict[str, str]:
    """Return which of `among` each of the wanted paths means, where it means one."""
    distinct = list(dict.fromkeys(among))
    names = {normalise_path(path): path for path in wanted}
    hits = match_paths(list(names), distinct, predicted_root=root)
    return {
        path: distinct[hit]
        for path, hit in zip(names.values(), hits, strict=True)
        if hit is not None
    }
