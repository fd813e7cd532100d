"""What the encoder says about each cell, computed once and kept beside the project.

Kept with it are the rings by which `hemashift.selection` knows two pictures of one cell.

Adapting a probe or head changes what is made of the encodings and not the encodings themselves,
so all such versions of a model share them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.app import versions
from hemashift.app.encoding_cache import RINGS_SHAPE, EncodingCache
from hemashift.app.pictures import unchanged
from hemashift.classification.inputs import Item
from hemashift.classification.pipeline import predict_all, preparer
from hemashift.likeness.rings import rings
from hemashift.model.bundle import GRAPH, WEIGHTS, Bundle
from hemashift.model.classifier import Classifier, Prediction
from hemashift.model.runtime import available_threads
from hemashift.progress import StageProgress

if TYPE_CHECKING:
    from hemashift.app.project import Project

# Cells a file; an interruption costs no more than these.
_PORTION = 128
# The encoder of the first version and that of a fine-tuned one; ten thousand cells take 70 MB.
_IN_MEMORY = 2


class _Looking:
    """A classifier that also keeps the rings of what it has seen last."""

    def __init__(self, model: Bundle) -> None:
        self._classifier = Classifier(model)
        self.rings = np.empty((0, *RINGS_SHAPE), np.uint8)

    def predict(self, images: npt.NDArray[np.uint8]) -> Prediction:
        self.rings = np.array([rings(image) for image in images], np.uint8).reshape(
            -1, *RINGS_SHAPE
        )
        return self._classifier.predict(images)


def of_model(project: Project, model: Bundle) -> EncodingCache:
    """Return the encodings of a model's encoder; the same object for all who ask."""
    name = _name(model)
    with project.lock:
        kept: dict[str, EncodingCache] = project.memory.setdefault("encodings", {})
        if name not in kept:
            while len(kept) >= _IN_MEMORY:
                kept.pop(next(iter(kept)))
            kept[name] = EncodingCache(project.cache / "encodings" / name, model)
        return kept[name]


def digests(project: Project, cells: Sequence[int]) -> dict[int, str]:
    """Return the hash of the image file of each cell that can be used."""
    wanted = set(cells)
    rows = project.store.rows("SELECT id, sha256 FROM cells WHERE status = 'ready'")
    return {row[0]: row[1] for row in rows if row[0] in wanted}


def encode_all(
    project: Project, told: StageProgress | None = None, *, version: int | None = None
) -> int:
    """Encode the cells that a version's encoder has not seen yet.

    Args:
        project: The project.
        told: Told "encoding cells", the number done, and the total.
        version: Number of the version; by default the active one.

    Returns:
        Number of cells encoded now.
    """
    rows = project.store.rows("SELECT sha256 FROM cells WHERE status = 'ready' ORDER BY path")
    return encode(project, versions.bundle(project, version), [row[0] for row in rows], told)


def encode(
    project: Project, model: Bundle, wanted: Sequence[str], told: StageProgress | None = None
) -> int:
    """Encode images that the encoder of a model has not seen yet.

    Work done is kept: after an interruption it goes on where it stopped. An image that was
    changed since the import is passed over.

    Args:
        project: The project.
        model: The model.
        wanted: Hashes of images of the project.
        told: Told "encoding cells", the number done, and the total.

    Returns:
        Number of images encoded now.
    """
    tell = told or (lambda step, done, total: None)
    encodings = of_model(project, model)
    items, hashes = _missing(project, wanted, encodings)
    if not items:
        return 0
    tell("encoding cells", 0, len(items))
    # The pipeline keeps the cores busy; numpy's own threads would only get in their way.
    looking = _Looking(model)
    with threadpool_limits(1, user_api="blas"):
        batches = predict_all(
            items,
            preparer(model.card.preprocessing),
            looking,
            size=model.card.preprocessing.size,
            batch_size=_PORTION,
            workers=available_threads(),
        )
        done = 0
        with closing(batches):  # ends the threads, also when the work is cancelled
            for batch in batches:
                own = hashes[done : done + len(batch.items)]
                read = [one for one, why in zip(own, batch.errors, strict=True) if why is None]
                if read:
                    encodings.add(read, batch.prediction.encoded, looking.rings)
                done += len(own)
                tell("encoding cells", done, len(items))
    return done


def _missing(
    project: Project, wanted: Sequence[str], encodings: EncodingCache
) -> tuple[list[Item], list[str]]:
    """Return the images that are still to be encoded, with their hashes."""
    files = {
        row["sha256"]: row
        for row in project.store.rows(
            "SELECT path, sha256, size, modified FROM cells WHERE status = 'ready'"
        )
    }
    items, hashes = [], []
    for digest in dict.fromkeys(wanted):
        row = files.get(digest)
        if digest in encodings or row is None:
            continue
        path = project.images / row["path"]
        if unchanged(path, row):
            items.append(Item(row["path"], path))
            hashes.append(digest)
    return items, hashes


def _name(model: Bundle) -> str:
    """Name what encodings depend on: the encoder and the preparation of images."""
    parts = {
        "graph": model.card.files[GRAPH],
        "weights": model.card.files[WEIGHTS],
        "rings": RINGS_SHAPE,
        "preprocessing": model.card.preprocessing.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]
