"""Blend: a refined probe and prototypes together, which listen to the source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.opinion import with_opinion
from hemashift.adaptation.prototypes import Prototypes
from hemashift.adaptation.transductive import Transductive
from hemashift.model.heads import LinearHead

# What does best in new laboratories (docs/trials-adaptation.md, "The parts of blend").
SHARE = 0.3
FEW = 10
STRENGTH = 0.1


@dataclass
class Blend:
    """The weighted mean of the logits of `Transductive` and `Prototypes`.

    The probe draws boundaries, to where few unlabelled cells are, and leans towards classes with
    many labels; prototypes stand in the middle of each class, however few labels it has. Their
    mistakes differ, so that together they make fewer. The more labels there are, the better the
    boundaries are, and the less the prototypes count. Both read the same vectors, so the mean of
    their logits is again one linear head.

    That head then listens to the source, see `with_opinion`.

    Attributes:
        share: Weight of the prototypes with up to `FEW` labels, 0 to 1; with N labels it is
            `FEW` / N of that.
        strength: What the unlabelled cells together count for, see `Transductive`.
        listens: Whether the source is listened to.
    """

    share: float = SHARE
    strength: float = STRENGTH
    listens: bool = True
    name: str = "blend"

    def fit(self, task: Task) -> FittedHead:
        """Fit both, take the mean of their heads, and listen to the source."""
        refined, middle = (
            cast(LinearHead, method.fit(task).head)
            for method in (Transductive((self.strength,)), Prototypes())
        )
        share = self.share * min(1.0, FEW / len(task))
        head = replace(
            refined,
            weight=(1 - share) * refined.weight + share * middle.weight,
            bias=(1 - share) * refined.bias + share * middle.bias,
        )
        return FittedHead(task.model, with_opinion(head, task) if self.listens else head)
