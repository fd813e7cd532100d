from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Task
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.prototypes import Prototypes
from hemashift.model.heads import MixedHead

LABELS = ["lymphocyte", "monocyte", "neutrophil"] * 4


@pytest.mark.parametrize("share, method", [(0.0, Probe), (1.0, Prototypes)])
def test_at_the_ends_it_is_one_of_the_two(
    share: float, method: type[Probe] | type[Prototypes], make_task: Callable[..., Task]
) -> None:
    task = make_task(LABELS)
    found = Blend(share, listens=False).fit(task).probabilities(task.cells)
    np.testing.assert_allclose(found, method().fit(task).probabilities(task.cells), atol=1e-5)


def test_between_them_the_logits_are_their_weighted_mean(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    encoded = task.cells.encoded
    probe, middle = (one.fit(task).head.logits(encoded) for one in (Probe(), Prototypes()))
    found = Blend(0.25, listens=False).fit(task).head.logits(encoded)
    np.testing.assert_allclose(found, 0.75 * probe + 0.25 * middle, atol=1e-3)


def test_it_listens_to_the_source(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    head = Blend().fit(task).head
    assert isinstance(head, MixedHead)
    alone = Blend(listens=False).fit(task).head
    np.testing.assert_array_equal(
        head.linear.logits(task.cells.encoded), alone.logits(task.cells.encoded)
    )
