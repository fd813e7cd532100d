"""The state of a training on disk: safetensors for numbers, JSON in its header for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write

State = dict[str, Tensor]


@dataclass
class Checkpoint:
    """Everything that a training needs to go on as if it had never stopped.

    Attributes:
        step: Steps done.
        network: State of the network.
        average: State of the averaged network, empty where there is no averaging.
        optimiser: `state` of the optimiser, flattened to `<parameter>.<name>`.
        history: One row an epoch: loss and held-out scores.
        recipe: The recipe as JSON values; another recipe refuses to resume.
    """

    step: int
    network: State
    average: State
    optimiser: State
    history: list[dict[str, float]]
    recipe: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write aside, then rename: a kill leaves the former checkpoint whole."""
        tensors = {
            f"{part}/{name}": tensor.detach().cpu().contiguous()
            for part, state in (
                ("network", self.network),
                ("average", self.average),
                ("optimiser", self.optimiser),
            )
            for name, tensor in state.items()
        }
        text = json.dumps({"step": self.step, "history": self.history, "recipe": self.recipe})
        with atomic_write(path) as aside:
            save_file(tensors, aside, metadata={"checkpoint": text})

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            HemashiftError: The file is not a checkpoint of hemashift.
        """
        parts: dict[str, State] = {"network": {}, "average": {}, "optimiser": {}}
        try:
            with safe_open(path, framework="pt") as stored:
                about = json.loads(stored.metadata()["checkpoint"])
                for key in stored.keys():  # noqa: SIM118 (not a mapping)
                    part, _, name = key.partition("/")
                    parts[part][name] = stored.get_tensor(key)
        except Exception as error:
            raise HemashiftError(
                "the checkpoint cannot be read",
                found=f"{type(error).__name__}: {error}",
                where=path,
                hint="remove it to train from the start",
            ) from error
        return cls(history=about["history"], recipe=about["recipe"], step=about["step"], **parts)


def optimiser_state(optimiser: torch.optim.Optimizer) -> State:
    """Flatten the per-parameter state of an optimiser."""
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, flat: State) -> None:
    """Put a flattened state back; the inverse of `optimiser_state`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in flat.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def average_into(average: State, network: nn.Module, decay: float) -> None:
    """Move `average` towards the network by `1 - decay`, in place; counters are copied."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.detach().float(), 1 - decay)
        else:
            average[name].copy_(value)
