"""Reading the labels of a laboratory, and refusing or mending what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.adaptation.grouping import grouped
from hemashift.columns import groups_in, one_spelling, texts_of
from hemashift.errors import AdaptationError, TableError
from hemashift.files import forward_slashes, on_disk, sha256
from hemashift.images import list_images
from hemashift.tables import read_table
from hemashift.taxonomy import OUTSIDE, Taxonomy, class_name_fault, default_taxonomy
from hemashift.taxonomy.core import keys

LabelFiles = str | Path | pd.DataFrame | Sequence[str | Path]
"""A label file, several of them one below the other, or a frame."""

_NAMED = 10


@dataclass(frozen=True)
class LabelledCells:
    """The labelled images of a laboratory, and the rest.

    Attributes:
        root: The folder of images.
        paths: The N labelled images.
        labels: Class of each.
        hashes: SHA-256 of each file; copies of one file share it.
        unlabelled: The other images of the folder.
        notes: What was mended or is worth knowing, in sentences.
        strangers: Images that are labelled as none of the classes. They are no part of the N.
        stranger_hashes: SHA-256 of each of their files.
        families: Group of each cell where the label file names smears or patients that can be
            kept apart, see `hemashift.adaptation.grouping`; empty otherwise.
    """

    root: Path
    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    hashes: tuple[str, ...]
    unlabelled: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    strangers: tuple[Path, ...] = ()
    stranger_hashes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """`(N,)` group of each cell: copies of one file, and cells of one smear or patient."""
        return np.array(self.families or self.hashes)


def read_labels(
    images: str | Path,
    labels: LabelFiles,
    classes: Sequence[str],
    taxonomy: Taxonomy | None = None,
) -> LabelledCells:
    """Read which cell is what, and check it against the images.

    A label that means one of `classes` (by its name, a code or a synonym) counts as that class;
    any other label is a class of its own, but for `outside`: such a cell is a stranger, of none of
    the classes. With a taxonomy of one's own, its labels and classes come first, also what it calls
    outside. Of several spellings of a new class, the first stands for all. A row without a label is
    an unlabelled image.

    Args:
        images: Folder of images, searched recursively.
        labels: CSV file (comma, semicolon or tab), several, or a frame, with the columns `path`,
            relative to `images`, and `label`, and perhaps one that names the smear or patient of a
            cell (`hemashift.columns.GROUP_COLUMNS`). They are only read.
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
    frame, where = read_label_file(labels)
    rows = _rows(frame, where)
    places = _places(root, [row.name for row in rows], where)
    meaning = meanings_of((row.label for row in rows), classes, taxonomy)
    files, notes = _one_class_each(rows, places, meaning, where)
    labelled = {path: file for path, file in files.items() if file.cls != OUTSIDE}
    strangers = [path for path in files if path not in labelled]
    if strangers:
        notes.append(
            f"Labelled as none of the classes, to learn what is outside: {len(strangers)}."
        )
    chosen = tuple(file.cls for file in labelled.values())
    _enough(chosen, where)
    new = sorted(set(chosen) - set(classes))
    for fault in filter(None, map(class_name_fault, new)):
        raise AdaptationError("a label cannot be the name of a class", found=fault, where=where)
    if new:
        notes.append(f"Classes that the model did not know: {', '.join(new)}.")
    notes += _respelt(meaning, new)
    own = tuple(file.sha256 for file in labelled.values())
    families, said = grouped(own, [file.group for file in labelled.values()], chosen)
    notes += said
    taken = {path.resolve() for path in files}
    return LabelledCells(
        root,
        tuple(labelled),
        chosen,
        own,
        tuple(path for path in found if path.resolve() not in taken),
        tuple(notes),
        tuple(strangers),
        tuple(files[path].sha256 for path in strangers),
        families,
    )


def read_label_file(labels: LabelFiles) -> tuple[pd.DataFrame, str]:
    """Return the rows of label files, with at least `path` and `label`, and how to name them."""
    if isinstance(labels, pd.DataFrame):
        return _checked(labels, "labels"), "labels"
    files = [labels] if isinstance(labels, str | Path) else list(labels)
    frames = [_checked(read_table(file), str(file)) for file in files]
    if not frames:
        raise TableError("there is no label file", expected="one or more")
    return pd.concat(frames, ignore_index=True), ", ".join(map(str, files))


def _checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    names = [str(name).strip().lower() for name in frame.columns]
    for name in ("path", "label"):
        if names.count(name) != 1:
            many = "no" if name not in names else "more than one"
            raise TableError(
                f"the label file has {many} column {name!r}",
                expected="the columns path and label",
                found=", ".join(names),
                where=where,
            )
    return frame.set_axis(names, axis=1)


class _Row(NamedTuple):
    """A row that has a label: the path as written, the label, the smear or patient."""

    name: str
    label: str
    group: str


class _File(NamedTuple):
    """What the rows of one image say: its path as first written, class, smear or patient."""

    name: str
    cls: str
    group: str
    sha256: str


