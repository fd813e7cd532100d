"""Training a source model: cell tables in, a model file with an honest card out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.files import atomic_write
from hemashift.lock import only_one
from hemashift.model.architectures import Network, get_architecture
from hemashift.model.bundle import Bundle, check_place
from hemashift.model.card import TrainingData
from hemashift.model.export import card_of, export
from hemashift.model.members import join_members
from hemashift.progress import Progress, of_part
from hemashift.training.frames import WideFrame, preprocessing_of
from hemashift.training.history import draw_history
from hemashift.training.launch import launch
from hemashift.training.loop import finished_network
from hemashift.training.others import kinds, others_of, without_others
from hemashift.training.progress import Listener
from hemashift.training.recipe import Recipe
from hemashift.training.scoring import HeldOut, Scores, encode_cells, score_model
from hemashift.training.split import Split, class_indices, dataset_names
from hemashift.training.store import ImageStore
from hemashift.training.task import TrainingTask
from hemashift.trust.source import Others, fit_source


def train(
    tables: Sequence[CellTable],
    output: str | Path,
    recipe: Recipe,
    *,
    run_folder: str | Path,
    targets: Sequence[CellTable] = (),
    training_data: Sequence[TrainingData] = (),
    name: str | None = None,
    devices: int | str = "auto",
    on_images: Progress | None = None,
    on_step: Listener | None = None,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    on_scored: Progress | None = None,
) -> Bundle:
    """Train a source model and write its model folder.

    Chossegros et al. 2024, section "Training strategy"; its settings are the preset `paper`.

    A run that was interrupted goes on from its last checkpoint when called again with the same
    `run_folder`, and on a CPU ends in the same weights, bit by bit, as one that was not.

    Each device is a process of its own where there are several. They start by importing the
    calling script, so that it needs `if __name__ == "__main__"`, and `on_step` and `on_epoch` are
    called in such a process, so that they must be picklable.

    Args:
        tables: One cell table a source dataset. Labelled cells without a class teach under
            `Recipe.others` only; others are left out.
        output: The model folder to write.
        recipe: All settings, see `hemashift.training.recipe`.
        run_folder: Checkpoint and history (JSON and picture) are kept here, those of the members
            of a pair in folders of their own; decoded images until the model is finished.
        targets: Labelled datasets on which the finished model is scored as it is.
        training_data: What the card says about each dataset; counts are filled in.
        name: Name of the model; that of the output folder where not given.
        devices: Devices to train on, see Lightning Fabric; `auto` takes all GPUs, or the CPU.
        on_images: Called with the number of images decoded and their total.
        on_step: Called after each step.
        on_epoch: Called after each epoch with the loss and the held-out scores.
        on_scored: Called with the number of cells scored by the finished model and their total.

    Returns:
        The model, as written. Its card's `metrics` hold the scores of the model file itself for
        each dataset: `held_out` on the part that was not trained on, `no_adaptation` on `targets`.

    Raises:
        HemashiftError: Images cannot be read, the run folder belongs to other settings or to a
            training that is at work now, a target is also a source, or the ImageNet weights cannot
            be had.
        ModelFileError: At `output` there is something that is not a model; nothing is trained.
    """
    run_folder, output = Path(run_folder), Path(output)
    check_place(output)
    get_architecture(recipe.architecture)
    split = Split.make(tables, recipe.held_out, recipe.seed)
    _check_unseen(split, targets)
    others = others_of(tables, split, recipe.held_out, recipe.seed) if recipe.others else None
    shown, strange = (None, None) if others is None else others
    with only_one(run_folder / "running.lock"):
        tasks, held_out = _prepare(split, shown, recipe, run_folder, on_images)
        _check_folder(run_folder, tasks)
        networks = []
        for task in tasks:
            launch(task, devices, on_step, on_epoch, held_out)
            networks.append(without_others(_finished(task), len(split.classes)))
        network = networks[0] if len(networks) == 1 else join_members(networks)
        network.turns = recipe.turns
        card = card_of(
            network,
            name or output.name,
            split.classes,
            preprocessing_of(recipe),
            description="Nucleated blood cells of stained smears, one cell an image, in "
            f"{len(split.classes)} classes. A research tool, not a medical device.",
            licence="Apache-2.0",
            training_data=_described(split, training_data),
            provenance={
                "recipe": recipe.model_dump(mode="json"),
                "held_out_cells": len(split.held_out),
                "other_cells": 0 if shown is None else len(shown),
            },
        )
        # It is written when it is whole: what is interrupted while it is scored is not finished.
        bundle = _scored(export(network, card), split, strange, targets, on_scored)
        bundle.save(output)
        for images in (tasks[0].images, held_out.images):  # gigabytes that nobody needs any more
            images.unlink(missing_ok=True)
    return bundle


def _check_unseen(split: Split, targets: Sequence[CellTable]) -> None:
    """Refuse to call a dataset a target that the model is trained on."""
    sources = set(dataset_names(split.trained))
    seen = sorted({name for table in targets for name in dataset_names(table)} & sources)
    if seen:
        raise HemashiftError(
            "a target dataset is one that the model is trained on",
            found=", ".join(seen),
            hint="its held-out part is scored without asking",
        )


def _check_folder(folder: Path, tasks: Sequence[TrainingTask]) -> None:
    """Refuse a run folder that holds another training, before anything is trained."""
    own = {task.folder for task in tasks}
    for place in {folder, folder / "member-1"} - own:
        if (place / tasks[0].checkpoint.name).exists():
            raise HemashiftError(
                "the run folder holds a training with other settings",
                found="changed: architecture",
                where=folder,
                hint="give another run folder, or remove this one to start again",
            )
    for task in tasks:
        task.check_resumable()


def _prepare(
    split: Split,
    others: CellTable | None,
    recipe: Recipe,
    folder: Path,
    on_images: Progress | None,
) -> tuple[list[TrainingTask], HeldOut]:
    """Decode all images, and write down what is to be trained, one task a network, and scored."""
    frame = WideFrame.of(recipe)
    shown = split.trained if others is None else CellTable.concat([split.trained, others])
    classes, n_classes = class_indices(shown, split.classes), len(split.classes)
    if others is not None:
        numbers, n_kinds = kinds(others)
        classes[len(split.trained) :] = n_classes + numbers
        n_classes += n_kinds
    count = len(shown) + len(split.held_out)
    store = ImageStore.build(shown, frame, folder, of_part(on_images, 0, count))
    scored = ImageStore.build(
        split.held_out, frame.preprocessing, folder, of_part(on_images, len(shown), count)
    )
    members = get_architecture(recipe.architecture).members
    tasks = [
        TrainingTask(
            images=store.file,
            margin=frame.margin,
            classes=classes,
            datasets=dataset_names(shown),
            n_classes=n_classes,
            colour=frame.preprocessing.colour,
            recipe=recipe.of_member(number),
            folder=folder if members == 1 else folder / f"member-{number + 1}",
            member=number + 1,
            members=members,
        )
        for number in range(members)
    ]
    truth = class_indices(split.held_out, split.classes)
    names = dataset_names(split.held_out)
    return tasks, HeldOut(scored.file, truth, names, len(split.classes))


def _finished(task: TrainingTask) -> Network:
    """Return a trained network; write down and draw the course of its training."""
    network, history = finished_network(task)
    with atomic_write(task.folder / "history.json") as aside:
        aside.write_text(json.dumps(history, indent=2) + "\n", encoding="utf-8")
    draw_history(history, task.folder / "history.png")
    return network


def _described(split: Split, given: Sequence[TrainingData]) -> tuple[TrainingData, ...]:
    """Say about each dataset what is known of it, and how many cells it gave."""
    about = {item.name: item for item in given}
    return tuple(
        about.get(name, TrainingData(name=name)).model_copy(update={"counts": counts})
        for name, counts in split.counts().items()
    )


def _scored(
    bundle: Bundle,
    split: Split,
    others: CellTable | None,
    targets: Sequence[CellTable],
    on_scored: Progress | None,
) -> Bundle:
    """Score the finished model, and write the scores on its card."""
    tables = {"held_out": split.held_out}
    if targets:
        tables["no_adaptation"] = CellTable.concat([table.known() for table in targets])
    metrics: dict[str, Any] = {
        kind: _rounded(score_model(bundle, cells, on_scored)) for kind, cells in tables.items()
    }
    bundle = Bundle(bundle.card.updated(metrics=metrics), bundle.contents)
    # Cells that it was trained on lie closer to each other than cells to come.
    held_out = split.held_out
    return fit_source(
        bundle,
        encode_cells(bundle, held_out),
        class_indices(held_out, split.classes),
        dataset_names(held_out),
        others=None
        if others is None
        else Others(encode_cells(bundle, others), dataset_names(others)),
    )


def _rounded(scores: Scores) -> Scores:
    return {
        dataset: {name: round(value, 4) for name, value in values.items()}
        for dataset, values in scores.items()
    }
