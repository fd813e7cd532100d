"""Training images decoded once, so that an epoch reads memory instead of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError, ImageError
from hemashift.files import atomic_write
from hemashift.images import crop, read_image, resize

Progress = Callable[[int, int], None]


class ImageStore:
    """All images of a cell table at one size, in one array on disk that is read on demand.

    The images are larger than the network's input, so that zooming in keeps real detail. They are
    as in the file otherwise: the colour transform is applied after cropping, as in classification.

    Attributes:
        file: The array's file, in NumPy's format.
        images: `(N, side, side, 3)` uint8, RGB, in the order of the table.
        side: Pixels.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.images: npt.NDArray[np.uint8] = np.load(file, mmap_mode="r", allow_pickle=False)
        self.side = int(self.images.shape[1])

    @classmethod
    def build(
        cls, cells: CellTable, side: int, folder: Path, progress: Progress | None = None
    ) -> ImageStore:
        """Decode every cell of `cells`, or reuse what an earlier call decoded.

        Args:
            cells: The cells.
            side: Side in pixels.
            folder: Where the array is kept, in a file named after its content.
            progress: Called with the number done and the total.

        Raises:
            HemashiftError: Some images cannot be read; all of them are named.
        """
        paths = cells.paths()
        boxes = cells.boxes()
        # Size and time stand for a file's content here; members of an archive share its stamp.
        stamps = {}
        for path in {str(path).split("!/")[0] for path in paths}:
            found = Path(path).stat() if Path(path).exists() else None
            stamps[path] = [found.st_size, found.st_mtime_ns] if found else []
        described = [[str(path), box] for path, box in zip(paths, boxes, strict=True)]
        text = json.dumps([side, described, sorted(stamps.items())])
        file = folder / f"images-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npy"
        if file.exists():
            return cls(file)

        shape = (len(paths), side, side, 3)
        failures: list[str] = []
        with atomic_write(file) as aside:
            images = np.lib.format.open_memmap(aside, "w+", dtype=np.uint8, shape=shape)

            def decode(index: int) -> None:
                try:
                    image = crop(read_image(paths[index]), boxes[index])
                    images[index] = resize(image, side)
                except ImageError as error:
                    failures.append(str(error))

            with ThreadPoolExecutor() as pool:
                for done, _ in enumerate(pool.map(decode, range(len(paths))), start=1):
                    if progress is not None:
                        progress(done, len(paths))
            if failures:
                raise HemashiftError(
                    f"{len(failures)} of {len(paths)} training images cannot be read",
                    found="\n".join(failures[:10]),
                    hint="remove them from the dataset, or mend them",
                )
            images.flush()
        return cls(file)
