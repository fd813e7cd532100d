"""Maps of many dimensions in two, and how far they can be believed.

t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et al. 2018) keep neighbours together;
distances between clusters and their sizes mean nothing. Trustworthiness (Venna and Kaski 2001)
says how many of the neighbours on the map are neighbours in truth.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from hemashift.errors import HemashiftError, MissingExtraError
from hemashift.evaluation.metrics import FloatArray

Map = Literal["tsne", "umap"]

PERPLEXITY = 30.0
"""Neighbours that t-SNE balances, about; the value usual in the field."""

_DIRECTIONS = 50
_NEIGHBOURS = 15


def draw_map(
    vectors: ArrayLike, kind: Map = "tsne", seed: int = 0, perplexity: float = PERPLEXITY
) -> FloatArray:
    """Lay cells out in the plane.

    Vectors are first brought to their 50 leading principal components, as van der Maaten and
    Hinton do: less noise in distances, and much less time.

    Args:
        vectors: `(N, D)`, the cells; at least four.
        kind: `tsne`, or `umap` where umap-learn is installed.
        seed: The same seed gives the same map.
        perplexity: Of t-SNE; a third of the cells at most.

    Returns:
        `(N, 2)`, without unit.

    Raises:
        MissingExtraError: `umap` without umap-learn.
        HemashiftError: There is no map of that kind, or there are fewer than four cells.

    Examples:
        >>> cells = np.random.default_rng(0).normal(size=(20, 5))
        >>> draw_map(cells).shape
        (20, 2)
    """
    space = np.asarray(vectors, np.float64)
    if kind not in get_args(Map):
        raise HemashiftError("unknown map", expected=", ".join(get_args(Map)), found=str(kind))
    if len(space) < 4:
        raise HemashiftError(
            "too few cells for a map", expected="at least 4", found=str(len(space))
        )
    size = min(_DIRECTIONS, *space.shape)
    leading = PCA(size, svd_solver="full").fit_transform(space)
    if size == 1:  # a second direction, along which nothing varies
        leading = np.pad(leading, ((0, 0), (0, 1)))
    if kind == "umap":
        return _umap(leading, seed)
    # The perplexity must stay well below the number of cells.
    usable = min(perplexity, (len(space) - 1) / 3)
    layout = TSNE(perplexity=usable, init="pca", random_state=seed, n_jobs=1)
    return np.asarray(layout.fit_transform(leading), np.float64)


def available_maps() -> tuple[Map, ...]:
    """Return the kinds of maps that can be drawn here: t-SNE, and UMAP where it is installed."""
    return ("tsne", "umap") if find_spec("umap") else ("tsne",)


def faithfulness(vectors: ArrayLike, layout: ArrayLike) -> float:
    """Return the trustworthiness of a map: 1 where all neighbours on it are true neighbours.

    Args:
        vectors: `(N, D)`, the cells.
        layout: `(N, 2)`, their places on the map.

    Returns:
        0..1, for five neighbours (fewer where there are few cells).

    Examples:
        >>> places = np.random.default_rng(0).normal(size=(30, 2))
        >>> faithfulness(places, places)
        1.0
    """
    space = np.asarray(vectors, np.float64)
    # Defined for fewer neighbours than half of the cells only.
    neighbours = max(1, min(5, (len(space) - 1) // 2))
    return float(trustworthiness(space, np.asarray(layout), n_neighbors=neighbours))


def _umap(leading: FloatArray, seed: int) -> FloatArray:
    try:
        umap = import_module("umap")
    except ModuleNotFoundError:
        raise MissingExtraError(
            "a UMAP needs a package that is not installed",
            expected="umap-learn",
            hint="pip install umap-learn, or ask for t-SNE only",
        ) from None
    layout: Any = umap.UMAP(
        n_neighbors=min(_NEIGHBOURS, len(leading) - 1), random_state=seed, n_jobs=1
    )
    return np.asarray(layout.fit_transform(leading), np.float64)
