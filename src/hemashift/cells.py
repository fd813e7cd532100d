"""The cell table: one row a cell, the record that passes between all stages.

A cell is an image file, or a box within one, with the label that its dataset gave it, the
class that the label counts as, and a group: the patient, smear or original image that it
comes from. Cells of one group are kept together in every split, since otherwise a model is
tested on what it has seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from hemashift.cell_schema import (
    BEYOND,
    BOX_COLUMNS,
    COLUMNS,
    standardise,
    table_suffix,
    validate,
)
from hemashift.errors import TableError
from hemashift.files import atomic_write
from hemashift.splitting import allocate
from hemashift.tables import read_table
from hemashift.taxonomy import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_SHOWN = 80  # characters of a value in a message


class Box(NamedTuple):
    """A half-open pixel box: columns x_min..x_max-1 and rows y_min..y_max-1.

    It may reach beyond the image; the border rule of the crop says what is seen there.
    """

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    @property
    def plausible(self) -> bool:
        """Whether all ends lie where an image can have pixels."""
        return all(abs(end) < BEYOND for end in self)


class Cell(NamedTuple):
    """One row of the table, as a reader makes it.

    Attributes:
        path: Image file, absolute or relative to the root of the table; a file within a zip
            is written `archive.zip!/inner/name.jpg`.
        label: Label as the dataset gives it, or None.
        cell_class: Class that the label counts as, or None for outside and unknown.
        group: Patient, smear or original image; None makes the cell a group of its own.
        subset: Part of the dataset, such as `TRAIN`, or None.
        box: Where the cell is in the image, or None for the whole image.
    """

    path: str
    label: str | None = None
    cell_class: str | None = None
    group: str | None = None
    subset: str | None = None
    box: Box | None = None


@dataclass(frozen=True)
class CellTable:
    """Cells with their images, labels and groups, validated.

    Attributes:
        frame: One row a cell, with exactly the columns `COLUMNS` in that order and an index
            0..n-1. Texts are `str` or None; the box is four nullable `Int64`.
        root: Folder that relative paths start from.

    Raises:
        TableError: If the frame lacks a column or a value breaks the rules; the message names
            the row and the column.

    Examples:
        >>> table = CellTable.from_cells(
        ...     [Cell("a.png", "NGS", "neutrophil"), Cell("b.png", "KSC")], ".", "ours")
        >>> len(table), table.counts()
        (2, {'neutrophil': 1})
        >>> table.known().frame["path"].tolist()
        ['a.png']
    """

    frame: pd.DataFrame
    root: Path = Path()

    def __post_init__(self) -> None:
        frame = standardise(self.frame)
        validate(frame)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "root", Path(self.root))

    @classmethod
    def from_cells(cls, cells: Iterable[Cell], root: str | Path, dataset: str) -> CellTable:
        """Build a table of one dataset.

        Args:
            cells: The rows.
            root: Folder that relative paths start from.
            dataset: Name of the dataset. It leads the group of a cell that has none.

        Returns:
            The table, in the order of `cells`.
        """
        rows = [
            (
                cell.path,
                *(cell.box or (None, None, None, None)),
                cell.label,
                cell.cell_class,
                dataset,
                cell.subset,
                # Boxes of one field show one smear, so the file is the group, not the box.
                cell.group if cell.group is not None else f"{dataset}/{cell.path}",
            )
            for cell in cells
        ]
        return cls(pd.DataFrame(rows, columns=list(COLUMNS)), Path(root))

    @classmethod
    def read(cls, path: str | Path, root: str | Path | None = None) -> CellTable:
        """Read a table that `write` wrote.

        Args:
            path: The file, of any kind that `hemashift.tables.read_table` reads.
            root: Folder that relative paths start from; that of the file where not given.

        Raises:
            TableError: If the file cannot be read or is no cell table.
        """
        path = Path(path)
        frame = read_table(path).astype(object)
        frame = frame.where(frame != "", None)
        try:
            return cls(frame, path.parent if root is None else Path(root))
        except TableError as error:
            raise TableError(
                error.message,
                expected=error.expected,
                found=error.found,
                where=f"{path}, {error.where}" if error.where else path,
                hint=error.hint,
            ) from None

    def write(self, path: str | Path) -> None:
        """Write the table as CSV or Parquet, by suffix, so that `read` gives it back.

        Relative paths are rewritten to start from the folder of the new file; where that is not
        possible (another drive) they become absolute.

        Raises:
            TableError: If the suffix is neither `.csv` nor `.parquet`.
        """
        path = Path(path)
        suffix = table_suffix(path)
        frame = self.frame.copy()
        frame["path"] = [_relocate(name, self.root, path.parent) for name in frame["path"]]
        with atomic_write(path) as aside:
            if suffix == ".csv":
                frame.to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")
            else:
                frame.to_parquet(aside, index=False)

    @classmethod
    def concat(cls, tables: Sequence[CellTable]) -> CellTable:
        """Put tables one after another; with different roots, the paths become absolute.

        Raises:
            TableError: If there is no table.
        """
        if not tables:
            raise TableError("there is no table to put together", expected="at least one")
        if all(table.root == tables[0].root for table in tables):
            frames = [table.frame for table in tables]
            return cls._trusted(pd.concat(frames, ignore_index=True), tables[0].root)
        frames = [
            table.frame.assign(path=[str(place) for place in table.paths()]) for table in tables
        ]
        return cls._trusted(pd.concat(frames, ignore_index=True), Path())

    @classmethod
    def _trusted(cls, frame: pd.DataFrame, root: Path) -> CellTable:
        """Wrap rows that were validated before, which need no second look."""
        table = object.__new__(cls)
        object.__setattr__(table, "frame", frame.reset_index(drop=True))
        object.__setattr__(table, "root", root)
        return table

    def __len__(self) -> int:
        return len(self.frame)

    def absolute(self, i: int) -> Path:
        """Return the image of row `i` as an absolute path (with `!/` for a file in a zip)."""
        return _absolute(str(self.frame["path"].iloc[i]), self.root)

    def paths(self) -> list[Path]:
        """Return the image of every row as an absolute path."""
        return [_absolute(name, self.root) for name in self.frame["path"]]

    def boxes(self) -> list[Box | None]:
        """Return the box of every row, None where the cell is the whole image."""
        given = self.frame["x_min"].notna().to_numpy()
        numbers = self.frame[list(BOX_COLUMNS)].fillna(0).to_numpy(dtype=np.int64)
        return [
            Box(*map(int, row)) if has else None for row, has in zip(numbers, given, strict=True)
        ]

    def classes(self) -> tuple[str, ...]:
        """Return the classes that occur, the six first in their order, others by name."""
        present = set(self.frame["class"].dropna())
        return (*(c for c in CLASSES if c in present), *sorted(present.difference(CLASSES)))

    def counts(self) -> dict[str, int]:
        """Return the number of cells of every class that occurs."""
        number = self.frame["class"].value_counts()
        return {name: int(number[name]) for name in self.classes()}

    def select(self, mask: Any) -> CellTable:
        """Return some of the rows.

        Args:
            mask: A boolean for every row, or the positions of the rows wanted, in order.
        """
        chosen = np.asarray(mask)
        if chosen.size == 0 and chosen.dtype != bool:
            chosen = chosen.astype(np.int64)
        if chosen.dtype == bool and len(chosen) != len(self):
            raise ValueError(f"the mask has {len(chosen)} values for {len(self)} rows")
        return self._trusted(self.frame.iloc[chosen], self.root)

    def known(self) -> CellTable:
        """Return the rows that have a class."""
        return self.select(self.frame["class"].notna().to_numpy())

    def split(
        self, fraction: float, seed: int, stratify: bool = True, grouped: bool = True
    ) -> tuple[CellTable, CellTable]:
        """Split into two tables with no group in both.

        Args:
            fraction: Share of the cells that the first table shall have, 0 < fraction < 1. It
                is met as closely as the groups allow.
            seed: The same seed gives the same split.
            stratify: Keep the mix of classes in both.
            grouped: Keep groups together. Say False only where a leak does no harm.

        Returns:
            The two tables, rows in their order.

        Raises:
            TableError: If one of the two would be empty.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, not {fraction}")
        side = self._allocate((fraction, 1 - fraction), seed, stratify, grouped)
        return self.select(side == 0), self.select(side == 1)

    def folds(
        self, k: int, seed: int, stratify: bool = True, grouped: bool = True
    ) -> list[tuple[CellTable, CellTable]]:
        """Return `k` pairs of tables (to fit, held out); every cell is held out once.

        The arguments and errors are those of `split`.
        """
        if k < 2:
            raise ValueError(f"k must be at least 2, not {k}")
        side = self._allocate((1 / k,) * k, seed, stratify, grouped)
        return [(self.select(side != fold), self.select(side == fold)) for fold in range(k)]

    def _allocate(
        self, shares: tuple[float, ...], seed: int, stratify: bool, grouped: bool
    ) -> NDArray[np.int64]:
        rows = np.arange(len(self))
        groups = pd.factorize(self.frame["group"])[0] if grouped else rows
        # Cells without a class are a stratum of their own.
        strata = pd.factorize(self.frame["class"], use_na_sentinel=False)[0] if stratify else None
        side = allocate(groups, strata, shares, seed)
        if len(np.unique(side)) < len(shares):
            raise TableError(
                f"the cells cannot be split into {len(shares)} parts",
                found=f"{len(self)} cells in {len(np.unique(groups))} groups",
                hint="give finer groups, ask for fewer parts, or split without groups",
            )
        return side


def text_of(value: Any) -> str | None:
    """Return a value of a table as text, None where it is empty.

    A column of whole numbers with gaps comes as 1.0, and means 1.

    Raises:
        TableError: It is a list or the like, as Parquet and JSON lines can hold.

    Examples:
        >>> text_of(1.0), text_of(" MO "), text_of(float("nan")), text_of("")
        ('1', 'MO', None, None)
    """
    if pd.api.types.is_list_like(value):
        raise TableError(
            "a field of the table holds several values",
            expected="one text or number",
            found=repr(value)[:_LONGEST_SHOWN],
        )
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _absolute(name: str, root: Path) -> Path:
    # abspath, not resolve: links into a data folder are common and should stay as they are.
    return Path(os.path.abspath(root / name))  # noqa: PTH100


def _relocate(name: str, root: Path, folder: Path) -> str:
    if Path(name).is_absolute():
        return name
    place = _absolute(name, root)
    try:
        return Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:
        return place.as_posix()
