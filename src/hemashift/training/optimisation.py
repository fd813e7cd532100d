"""Learning rate, optimiser and the average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from hemashift.training.recipe import Recipe

State = dict[str, Tensor]


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Return the learning rate of a step: constant, or a warm-up and then a cosine to zero.

    Args:
        step: Number of the step, from 0.
        steps: Steps in all.
        recipe: Schedule, peak and length of the warm-up.

    Examples:
        >>> from hemashift.training.recipe import recipe
        >>> round(learning_rate(999, 1000, recipe("robust")), 6)
        0.0
    """
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warm = max(1, round(recipe.warm_up * steps))
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make Adam or AdamW; weight decay spares biases and normalisation."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": others, "weight_decay": 0.0}]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def optimiser_state(optimiser: torch.optim.Optimizer) -> State:
    """Flatten the per-parameter state of an optimiser to `<parameter>.<name>`."""
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, flat: State) -> None:
    """Put a flattened state back, on the device of the parameters; undoes `optimiser_state`."""
    state: dict[int, State] = {}
    for key, value in flat.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value.clone()
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def start_average(network: nn.Module) -> State:
    """Copy a network's state, in float32, as the start of an average."""
    return {
        name: value.detach().clone().float() if value.is_floating_point() else value.clone()
        for name, value in network.state_dict().items()
    }


def average_into(average: State, network: nn.Module, decay: float, step: int) -> None:
    """Move an exponential average towards the network, in place; counters are copied.

    Args:
        average: The average.
        network: The network after the step.
        decay: Weight of the past. At first it is less, so that the untrained start is forgotten.
        step: Number of the step, from 0.
    """
    weight = 1 - min(decay, (step + 1) / (step + 10))
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.detach().float(), weight)
        else:
            average[name].copy_(value)


@contextmanager
def evaluating(network: nn.Module, average: State) -> Iterator[None]:
    """Put a network into eval mode with the averaged weights (if any), then back as it was."""
    own = {name: value.detach().clone() for name, value in network.state_dict().items()}
    network.load_state_dict(average or own)
    network.eval()
    try:
        yield
    finally:
        network.load_state_dict(own)
        network.train()
