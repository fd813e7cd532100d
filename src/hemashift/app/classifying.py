"""Classifying all cells of the project with a version of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hemashift.app import encodings, versions
from hemashift.app.encoding_cache import EncodingCache
from hemashift.model.bundle import Bundle
from hemashift.progress import StageProgress
from hemashift.trust.outside import Outside
from hemashift.trust.storage import read_trust

if TYPE_CHECKING:
    from hemashift.app.project import Project

# Cells appear in the review in such portions.
_PORTION = 500


def classify_project(
    project: Project, *, version: int | None = None, told: StageProgress | None = None
) -> int:
    """Classify the cells that a version has not classified yet.

    Cells are encoded first where that has not been done; results appear in `reviewing` as they
    come. They are those of `hemashift classify` with the model folder of the version. An adapted
    version also says how unlike all classes each cell is. A model that was not adapted compares
    with other laboratories, to which all cells here may be strange; its scores are not kept.

    Args:
        project: The project.
        version: Number of the version; by default the active one.
        told: Told what is being done, the number done, and the total.

    Returns:
        Number of cells classified now.
    """
    tell = told or (lambda step, done, total: None)
    wanted = versions.active(project) if version is None else versions.version(project, version)
    encodings.encode_all(project, told, version=wanted.number)
    model = versions.bundle(project, wanted.number)
    kept = encodings.of_model(project, model)
    trust = read_trust(model)
    outside = None if trust.calibration is None else trust.outside
    rows = project.store.rows(
        "SELECT id, sha256 FROM cells WHERE status = 'ready' AND id NOT IN "
        # Projects of earlier versions have predictions without a score.
        "(SELECT cell FROM predictions WHERE version = ? AND (outside IS NOT NULL OR ?)) "
        "ORDER BY id",
        wanted.number,
        outside is None,
    )
    todo = [(row[0], row[1]) for row in rows if row[1] in kept]
    tell("classifying", 0, len(todo))
    for start in range(0, len(todo), _PORTION):
        portion = todo[start : start + _PORTION]
        _classify(project, wanted.number, model, outside, kept, portion)
        tell("classifying", start + len(portion), len(todo))
    return len(todo)


def _classify(
    project: Project,
    version: int,
    model: Bundle,
    outside: Outside | None,
    kept: EncodingCache,
    cells: Sequence[tuple[int, str]],
) -> None:
    """Classify some cells and put the result into the database."""
    classes = model.card.classes
    encoded = kept.of([digest for _, digest in cells])
    probabilities = model.head.probabilities(encoded).astype(np.float32)
    scores = [None] * len(cells) if outside is None else outside.scores(encoded).tolist()
    rows = []
    for (cell, _), row, score in zip(cells, probabilities, scores, strict=True):
        second, first = np.argsort(row, kind="stable")[-2:]
        doubt = 1 - float(row[first] - row[second])
        label = classes[first], float(row[first]), classes[second]
        rows.append((version, cell, *label, doubt, row.tobytes(), score))
    with project.store.writing() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO predictions "
            "(version, cell, label, probability, second, doubt, probabilities, outside) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
