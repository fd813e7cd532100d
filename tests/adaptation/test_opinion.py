from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemashift.adaptation.contract import Task
from hemashift.adaptation.opinion import source_of, source_share, with_opinion
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.unlabelled import LEAST, Unlabelled
from hemashift.model.heads import LinearHead, MixedHead

LABELS = ["lymphocyte", "monocyte", "neutrophil"] * 4


def linear(task: Task) -> LinearHead:
    head = Probe().fit(task).head
    assert isinstance(head, LinearHead)
    return head


@pytest.mark.parametrize("wrong, share", [(0, (13 / 14) ** 3), (6, 0.5**3), (12, (1 / 14) ** 3)])
def test_the_share_is_the_cube_of_the_accuracy(
    wrong: int, share: float, make_task: Callable[..., Task]
) -> None:
    task = make_task(LABELS)
    source = source_of(task)
    assert source is not None
    said = source.probabilities(task.cells.encoded).argmax(axis=1)
    said[:wrong] = (said[:wrong] + 1) % 6
    assert source_share(source, replace(task, targets=said)) == pytest.approx(share)


def test_with_many_labels_it_is_listened_to_less(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    source = source_of(task)
    assert source is not None
    right = replace(task, targets=source.probabilities(task.cells.encoded).argmax(axis=1))
    shares = [source_share(source, right[np.arange(n) % len(LABELS)]) for n in (50, 100, 200)]
    expected = [(51 / 52) ** 3, (101 / 102) ** 3 / 2, (201 / 202) ** 3 / 4]
    assert shares == pytest.approx(expected)


def test_it_is_moved_to_the_cells_of_the_laboratory(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    many = make_task(["lymphocyte", "neutrophil"] * ((LEAST - len(task)) // 2)).cells.encoded
    task = replace(task, pool=many)
    encoded = task.cells.encoded
    head = with_opinion(linear(task), task)
    assert isinstance(head, LinearHead)
    moved = Unlabelled().fit(task).head
    product = linear(task).probabilities(encoded).astype(np.float64)
    product *= moved.probabilities(encoded).astype(np.float64) ** source_share(moved, task)
    product /= product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(head.probabilities(encoded), product, atol=1e-4)
    one_less = replace(task, pool=many[np.arange(len(many) - 1)])
    assert isinstance(with_opinion(linear(one_less), one_less), MixedHead)


def test_with_few_cells_it_is_the_product_of_both_opinions(make_task: Callable[..., Task]) -> None:
    task = make_task(LABELS)
    encoded = task.cells.encoded
    head = with_opinion(linear(task), task)
    assert isinstance(head, MixedHead)
    product = linear(task).probabilities(encoded).astype(np.float64)
    product *= task.model.head.probabilities(encoded).astype(np.float64) ** head.share
    product /= product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(head.probabilities(encoded), product, atol=1e-5)


def test_of_a_class_beyond_its_own_the_source_says_nothing(make_task: Callable[..., Task]) -> None:
    task = make_task(["monocyte", "blast", "neutrophil"] * (LEAST // 3 + 1))
    head = with_opinion(linear(task), task)
    encoded = task.cells.encoded
    np.testing.assert_array_equal(head.logits(encoded)[:, 6], linear(task).logits(encoded)[:, 6])


def test_a_model_that_was_adapted_before_is_not_listened_to(make_task: Callable[..., Task]) -> None:
    """It may have learnt these very cells, and would be right about them all."""
    task = make_task(LABELS)
    again = make_task(LABELS, model=task.model.with_head(task.model.head))
    assert source_of(again) is None
    head = linear(again)
    assert with_opinion(head, again) is head
