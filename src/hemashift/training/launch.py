"""Placing a training on its devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lightning_fabric import Fabric

from hemashift.model.architectures import build
from hemashift.training.loop import Row, Score, precision, run
from hemashift.training.progress import Listener
from hemashift.training.sampling import BatchSampler
from hemashift.training.task import TrainingTask


def launch(
    task: TrainingTask,
    devices: int | str = "auto",
    on_step: Listener | None = None,
    on_epoch: Callable[[Row], None] | None = None,
    score: Score | None = None,
) -> None:
    """Run the training loop on one device in this process, on several in a process each.

    Args:
        task: What to train.
        devices: Their number, see Lightning Fabric; `auto` takes all GPUs, or the CPU.
        on_step: As for `hemashift.training.loop.run`; picklable where there are several devices.
        on_epoch: As `on_step`.
        score: As `on_step`.

    Raises:
        HemashiftError: The checkpoint is damaged or of other settings, the architecture's weights
            are not there, or a device would get fewer than two images of a batch.
    """
    recipe, callbacks = task.recipe, (on_step, on_epoch, score)
    settings: dict[str, Any] = {"devices": devices, "precision": precision(recipe.precision)}
    fabric = Fabric(**settings)
    BatchSampler(task.classes, task.datasets, recipe).check_devices(fabric.world_size)
    if fabric.world_size == 1:
        run(fabric, task, *callbacks)
        return
    if task.check_resumable() == 0 and recipe.weights == "imagenet":
        build(recipe.architecture, task.n_classes)  # downloads once, and fails with a clear message
    # Bound, not passed on: Fabric searches arguments for networks and refuses frozen dataclasses.
    bound = _Bound(task, callbacks)
    Fabric(**settings, strategy="ddp_spawn").launch(bound)


@dataclass
class _Bound:
    """The loop with its arguments, to be sent to a process."""

    task: TrainingTask
    callbacks: tuple[Any, ...]

    def __call__(self, fabric: Fabric) -> None:
        run(fabric, self.task, *self.callbacks)
