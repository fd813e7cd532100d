"""The training loop: steps that depend on seed and step number only, so that a kill costs little.

Lightning Fabric places it on whatever devices there are; the loop itself stays in sight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from lightning_fabric import Fabric
from torch import Tensor, nn

from hemashift.colour import from_dict
from hemashift.model.architectures import Network, build
from hemashift.training.augmentation import augment
from hemashift.training.checkpoint import (
    Checkpoint,
    average_into,
    optimiser_state,
    restore_optimiser,
)
from hemashift.training.memory import keep_freed_memory
from hemashift.training.recipe import Recipe
from hemashift.training.sampling import BatchSampler

Score = Callable[[Network], dict[str, float]]


@dataclass(frozen=True)
class Report:
    """What the loop tells while it runs.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        loss: Mean training loss of late (label smoothing included).
        seconds_left: Estimate from the steps of this run.
    """

    step: int
    steps: int
    loss: float
    seconds_left: float


@dataclass(frozen=True)
class Task:
    """What is to be trained on; small, since every device gets a copy.

    Attributes:
        images: File of an `ImageStore`.
        indices: `(N,)` rows of that file that are trained on.
        classes: `(N,)` class index of each.
        datasets: `(N,)` dataset of each.
        n_classes: Number of classes.
        colour: Colour transform as JSON values.
        recipe: The recipe.
        folder: Where the checkpoint is kept.
        checkpoint_seconds: Time between checkpoints within an epoch.
        stop_after: Stop after this many steps, as a kill would; None trains to the end.
    """

    images: Path
    indices: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    datasets: npt.NDArray[np.str_]
    n_classes: int
    colour: dict[str, Any]
    recipe: Recipe
    folder: Path
    checkpoint_seconds: float = 120.0
    stop_after: int | None = None
    pretrained: bool = True
    allow_random: bool = False

    @property
    def checkpoint(self) -> Path:
        """The file of the checkpoint."""
        return self.folder / "checkpoint.safetensors"


def precision(wanted: str) -> str:
    """Return Fabric's name of the precision; `auto` takes bfloat16 where it is native.

    Examples:
        >>> precision("float32")
        '32-true'
    """
    native = (
        torch.cuda.is_bf16_supported()
        if torch.cuda.is_available()
        else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    use = wanted == "bfloat16" or (wanted == "auto" and native)
    return "bf16-mixed" if use else "32-true"


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Return the learning rate of a step: constant, or a warm-up and then a cosine to zero.

    Examples:
        >>> from hemashift.training.recipe import recipe
        >>> round(learning_rate(999, 1000, recipe("robust")), 6)
        0.0
    """
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warm = max(1, round(0.15 * steps))
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make Adam or AdamW; weight decay spares biases and normalisation."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights}, {"params": others, "weight_decay": 0.0}]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def standardiser(colour: dict[str, Any]) -> Callable[[Tensor], Tensor] | None:
    """Apply the colour transform that classification uses to each image of a batch."""
    transform = from_dict(colour)
    if transform.name == "none":
        return None

    def standardise(images: Tensor) -> Tensor:
        pixels = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        changed = np.stack([transform(image) for image in pixels])
        return torch.from_numpy(changed).to(images.device).permute(0, 3, 1, 2).float() / 255

    return standardise


