"""A selection: which cells to label and why, as a file to be filled in and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hemashift.files import atomic_write
from hemashift.selection.stopping import Advice


@dataclass(frozen=True)
class Selection:
    """Cells to be labelled, the most useful first.

    Attributes:
        root: The folder of images.
        paths: The images, relative to `root`, with forward slashes.
        reasons: Why each was chosen.
        strategy: The strategy that chose them.
        n_images: Images that could be read.
        n_labelled: How many of these had a label.
        notes: What is worth knowing, in sentences.
        unreadable: A message for each image that could not be read.
        advice: Whether more labels are worth the work; None with too few labels.
    """

    root: Path
    paths: tuple[str, ...]
    reasons: tuple[str, ...]
    strategy: str
    n_images: int
    n_labelled: int
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    advice: Advice | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def frame(self) -> pd.DataFrame:
        """Return the list to be filled in: path, label (empty), rank from 1, and reason."""
        return pd.DataFrame(
            {
                "path": self.paths,
                "label": [""] * len(self),
                "rank": range(1, len(self) + 1),
                "reason": self.reasons,
            }
        )

    def write(self, path: str | Path) -> None:
        """Write the list as CSV; filled in, it is the label file of `hemashift adapt`."""
        with atomic_write(path) as aside:
            self.frame().to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")
