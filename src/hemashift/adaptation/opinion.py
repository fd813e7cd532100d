"""What the source says of a cell, listened to as far as the labels bear it out."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from hemashift.adaptation.contract import Task
from hemashift.adaptation.unlabelled import LEAST, Unlabelled
from hemashift.model.heads import Head, LinearHead, MixedHead, MLPHead

# The share of the source is its accuracy on the labelled cells to this power, and falls with their
# number from this one on: enough labels know better (docs/trials-adaptation.md, "The source's
# opinion").
_POWER = 3
_MANY = 50


def source_of(task: Task) -> MLPHead | None:
    """Return the head of the source, or None where there is none that has seen no label.

    A model that was adapted before, perhaps to the very same cells, would be right about them
    because it has learnt them.
    """
    head = task.model.head
    return head if task.model.card.parent is None and isinstance(head, MLPHead) else None


def source_share(source: Head, task: Task) -> float:
    """Return how much the source is to be listened to, 0 to 1.

    This is the cube of its accuracy on the labelled cells, one more being right and one more
    wrong; with more than 50 of them, 50 / N of that. A source has not been trained on cells of a
    new laboratory, so its accuracy is an honest measure, whatever else is fitted to them.

    Args:
        source: The head of the source, or what `Unlabelled` makes of it.
        task: The labelled cells.
    """
    found = source.probabilities(task.cells.encoded).argmax(axis=1)
    right = int((found == task.targets).sum())
    accuracy = (right + 1) / (len(task) + 2)
    return float(accuracy**_POWER * min(1.0, _MANY / len(task)))


def with_opinion(head: LinearHead, task: Task) -> Head:
    """Let a linear head that was fitted to a few labels listen to the source.

    The source knows little of this laboratory, and much of classes that few labels, or none, are
    of. The mistakes of the two differ. What it says is first moved to where the classes lie among
    the laboratory's cells, by `Unlabelled`, which no label has part in; the product of the two is
    one linear head again. Where there are fewer cells than that takes, or classes that the source
    does not know, it is listened to as it is.

    Args:
        head: The linear head, of all classes of the task and of its `standardised` features.
        task: The labelled cells.

    Returns:
        A linear head, a mixed one, or `head` itself where there is no source to listen to.
    """
    source = source_of(task)
    if source is None:
        return head
    if len(task) + len(task.pool) < LEAST or len(source.classes) < len(task.classes):
        share = float(np.float32(source_share(source, task)))  # as a model file keeps it
        return MixedHead(head, source, share)
    moved = cast(LinearHead, task.once("moved source", lambda: Unlabelled().fit(task).head))
    share = source_share(moved, task)
    return replace(
        head,
        weight=(head.weight + share * moved.weight).astype(np.float32),
        bias=(head.bias + share * moved.bias).astype(np.float32),
    )
