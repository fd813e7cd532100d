"""What an encoder says about images, each image once: kept by what the picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from hemashift.adaptation.preparation import prepare
from hemashift.cells import CellTable
from hemashift.files import atomic_write
from hemashift.model.bundle import GRAPH, WEIGHTS, Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import Progress
from hemashift.studies.fingerprint import Hashes, key_of

# Cells that are encoded before they are written: what a kill can cost.
CHUNK = 256


@dataclass(frozen=True, eq=False)
class EncodedCells:
    """Cells that could be read, as an encoder sees them.

    Attributes:
        encoded: Of the N cells that could be read.
        rows: `(N,)` their positions in the table.
        unreadable: A message for each of the others.
    """

    encoded: Encoded
    rows: npt.NDArray[np.int64]
    unreadable: tuple[str, ...] = ()


def encoder_key(model: Bundle) -> str:
    """Return a hash of all that an encoding depends on: graph, weights, preparation of images."""
    card = model.card
    return key_of(
        {
            "files": {name: card.files[name] for name in (GRAPH, WEIGHTS)},
            "preparation": card.preprocessing.model_dump(mode="json"),
        }
    )


class Encodings:
    """The encodings of all models in one folder.

    Args:
        folder: Where they are kept.
        hashes: Names the cells by what they show.
    """

    def __init__(self, folder: Path, hashes: Hashes) -> None:
        self._folder = folder
        self._hashes = hashes

    def of(
        self,
        model: Bundle,
        cells: CellTable,
        progress: Progress | None = None,
        *,
        keep: bool = True,
    ) -> EncodedCells:
        """Encode cells, except those that this model has encoded before.

        Args:
            model: The model.
            cells: The cells.
            progress: Called with the number of cells encoded and the number to encode.
            keep: Keep what is new. Say False for a model that serves once.

        Returns:
            The encodings of the cells that can be read, in the order of the table.
        """
        names = np.array(self._hashes.of_cells(cells), dtype=np.str_)
        place = self._folder / encoder_key(model)
        found = _Rows(model)
        for file in sorted(place.glob("*.safetensors")) if place.is_dir() else ():
            found.add_file(file, names)
        missing = np.flatnonzero([name not in found.index for name in names])
        unreadable: list[str] = []
        if len(missing):
            encoder = Encoder(model)
            for start in range(0, len(missing), CHUNK):
                rows = missing[start : start + CHUNK]
                part = cells.select(rows)
                read, positions, messages = prepare(model, encoder, part.paths(), part.boxes())
                unreadable += messages
                fresh = names[rows[np.array(positions, dtype=np.int64)]]
                found.add(fresh, read.encoded)
                if keep and len(fresh):
                    _write(place, fresh, read.encoded)
                if progress is not None:
                    progress(min(start + CHUNK, len(missing)), len(missing))
        rows = np.flatnonzero([name in found.index for name in names])
        return EncodedCells(found.take(names[rows]), rows, tuple(unreadable))


class _Rows:
    """Encodings gathered from files and from the encoder, found by the name of the cell."""

    def __init__(self, model: Bundle) -> None:
        self.index: dict[str, int] = {}
        card = model.card
        self._features = [np.empty((0, card.n_features), np.float32)]
        self._embedding = [np.empty((0, card.n_embedding), np.float32)]

    def add(self, names: npt.NDArray[np.str_], encoded: Encoded) -> None:
        start = sum(map(len, self._features))
        for row, name in enumerate(names.tolist()):
            self.index.setdefault(name, start + row)
        self._features.append(encoded.features)
        self._embedding.append(encoded.embedding)

    def add_file(self, file: Path, wanted: npt.NDArray[np.str_]) -> None:
        """Read those rows of a file that are wanted; a file that is no longer whole counts not."""
        try:
            with safetensors.safe_open(str(file), framework="numpy") as opened:
                raw = opened.get_tensor("cells")
                names = np.ascontiguousarray(raw).view("S24").ravel().astype(np.str_)
                rows = np.flatnonzero(np.isin(names, wanted))
                if len(rows):
                    features = opened.get_tensor("features")[rows]
                    embedding = opened.get_tensor("embedding")[rows]
                    self.add(names[rows], Encoded(features, embedding))
        except (OSError, safetensors.SafetensorError):
            return

    def take(self, names: npt.NDArray[np.str_]) -> Encoded:
        rows = np.array([self.index[name] for name in names.tolist()], dtype=np.int64)
        return Encoded(np.concatenate(self._features)[rows], np.concatenate(self._embedding)[rows])


def _write(place: Path, names: npt.NDArray[np.str_], encoded: Encoded) -> None:
    """Write encodings to a file named after the cells in it."""
    raw = names.astype("S24").view(np.uint8).reshape(len(names), 24)
    tensors = {"cells": raw, "features": encoded.features, "embedding": encoded.embedding}
    with atomic_write(place / f"{key_of({'cells': names.tolist()})}.safetensors") as aside:
        aside.write_bytes(safetensors.numpy.save(tensors))
