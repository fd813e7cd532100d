"""What every strategy of choosing cells is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


class Pick(NamedTuple):
    """One cell to be labelled.

    Attributes:
        row: Its row in the problem.
        reason: Why, in a few words for the person who labels.
    """

    row: int
    reason: str


def _no_rows() -> Rows:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Problem:
    """The cells of one laboratory, of which a few more are to be labelled.

    Attributes:
        vectors: `(N, D)` float32, close for cells that look alike; see `vectors.comparable`.
        copies: `(N,)` number of the cell; pictures of one and the same cell share it.
        source: `(N, K)` class probabilities of the model started from, which knows no label of
            this laboratory; classes that it does not know have probability 0.
        classes: K names.
        labelled: `(L,)` rows that have a label.
        targets: `(L,)` class index of each of these.
        current: `(N, K)` class probabilities of a model that learnt from the labels; None where
            there are too few to learn from.
        closed: `(C,)` further rows that must not be asked for.
        seed: Seed of everything drawn at random.
    """

    vectors: Float
    copies: Rows
    source: Float
    classes: tuple[str, ...]
    labelled: Rows = field(default_factory=_no_rows)
    targets: Rows = field(default_factory=_no_rows)
    current: Float | None = None
    closed: Rows = field(default_factory=_no_rows)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def candidates(self) -> Rows:
        """`(M,)` rows to choose from: one picture of each cell that was not asked for yet."""
        _, first = np.unique(self.copies, return_index=True)
        asked = self.copies[np.concatenate([self.labelled, self.closed])]
        return np.sort(first[~np.isin(self.copies[first], asked)])


class Strategy(Protocol):
    """A way to choose cells; one file each."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose cells to be labelled next.

        Args:
            problem: The cells.
            n: How many, at least 1.

        Returns:
            The most useful first: n picks, or one a candidate where there are fewer.
        """
        ...
