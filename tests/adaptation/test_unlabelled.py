from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.contract import Task
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.unlabelled import Unlabelled
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Head
from hemashift.trust.storage import Trust, attach

MakeTask = Callable[..., Task]
LABELS = ["lymphocyte", "monocyte", "neutrophil"] * 10


def shifted(task: Task, towards: str, by: float) -> Bundle:
    """A model that knows the cells, and gives one class too easily."""
    head = Probe().fit(task).head
    bias = head.bias.copy()
    bias[task.classes.index(towards)] += by
    return task.model.with_head(replace(head, bias=bias))


def accuracy(head: Head, task: Task) -> float:
    found = head.probabilities(task.cells.encoded).argmax(axis=1)
    return float(np.mean(found == task.targets))


def test_a_boundary_that_cuts_through_a_class_is_mended(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    model = shifted(task, "monocyte", 8.0)
    before = accuracy(model.head, task)
    assert before < 0.9
    after = accuracy(Unlabelled().fit(replace(task, model=model)).head, task)
    assert after > before + 0.05


def test_a_probe_of_the_source_mends_more(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    probe = Probe().fit(task).head.to_tensors()["weight"] * 20
    model = shifted(task, "monocyte", 8.0)
    knowing = attach(model, Trust(probe=probe))
    alone, both = (
        accuracy(Unlabelled().fit(replace(task, model=one)).head, task) for one in (model, knowing)
    )
    assert both > alone
    kept = [task.classes.index(name) for name in ("lymphocyte", "monocyte", "neutrophil")]
    limited, _ = limited_to(knowing, [task.classes[place] for place in kept])
    told = replace(task, model=limited, classes=limited.card.classes)
    found = Unlabelled().fit(told).head.probabilities(task.cells.encoded)
    right = np.array([kept.index(one) for one in task.targets])
    assert np.mean(found.argmax(axis=1) == right) >= both


def test_labels_play_no_part(make_task: MakeTask) -> None:
    task = make_task(LABELS)
    other = replace(task, targets=task.targets[::-1].copy())
    first, second = (Unlabelled().fit(one).head for one in (task, other))
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_common_classes_are_seen_to_be_common(make_task: MakeTask, bundle: Bundle) -> None:
    task = make_task(["neutrophil"] * 40 + ["lymphocyte"] * 8)
    method = Unlabelled()
    method.fit(replace(task, model=shifted(task, "lymphocyte", 0.0)))
    assert method.mix is not None
    assert method.mix.sum() == pytest.approx(1, abs=1e-5)
    assert bundle.card.classes[method.mix.argmax()] == "neutrophil"
