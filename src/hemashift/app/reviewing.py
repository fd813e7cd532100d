"""Review: the classified cells in bins, sorted by doubt, and moved from bin to bin.

A cell is in the bin where a person put it last; else in that of its settled label; else in
`unidentified` where readers disagree about it or were unsure of it; else in `outside` where an
adapted model finds it unlike all classes; else in that of the active model's class, or in
`unidentified` where the rule of `keeping` does not keep that or the cell is not classified yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hemashift.app import moves, placing, versions
from hemashift.app.moves import Moved, reclassify, undo_review
from hemashift.app.placing import CellView, Sort, Source
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project

__all__ = [
    "CellView",
    "Moved",
    "Sort",
    "Source",
    "bins",
    "cells",
    "gallery",
    "probabilities",
    "reclassify",
    "undo_review",
]


def bins(project: Project, *, reader: str | None = None) -> dict[str, int]:
    """Return how many cells each bin holds: all classes, then `unidentified` and `outside`.

    Args:
        project: The project.
        reader: Heed only what this reader moved and labelled; by default what anybody did.
    """
    counts = Counter(view.bin for view in placing.place(project, reader=reader))
    names = dict.fromkeys([*project.classes(), UNIDENTIFIED, OUTSIDE, *sorted(counts)])
    return {name: counts[name] for name in names}


def gallery(
    project: Project,
    bin: str | None = None,
    *,
    sort: Sort = "doubt",
    source: Source | None = None,
    predicted: str | None = None,
    least_doubt: float = 0.0,
    search: str = "",
    reader: str | None = None,
) -> list[int]:
    """Return the ids of the cells of a bin in order; ask `cells` for those in sight.

    Args:
        project: The project.
        bin: The bin, or None for all.
        sort: Most doubtful first, surest first, by path, or last reviewed first.
        source: Only cells put there so.
        predicted: Only cells that the model takes for this class.
        least_doubt: Only cells of at least this doubt.
        search: Only cells whose path contains this, in capitals or not.
        reader: Heed only what this reader moved and labelled.
    """
    sought = search.casefold()
    found = [
        view
        for view in placing.place(project, reader=reader)
        if (bin is None or view.bin == bin)
        and (source is None or view.source == source)
        and (predicted is None or view.predicted == predicted)
        and view.doubt >= least_doubt
        and sought in view.path.casefold()
    ]
    if sort == "reviewed":
        last = moves.order(project, reader)
        return [v.cell for v in sorted(found, key=lambda v: (-last.get(v.cell, 0), v.path))]
    return [view.cell for view in sorted(found, key=_KEYS[sort])]


_KEYS: dict[str, Callable[[CellView], Any]] = {
    "doubt": lambda view: (-view.doubt, view.path),
    "sure": lambda view: (view.doubt, view.path),
    "path": lambda view: view.path,
}


def cells(project: Project, ids: Sequence[int], *, reader: str | None = None) -> list[CellView]:
    """Return cells in the order asked for; unknown ids are left out."""
    wanted = set(ids)
    views = {
        view.cell: view for view in placing.place(project, reader=reader) if view.cell in wanted
    }
    return [views[cell] for cell in ids if cell in views]


def probabilities(project: Project, cell: int) -> dict[str, float]:
    """Return the active model's probability of each class for a cell; empty if not classified."""
    version = versions.active(project)
    found = project.store.value(
        "SELECT probabilities FROM predictions WHERE version = ? AND cell = ?",
        version.number,
        cell,
    )
    if found is None:
        return {}
    values = np.frombuffer(found, np.float32).tolist()
    return dict(zip(version.classes, values, strict=True))
