"""A selection: which cells to label and why, as a file to be filled in and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hemashift.errors import HemashiftError, TableError
from hemashift.files import atomic_write, check_file
from hemashift.selection.stopping import Advice
from hemashift.tables import read_table

COLUMNS = ("path", "label", "rank", "reason")


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
        ranks = range(1, len(self) + 1)
        columns = (self.paths, [""] * len(self), ranks, self.reasons)
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))

    def write(self, path: str | Path) -> None:
        """Write the list as CSV; filled in, it is the label file of `hemashift adapt`.

        Args:
            path: The file; a list that nobody has filled in yet is replaced.

        Raises:
            HemashiftError: The file holds labels, or is something else, see `check_list`.
        """
        check_list(path)
        with atomic_write(path) as aside:
            self.frame().to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")


def check_list(path: str | Path) -> None:
    """Refuse to write a list over labels that a person has given, or over any other file.

    Raises:
        HemashiftError: The file is there and is no list of `Selection.write` without a label, or
            nothing can be written there.
    """
    path = Path(path)
    check_file(path)
    if not path.exists():
        return
    try:
        given = read_table(path)
    except TableError:
        given = pd.DataFrame()
    if tuple(given.columns) != COLUMNS:
        raise HemashiftError(
            "the output would overwrite another file",
            expected="no file, or a list of an earlier selection without labels",
            where=path,
            hint="name another file",
        )
    if any(given["label"].str.strip()):
        raise HemashiftError(
            "the output would overwrite labels",
            where=path,
            hint="name another file; `hemashift adapt` takes several",
        )
