from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.classmix import ClassMix
from hemashift.adaptation.probe import Probe
from hemashift.model.heads import Encoded

from .conftest import MakeTask


def test_a_rare_class_with_many_labels_is_given_less_often(make_task: MakeTask) -> None:
    """Half of the labels are blasts, but of the cells one in ten."""
    task = make_task(["lymphocyte", "blast"] * 8)
    rng = np.random.default_rng(0)
    blast = np.append(np.tile([0, 1], 8), rng.random(400) < 0.1).astype(int)
    vectors = np.eye(2, 6)[blast] + rng.normal(0, 0.8, (416, 6))
    encoded = Encoded(vectors.astype(np.float32), vectors.astype(np.float32))
    task = replace(task, cells=replace(task.cells, encoded=encoded[:16]), pool=encoded[16:])
    truth = np.array([3, 6])[blast[16:]]
    method = ClassMix(trust=0.9)
    right = [
        (one.fit(task).head.probabilities(task.pool).argmax(axis=1) == truth).mean()
        for one in (Probe(), method)
    ]
    assert right[1] > right[0] + 0.02
    assert method.mix is not None
    assert method.mix[6] == pytest.approx(0.1, abs=0.1)
    assert method.mix.sum() == pytest.approx(1)


def test_a_class_without_a_label_gains_nothing(make_task: MakeTask) -> None:
    task = make_task(["lymphocyte", "blast"] * 4)
    method = ClassMix()
    fitted, probe = method.fit(task), Probe().fit(task)
    absent = [0, 1, 2, 4, 5]
    assert method.mix is not None and (method.mix[absent] == 0).all()
    before, after = (one.head.logits(task.pool)[:, absent] for one in (probe, fitted))
    np.testing.assert_array_equal(before, after)
