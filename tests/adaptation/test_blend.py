from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Task
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.prototypes import Prototypes
from hemashift.adaptation.transductive import Transductive
from hemashift.model.heads import MixedHead

LABELS = ["lymphocyte", "monocyte", "neutrophil"] * 4


@pytest.mark.parametrize("labels, share", [(LABELS[:9], 0.2), (LABELS, 0.2 * 10 / 12)])
def test_the_prototypes_count_for_less_the_more_labels_there_are(
    labels: list[str], share: float, make_task: Callable[..., Task]
) -> None:
    task = make_task(labels)
    encoded = task.cells.encoded
    methods = (Transductive((0.3,)), Prototypes())
    refined, middle = (one.fit(task).head.logits(encoded) for one in methods)
    found = Blend(0.2, 0.3, listens=False).fit(task).head.logits(encoded)
    np.testing.assert_allclose(found, (1 - share) * refined + share * middle, atol=1e-3)


def test_without_unlabelled_cells_it_has_the_probe(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    task = replace(task, pool=task.pool[:0])
    found = Blend(0.0, listens=False).fit(task).probabilities(task.cells)
    np.testing.assert_allclose(found, Probe().fit(task).probabilities(task.cells), atol=1e-5)


def test_it_listens_to_the_source(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    head = Blend().fit(task).head
    assert isinstance(head, MixedHead)
    alone = Blend(listens=False).fit(task).head
    np.testing.assert_array_equal(
        head.linear.logits(task.cells.encoded), alone.logits(task.cells.encoded)
    )
