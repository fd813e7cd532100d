"""Which cells the demonstration works on: real ones wherever they can be had, else drawn ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hemashift.cells import CellTable
from hemashift.datasets import find_data_root, get
from hemashift.demo import public
from hemashift.demo.drawn import draw_dataset
from hemashift.demo.public import JIANGXI_TECOM, PublicDataset
from hemashift.demo.telling import Silent, Telling
from hemashift.errors import DatasetError, DownloadError

Origin = Literal["folder", "cache", "download", "drawn"]

DRAWN = (
    "These cells are DRAWN by the computer, since no real images could be had. "
    "The scores show that the software works and say nothing about real cells."
)


@dataclass(frozen=True)
class DemoData:
    """The cells of a demonstration.

    Attributes:
        table: The cells, all with a class.
        title: Name of the dataset.
        origin: Where it was had from.
        licence: Licence of the images.
        citation: What to cite.
        url: Where it is published; empty for drawn cells.
    """

    table: CellTable
    title: str
    origin: Origin
    licence: str
    citation: str
    url: str = ""

    @property
    def drawn(self) -> bool:
        """Whether the cells are drawn and not real."""
        return self.origin == "drawn"


def find_data(
    root: str | Path | None = None,
    *,
    drawn_folder: str | Path,
    offline: bool = False,
    seed: int = 0,
    dataset: PublicDataset = JIANGXI_TECOM,
    tell: Telling | None = None,
) -> DemoData:
    """Find a target dataset, trying one place after the other.

    In this order: the folder of datasets (`root`, else `HEMASHIFT_DATA`, else `../shared/data`),
    the cache of earlier downloads, a download, and at last cells drawn by this package.

    Args:
        root: Folder that the dataset lies in or below. If it is given, it must be there.
        drawn_folder: Where drawn cells are written, if it comes to that.
        offline: Do not download.
        seed: Seed of drawn cells.
        dataset: The public dataset.
        tell: Who is told about it.

    Raises:
        DatasetError: The dataset is not in `root`, or a folder that was found is damaged.
    """
    tell = tell or Silent()
    folder = find_data_root() if root is None else Path(root)
    if folder is not None:
        if root is not None or get(dataset.name).find(folder) is not None:
            return _real(dataset, folder, "folder", tell)
        tell.note(f"{get(dataset.name).title} is not in {folder}")
    kept = public.cached(dataset)
    if kept is not None:
        return _real(dataset, kept, "cache", tell)
    if offline:
        tell.note("no download, as asked for")
    else:
        try:
            fetched = public.fetch(dataset, tell=tell.note, progress=tell.progress)
            return _real(dataset, fetched, "download", tell)
        except (DownloadError, DatasetError) as error:
            tell.warning(f"The public dataset could not be had. {error}")
    tell.warning(DRAWN)
    return DemoData(
        table=draw_dataset(drawn_folder, seed=seed),
        title="cells drawn by the computer",
        origin="drawn",
        licence="that of hemashift",
        citation="none: these are drawings",
    )


def _real(dataset: PublicDataset, folder: Path, origin: Origin, tell: Telling) -> DemoData:
    reader = get(dataset.name)
    table = reader.read(folder).known()
    counts = ", ".join(f"{count} {name}" for name, count in table.counts().items())
    tell.note(f"{reader.title}: {len(table)} real cells from {table.root}")
    tell.note(counts)
    return DemoData(table, reader.title, origin, reader.licence, reader.citation, reader.url)
