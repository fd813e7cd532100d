"""What the readers of general formats share."""

from __future__ import annotations

from pathlib import Path

from hemashift.cells import CellTable
from hemashift.datasets.base import Reader, Role, classified
from hemashift.datasets.folders import natural
from hemashift.errors import DatasetError
from hemashift.taxonomy import Taxonomy, default_taxonomy


class FormatReader(Reader):
    """Base of the readers for a laboratory's own images; see `DatasetReader`.

    The table's `dataset` is the name of the folder.
    """

    role: Role = "format"

    def find(self, root: str | Path) -> Path | None:
        """Return `root` where it has the format: one's own images are not searched for."""
        return Path(root) if self.recognises(Path(root)) else None

    def read(self, folder: str | Path, taxonomy: Taxonomy | None = None) -> CellTable:
        """Read the images into a cell table.

        Args:
            folder: The folder, or for formats of one file that file.
            taxonomy: How labels count as classes; the built-in one by default.

        Returns:
            One row a cell.

        Raises:
            DatasetError: If the folder has not this format or holds no cell.
        """
        folder = Path(folder)
        if not self.recognises(folder):
            raise DatasetError(f"no {self.title} here", expected=self.layout, where=folder)
        cells = classified(self.cells(folder), taxonomy or default_taxonomy())
        if not cells:
            raise DatasetError(f"{self.title}: no cell found", expected=self.layout, where=folder)
        root = folder.parent if folder.is_file() else folder
        return CellTable.from_cells(cells, root, root.resolve().name or self.name)


def with_suffix(folder: Path, suffix: str) -> list[Path]:
    """Return the visible files of a folder with a suffix, in natural order."""
    if not folder.is_dir():
        return []
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() == suffix and not path.name.startswith(".")
    ]
    return sorted(found, key=lambda path: natural(path.name))
