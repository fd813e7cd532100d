"""What a label file says row by row, for work that must go on where `adapt` would refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hemashift.adaptation.labels import (
    LabelFiles,
    meanings_of,
    path_inside,
    read_label_file,
    refuse_missing,
    refuse_pathless,
)
from hemashift.columns import groups_in, texts_of
from hemashift.files import forward_slashes
from hemashift.images import list_images
from hemashift.taxonomy import OUTSIDE, Taxonomy


@dataclass(frozen=True)
class LabelRow:
    """One row of a label file.

    Attributes:
        number: Its number, from 1.
        name: The path as written, with forward slashes.
        path: The image.
        label: The label as written; empty where there is none.
        meaning: The class that the label counts as; None for no label and for labels outside.
        group: Smear or patient; empty where the file does not say.
        offered: Whether an earlier selection asked for it: it has a reason.
    """

    number: int
    name: str
    path: Path
    label: str
    meaning: str | None
    group: str = ""
    offered: bool = False

    @property
    def said(self) -> str:
        """The class that the label counts as, or `outside`; empty without a label."""
        return self.meaning or (OUTSIDE if self.label else "")


def read_rows(
    images: str | Path,
    labels: LabelFiles,
    classes: Sequence[str],
    taxonomy: Taxonomy | None = None,
) -> list[LabelRow]:
    """Read a label file as `hemashift.adaptation.read_labels` does, but keep every row.

    Neither few labels nor contradictions are refused.

    Args:
        images: Folder that the paths start from.
        labels: CSV file, several, or a frame, with the columns `path` and `label`.
        classes: Classes of the model.
        taxonomy: What labels mean; the built-in one by default.

    Returns:
        The rows in their order, without those that have neither a label nor an image.

    Raises:
        TableError: The file cannot be read, lacks a column, or labels a row without a path.
        AdaptationError: A labelled image is not there.
    """
    root = Path(images)
    frame, where = read_label_file(labels)
    columns = {
        name: texts_of(frame[name]) if name in frame else [""] * len(frame)
        for name in ("path", "label", "reason")
    }
    groups = groups_in(frame) or [""] * len(frame)
    meanings = meanings_of(filter(None, columns["label"]), classes, taxonomy)
    rows, missing = [], []
    for number, label in enumerate(columns["label"], start=1):
        name = forward_slashes(columns["path"][number - 1])
        if label:
            refuse_pathless(name, label, f"{where}, row {number}")
        path = path_inside(root, name) if name else None
        if path is not None:
            meaning = meanings.get(label)
            offered = bool(columns["reason"][number - 1])
            rows.append(LabelRow(number, name, path, label, meaning, groups[number - 1], offered))
        elif label:
            missing.append(name)
    refuse_missing(missing, sum(map(bool, columns["label"])), root, where)
    return rows


def all_images(root: Path, rows: Sequence[LabelRow]) -> list[Path]:
    """List the images of a folder, and labelled ones that the listing passes over (hidden ones).

    All paths begin with `root`.

    Raises:
        ImageError: The folder does not exist or holds no image.
    """
    paths = list_images(root)
    listed = {path.resolve() for path in paths}
    labelled = dict.fromkeys(row.path.resolve() for row in rows if row.label)
    hidden = [place for place in labelled if place not in listed]
    return [*paths, *(root / place.relative_to(root.resolve()) for place in hidden)]
