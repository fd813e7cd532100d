"""From image files to prepared images and their encodings, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from hemashift.adaptation.contract import Cells
from hemashift.errors import ImageError
from hemashift.images import read_cell
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import Progress

PixelBox = tuple[int, int, int, int]
_BATCH = 32


def prepare(
    model: Bundle,
    encoder: Encoder,
    paths: Sequence[str | Path],
    boxes: Sequence[PixelBox | None] | None = None,
    on_image: Progress | None = None,
) -> tuple[Cells, list[int], list[str]]:
    """Read, crop, standardise and encode images.

    Args:
        model: Its card says how images are prepared.
        encoder: The encoder of that model.
        paths: Image files.
        boxes: Box of the cell in each, or None for whole images.
        on_image: Called with the number of images done and their total.

    Returns:
        The cells that could be read, their positions in `paths`, and a message for each of the
        others.
    """
    places = boxes if boxes is not None else [None] * len(paths)
    preparation = model.card.preprocessing

    def read(place: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | str:
        try:
            return preparation(read_cell(paths[place]), places[place])
        except ImageError as error:
            return str(error)

    images, rows, messages = [], [], []
    encoded: list[Encoded] = []
    with ThreadPoolExecutor(max_workers=encoder.threads) as pool:
        for place, image in enumerate(pool.map(read, range(len(paths)))):
            if isinstance(image, str):
                messages.append(image)
            else:
                images.append(image)
                rows.append(place)
                if len(images) % _BATCH == 0:
                    encoded.append(encoder.encode(np.stack(images[-_BATCH:])))
            if on_image is not None:
                on_image(place + 1, len(paths))
    rest = len(images) - _BATCH * len(encoded)
    size = preparation.size
    last = np.stack(images[-rest:]) if rest else np.empty((0, size, size, 3), np.uint8)
    encoded.append(encoder.encode(last))
    everything = Encoded(
        np.concatenate([part.features for part in encoded]),
        np.concatenate([part.embedding for part in encoded]),
    )
    stacked = np.stack(images) if images else last
    return Cells(stacked, everything), rows, messages
