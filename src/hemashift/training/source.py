"""Training a source model: cell tables in, a model file with an honest card out."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from lightning_fabric import Fabric
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from hemashift import colour
from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.model.architectures import Network
from hemashift.model.card import Card, Normalisation, TrainingData
from hemashift.model.preprocessing import Preprocessing
from hemashift.taxonomy import CLASSES
from hemashift.training.checkpoint import Checkpoint
from hemashift.training.loop import Report, Task, finished_network, precision, run, standardiser
from hemashift.training.recipe import Recipe
from hemashift.training.store import ImageStore, Progress

Integers = npt.NDArray[np.int64]
# Stored images are this much larger than the input, so that zooming in shows real detail.
_DETAIL = 10 / 7


@dataclass(frozen=True)
class Split:
    """Cells of all source datasets, and which of them are only scored.

    Attributes:
        cells: All cells with a class, dataset after dataset.
        classes: Names, in the order of the model's output.
        targets: `(N,)` class index of each cell.
        held_out: `(N,)` bool, true for the cells that are never trained on.
    """

    cells: CellTable
    classes: tuple[str, ...]
    targets: Integers
    held_out: npt.NDArray[np.bool_]

    @property
    def datasets(self) -> npt.NDArray[np.str_]:
        """`(N,)` dataset name of each cell."""
        return self.cells.frame["dataset"].to_numpy(dtype=str)

    @classmethod
    def make(cls, tables: Sequence[CellTable], held_out: float, seed: int) -> Split:
        """Hold out a part of every dataset, by groups and with every class's proportion.

        Args:
            tables: One cell table a dataset.
            held_out: Fraction of each dataset.
            seed: Seed of the draw.

        Raises:
            HemashiftError: Fewer than two classes are there.
        """
        parts, flags = [], []
        for table in tables:
            kept, scored = table.known().split(1 - held_out, seed=seed)
            parts += [kept, scored]
            flags += [np.zeros(len(kept), bool), np.ones(len(scored), bool)]
        cells = CellTable.concat(parts)
        present = set(cells.classes())
        known = [name for name in CLASSES if name in present]
        classes = (*known, *sorted(present - set(known)))
        if len(classes) < 2:
            raise HemashiftError(
                "the source datasets hold fewer than two classes", found=", ".join(classes)
            )
        index = {name: number for number, name in enumerate(classes)}
        targets = cells.frame["class"].map(index).to_numpy(dtype=np.int64)
        return cls(cells, classes, targets, np.concatenate(flags))


def train(
    tables: Sequence[CellTable],
    output: str | Path,
    recipe: Recipe,
    *,
    run_folder: str | Path,
    training_data: Sequence[TrainingData] = (),
    name: str = "source",
    allow_random: bool = False,
    devices: int | str = "auto",
    on_images: Progress | None = None,
    on_step: Callable[[Report], None] | None = None,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train a source model and write its model folder (Chossegros et al. 2024, "Training strategy").

    A run that was interrupted goes on from its last checkpoint when called again with the same
    `run_folder`, and ends in the same weights as one that was not.

    Args:
        tables: One cell table a source dataset; cells without a class are left out.
        output: The model folder to write.
        recipe: All settings, see `hemashift.training.recipe`.
        run_folder: Checkpoint, decoded images and history are kept here.
        training_data: What the card says about each dataset; counts are filled in.
        name: Name of the model.
        allow_random: Start from random weights where the ImageNet weights cannot be had.
        devices: Devices to train on, see Lightning Fabric; `auto` takes all GPUs, or the CPU.
        on_images: Called with the number of images decoded and their total.
        on_step: Called after each step.
        on_epoch: Called after each epoch with the loss and the held-out scores.

    Returns:
        The model folder.

    Raises:
        HemashiftError: Images cannot be read, the run folder belongs to other settings, or the
            ImageNet weights cannot be had.
    """
    run_folder, output = Path(run_folder), Path(output)
    split = Split.make(tables, recipe.held_out, recipe.seed)
    store = ImageStore.build(split.cells, round(recipe.size * _DETAIL), run_folder, on_images)
    trained = np.flatnonzero(~split.held_out)
    task = Task(
        images=store.file,
        indices=trained,
        classes=split.targets[trained],
        datasets=split.datasets[trained],
        n_classes=len(split.classes),
        colour=colour.create(recipe.colour).to_dict(),
        recipe=recipe,
        folder=run_folder,
        allow_random=allow_random,
    )
    _same_settings(task)

    def score(network: Network) -> dict[str, float]:
        scores = score_held_out(network, store, split, task)
        if on_epoch is not None:
            on_epoch(scores)
        return scores

    fabric = Fabric(devices=devices, precision=precision(recipe.precision))  # type: ignore[arg-type]
    if fabric.world_size > 1 or (isinstance(devices, int) and devices > 1):
        fabric = Fabric(
            devices=devices,
            precision=precision(recipe.precision),  # type: ignore[arg-type]
            strategy="ddp_spawn",
        )
        fabric.launch(run, task)
    else:
        run(fabric, task, on_step, score)

    network, history = finished_network(task)
    (run_folder / "history.json").write_text(json.dumps(history, indent=2))
    scores = score_held_out(network, store, split, task)
    card = _card(name, network, split, task, training_data, scores)
    from hemashift.model.export import export

    export(network, card, output)
    return output