def _rows(frame: pd.DataFrame, where: str) -> list[_Row]:
    """Return the rows that have a label."""
    rows = []
    groups = groups_in(frame) or [""] * len(frame)
    for number, (name, label, group) in enumerate(
        zip(texts_of(frame["path"]), texts_of(frame["label"]), groups, strict=True), start=1
    ):
        if label:
            refuse_pathless(name, label, f"{where}, row {number}")
            rows.append(_Row(forward_slashes(name), label, group))
    return rows


def _places(root: Path, names: Iterable[str], where: str) -> dict[str, Path]:
    """Find the labelled images; one that is not there is refused."""
    found = {name: path_inside(root, name) for name in dict.fromkeys(names)}
    missing = [name for name, place in found.items() if place is None]
    refuse_missing(missing, len(found), root, where)
    return {name: place for name, place in found.items() if place is not None}


def _one_class_each(
    rows: Sequence[_Row],
    places: Mapping[str, Path],
    meaning: Mapping[str, str | None],
    where: str,
) -> tuple[dict[Path, _File], list[str]]:
    """Bring the rows of each image together, and refuse two classes for it or for a copy of it."""
    files: dict[Path, _File] = {}
    repeated, contradictions = 0, []
    for name, label, group in rows:
        path, cls = places[name], meaning[label] or OUTSIDE
        known = files.get(path)
        if known is None:
            files[path] = _File(name, cls, group, sha256(path))
            continue
        files[path] = known._replace(group=known.group or group)
        if known.cls == cls:
            repeated += 1
        else:
            contradictions.append(f"{name}: {known.cls} and {cls}")
    first: dict[str, _File] = {}
    for file in files.values():
        other = first.setdefault(file.sha256, file)
        if other.cls != file.cls:
            contradictions.append(
                f"{other.name} ({other.cls}) and its copy {file.name} ({file.cls})"
            )
    if contradictions:
        raise AdaptationError(
            "the labels contradict each other",
            expected="one label an image",
            found=some_of(contradictions),
            where=where,
            hint="decide which label is right, and remove the other",
        )
    said = [f"{repeated} rows repeat an earlier row and were left out."] if repeated else []
    return files, said


def refuse_pathless(name: str, label: str, where: str) -> None:
    """Refuse a label of which the table does not say whose it is."""
    if not name:
        raise TableError("a row has a label but no path", where=where, found=label)


def refuse_missing(missing: Sequence[str], count: int, root: Path, where: str) -> None:
    """Refuse those of `count` labelled images that are not in the folder."""
    if missing:
        raise AdaptationError(
            f"{len(missing)} of {count} labelled images are not there",
            expected=f"paths relative to {root}",
            found=some_of(missing),
            where=where,
            hint="give the folder that the paths in the label file start from",
        )


def path_inside(root: Path, name: str) -> Path | None:
    """Return a labelled file; None if it is not there or lies outside the folder."""
    path = on_disk(root / name)
    try:
        there = path.is_file() and path.resolve().is_relative_to(root.resolve())
        return path if there else None
    except (OSError, ValueError):
        return None


def meanings_of(
    labels: Iterable[str], classes: Sequence[str], own: Taxonomy | None
) -> dict[str, str | None]:
    """Return what `meaning_of` each label is; a new class is spelt as where it occurs first."""
    found = {label: meaning_of(label, classes, own) for label in dict.fromkeys(labels)}
    return one_spelling(found, classes)


def known_and_new(classes: Sequence[str], labels: Iterable[str]) -> tuple[str, ...]:
    """Return the classes of a model in their order, and behind them new ones by name.

    Args:
        classes: Classes of the model.
        labels: Classes of labelled cells.

    Examples:
        >>> known_and_new(("b", "a"), ["d", "a", "c", "d"])
        ('b', 'a', 'c', 'd')
    """
    return (*classes, *sorted(set(labels).difference(classes)))


def _respelt(meaning: Mapping[str, str | None], new: Sequence[str]) -> list[str]:
    """Name new classes that are spelt in several ways, lest two kinds become one unseen."""
    spellings = {name: [label for label, cls in meaning.items() if cls == name] for name in new}
    listed = [" = ".join(labels) for labels in spellings.values() if len(labels) > 1]
    return [f"Taken for one class in several spellings: {'; '.join(listed)}."] if listed else []


def meaning_of(label: str, classes: Sequence[str], own: Taxonomy | None) -> str | None:
    """Return the class that a label counts as; None where it is none of the classes."""
    if label.strip().casefold() == OUTSIDE:
        return None
    if own is not None:
        named = own.main_class(label)
        if named is not None:
            return _same(named, classes, own)
        if any(key in own.labels for key in keys(label)):
            return None
    taxonomy = own or default_taxonomy()
    cell = taxonomy.resolve(label)
    return taxonomy.roll_up(label, classes) or (label if cell is None else cell.name)


def _same(name: str, classes: Sequence[str], taxonomy: Taxonomy) -> str:
    """Return a class as the model writes it, or as it is where the model does not know it."""
    cell = taxonomy.resolve(name)
    for known in classes:
        if known == name or (cell is not None and taxonomy.resolve(known) == cell):
            return known
    return name


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
            expected="6 or more, or two of each class",
            found=f"{len(labels)} cells of {len(distinct)} classes",
            where=where,
        )


def some_of(items: Sequence[str]) -> str:
    """List the first items, and how many more there are."""
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
