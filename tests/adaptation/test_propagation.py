from __future__ import annotations

import numpy as np
import pytest

from hemashift.adaptation.propagation import Propagation, certainty, neighbour_graph, spread


def two_arcs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along two arcs of a sphere, and which arc each is on."""
    rng = np.random.default_rng(seed)
    arc = np.arange(count) % 2
    angle = np.linspace(0, 2.4, count)
    height = np.where(arc == 0, 0.35, -0.35)
    vectors = np.column_stack([np.cos(angle), np.sin(angle), height])
    return vectors + rng.normal(0, 0.01, vectors.shape), arc


def test_the_graph_is_symmetric_and_normalised() -> None:
    vectors, _ = two_arcs(40, 0)
    graph = neighbour_graph(vectors, 4)
    np.testing.assert_allclose(graph, graph.T)
    assert (graph >= 0).all()
    assert (np.diag(graph) == 0).all()
    assert np.abs(np.linalg.eigvalsh(graph)).max() == pytest.approx(1)
    assert ((graph > 0).sum(axis=1) >= 4).all()


@pytest.mark.parametrize("count", [2, 3])
def test_fewer_cells_than_neighbours(count: int) -> None:
    graph = neighbour_graph(np.ones((count, 3)), 5)
    np.testing.assert_allclose(graph, (1 - np.eye(count)) / (count - 1))


def test_opposite_cells_and_empty_vectors_are_not_linked() -> None:
    graph = neighbour_graph(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]), 2)
    np.testing.assert_array_equal(graph, 0)
    soft = spread(graph, np.array([[1.0, 0.0]]), 0.9)
    np.testing.assert_array_equal(soft, 0.5)
    np.testing.assert_allclose(certainty(soft), 0, atol=1e-12)


def test_labels_follow_the_arcs() -> None:
    """A label at the end of each arc; the nearest label is often the wrong one."""
    vectors, arc = two_arcs(120, 1)
    soft = spread(neighbour_graph(vectors, 4), np.eye(2)[arc[:2]], 0.99)
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    assert (soft.argmax(axis=1) == arc[2:]).mean() > 0.95


def test_unlabelled_cells_teach() -> None:
    """Labels at opposite ends of the arcs: taken alone, the end seems to tell the classes."""
    vectors, arc = two_arcs(160, 2)
    rows = np.concatenate([np.flatnonzero(arc == 0)[:4], np.flatnonzero(arc == 1)[-4:]])
    pool = np.delete(vectors, rows, axis=0)
    truth = np.delete(arc, rows)
    nothing = np.zeros((2, vectors.shape[1]))
    fit = Propagation(neighbours=4, alpha=0.99)._with_pool(pool, 0.1, nothing)

    def right(strength: float) -> float:
        weight, bias = fit(vectors[rows], arc[rows], 2, strength)
        return float(((pool @ weight.T + bias).argmax(axis=1) == truth).mean())

    assert right(1e-6) < 0.7
    assert right(1.0) > 0.95
