"""The spaces that are looked at: pixels, embeddings, and the scores of an adapted head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.cells import CellTable
from hemashift.colour import ColourTransform
from hemashift.errors import ImageError
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.preprocessing import Preprocessing
from hemashift.studies.adapting import starting_model
from hemashift.studies.data import Dataset, at_most
from hemashift.studies.draws import Draw
from hemashift.studies.encodings import encoder_key
from hemashift.studies.outcomes import adapted_model
from hemashift.studies.workspace import Workspace

Vectors = npt.NDArray[np.float32]

# Side of the flattened images in pixels: colour and coarse shape, which is what pixels tell.
SIDE = 32


@dataclass(frozen=True, eq=False)
class Space:
    """Cells as points of a space.

    Attributes:
        name: What the space is, as the title of its map.
        vectors: `(N, D)`.
        cells: The N cells.
    """

    name: str
    vectors: Vectors
    cells: CellTable


def some_cells(datasets: Sequence[Dataset], count: int, seed: int) -> CellTable:
    """Return at most `count` cells of each dataset, drawn at random."""
    return CellTable.concat([at_most(one.cells, count, seed) for one in datasets])


def pixel_spaces(cells: CellTable, transform: ColourTransform) -> list[Space]:
    """Return cells as flattened images, before and after a colour transform.

    Images that cannot be read are left out.
    """
    prepare = Preprocessing(size=SIDE)
    images, rows = [], []
    for row, (path, box) in enumerate(zip(cells.paths(), cells.boxes(), strict=True)):
        try:
            images.append(prepare(read_image(path), box))
            rows.append(row)
        except ImageError:
            continue
    if not images:
        raise ImageError("no image can be read", where=cells.root)
    kept = cells.select(rows)
    after = [transform(image) for image in images]
    return [
        Space(f"{when} the colour transform", _flat(found), kept)
        for when, found in (("Before", images), ("After", after))
    ]


def embedding_space(work: Workspace, name: str, model: Bundle, cells: CellTable) -> Space:
    """Return cells as a model embeds them, each embedding brought to length 1."""
    seen = work.encode(model, cells)
    return Space(name, _embedding(seen.encoded), cells.select(seen.rows))


def adapted_spaces(work: Workspace, approach: str, dataset: Dataset, drawn: Draw) -> list[Space]:
    """Return scored cells of a target before and after adaptation.

    Where adaptation changes the encoder, the embedding is shown. Where it changes the head only,
    the embedding stays as it is, and the logits are shown instead: the space in which the head
    has laid the cells out.
    """
    rows = np.random.default_rng([drawn.seed, 8]).permutation(drawn.scored)
    cells = dataset.cells.select(np.sort(rows[: work.settings.study.pictures.cells]))
    start = starting_model(work, work.settings.approaches[approach])
    adapted = adapted_model(work, approach, dataset, drawn)
    same_encoder = encoder_key(start) == encoder_key(adapted)
    spaces = []
    for when, model in (("before", start), ("after", adapted)):
        seen = work.encode(model, cells)
        if same_encoder:
            logits = model.head.logits(seen.encoded)
            vectors = logits - logits.mean(axis=1, keepdims=True)  # a common shift says nothing
            name = f"Class scores {when} adaptation"
        else:
            vectors, name = _embedding(seen.encoded), f"Embedding {when} adaptation"
        spaces.append(Space(name, vectors, cells.select(seen.rows)))
    return spaces


def _embedding(encoded: Encoded) -> Vectors:
    return encoded.vectors("embedding", l2=True)


def _flat(images: Sequence[npt.NDArray[np.uint8]]) -> Vectors:
    return np.divide(np.stack(images).reshape(len(images), -1), 255, dtype=np.float32)
