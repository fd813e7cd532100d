"""Training one network for the comparison of architectures, and measuring it."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hemashift.errors import HemashiftError
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.progress import of_stage
from hemashift.studies.contract import Result
from hemashift.studies.data import Dataset, per_class
from hemashift.studies.workspace import Workspace
from hemashift.training.recipe import Recipe

if TYPE_CHECKING:
    from hemashift.training.progress import Report

_REPEATS = 3


def compared(work: Workspace, wanted: Recipe, key: str) -> Result:
    """Train a network on part of the sources, score it on the targets, and time it.

    Args:
        work: The workspace.
        wanted: The recipe, with the architecture.
        key: Names the folder in which the training keeps its state until it is done.

    Returns:
        Tables `networks` (one row) and `scores` (one row a target).

    Raises:
        HemashiftError: No source or no target is here, images cannot be read, or weights that
            may be downloaded cannot be had now; the part is tried again the next time.
    """
    if not work.sources() or not work.targets():
        raise HemashiftError(
            "networks cannot be compared",
            expected="a source dataset to train on, and a target to score on",
            found="no source" if not work.sources() else "no target",
        )
    folder = work.store.folder / "runs" / key
    model, seconds = _trained(work, wanted, folder / wanted.weights)
    network = pd.DataFrame(
        [
            {
                "architecture": wanted.architecture,
                "weights": wanted.weights,
                "size": wanted.size,
                "parameters": _parameters(model),
                "milliseconds": _milliseconds(work, model),
                "training_seconds": round(seconds, 1),
                "held_out_accuracy": _held_out(model),
            }
        ]
    )
    scores = pd.DataFrame(
        [
            {"architecture": wanted.architecture, "dataset": name, **values}
            for name, values in _scores(model, "no_adaptation").items()
        ]
    )
    shutil.rmtree(folder, ignore_errors=True)
    return Result({"networks": network, "scores": scores})


def _trained(work: Workspace, wanted: Recipe, folder: Path) -> tuple[Bundle, float]:
    """Return the model and the seconds that its steps took, scoring and reading not included."""
    from hemashift.training.source import train

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    options, seed = work.settings.study.architectures, work.settings.seed
    last: list[Report] = []

    def step(report: Report) -> None:
        last[:] = [report]
        work.tell(f"training {wanted.architecture}", report.step, report.steps)

    sources = [per_class(one.cells, options.per_class, seed) for one in work.sources()]
    model = train(
        sources,
        folder / "model",
        wanted,
        run_folder=folder / "run",
        targets=[per_class(one.cells, options.scored, seed) for one in work.targets()],
        name=wanted.architecture,
        devices=1,
        on_step=step,
        on_scored=of_stage(work.tell, f"scoring {wanted.architecture}"),
    )
    if not last:  # an interrupted training that had only to be exported
        return model, float("nan")
    steps_per_second = last[0].images_per_second / wanted.batch_size
    return model, last[0].steps / steps_per_second


def _scores(model: Bundle, kind: str) -> dict[str, dict[str, float]]:
    found: Any = model.card.metrics.get(kind, {})
    return dict(found)


def _held_out(model: Bundle) -> float:
    return float(np.mean([one["accuracy"] for one in _scores(model, "held_out").values()]))


def _parameters(model: Bundle) -> int:
    from hemashift.model.checkpoint import load_network

    return sum(tensor.numel() for tensor in load_network(model).parameters())


def _milliseconds(work: Workspace, model: Bundle) -> float:
    """Return the milliseconds that the CPU runtime takes for an image: median of some rounds."""
    target: Dataset = work.targets()[0]
    paths, boxes = target.cells.paths(), target.cells.boxes()
    count = min(work.settings.study.architectures.timed, len(paths))
    prepare = model.card.preprocessing
    images = np.stack([prepare(read_image(paths[row]), boxes[row]) for row in range(count)])
    encoder = Encoder(model)
    encoder.encode(images[:2])  # the first images also pay for the start
    rounds = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        encoder.encode(images)
        rounds.append(time.perf_counter() - began)
    return round(1000 * float(np.median(rounds)) / count, 2)
