"""Cells that look alike to the encoder: to compare with, and to see why a cell was called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hemashift.app import encodings, labelling, versions
from hemashift.app.encoding_cache import EncodingCache
from hemashift.model.heads import Encoded, unit

if TYPE_CHECKING:
    from hemashift.app.project import Project

Float = npt.NDArray[np.float32]
_LEAST_SCALE = 1e-6


@dataclass(frozen=True)
class Neighbour:
    """A labelled cell that looks like another.

    Attributes:
        cell: Id of the cell.
        label: Its class.
        similarity: Cosine of the two encodings, -1..1; 1 is the same.
    """

    cell: int
    label: str
    similarity: float


def similar(
    project: Project, cell: int, n: int = 8, *, reader: str | None = None
) -> list[Neighbour]:
    """Return the labelled cells that look most like a cell, the most alike first.

    Before they are compared, encodings are standardised over the cells of the project, so that
    what all its images share (stain, light) does not count.

    Args:
        project: The project.
        cell: Id of the cell.
        n: How many.
        reader: Only cells that this reader labelled, for labelling blind; by default all
            settled labels, for the question why a cell was called so.

    Returns:
        Empty until the cell and labelled cells are encoded.
    """
    labels = {key: value for key, value in _labels(project, reader).items() if key != cell}
    found, vectors = _vectors(project, [cell, *labels])
    if not found or found[0] != cell:
        return []
    cosines = vectors[1:] @ vectors[0]
    nearest = np.argsort(-cosines, kind="stable")[:n]
    return [
        Neighbour(found[1 + row], labels[found[1 + row]], float(cosines[row])) for row in nearest
    ]


def references(project: Project, label: str, n: int = 12) -> list[int]:
    """Return the most typical labelled cells of a class, the most typical first.

    Typical is near the mean of the class's labelled cells.
    """
    own = [cell for cell, name in labelling.settled(project).labels.items() if name == label]
    found, vectors = _vectors(project, own)
    if not found:
        return own[:n]
    nearness = vectors @ unit(vectors.mean(axis=0, keepdims=True))[0]
    return [found[row] for row in np.argsort(-nearness, kind="stable")[:n]]


def most_like(project: Project, label: str, cells: Sequence[int]) -> list[int]:
    """Return cells by how much they look like the labelled cells of a class, the most first."""
    labels = labelling.settled(project).labels
    own = [cell for cell, name in labels.items() if name == label]
    of_class, typical = _vectors(project, own)
    found, vectors = _vectors(project, list(cells))
    if not of_class or not found:
        return []
    nearness = vectors @ unit(typical.mean(axis=0, keepdims=True))[0]
    return [found[row] for row in np.argsort(-nearness, kind="stable")]


def _labels(project: Project, reader: str | None) -> Mapping[int, str]:
    if reader is None:
        return labelling.settled(project).labels
    said = labelling.verdicts(project, reader)
    return {cell: one.label for cell, one in said.items() if one.label is not None}


def _vectors(project: Project, cells: list[int]) -> tuple[list[int], Float]:
    """Return which of the cells are encoded, and a standardised vector of length 1 for each."""
    kept = encodings.of_model(project, versions.bundle(project))
    digests = encodings.digests(project, cells)
    found = [cell for cell in cells if digests.get(cell, "") in kept]
    if not found:
        return [], np.empty((0, 0), np.float32)
    mean, scale = _common(project, kept)
    vectors = _raw(kept.of([digests[cell] for cell in found]))
    return found, unit((vectors - mean) / scale)


def _common(project: Project, kept: EncodingCache) -> tuple[Float, Float]:
    """Return what all cells have in common: mean and deviation of their vectors."""
    known = project.memory.get("common")
    if known is None or known[:2] != (id(kept), len(kept)):
        everything = _raw(kept.everything())
        scale = np.maximum(everything.std(axis=0), _LEAST_SCALE)
        known = project.memory["common"] = (id(kept), len(kept), everything.mean(axis=0), scale)
    return known[2], known[3]


def _raw(encoded: Encoded) -> Float:
    return encoded.vectors("features", l2=True)
