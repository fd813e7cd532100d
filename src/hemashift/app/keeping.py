"""Which classes of the model are kept: the rule that follows from the error rate of the project.

It is that of `hemashift classify --max-error`. That command refuses a model without labelled cells;
the page must put each cell somewhere, so that such a model follows the rule for too few labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemashift.app import versions
from hemashift.errors import ModelFileError
from hemashift.trust.calibration import Calibration
from hemashift.trust.storage import read_trust
from hemashift.trust.unidentified import KeepRule, keep_rule

if TYPE_CHECKING:
    from hemashift.app.project import Project

AT_RANDOM = "drawn at random"
"""The reason of a proposal that is a random draw."""

_NOT_ADAPTED = (
    "This model was not adapted to labelled cells: nothing tells how often it is wrong, and its "
    "probabilities may be far off."
)
_PROPOSED = (
    "Proposed cells are chosen because they teach the model most; they are not drawn at random."
)


@dataclass(frozen=True)
class Keeping:
    """From which probability on a class of the model is kept, and what that is worth.

    Attributes:
        rule: The rule; `str(rule)` says it in words.
        caveats: What else is worth knowing, in sentences.
    """

    rule: KeepRule
    caveats: tuple[str, ...] = ()


def keeping(project: Project, version: int | None = None) -> Keeping:
    """Return the rule that the error rate of the project gives for a version of the model.

    Args:
        project: The project.
        version: Number of the version; by default the active one.
    """
    number = versions.active_number(project) if version is None else version
    known: dict[int, Calibration | None] = project.memory.setdefault("calibrations", {})
    caveats: tuple[str, ...] = ()
    calibration = None
    try:
        if number is not None:
            if number not in known:
                known[number] = read_trust(versions.bundle(project, number)).calibration
            calibration = known[number]
            caveats = (_NOT_ADAPTED,) if calibration is None else ()
    except ModelFileError as error:
        # The pages must open all the same: one of them is the way back to another version.
        caveats = (f"The labelled cells of this version cannot be read: {error.message}.",)
    if calibration is None:
        calibration = Calibration.of(np.empty((0, 1)), np.empty(0, np.int64))
    elif _proposed(project):
        caveats = (_PROPOSED,)
    return Keeping(keep_rule(calibration, project.max_error()), caveats)


def _proposed(project: Project) -> bool:
    """Return whether cells were proposed for another reason than chance."""
    return bool(
        project.store.value(
            "SELECT EXISTS (SELECT 1 FROM proposals JOIN label_events USING (cell) "
            "WHERE reason <> ?)",
            AT_RANDOM,
        )
    )
