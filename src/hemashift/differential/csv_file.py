"""A result as a CSV table: a class a row, with all that says which result it is."""

from __future__ import annotations

import csv
import io
import math

from hemashift.differential.loinc import loinc_term
from hemashift.differential.result import Result

COLUMNS = (
    "class", "cells", "role", "value", "unit", "low", "high", "confidence", "leucocytes", "loinc",
    "sample_id", "patient_id", "status", "result_version", "signed_by", "signed_at", "model_hash",
)  # fmt: skip


def to_csv(result: Result) -> str:
    """Return a result as CSV text; every class of the count is a row, reported or not.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.

    Examples:
        >>> from hemashift.differential import Differential
        >>> print(to_csv(Result(Differential.of({"basophil": 5, "neutrophil": 95})))[:16])
        class,cells,role
    """
    count, signature = result.differential, result.signature
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    common = {
        "confidence": count.confidence,
        "leucocytes": count.leucocytes,
        "sample_id": _harmless(result.subject.sample_id),
        "patient_id": _harmless(result.subject.patient_id),
        "status": result.status,
        "result_version": "" if signature is None else signature.version,
        "signed_by": "" if signature is None else _harmless(signature.by),
        "signed_at": "" if signature is None else signature.at.isoformat(timespec="seconds"),
        "model_hash": "" if result.model is None else result.model.hash,
    }
    for name in count.counts:
        line, term = count.line(name), loinc_term(name)
        writer.writerow(
            {
                **common,
                "class": _harmless(name),
                "cells": line.count,
                "role": str(line.role),
                "value": _number(line.value),
                "unit": line.unit,
                "low": _number(line.low),
                "high": _number(line.high),
                "loinc": "" if term is None else term.code,
            }
        )
    return text.getvalue()


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
