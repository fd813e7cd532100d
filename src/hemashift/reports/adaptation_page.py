"""The page about one adaptation: what it gained, and which classes are still thin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.reports import parts
from hemashift.reports.page import write_page
from hemashift.reports.sections import Notices, Number, Numbers, Text

if TYPE_CHECKING:
    from hemashift.adaptation import Adapted


def write_adaptation_report(adapted: Adapted, path: str | Path) -> None:
    """Write one self-contained HTML page.

    Args:
        adapted: What `hemashift.adaptation.adapt` returned.
        path: The `.html` file.
    """
    names = ("before", f"after ({adapted.method})")
    sections = [
        Numbers(
            "To expect on all cells of the laboratory",
            [
                Number(
                    "Accuracy",
                    parts.percent(adapted.expected.estimate),
                    parts.limits(adapted.expected),
                )
            ],
            note="Each labelled cell counts for the unlabelled ones that are most like it, because "
            "rare or doubtful cells may have been chosen on purpose.",
        ),
        parts.headline(adapted.after, "On the labelled cells"),
        Notices("Worth knowing", adapted.notes, serious=False),
        Text(
            "How this was measured",
            (
                "Before: the model it started from, on the labelled cells, from which it has never "
                "learnt. After: each labelled cell predicted by a model adapted without it "
                "(cross-validation). With few labels the limits are wide; a second set of labelled "
                "cells, scored with hemashift evaluate, tells more.",
            ),
        ),
        *parts.before_after(adapted.before, adapted.after, names),
        parts.label_table(adapted.counts),
    ]
    write_page(path, "Adaptation to a laboratory", sections, subtitle=adapted.bundle.card.name)
