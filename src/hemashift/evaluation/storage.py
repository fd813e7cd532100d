"""Writing an evaluation as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hemashift.evaluation.evaluation import Evaluation
from hemashift.files import atomic_write

FORMAT = "hemashift-evaluation"
VERSION = 1


def to_json(evaluation: Evaluation) -> str:
    """Return the scores, and the cells they come from, as JSON text.

    Examples:
        >>> result = Evaluation.from_labels(["a", "b"], [[0.9, 0.1], [0.2, 0.8]], ("a", "b"))
        >>> json.loads(to_json(result))["cells"]["predicted"]
        ['a', 'b']
    """
    document = {
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
        "cells": {
            "path": evaluation.paths,
            "box": evaluation.boxes if any(evaluation.boxes) else None,
            "truth": [evaluation.classes[code] for code in evaluation.y_true],
            "predicted": [evaluation.classes[code] for code in evaluation.y_pred],
            "given": evaluation.given,
            "group": evaluation.groups,
            "probabilities": evaluation.probabilities.tolist(),
        },
    }
    # JSON knows no NaN; a score that is not defined is null.
    return json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def write_evaluation(evaluation: Evaluation, path: str | Path) -> None:
    """Write an evaluation to a JSON file."""
    with atomic_write(path) as aside:
        aside.write_text(to_json(evaluation), encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
