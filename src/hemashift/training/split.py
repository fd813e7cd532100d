"""Source datasets put together, and which of their cells are never trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError, TableError

Integers = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Split:
    """The cells of all source datasets in two parts that share no group.

    Attributes:
        trained: Cells to train on, dataset after dataset.
        held_out: Cells that are only scored.
        classes: Names, in the order of the model's output.
    """

    trained: CellTable
    held_out: CellTable
    classes: tuple[str, ...]

    @classmethod
    def make(cls, tables: Sequence[CellTable], part: float, seed: int) -> Split:
        """Hold out a part of every dataset, by groups and with every class's proportion.

        Args:
            tables: One cell table a dataset; cells without a class are left out, and so are
                datasets without any other.
            part: Part of each dataset to hold out, above 0 and below 1.
            seed: Seed of the draw.

        Raises:
            HemashiftError: No table is given, two datasets have one name, or there are fewer than
                two classes.
            TableError: A dataset has too few groups to be split; its name is said.
        """
        names = [name for table in tables for name in np.unique(dataset_names(table))]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not tables or twice:
            raise HemashiftError(
                "the source datasets cannot be told apart" if twice else "there is no dataset",
                expected="datasets of different names",
                found=", ".join(twice) or "none",
                hint="rename a folder: it names the dataset",
            )
        pairs = [_divided(known, part, seed) for t in tables if len(known := t.known())]
        if not pairs:
            raise HemashiftError("no source dataset has a cell of a known class", found="none")
        trained = CellTable.concat([kept for kept, _ in pairs])
        held_out = CellTable.concat([scored for _, scored in pairs])
        classes = CellTable.concat([trained, held_out]).classes()
        if len(classes) < 2:
            raise HemashiftError(
                "the source datasets hold fewer than two classes", found=", ".join(classes)
            )
        return cls(trained, held_out, classes)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of cells of each class in each dataset, both parts together."""
        cells = CellTable.concat([self.trained, self.held_out])
        names = dataset_names(cells)
        return {
            str(name): {c: cells.select(names == name).counts().get(c, 0) for c in self.classes}
            for name in dict.fromkeys(names.tolist())
        }


def _divided(cells: CellTable, part: float, seed: int) -> tuple[CellTable, CellTable]:
    try:
        return cells.split(1 - part, seed=seed)
    except TableError as error:
        raise TableError(
            "a source dataset has too few cells to hold some out",
            found=error.found,
            where=cells.root,
            hint="leave it out, or add cells of other patients or smears",
        ) from None


def class_indices(cells: CellTable, classes: Sequence[str]) -> Integers:
    """Return the position of each cell's class in `classes`, -1 where it is not among them."""
    index = {name: number for number, name in enumerate(classes)}
    return np.array([index.get(name, -1) for name in cells.frame["class"]], dtype=np.int64)


def dataset_names(cells: CellTable) -> Names:
    """Return the dataset of each cell, `(N,)`."""
    return cells.frame["dataset"].to_numpy(dtype=np.str_)
