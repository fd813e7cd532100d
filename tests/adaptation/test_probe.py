from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.probe import Probe, standardised
from hemashift.model.heads import Encoded, LinearHead

from .conftest import MakeTask


@pytest.mark.parametrize("with_pool", [True, False])
def test_vectors_are_standardised_by_labelled_and_unlabelled_cells(
    make_task: MakeTask, with_pool: bool
) -> None:
    task = make_task(["lymphocyte", "blast", "monocyte"] * 3)
    if not with_pool:
        task = replace(task, pool=task.pool[np.empty(0, np.int64)])
    inputs, mean, scale = standardised(task, "embedding")
    pool = (task.pool.vectors("embedding", l2=True) - mean) / scale
    everything = np.vstack([inputs, pool])
    assert len(everything) == 9 + 3 * with_pool
    np.testing.assert_allclose(everything.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose((everything**2).sum(axis=1).mean(), 1, atol=1e-3)


def test_a_feature_that_is_always_the_same_does_no_harm(make_task: MakeTask) -> None:
    task = make_task(["lymphocyte", "blast"] * 4)
    encoded = task.cells.encoded
    dead = Encoded(np.zeros_like(encoded.features), encoded.embedding)
    task = replace(task, cells=replace(task.cells, encoded=dead), pool=dead)
    found = Probe(outputs=("features",)).fit(task).probabilities(task.cells)
    np.testing.assert_allclose(found[:, 3], found[:, 6], atol=1e-3)
    assert (found[:, 3] > 0.45).all()


def test_output_and_strength_are_chosen(make_task: MakeTask) -> None:
    """The features tell the classes apart, the embedding is noise."""
    task = make_task(["lymphocyte", "blast"] * 6)
    rng = np.random.default_rng(0)
    telling = np.eye(2, 8, dtype=np.float32)[(task.targets == 6).astype(int)]
    telling += rng.normal(0, 0.05, telling.shape).astype(np.float32)
    noise = rng.normal(size=(12, 128)).astype(np.float32)
    encoded = Encoded(telling, noise)
    task = replace(task, cells=replace(task.cells, encoded=encoded), pool=encoded)
    probe = Probe(outputs=("embedding", "features"), penalties=(1e-3, 100.0))
    head = probe.fit(task).head
    assert probe.chosen == ("features", 1e-3)
    assert isinstance(head, LinearHead)
    assert head.on == "features"
