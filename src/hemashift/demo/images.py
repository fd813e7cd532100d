"""The images of the demonstration alone, for the laboratory's page."""

from __future__ import annotations

from pathlib import Path

from hemashift.demo.data import find_data
from hemashift.demo.telling import Silent, Telling
from hemashift.demo.workplace import Workplace


def lay_out_images(
    output: str | Path,
    *,
    data: str | Path | None = None,
    offline: bool = False,
    seed: int = 0,
    tell: Telling | None = None,
) -> Path:
    """Put the cells of a laboratory that the model has never seen into a folder, without labels.

    Args:
        output: Folder for all of it. Where an earlier call has laid them out, they stay as they
            are, and so does what was said about them.
        data: Folder of datasets; where not given, see `hemashift.demo.data.find_data`.
        offline: Do not download anything.
        seed: Seed of drawn cells.
        tell: Who is told where the cells come from.

    Returns:
        The folder of images.

    Raises:
        HemashiftError: The folder holds something else, or no cells can be had.
    """
    tell = tell or Silent()
    place = Workplace(Path(output))
    if place.laid_out:
        return place.images
    tell.step("Images of a laboratory that the model has never seen")
    place.clear()
    found = find_data(data, drawn_folder=place.images, offline=offline, seed=seed, tell=tell)
    place.fill(found.table)
    place.record({"images": len(found.table), "drawn": found.drawn})
    return place.images
