"""Encodings on disk: a folder of safetensors files for each encoder, by hash of the image."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hemashift.errors import ModelFileError
from hemashift.files import atomic_write
from hemashift.likeness.rings import RINGS, SPOKES
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.tensors import load_tensors, save_tensors

RINGS_SHAPE = (3, RINGS, SPOKES)


class EncodingCache:
    """The encodings of one encoder, by hash of the image file.

    Args:
        folder: Where they are kept.
        model: A model with that encoder.
    """

    def __init__(self, folder: Path, model: Bundle) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        card = model.card
        self._parts: dict[str, list[npt.NDArray[Any]]] = {
            "features": [np.empty((0, card.n_features), np.float32)],
            "embedding": [np.empty((0, card.n_embedding), np.float32)],
            "rings": [np.empty((0, *RINGS_SHAPE), np.uint8)],
        }
        for file in sorted(folder.glob("*.safetensors")):
            self._read(file)

    def __contains__(self, digest: str) -> bool:
        return digest in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def everything(self) -> Encoded:
        """Return the encodings of all images, in no particular order."""
        with self._lock:
            return Encoded(self._joined("features"), self._joined("embedding"))

    def of(self, digests: Sequence[str]) -> Encoded:
        """Return the encodings of images; each must be known."""
        with self._lock:
            rows = self._places(digests)
            return Encoded(self._joined("features")[rows], self._joined("embedding")[rows])

    def rings_of(self, digests: Sequence[str]) -> npt.NDArray[np.uint8]:
        """Return `(N, 3, 12, 32)` rings of images; each must be known."""
        with self._lock:
            return self._joined("rings")[self._places(digests)]

    def add(self, digests: Sequence[str], encoded: Encoded, rings: npt.NDArray[np.uint8]) -> None:
        """Add encodings; on return they are on disk."""
        parts: dict[str, npt.NDArray[Any]] = {
            "features": encoded.features,
            "embedding": encoded.embedding,
            "rings": rings,
        }
        hashes = np.array([list(bytes.fromhex(one)) for one in digests], np.uint8)
        with atomic_write(self._folder / f"{uuid.uuid4().hex}.safetensors") as aside:
            aside.write_bytes(save_tensors({"sha256": hashes, **parts}))
        self._append(digests, parts)

    def _append(self, digests: Sequence[str], parts: Mapping[str, Any]) -> None:
        with self._lock:
            start = sum(len(block) for block in self._parts["features"])
            for name, blocks in self._parts.items():
                blocks.append(parts[name])
            self._rows.update({digest: start + row for row, digest in enumerate(digests)})

    def _places(self, digests: Sequence[str]) -> npt.NDArray[np.int64]:
        return np.array([self._rows[one] for one in digests], np.int64)

    def _joined(self, name: str) -> npt.NDArray[Any]:
        blocks = self._parts[name]
        if len(blocks) > 1:
            blocks[:] = [np.concatenate(blocks)]
        return blocks[0]

    def _read(self, file: Path) -> None:
        try:
            found = load_tensors(file.read_bytes(), where=str(file))
            digests = [bytes(row).hex() for row in found["sha256"]]
            self._append(digests, {name: found[name] for name in self._parts})
        except (OSError, KeyError, ModelFileError):
            file.unlink(missing_ok=True)  # a cache: what is damaged is computed again
