"""What a training process is given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hemashift.errors import HemashiftError
from hemashift.training.checkpoint import Checkpoint
from hemashift.training.recipe import Recipe


@dataclass(frozen=True)
class TrainingTask:
    """What is to be trained on; small, since every device gets a copy.

    Attributes:
        images: File of an `ImageStore` of the cells to train on.
        margin: Width of its images relative to the frame, see `WideFrame`.
        classes: `(N,)` class index of each cell.
        datasets: `(N,)` dataset of each cell.
        n_classes: Number of classes, with the kinds of other cells (`Recipe.others`).
        colour: Colour transform as JSON values.
        recipe: The recipe.
        folder: Where the checkpoint is kept.
        checkpoint_seconds: Time between checkpoints within an epoch.
        stop_after: Stop after this many steps, as a kill would; None trains to the end.
        member: Which network of several this is, from 1.
        members: How many are trained one after the other.
    """

    images: Path
    margin: float
    classes: npt.NDArray[np.int64]
    datasets: npt.NDArray[np.str_]
    n_classes: int
    colour: dict[str, Any]
    recipe: Recipe
    folder: Path
    checkpoint_seconds: float = 120.0
    stop_after: int | None = None
    member: int = 1
    members: int = 1

    @property
    def checkpoint(self) -> Path:
        """The file of the checkpoint."""
        return self.folder / "checkpoint.safetensors"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All that the weights depend on, as JSON values."""
        labels = hashlib.sha256(self.classes.tobytes() + "\n".join(self.datasets).encode())
        data = {"images": self.images.name, "labels": labels.hexdigest()[:16]}
        return {**self.recipe.model_dump(mode="json", exclude={"turns"}), **data}

    def check_resumable(self) -> int:
        """Return how many steps are done, 0 where there is no checkpoint.

        Raises:
            HemashiftError: The checkpoint is damaged, or belongs to a training with other settings.
        """
        if not self.checkpoint.exists():
            return 0
        saved = Checkpoint.load(self.checkpoint)
        keys = sorted(self.settings.keys() | saved.settings.keys())
        changed = [k for k in keys if saved.settings.get(k) != self.settings.get(k)]
        if changed:
            raise HemashiftError(
                "the run folder holds a training with other settings",
                found=f"changed: {', '.join(changed)}",
                where=self.folder,
                hint="give another run folder, or remove this one to start again",
            )
        return saved.step
