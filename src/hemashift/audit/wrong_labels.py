"""Likely wrong labels, by confident learning on cells that a probe did not learn from."""

from __future__ import annotations

import numpy as np

from hemashift.adaptation.remarks import THIN
from hemashift.audit.exchanged import opinion_of
from hemashift.audit.findings import Finding
from hemashift.evaluation.confident import likely_label_errors
from hemashift.selection.contract import Float, Rows

# A given label that is at least this probable may well be right. With 10 % of the labels of real
# cells changed at random, two of three cells below it were changed ones, and they were three
# quarters of these.
_BELIEVABLE = 0.2


def find_wrong(targets: Rows, out_of_fold: Float) -> tuple[Rows, Rows]:
    """Find labels that are probably wrong.

    Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068): a cell counts as of
    the class whose probability reaches what cells with that label have on average. Reported are
    cells that so count as of another class than their label says, and whose label has a
    probability below 0.2. Cells of classes with fewer than five labels are not judged: a model
    that has not learnt from them can hardly know the class.

    Args:
        targets: `(N,)` class index of each label.
        out_of_fold: `(N, K)` probabilities by models that did not learn from the cell.

    Returns:
        Rows, the least believable label first, and for each the class that it rather is.
    """
    counts = np.bincount(targets, minlength=out_of_fold.shape[1])
    found = likely_label_errors(targets, out_of_fold)
    judged = (counts[targets[found.rows]] >= THIN) & (found.self_confidence < _BELIEVABLE)
    return found.rows[judged], found.suggested[judged]


def wrong_label_findings(
    targets: Rows,
    out_of_fold: Float,
    source: Float,
    classes: tuple[str, ...],
    names: tuple[str, ...],
) -> list[Finding]:
    """List likely wrong labels.

    Args:
        targets: `(N,)` class index of each label.
        out_of_fold: `(N, K)` probabilities by models that did not learn from the cell.
        source: `(N, K)` probabilities of the source model, quoted as a second opinion.
        classes: K names.
        names: N paths.
    """
    rows, suggested = find_wrong(targets, out_of_fold)
    if not len(rows):
        return []
    return [
        Finding(
            "wrong labels",
            "warning",
            f"{len(rows)} of {len(targets)} labels are probably wrong: models that learnt from "
            "the other labels take these cells for another class.",
            "Look at them again. Leave a label where it is right: unusual cells teach most.",
            tuple(names[row] for row in rows),
            tuple(
                f"labelled {classes[targets[row]]}, looks {classes[other]} "
                f"({out_of_fold[row, other]:.0%}); the model before adaptation says "
                f"{opinion_of(source[row], classes)}"
                for row, other in zip(rows, suggested, strict=True)
            ),
        )
    ]
