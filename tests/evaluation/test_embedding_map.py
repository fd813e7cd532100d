"""Maps keep neighbours together, repeat with their seed, and say how faithful they are."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from hemashift.errors import HemashiftError, MissingExtraError
from hemashift.evaluation.embedding_map import available_maps, draw_map, faithfulness
from hemashift.evaluation.separability import purity_by_cell

NAMES = ["a"] * 30 + ["b"] * 30


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 70)) + 8 * (np.arange(60) >= 30)[:, None]


@pytest.fixture(scope="module")
def layout(vectors: np.ndarray) -> np.ndarray:
    return draw_map(vectors, seed=3)


def test_clusters_stay_clusters(vectors: np.ndarray, layout: np.ndarray) -> None:
    assert layout.shape == (60, 2)
    assert np.isfinite(layout).all()
    assert purity_by_cell(layout, NAMES).mean() > 0.99


def test_the_same_seed_gives_the_same_map(vectors: np.ndarray, layout: np.ndarray) -> None:
    np.testing.assert_array_equal(draw_map(vectors, seed=3), layout)


@pytest.mark.parametrize("shape", [(4, 2), (5, 128), (9, 1)])
def test_few_cells_can_be_mapped(shape: tuple[int, int]) -> None:
    cells = np.random.default_rng(0).normal(size=shape)
    layout = draw_map(cells)
    assert layout.shape == (shape[0], 2)
    assert 0 <= faithfulness(cells, layout) <= 1


def test_faithfulness_is_scikit_learns_trustworthiness(
    vectors: np.ndarray, layout: np.ndarray
) -> None:
    assert faithfulness(vectors, layout) == trustworthiness(vectors, layout, n_neighbors=5)
    shuffled = np.random.default_rng(0).permutation(layout)
    assert faithfulness(vectors, shuffled) < faithfulness(vectors, layout)


def test_umap_is_optional(vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_maps()[0] == "tsne"
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match="umap-learn"):
        draw_map(vectors, "umap")


def test_umap_is_asked_for_a_map_that_repeats(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    # UMAP compiles itself for most of a minute at its first use: too long for a test.
    class Stand:
        def __init__(self, **options: int) -> None:
            self.options = options

        def fit_transform(self, leading: np.ndarray) -> np.ndarray:
            assert self.options == {"n_neighbors": 15, "random_state": 3, "n_jobs": 1}
            assert leading.shape == (60, 50)
            return leading[:, :2].astype(np.float32)

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Stand))
    layout = draw_map(vectors, "umap", seed=3)
    assert layout.dtype == np.float64
    assert purity_by_cell(layout, NAMES).mean() > 0.99


def test_unknown_maps_and_too_few_cells_are_refused() -> None:
    with pytest.raises(HemashiftError, match="unknown map"):
        draw_map(np.zeros((9, 2)), "pca")  # type: ignore[arg-type]
    with pytest.raises(HemashiftError, match="too few cells"):
        draw_map(np.zeros((3, 2)))
