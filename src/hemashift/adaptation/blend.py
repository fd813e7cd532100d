"""Blend: the probe and the prototypes together, as one linear head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast
from weakref import WeakKeyDictionary

from hemashift.adaptation.contract import FittedHead, Task
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

    Attributes:
        share: Weight of the prototypes, 0 (the probe) to 1 (the prototypes).
    """

    share: float = SHARE
    name: str = "blend"

    def fit(self, task: Task) -> FittedHead:
        """Fit both, and take the mean of their heads."""
        probe, middle = _both(task)
        head = replace(
            probe,
            weight=(1 - self.share) * probe.weight + self.share * middle.weight,
            bias=(1 - self.share) * probe.bias + self.share * middle.bias,
        )
        return FittedHead(task.model, head)


def _both(task: Task) -> Heads:
    """Fit both to a task, once for all blends of them."""
    if task not in _FITTED:
        heads = (method.fit(task).head for method in (Probe(), Prototypes()))
        _FITTED[task] = cast(Heads, tuple(heads))
    return _FITTED[task]
