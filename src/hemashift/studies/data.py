"""The datasets of a study: found, read, cut to the budget, and named by their content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemashift.cells import CellTable
from hemashift.datasets import DatasetReader, get, open_table, published
from hemashift.errors import DatasetError
from hemashift.studies.fingerprint import Hashes
from hemashift.studies.settings import DatasetSettings, Settings


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset that is here.

    Attributes:
        name: Its name in the settings.
        title: Its name in full.
        settings: How it is used.
        reader: The reader that understood it.
        everything: All cells, as read.
        cells: Cells of known class, at most as many as the settings allow.
        fingerprint: Hash of `cells`: images, classes, groups.
    """

    name: str
    title: str
    settings: DatasetSettings
    reader: DatasetReader
    everything: CellTable
    cells: CellTable
    fingerprint: str

    def groups(self, rows: npt.NDArray[np.int64]) -> tuple[str, ...] | None:
        """Return the groups of some cells, for bootstraps over groups.

        None where they tell nothing: each cell is a group of its own, or the groups are the subsets
        for labels and scores, as in BCCD.
        """
        groups = self.cells.frame["group"].to_numpy(dtype=np.str_)[rows]
        distinct = len(np.unique(groups))
        if self.settings.labelled_in is not None or distinct in (1, len(groups)):
            return None
        return tuple(groups.tolist())


def open_dataset(
    name: str, settings: Settings, root: Path | None, hashes: Hashes
) -> Dataset | None:
    """Find and read a dataset.

    Args:
        name: A published dataset, or one of the settings with a folder of its own.
        settings: All settings.
        root: Folder that published datasets lie in, or None.
        hashes: Names the cells by what they show.

    Returns:
        The dataset, or None where it is not there.

    Raises:
        DatasetError: It is there, but is not understood, or holds no cell of known class.
    """
    how = settings.datasets.get(name, DatasetSettings())
    if how.folder is not None:
        if not how.folder.exists():
            return None
        everything, reader = open_table(how.folder)
        # The folder's name would do, were it not for two folders `images` of two laboratories.
        everything = CellTable(everything.frame.assign(dataset=name), everything.root)
        title = name
    else:
        reader = get(name)
        place = None if root is None else reader.find(root)
        if place is None:
            return None
        everything, title = reader.read(place), reader.title
    known = everything.known()
    if not len(known):
        raise DatasetError("a dataset holds no cell of known class", where=everything.root)
    cells = at_most(known, settings.cells, settings.seed)
    return Dataset(name, title, how, reader, everything, cells, hashes.of_table(cells))


def dataset_names(settings: Settings) -> tuple[str, ...]:
    """Return every dataset that is known: sources, targets, then all other published ones."""
    return tuple(dict.fromkeys((*settings.sources, *settings.targets, *published())))


def at_most(cells: CellTable, count: int | None, seed: int) -> CellTable:
    """Return at most `count` cells, drawn at random, in the order of the table."""
    if count is None or len(cells) <= count:
        return cells
    rng = np.random.default_rng([seed, 11])
    return cells.select(np.sort(rng.choice(len(cells), count, replace=False)))


def per_class(cells: CellTable, count: int | None, seed: int) -> CellTable:
    """Return at most `count` cells of each class, drawn at random, in the order of the table.

    Examples:
        >>> from hemashift.cells import Cell
        >>> classes = ["basophil", *["monocyte"] * 8]
        >>> cells = [Cell(f"{i}.png", None, name) for i, name in enumerate(classes)]
        >>> table = CellTable.from_cells(cells, ".", "ours")
        >>> per_class(table, 3, seed=0).counts()
        {'basophil': 1, 'monocyte': 3}
    """
    if count is None:
        return cells
    rng = np.random.default_rng([seed, 12])
    classes = cells.frame["class"].to_numpy(dtype=np.str_)
    chosen = [rng.permutation(np.flatnonzero(classes == name))[:count] for name in cells.classes()]
    return cells.select(np.sort(np.concatenate(chosen)))
