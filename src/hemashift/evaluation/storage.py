"""Writing an evaluation as JSON and reading it back."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hemashift.cells import Box
from hemashift.errors import TableError
from hemashift.evaluation.evaluation import Evaluation
from hemashift.evaluation.matching import Matching
from hemashift.files import atomic_write

FORMAT = "hemashift-evaluation"
VERSION = 1


def to_json(evaluation: Evaluation, *, cells: bool = True) -> str:
    """Return the scores, and the cells they come from, as JSON text.

    Args:
        evaluation: The evaluation.
        cells: Keep path, truth and probabilities of every cell. Without them the text holds
            the scores only and `from_json` refuses it.

    Examples:
        >>> result = Evaluation.from_labels(["a", "b"], [[0.9, 0.1], [0.2, 0.8]], ("a", "b"))
        >>> from_json(to_json(result)).overall == result.overall
        True
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "classes": evaluation.classes,
        "n": len(evaluation),
        "settings": {
            "confidence": evaluation.confidence,
            "draws": evaluation.draws,
            "seed": evaluation.seed,
        },
        "overall": {name: asdict(one) for name, one in evaluation.overall.items()},
        "per_class": [asdict(one) for one in evaluation.per_class],
        "macro_average_precision": evaluation.average_precision_recall.area,
        "calibration": evaluation.calibration,
        "area_under_risk_coverage": evaluation.risk_coverage.area,
        "without_class": evaluation.without_class,
        "kept": asdict(evaluation.kept),
        "confusion": evaluation.confusion.tolist(),
        "warnings": evaluation.warnings,
        "matching": asdict(evaluation.matching),
        "model": dict(evaluation.model),
    }
    if cells:
        document["cells"] = {
            "path": evaluation.paths,
            "box": evaluation.boxes if any(evaluation.boxes) else None,
            "truth": [evaluation.classes[code] for code in evaluation.y_true],
            "predicted": [evaluation.classes[code] for code in evaluation.y_pred],
            "given": evaluation.given,
            "group": evaluation.groups,
            "probabilities": evaluation.probabilities.tolist(),
        }
    # JSON knows no NaN; a score that is not defined is null.
    return json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(text: str) -> Evaluation:
    """Read what `to_json` wrote; all scores are computed anew from the cells.

    Raises:
        TableError: If the text is no evaluation, of a newer version, or without cells.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or document["version"] > VERSION:
            raise KeyError("format")
        cells = document["cells"]
        classes = tuple(document["classes"])
        positions = {name: code for code, name in enumerate(classes)}
        groups = cells["group"]
        matching: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in document["matching"].items()
        }
        return Evaluation.from_labels(
            cells["truth"],
            cells["probabilities"],
            classes,
            y_pred=np.array([positions[name] for name in cells["predicted"]], dtype=np.int64),
            given=tuple(cells.get("given", ())),
            paths=tuple(cells["path"]),
            boxes=tuple(box and Box(*box) for box in cells["box"] or ()),
            groups=None if groups is None else tuple(groups),
            matching=Matching(**matching),
            model=document["model"],
            **document["settings"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(
            "this is not a complete evaluation",
            expected=f"JSON of format {FORMAT}, version {VERSION}, with cells",
            found=f"{type(error).__name__}: {error}",
        ) from None


def write_evaluation(evaluation: Evaluation, path: str | Path, *, cells: bool = True) -> None:
    """Write an evaluation to a JSON file."""
    with atomic_write(path) as aside:
        aside.write_text(to_json(evaluation, cells=cells), encoding="utf-8")


def read_evaluation(path: str | Path) -> Evaluation:
    """Read an evaluation from a JSON file.

    Raises:
        TableError: As `from_json`, or if the file cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError("the evaluation cannot be read", found=str(error), where=path) from None
    return from_json(text)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
