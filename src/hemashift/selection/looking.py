"""Looking at all images of a laboratory once, and keeping only what is needed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.preparation import prepare
from hemashift.errors import ImageError
from hemashift.files import sha256
from hemashift.likeness.duplicates import find_copies
from hemashift.likeness.rings import RINGS, SPOKES, rings
from hemashift.likeness.vectors import comparable
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import StageProgress, of_part, of_stage
from hemashift.selection.contract import Float, Rows

# Images in memory at a time.
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen in N images.

    Attributes:
        paths: The images that could be read.
        encoded: What the encoder says about them.
        rings: uint8 `(N, 3, 12, 32)`, see `rings.rings`.
        hashes: SHA-256 of each file.
        unreadable: A message for each image that could not be read.
    """

    paths: tuple[Path, ...]
    encoded: Encoded
    rings: npt.NDArray[np.uint8]
    hashes: tuple[str, ...]
    unreadable: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def vectors(self) -> Float:
        """`(N, D)` vectors for distances, see `vectors.comparable`."""
        return comparable(self.encoded)

    @cached_property
    def cells(self) -> Rows:
        """`(N,)` number of the cell: pictures of one and the same cell share it."""
        return find_copies(self.vectors, self.rings, self.hashes)

    def places(self) -> dict[Path, int]:
        """Return the row of each image by its resolved path."""
        return {path.resolve(): row for row, path in enumerate(self.paths)}


def look(
    model: Bundle,
    paths: Sequence[Path],
    progress: StageProgress | None = None,
    threads: int | None = None,
) -> Seen:
    """Read and encode images; memory grows by about 10 kB an image.

    Args:
        model: Prepares and encodes them.
        paths: The images.
        progress: Called with what is being done, the number done, and the total.
        threads: CPU threads; by default those this process may use.

    Returns:
        What was seen; images that cannot be read are passed over and named.

    Raises:
        ImageError: None can be read.
    """
    encoder = Encoder(model, threads)
    told = of_stage(progress, "reading images")
    features = np.empty((len(paths), model.card.n_features), np.float32)
    embedding = np.empty((len(paths), model.card.n_embedding), np.float32)
    samples = np.empty((len(paths), 3, RINGS, SPOKES), np.uint8)
    read: list[int] = []
    unreadable: list[str] = []
    for start in range(0, len(paths), _CHUNK):
        part = paths[start : start + _CHUNK]
        cells, rows, messages = prepare(
            model, encoder, part, on_image=of_part(told, start, len(paths))
        )
        where = slice(len(read), len(read) + len(rows))
        features[where] = cells.encoded.features
        embedding[where] = cells.encoded.embedding
        for row, image in enumerate(cells.images, start=len(read)):
            samples[row] = rings(image)
        read += [start + row for row in rows]
        unreadable += messages
    count = len(read)
    if not count:
        raise ImageError(
            "no image can be read", expected=f"{len(paths)} images", found=unreadable[0]
        )
    return Seen(
        tuple(paths[row] for row in read),
        Encoded(features[:count], embedding[:count]),
        samples[:count],
        tuple(sha256(paths[row]) for row in read),
        tuple(unreadable),
    )
