"""Reading the labels of a laboratory, and refusing or mending what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.errors import AdaptationError, TableError
from hemashift.files import sha256
from hemashift.images import list_images
from hemashift.taxonomy import Taxonomy, default_taxonomy

_NAMED = 10


@dataclass(frozen=True)
class LabelledCells:
    """The labelled images of a laboratory, and the rest.

    Attributes:
        root: The folder of images.
        paths: The N labelled images.
        labels: Class of each.
        hashes: SHA-256 of each file; copies of one image share it.
        unlabelled: The other images of the folder.
        notes: What was mended or is worth knowing, in sentences.
    """

    root: Path
    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    hashes: tuple[str, ...]
    unlabelled: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """`(N,)` group of each cell: copies of one image belong together."""
        return np.array(self.hashes)


def read_labels(
    images: str | Path,
    labels: str | Path | pd.DataFrame,
    classes: Sequence[str],
    taxonomy: Taxonomy | None = None,
) -> LabelledCells:
    """Read which cell is what, and check it against the images.

    A label that means one of `classes` (by its name, a code or a synonym) counts as that class;
    any other label is a class of its own. A row without a label is an unlabelled image.

    Args:
        images: Folder of images, searched recursively.
        labels: CSV file (or frame) with the columns `path`, relative to `images`, and `label`.
        classes: Classes of the model to start from.
        taxonomy: What labels mean; the built-in one by default.

    Returns:
        The labelled cells, in the order of the file, and the unlabelled images.

    Raises:
        TableError: The file cannot be read or lacks a column.
        AdaptationError: Labels contradict each other, name missing files, or are too few.
        ImageError: The folder does not exist or holds no image.
    """
    root = Path(images)
    found = list_images(root)
    frame, where = _read(labels)
    notes: list[str] = []
    wanted = _rows(frame, where)
    missing = [name for name, _ in wanted if not _inside(root, name).is_file()]
    if missing:
        raise AdaptationError(
            f"{len(missing)} of {len(wanted)} labelled images are not there",
            expected=f"paths relative to {root}",
            found=_some(missing),
            where=where,
            hint="give the folder that the paths in the label file start from",
        )
    meaning = _meanings({label for _, label in wanted}, classes, taxonomy or default_taxonomy())
    by_path: dict[Path, tuple[str, str]] = {}
    repeated, contradictions = 0, []
    for name, label in wanted:
        path = _inside(root, name)
        if path not in by_path:
            by_path[path] = (name, meaning[label])
        elif by_path[path][1] == meaning[label]:
            repeated += 1
        else:
            contradictions.append(f"{name}: {by_path[path][1]} and {meaning[label]}")
    hashes = {path: sha256(path) for path in by_path}
    first: dict[str, tuple[str, str]] = {}
    copies = 0
    for path, (name, label) in by_path.items():
        other = first.setdefault(hashes[path], (name, label))
        copies += other[0] != name
        if other[1] != label:
            contradictions.append(f"{other[0]} ({other[1]}) and its copy {name} ({label})")
    if contradictions:
        raise AdaptationError(
            "the labels contradict each other",
            expected="one label an image",
            found=_some(contradictions),
            where=where,
            hint="decide which label is right, and remove the other",
        )
    if repeated:
        notes.append(f"{repeated} rows repeat an earlier row and were left out.")
    if copies:
        notes.append(f"{copies} labelled images are copies of another; they count together.")
    chosen = tuple(label for _, label in by_path.values())
    _enough(chosen, where)
    new = sorted(set(chosen) - set(classes))
    if new:
        notes.append(f"Classes that the model did not know: {', '.join(new)}.")
    labelled = {path.resolve() for path in by_path}
    rest = tuple(path for path in found if path.resolve() not in labelled)
    return LabelledCells(root, tuple(by_path), chosen, tuple(hashes.values()), rest, tuple(notes))


def _read(labels: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str]:
    if isinstance(labels, pd.DataFrame):
        frame, where = labels, "labels"
    else:
        where = str(labels)
        try:
            frame = pd.read_csv(
                labels,
                dtype=str,
                sep=None,
                engine="python",
                encoding="utf-8-sig",
                keep_default_na=False,
                skipinitialspace=True,
            )
        except FileNotFoundError:
            raise TableError("there is no such label file", where=where) from None
        except (OSError, ValueError, pd.errors.ParserError) as error:
            raise TableError(
                "the label file cannot be read",
                expected="CSV text (UTF-8) with the columns path and label",
                found=str(error),
                where=where,
            ) from error
    frame = frame.rename(columns=lambda name: str(name).strip().lower())
    absent = [name for name in ("path", "label") if name not in frame.columns]
    if absent:
        raise TableError(
            f"the label file has no column {' and no column '.join(absent)}",
            expected="the columns path and label",
            found=", ".join(map(str, frame.columns)),
            where=where,
        )
    return frame, where


def _rows(frame: pd.DataFrame, where: str) -> list[tuple[str, str]]:
    """Return (path, label) of the rows that have a label."""
    rows = []
    for number, (name, label) in enumerate(zip(frame["path"], frame["label"], strict=True), 2):
        text = "" if label is None or label != label else str(label).strip()
        if not text:
            continue
        if not isinstance(name, str) or not name.strip():
            raise TableError(
                "a row has a label but no path", where=f"{where}, line {number}", found=text
            )
        rows.append((name.strip().replace("\\", "/"), text))
    return rows


def _inside(root: Path, name: str) -> Path:
    """Return the labelled file; one outside the folder counts as missing."""
    path = root / name
    try:
        return path if path.resolve().is_relative_to(root.resolve()) else root / "\0outside"
    except (OSError, ValueError):
        return root / "\0outside"


def _meanings(labels: set[str], classes: Sequence[str], taxonomy: Taxonomy) -> dict[str, str]:
    """Return the class that each label counts as."""
    meaning = {}
    for label in labels:
        rolled = taxonomy.roll_up(label, classes)
        cell = taxonomy.resolve(label)
        meaning[label] = rolled or (cell.name if cell is not None else label)
    return meaning


def _enough(labels: Sequence[str], where: str) -> None:
    """Refuse what nothing can be learnt from."""
    distinct = sorted(set(labels))
    if len(distinct) < 2:
        raise AdaptationError(
            "adapting needs labelled cells of at least two classes",
            found=f"{len(labels)} cells" + (f", all {distinct[0]}" if distinct else ""),
            where=where,
            hint="label more cells; rare classes are worth looking for",
        )
    if len(labels) < 2 * len(distinct) and len(labels) < 6:
        raise AdaptationError(
            "there are too few labelled cells",
            expected="6 or more",
            found=f"{len(labels)} cells of {len(distinct)} classes",
            where=where,
        )


def _some(items: Sequence[str]) -> str:
    """List the first items, and how many more there are."""
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