def run(
    fabric: Fabric,
    task: Task,
    report: Callable[[Report], None] | None = None,
    score: Score | None = None,
) -> None:
    """Train from the last checkpoint (or the start) to the end; the result is the checkpoint.

    Args:
        fabric: Devices and precision.
        task: What to train.
        report: Called after each step on the first device.
        score: Called on the model after each epoch on the first device; its numbers go into the
            history.

    Raises:
        HemashiftError: The checkpoint is damaged, or the architecture's weights are not there.
    """
    keep_freed_memory()
    recipe = task.recipe
    images = np.load(task.images, mmap_mode="r", allow_pickle=False)
    sampler = BatchSampler(task.classes, task.datasets, recipe)
    zoomed = np.isin(task.datasets, recipe.augmentation.only or np.unique(task.datasets))
    steps = recipe.epochs * sampler.steps_per_epoch
    standardise = standardiser(task.colour)

    torch.manual_seed(recipe.seed)
    network = build(
        recipe.architecture,
        task.n_classes,
        pretrained=task.pretrained,
        allow_random=task.allow_random,
    ).to(memory_format=torch.channels_last)
    optimiser = make_optimiser(network, recipe)
    start, history = 0, []
    average = _average_of(network) if recipe.average else {}
    if task.checkpoint.exists():
        saved = Checkpoint.load(task.checkpoint)
        start, history, average = saved.step, saved.history, saved.average
        network.load_state_dict(saved.network)
        if start:
            restore_optimiser(optimiser, saved.optimiser)
    model, optimiser = fabric.setup(network, optimiser)
    average = {name: value.to(fabric.device) for name, value in average.items()}

    def save(step: int) -> None:
        if fabric.is_global_zero:
            state = {name: value.clone() for name, value in network.state_dict().items()}
            Checkpoint(
                step, state, average, optimiser_state(optimiser), history, recipe.model_dump()
            ).save(task.checkpoint)

    began = last_saved = time.monotonic()
    losses: list[float] = []
    model.train()
    for step in range(start, steps):
        rows = sampler.batch(step, fabric.global_rank, fabric.world_size)
        generator = torch.Generator().manual_seed(
            int(
                np.random.SeedSequence([recipe.seed, 2, step, fabric.global_rank]).generate_state(
                    1
                )[0]
            )
        )
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))  # dropout
        batch = torch.from_numpy(images[task.indices[rows]]).to(fabric.device)
        pixels = augment(
            batch.permute(0, 3, 1, 2).float().div_(255).contiguous(),
            recipe.size,
            recipe.augmentation,
            generator,
            torch.from_numpy(zoomed[rows]),
            standardise,
        )
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, recipe)
        logits = model(network.normalise((pixels * 255).permute(0, 2, 3, 1)))
        target = torch.from_numpy(task.classes[rows]).to(fabric.device)
        loss = functional.cross_entropy(
            logits.float(), target, label_smoothing=recipe.label_smoothing
        )
        optimiser.zero_grad()
        fabric.backward(loss)
        fabric.clip_gradients(model, optimiser, max_norm=1.0)
        optimiser.step()
        if recipe.average:
            # A short memory at first, so that the untrained start is forgotten.
            average_into(average, network, min(recipe.average, (step + 1) / (step + 10)))

        done = step + 1
        losses = [*losses[-49:], float(loss.detach())]
        if report is not None and fabric.is_global_zero:
            pace = (time.monotonic() - began) / (done - start)
            report(Report(done, steps, float(np.mean(losses)), pace * (steps - done)))
        if done % sampler.steps_per_epoch == 0:
            if score is not None and fabric.is_global_zero:
                history.append(
                    {"epoch": done // sampler.steps_per_epoch, "loss": float(np.mean(losses))}
                    | score(_averaged(network, average))
                )
                model.train()
            save(done)
            last_saved = time.monotonic()
        elif time.monotonic() - last_saved > task.checkpoint_seconds or done == task.stop_after:
            save(done)
            last_saved = time.monotonic()
        if done == task.stop_after:
            return


def _average_of(network: Network) -> dict[str, Tensor]:
    """Copy the state, in float32, as the start of an average."""
    return {
        name: value.detach().clone().float() if value.is_floating_point() else value.clone()
        for name, value in network.state_dict().items()
    }


def _averaged(network: Network, average: dict[str, Tensor]) -> Network:
    """Return a copy of the network in eval mode that holds the averaged weights, if there are."""
    import copy

    twin = copy.deepcopy(network)
    if average:
        twin.load_state_dict(average)
    return twin.eval()


def finished_network(task: Task) -> tuple[Network, list[dict[str, float]]]:
    """Return the network of a finished training, in eval mode, and its history."""
    saved = Checkpoint.load(task.checkpoint)
    network = build(task.recipe.architecture, task.n_classes, pretrained=False)
    network.load_state_dict(saved.average or saved.network)
    return network.eval(), saved.history
