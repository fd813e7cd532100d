"""Pictures of one and the same cell: labelled twice, or labelled here and held out there."""

from __future__ import annotations

import numpy as np

from hemashift.audit.findings import Finding
from hemashift.selection.contract import Rows

_UNLABELLED = "copy without a label"

_Shown = tuple[str, str]  # path and caption


def copy_findings(
    cells: Rows, labels: tuple[str | None, ...], names: tuple[str, ...]
) -> list[Finding]:
    """Find cells that several images show.

    Two labels for one cell are an error. The same label twice is a note: the cell counts twice.
    An unlabelled copy of a labelled cell is a warning: scored as if it were new, it flatters.

    Args:
        cells: `(N,)` number of the cell that each image shows, labelled or not.
        labels: N classes, or `outside`; None for an image without a label.
        names: N paths.
    """
    torn: list[_Shown] = []
    same: list[_Shown] = []
    leaking: list[_Shown] = []
    n_torn = n_same = 0
    order = np.argsort(cells, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        labelled = [row for row in rows if labels[row] is not None]
        if len(rows) < 2 or not labelled:
            continue
        if len({labels[row] for row in labelled}) > 1:
            n_torn += 1
            torn += [(names[row], f"cell {n_torn}: {labels[row]}") for row in labelled]
        elif len(labelled) > 1:
            n_same += 1
            same += [(names[row], f"cell {n_same}: {labels[row]}") for row in labelled]
        # The labelled picture first, then its copies, so that they are seen side by side.
        copies = [(names[row], _UNLABELLED) for row in rows if labels[row] is None]
        leaking += [(names[labelled[0]], "labelled"), *copies] if copies else []
    findings = []
    if torn:
        findings.append(
            Finding(
                "copies",
                "error",
                f"{_cells(n_torn)} shown by several images with different labels.",
                "Decide which label is right, and give it to all images of the cell.",
                *_columns(torn),
            )
        )
    if leaking:
        count = sum(caption == _UNLABELLED for _, caption in leaking)
        shown = (
            "1 image without label shows" if count == 1 else f"{count} images without label show"
        )
        findings.append(
            Finding(
                "copies",
                "warning",
                f"{shown} a cell that is labelled in another image.",
                "Leave them out where the adapted model is scored: it has seen these cells.",
                *_columns(leaking),
            )
        )
    if same:
        findings.append(
            Finding(
                "copies",
                "note",
                f"{_cells(n_same)} labelled more than once, with one label.",
                "Nothing: they stay together in cross-validation. New cells would teach more.",
                *_columns(same),
            )
        )
    return findings


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"


def _columns(rows: list[_Shown]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(name for name, _ in rows), tuple(caption for _, caption in rows)