def score_held_out(
    network: Network, store: ImageStore, split: Split, task: Task
) -> dict[str, float]:
    """Score a network in eval mode on the held-out part of each dataset, in float32.

    Returns:
        `<dataset>/accuracy`, `/macro_precision`, `/macro_recall` and `/macro_f1`, each 0 to 1; the
        averages run over the classes that the held-out part has.
    """
    rows = np.flatnonzero(split.held_out)
    standardise = standardiser(task.colour)
    device = next(network.parameters()).device
    network.eval()
    predicted = []
    with torch.inference_mode():
        for start in range(0, len(rows), 64):
            batch = torch.from_numpy(store.images[rows[start : start + 64]]).to(device)
            images = functional.interpolate(
                batch.permute(0, 3, 1, 2).float() / 255,
                (task.recipe.size, task.recipe.size),
                mode="bilinear",
                antialias=True,
                align_corners=False,
            )
            images = images if standardise is None else standardise(images)
            logits = network(network.normalise((images * 255).permute(0, 2, 3, 1)))
            predicted.append(logits.argmax(1).cpu().numpy())
    chosen = np.concatenate(predicted)
    scores: dict[str, float] = {}
    for dataset in dict.fromkeys(split.datasets.tolist()):
        here = split.datasets[rows] == dataset
        truth, answer = split.targets[rows][here], chosen[here]
        macro = {"labels": np.unique(truth), "average": "macro", "zero_division": 0.0}
        scores |= {
            f"{dataset}/accuracy": float(accuracy_score(truth, answer)),
            f"{dataset}/macro_precision": float(precision_score(truth, answer, **macro)),
            f"{dataset}/macro_recall": float(recall_score(truth, answer, **macro)),
            f"{dataset}/macro_f1": float(f1_score(truth, answer, **macro)),
        }
    return scores


def _same_settings(task: Task) -> None:
    """Refuse to go on with a run that was started with other settings."""
    if not task.checkpoint.exists():
        return
    before, now = Checkpoint.load(task.checkpoint).recipe, task.recipe.model_dump(mode="json")
    changed = [key for key in now if before.get(key) != now[key]]
    if changed:
        raise HemashiftError(
            "the run folder holds a training with other settings",
            found=f"changed: {', '.join(changed)}",
            where=task.folder,
            hint="give another run folder, or remove this one to start again",
        )


def _card(
    name: str,
    network: Network,
    split: Split,
    task: Task,
    described: Sequence[TrainingData],
    scores: dict[str, float],
) -> Card:
    """Write down what the model is, what it was trained on and how it scored."""
    about = {item.name: item for item in described}
    frame = split.cells.frame
    data = []
    for dataset in dict.fromkeys(split.datasets.tolist()):
        counts = frame.loc[frame["dataset"] == dataset, "class"].value_counts()
        item = about.get(dataset, TrainingData(name=dataset))
        data.append(
            item.model_copy(update={"counts": {k: int(counts.get(k, 0)) for k in split.classes}})
        )
    packages = ("hemashift", "torch", "timm", "numpy")
    return Card(
        name=name,
        description="Nucleated blood cells of stained smears, one cell an image, in "
        f"{len(split.classes)} classes. A research tool, not a medical device.",
        licence="Apache-2.0",
        architecture=task.recipe.architecture,
        classes=split.classes,
        preprocessing=Preprocessing(size=task.recipe.size, colour=task.colour),
        normalisation=Normalisation(mean=network.architecture.mean, std=network.architecture.std),
        n_features=network.n_features,
        training_data=tuple(data),
        metrics={"held_out": {key: round(value, 4) for key, value in scores.items()}},
        provenance={
            "recipe": task.recipe.model_dump(mode="json"),
            "held_out_cells": int(split.held_out.sum()),
        },
        versions={package: importlib.metadata.version(package) for package in packages},
        created=datetime.now(UTC),
    )
