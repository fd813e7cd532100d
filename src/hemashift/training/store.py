"""Images decoded and cut out once, so that an epoch reads memory instead of files."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError, ImageError
from hemashift.files import atomic_write, split_archive_path
from hemashift.images import read_image
from hemashift.model.preprocessing import Preprocessing
from hemashift.progress import Progress
from hemashift.training.frames import WideFrame


class ImageStore:
    """All images of a cell table at one size, in one array on disk that is read on demand.

    Attributes:
        file: The array's file, in NumPy's format.
        images: `(N, S, S, 3)` uint8, RGB, in the order of the table.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.images: npt.NDArray[np.uint8] = np.load(file, mmap_mode="r", allow_pickle=False)

    @classmethod
    def build(
        cls,
        cells: CellTable,
        prepare: Preprocessing | WideFrame,
        folder: Path,
        progress: Progress | None = None,
    ) -> ImageStore:
        """Decode every cell of `cells`, or reuse what an earlier call decoded.

        Args:
            cells: The cells.
            prepare: What is done to each image.
            folder: Where the array is kept, in a file named after its content.
            progress: Called with the number done and the total.

        Raises:
            HemashiftError: Some images cannot be read; the first ten are named.
            OSError: The disk has no room for the array.
        """
        file = folder / f"images-{_fingerprint(cells, prepare)}.npy"
        if not file.exists():
            for abandoned in folder.glob(f".{file.stem}-*.part.npy"):  # by a run that was killed
                abandoned.unlink()
            with atomic_write(file) as aside:
                _decode(cells, prepare, aside, progress)
        return cls(file)


def _fingerprint(cells: CellTable, prepare: Preprocessing | WideFrame) -> str:
    """Return a hash of which images there are and what is done to them."""
    paths = cells.paths()
    # Size and time stand for a file's content here; members of an archive share its stamp.
    stamps = {}
    for name in {(split_archive_path(path) or (str(path),))[0] for path in paths}:
        found = Path(name).stat() if Path(name).exists() else None
        stamps[name] = [found.st_size, found.st_mtime_ns] if found else []
    described = [[str(path), box] for path, box in zip(paths, cells.boxes(), strict=True)]
    text = json.dumps([repr(prepare), described, sorted(stamps.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _decode(
    cells: CellTable, prepare: Preprocessing | WideFrame, file: Path, progress: Progress | None
) -> None:
    paths, boxes = cells.paths(), cells.boxes()
    shape = (len(paths), prepare.size, prepare.size, 3)
    images = np.lib.format.open_memmap(file, "w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and a crash in a memory map
        with file.open("rb+") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    failures: list[str] = []

    def decode(index: int) -> None:
        try:
            images[index] = prepare(read_image(paths[index]), boxes[index])
        except ImageError as error:
            failures.append(str(error))

    with ThreadPoolExecutor() as pool:
        try:
            for done, _ in enumerate(pool.map(decode, range(len(paths))), start=1):
                if progress is not None:
                    progress(done, len(paths))
        except BaseException:  # an interruption must not wait for all the rest
            pool.shutdown(cancel_futures=True)
            raise
    if failures:
        raise HemashiftError(
            f"{len(failures)} of {len(paths)} training images cannot be read",
            found="\n".join(sorted(failures)[:10]),
            hint="remove them from the dataset, or mend them",
        )
    images.flush()
