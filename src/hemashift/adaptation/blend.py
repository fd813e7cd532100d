"""Blend: the probe and the prototypes together, which listen to the head of the source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast
from weakref import WeakKeyDictionary

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.opinion import with_opinion
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.prototypes import Prototypes
from hemashift.model.heads import LinearHead

# A quarter to a half of prototypes does equally well in new laboratories (docs/benchmarks.md).
SHARE = 0.3

Heads = tuple[LinearHead, LinearHead]
_FITTED: WeakKeyDictionary[Task, Heads] = WeakKeyDictionary()


@dataclass
class Blend:
    """The weighted mean of the logits of `Probe` and `Prototypes`.

    The probe draws boundaries and leans towards classes with many labels; prototypes stand in the
    middle of each class, however few labels it has. Their mistakes differ, so that together they
    make fewer, above all in rare classes. Both read the same vectors, so the mean of their logits
    is again one linear head.

    That head then listens to the head of the source, see `with_opinion`.

    Attributes:
        share: Weight of the prototypes, 0 (the probe) to 1 (the prototypes).
        listens: Whether the head of the source is listened to.
    """

    share: float = SHARE
    name: str = "blend"
    listens: bool = True

    def fit(self, task: Task) -> FittedHead:
        """Fit both, take the mean of their heads, and listen to the source."""
        probe, middle = _both(task)
        head = replace(
            probe,
            weight=(1 - self.share) * probe.weight + self.share * middle.weight,
            bias=(1 - self.share) * probe.bias + self.share * middle.bias,
        )
        return FittedHead(task.model, with_opinion(head, task) if self.listens else head)


def _both(task: Task) -> Heads:
    """Fit both to a task, once for all blends of them."""
    if task not in _FITTED:
        heads = (method.fit(task).head for method in (Probe(), Prototypes()))
        _FITTED[task] = cast(Heads, tuple(heads))
    return _FITTED[task]
