"""The contract of a reader, and what all readers of published datasets share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

from hemashift.cells import Cell, CellTable
from hemashift.datasets.folders import images_below, nearby, subfolders
from hemashift.errors import DatasetError
from hemashift.taxonomy import Taxonomy, default_taxonomy

Role = Literal["source", "target", "set aside", "format"]


class DatasetReader(Protocol):
    """What turns a folder as downloaded into a cell table.

    Attributes:
        name: Short name, as the command line takes it.
        title: Name in full.
        licence: Licence of the images, or what is known of it.
        citation: Publication to cite.
        url: Where the dataset is published.
        role: What the paper uses it for; `format` for a reader of a general file format.
        layout: Files and folders that the reader expects.
        note: What a user should know about the labels or counts, may be empty.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    role: Role
    layout: str
    note: str

    @property
    def published_counts(self) -> Mapping[str, int] | None:
        """Cells a class in the full dataset, or None where not published."""

    def recognises(self, folder: Path) -> bool:
        """Tell whether this very folder (or file) has the layout of the reader."""

    def find(self, root: str | Path) -> Path | None:
        """Return the dataset's folder at or below `root`, or None."""

    def read(self, folder: str | Path, taxonomy: Taxonomy | None = None) -> CellTable:
        """Read the dataset at or below `folder`."""


class Reader(ABC):
    """What all readers share; see `DatasetReader` for the attributes."""

    name: str
    title: str
    licence: str = ""
    citation: str = ""
    url: str = ""
    role: Role
    layout: str
    note: str = ""
    published_counts: Mapping[str, int] | None = None

    @abstractmethod
    def recognises(self, folder: Path) -> bool:
        """Tell whether this very folder (or file) has the layout."""

    @abstractmethod
    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells of what `recognises` accepts; classes may be left out."""


class PublishedDataset(Reader):
    """Base of the readers of published datasets."""

    role: Role = "target"
    # Names, in small letters, of the folders of its classes, where these alone give it away.
    class_folders: frozenset[str] = frozenset()

    def alone(self, folder: Path) -> bool:
        """Tell whether the folder that is recognised has no images in folders of other names.

        A laboratory may name folders and files like a published dataset. Read as that, its further
        classes would be left out, so that such a folder is not taken for it unless asked by name.
        """
        return not self.class_folders or all(
            name.casefold() in self.class_folders or next(images_below(below), None) is None
            for name, below in subfolders(folder).items()
        )

    def find(self, root: str | Path) -> Path | None:
        """Return the dataset's folder: `root`, `root/<name>`, or one at most three levels below."""
        root = Path(root)
        for start in (root / self.name, root):
            for folder in nearby(start):
                if self.recognises(folder):
                    return folder
        return None

    def read(self, folder: str | Path, taxonomy: Taxonomy | None = None) -> CellTable:
        """Read the dataset into a cell table.

        Args:
            folder: The dataset's folder or one above it.
            taxonomy: How labels count as classes; the built-in one by default.

        Returns:
            One row a cell; `root` is the dataset's folder.

        Raises:
            DatasetError: If the layout is not the published one.
        """
        found = self.find(folder)
        if found is None:
            raise DatasetError(f"{self.title} is not there", expected=self.layout, where=folder)
        cells = classified(self.cells(found), taxonomy or default_taxonomy())
        if not cells:
            raise DatasetError(
                f"{self.title}: the folder holds no image", expected=self.layout, where=found
            )
        return CellTable.from_cells(cells, found, self.name)


def classified(cells: Iterator[Cell], taxonomy: Taxonomy) -> list[Cell]:
    """Give every cell that has no class the one that its label counts as."""
    known: dict[str | None, str | None] = {}
    result: list[Cell] = []
    for cell in cells:
        if cell.cell_class is None:
            if cell.label not in known:
                known[cell.label] = taxonomy.main_class(cell.label)
            cell = cell._replace(cell_class=known[cell.label])
        result.append(cell)
    return result
