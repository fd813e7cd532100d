"""What every method of adaptation is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded, Head

Float = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells as a model sees them.

    Attributes:
        images: `(N, S, S, 3)` uint8, prepared by the model's preprocessing.
        encoded: What the encoder of the model says about them.
    """

    images: npt.NDArray[np.uint8]
    encoded: Encoded

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Rows) -> Cells:
        return Cells(self.images[rows], self.encoded[rows])


@dataclass(frozen=True, eq=False)
class Task:
    """A few labelled cells of one laboratory, and the model to start from.

    Attributes:
        model: The model to start from.
        cells: The N labelled cells.
        targets: `(N,)` index into `classes`.
        groups: `(N,)` cells of one group (copies of one image; cells of one smear or patient, where
            these are known) never straddle a fold.
        classes: K names: those of the model, then classes that only the labels know.
        pool: Encoded unlabelled images of the laboratory; may be empty. Nothing is known of them
            but their pictures.
        seed: Seed of everything drawn at random.
        pool_images: The images of `pool`, for methods that change the encoder; None where they
            were not kept.
        strangers: Cells of the laboratory that were labelled as none of the classes, for those who
            ask what is outside; None where there are none.
        copies: `(N,)` which cell each image shows, where groups are more than copies of one.
    """

    model: Bundle
    cells: Cells
    targets: Integers
    groups: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    pool: Encoded
    seed: int = 0
    pool_images: npt.NDArray[np.uint8] | None = None
    strangers: Cells | None = None
    copies: npt.NDArray[np.str_] | None = None
    _found: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: Rows) -> Task:
        return replace(
            self,
            cells=self.cells[rows],
            targets=self.targets[rows],
            groups=self.groups[rows],
            copies=None if self.copies is None else self.copies[rows],
        )

    def once(self, key: Hashable, find: Callable[[], Found]) -> Found:
        """Return what `find` does; it is called only the first time that this task is asked.

        Methods build on each other: `auto` compares the blend of a probe and prototypes with
        either of them, and all three are fitted to the very same cells.

        Args:
            key: What is found, and all settings that it depends on.
            find: Finds it from this task.
        """
        if key not in self._found:
            self._found[key] = find()
        return cast(Found, self._found[key])


class Fitted(Protocol):
    """A model adapted to a task."""

    def probabilities(self, cells: Cells) -> Float:
        """Return `(N, K)` class probabilities of cells, in the order of `Task.classes`."""
        ...

    def bundle(self) -> Bundle:
        """Return the adapted model, ready to be saved."""
        ...


class Method(Protocol):
    """A way to adapt a model; one file each.

    Attributes:
        name: Its name on the command line.
    """

    name: str

    def fit(self, task: Task) -> Fitted:
        """Adapt the model of `task` to its labelled cells.

        Args:
            task: At least one labelled cell, of any of the classes.
        """
        ...


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A model that keeps its encoder and has a new head.

    Attributes:
        model: The model it started from.
        head: The new head.
    """

    model: Bundle
    head: Head

    def probabilities(self, cells: Cells) -> Float:
        """Return `(N, K)` class probabilities."""
        return self.head.probabilities(cells.encoded)

    def bundle(self) -> Bundle:
        """Return the model with its new head."""
        return self.model.with_head(self.head)


@dataclass(frozen=True, eq=False)
class AsItIs:
    """A model without any adaptation.

    Attributes:
        model: The model.
        classes: K names; those that the model does not know get probability 0.
    """

    model: Bundle
    classes: tuple[str, ...]

    def probabilities(self, cells: Cells) -> Float:
        """Return `(N, K)` class probabilities."""
        return widen(self.model.head.probabilities(cells.encoded), len(self.classes))

    def bundle(self) -> Bundle:
        """Return the model."""
        return self.model


class Unadapted:
    """No adaptation: what every method must beat."""

    name = "none"

    def fit(self, task: Task) -> AsItIs:
        """Return the model as it is."""
        return AsItIs(task.model, task.classes)


def widen(probabilities: Float, count: int) -> Float:
    """Add columns of zeros for classes that a model does not know, up to `count` columns."""
    return np.pad(probabilities, ((0, 0), (0, count - probabilities.shape[1])))
