"""The state of a training on disk: safetensors for numbers, JSON in its header for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write
from hemashift.training.optimisation import State

_TENSORS = ("network", "average", "optimiser")
_VALUES = ("step", "settings", "losses", "history")


@dataclass
class Checkpoint:
    """Everything that a training needs to go on as if it had never stopped.

    Attributes:
        step: Steps done.
        settings: What the training depends on, as JSON values; others refuse to resume.
        network: State of the network.
        average: State of the averaged network, empty where there is no averaging.
        optimiser: `state` of the optimiser, flattened to `<parameter>.<name>`.
        losses: Loss of each step of the epoch under way.
        history: One row an epoch: loss and held-out scores.
    """

    step: int
    settings: dict[str, Any]
    network: State
    average: State
    optimiser: State
    losses: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write aside, then rename: a kill leaves the former checkpoint whole."""
        # Cloned, as safetensors refuses tensors that share memory.
        tensors = {
            f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
            for part in _TENSORS
            for name, tensor in getattr(self, part).items()
        }
        text = json.dumps({name: getattr(self, name) for name in _VALUES})
        with atomic_write(path) as aside:
            save_file(tensors, aside, metadata={"checkpoint": text})

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            HemashiftError: The file is damaged, or not a checkpoint of hemashift.
        """
        parts: dict[str, Any] = {part: {} for part in _TENSORS}
        try:
            with safe_open(path, framework="pt") as stored:
                about = json.loads(stored.metadata()["checkpoint"])
                for key in stored.keys():  # noqa: SIM118 (not a mapping)
                    part, _, name = key.partition("/")
                    parts[part][name] = stored.get_tensor(key)
            return cls(**{name: about[name] for name in _VALUES}, **parts)
        except Exception as error:
            raise HemashiftError(
                "the checkpoint cannot be read",
                found=f"{type(error).__name__}: {error}",
                where=path,
                hint="remove it to train from the start",
            ) from error
