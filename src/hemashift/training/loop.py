"""The training loop: steps that depend on seed and step number only, so that a kill costs little.

Lightning Fabric places it on whatever devices there are; the loop itself stays in sight.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from lightning_fabric import Fabric
from torch import Tensor

from hemashift.colour import from_dict
from hemashift.model.architectures import Network, build
from hemashift.training.augmentation import augment
from hemashift.training.checkpoint import Checkpoint
from hemashift.training.memory import keep_freed_memory
from hemashift.training.optimisation import (
    State,
    average_into,
    evaluating,
    learning_rate,
    make_optimiser,
    optimiser_state,
    restore_optimiser,
    start_average,
)
from hemashift.training.progress import Listener, Pace, Report
from hemashift.training.sampling import BatchSampler
from hemashift.training.task import TrainingTask

Row = dict[str, float]
Score = Callable[[Network], Row]


def precision(wanted: str) -> Literal["bf16-mixed", "32-true"]:
    """Return Fabric's name of the precision; `auto` takes bfloat16 where it is faster.

    On a CPU that is where it multiplies tiles (Intel AMX). One that has bfloat16 in its vector
    instructions only trains EfficientNet-Lite0 0.7 times as fast with it as in float32.

    Examples:
        >>> precision("float32")
        '32-true'
    """
    if torch.cuda.is_available():
        faster = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        faster = torch.cpu._is_amx_tile_supported()
    use = wanted == "bfloat16" or (wanted == "auto" and faster)
    return "bf16-mixed" if use else "32-true"


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
    task: TrainingTask,
    on_step: Listener | None = None,
    on_epoch: Callable[[Row], None] | None = None,
    score: Score | None = None,
) -> None:
    """Train from the last checkpoint (or the start) to the end; the result is the checkpoint.

    Args:
        fabric: Devices and precision.
        task: What to train.
        on_step: Called after each step on the first device.
        on_epoch: Called after each epoch on the first device with the new row of the history.
        score: Called on the model after each epoch on the first device; its numbers go into the
            history.

    Raises:
        HemashiftError: The checkpoint is damaged or of other settings, the architecture's weights
            are not there, or a device would get fewer than two images of a batch.
    """
    keep_freed_memory()
    training = _Training(fabric, task)
    first = fabric.is_global_zero
    pace = Pace(task.recipe, training.steps, training.done)
    saved_at = time.monotonic()
    while training.done < training.steps:
        training.advance()
        pace.tick()
        if on_step is not None and first:
            on_step(training.report(pace))
        epoch_ends = training.done % training.sampler.steps_per_epoch == 0
        stop = training.done == task.stop_after
        if epoch_ends:
            row = training.close_epoch(score)
            if on_epoch is not None and first:
                on_epoch(row)
            pace.resume()
        if epoch_ends or stop or time.monotonic() - saved_at > task.checkpoint_seconds:
            training.save()
            saved_at = time.monotonic()
        if stop:
            return


def finished_network(task: TrainingTask) -> tuple[Network, list[Row]]:
    """Return the network of a finished training, in eval mode, and its history."""
    saved = Checkpoint.load(task.checkpoint)
    network = build(task.recipe.architecture, task.n_classes, pretrained=False)
    network.load_state_dict(saved.average or saved.network)
    return network.eval(), saved.history


class _Training:
    """The state of a training on one device, and what a step does to it."""

    def __init__(self, fabric: Fabric, task: TrainingTask) -> None:
        self.fabric, self.task, self.recipe = fabric, task, task.recipe
        self.images = np.load(task.images, mmap_mode="r", allow_pickle=False)
        self.sampler = BatchSampler(task.classes, task.datasets, self.recipe)
        per_epoch = self.sampler.steps_per_epoch
        self.steps = self.recipe.epochs_of(per_epoch) * per_epoch
        self.sampler.check_devices(fabric.world_size)
        only = self.recipe.augmentation.only
        self.chosen = np.isin(task.datasets, only) if only else np.ones(len(task.datasets), bool)
        self.standardise = standardiser(task.colour)
        self._start()

    def _start(self) -> None:
        """Build everything, or take it up where the checkpoint left it."""
        task, recipe = self.task, self.recipe
        self.done = task.check_resumable()
        saved = Checkpoint.load(task.checkpoint) if self.done else None
        torch.manual_seed(recipe.seed)
        pretrained = saved is None and recipe.weights == "imagenet"
        self.network = build(recipe.architecture, task.n_classes, pretrained=pretrained)
        if saved is not None:
            self.network.load_state_dict(saved.network)
        self.network.to(memory_format=torch.channels_last)
        optimiser = make_optimiser(self.network, recipe)
        self.model, self.optimiser = self.fabric.setup(self.network, optimiser)
        if saved is not None:  # only now, so that the state lands on the device
            restore_optimiser(self.optimiser, saved.optimiser)
        average = saved.average if saved is not None else start_average(self.network)
        device = self.fabric.device
        self.average: State = (
            {name: value.to(device) for name, value in average.items()} if recipe.average else {}
        )
        self.losses: list[float] = [] if saved is None else saved.losses
        self.history: list[Row] = [] if saved is None else saved.history
        self.model.train()

    def advance(self) -> None:
        """Take one step."""
        step, recipe = self.done, self.recipe
        rank = self.fabric.global_rank
        rows = self.sampler.batch(step, rank, self.fabric.world_size)
        seed = np.random.SeedSequence([recipe.seed, 2, step, rank]).generate_state(2)
        pixels = self._pixels(rows, torch.Generator().manual_seed(int(seed[0])))
        torch.manual_seed(int(seed[1]))  # dropout
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.steps, recipe)
        logits = self.model(self.network.normalise((pixels * 255).permute(0, 2, 3, 1)))
        target = torch.from_numpy(self.task.classes[rows]).to(logits.device)
        loss = functional.cross_entropy(
            logits.float(), target, label_smoothing=recipe.label_smoothing
        )
        self.optimiser.zero_grad()
        self.fabric.backward(loss)
        if recipe.clip_norm:
            self.fabric.clip_gradients(self.model, self.optimiser, max_norm=recipe.clip_norm)
        self.optimiser.step()
        if recipe.average:
            average_into(self.average, self.network, recipe.average, step)
        self.losses.append(float(loss.detach()))
        self.done += 1

    def _pixels(self, rows: npt.NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Return the augmented images of a batch, `(B, 3, size, size)`, 0 to 1."""
        recipe, size = self.recipe, self.recipe.size_at(self.done, self.steps)
        batch = torch.from_numpy(self.images[rows]).to(self.fabric.device)
        pixels = batch.permute(0, 3, 1, 2).float().div_(255).contiguous()
        if size < recipe.size:  # without fine detail that small images would show as false patterns
            side = round(pixels.shape[-1] * size / recipe.size)
            pixels = functional.interpolate(
                pixels, (side, side), mode="bilinear", antialias=True, align_corners=False
            )
        return augment(
            pixels,
            size,
            recipe.augmentation,
            generator,
            margin=self.task.margin,
            chosen=torch.from_numpy(self.chosen[rows]),
            standardise=self.standardise,
        )

    def report(self, pace: Pace) -> Report:
        """Say how far the training is."""
        return Report(
            step=self.done,
            steps=self.steps,
            epoch=(self.done - 1) // self.sampler.steps_per_epoch + 1,
            loss=float(np.mean(self.losses[-50:])),
            images_per_second=pace.steps_per_second * self.sampler.batch_size,
            seconds_left=pace.seconds_left(self.done, self.task.members - self.task.member),
            member=self.task.member,
            members=self.task.members,
        )

    def close_epoch(self, score: Score | None) -> Row:
        """Add a row to the history; the first device scores, the others wait at their next step."""
        row: Row = {
            "epoch": float(self.done // self.sampler.steps_per_epoch),
            "loss": float(np.mean(self.losses)),
        }
        self.losses = []
        if score is not None and self.fabric.is_global_zero:
            with evaluating(self.network, self.average), self.fabric.autocast():
                row |= score(self.network)
        self.history.append(row)
        return row

    def save(self) -> None:
        """Write the checkpoint, on the first device."""
        if self.fabric.is_global_zero:
            Checkpoint(
                step=self.done,
                settings=self.task.settings,
                network=dict(self.network.state_dict()),
                average=self.average,
                optimiser=optimiser_state(self.optimiser),
                losses=self.losses,
                history=self.history,
            ).save(self.task.checkpoint)
