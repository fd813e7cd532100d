"""The models that studies start from, made once and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemashift.errors import HemashiftError
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.model.card import TrainingData
from hemashift.progress import StageProgress, of_stage
from hemashift.studies.data import Dataset, per_class
from hemashift.studies.settings import ModelSettings
from hemashift.taxonomy import CLASSES
from hemashift.training.recipe import Recipe, recipe

if TYPE_CHECKING:
    from hemashift.training.progress import Report

VERSION = 2
"""Raised when the code changes what a trained model would be; models are then made anew."""


def recipe_of(settings: ModelSettings, seed: int) -> Recipe:
    """Return the recipe that a model is made by."""
    return recipe(settings.preset, **{"seed": seed, **settings.recipe})


def given_model(settings: ModelSettings) -> Bundle | None:
    """Load a model that need not be made; None for one that does.

    Raises:
        ModelFileError: It is not there or not whole.
    """
    if settings.kind == "shipped":
        return load_model(TWO_SOURCES)
    if settings.kind == "folder":
        if settings.folder is None:
            raise HemashiftError("a model of the settings has no folder")
        return Bundle.load(settings.folder)
    return None


def made_from(settings: ModelSettings, sources: Sequence[Dataset], seed: int) -> dict[str, Any]:
    """Return the facts that a model to be made depends on, as JSON values."""
    facts: dict[str, Any] = {
        "kind": settings.kind,
        "version": VERSION,
        "recipe": recipe_of(settings, seed).model_dump(mode="json"),
    }
    if settings.kind == "trained":
        facts |= {
            "per_class": settings.per_class,
            "sources": {one.name: one.fingerprint for one in sources},
        }
    return facts


def untrained(name: str, settings: ModelSettings, seed: int, download: bool) -> Bundle:
    """Make a model with ImageNet weights in the trunk, and an embedding and head drawn at random.

    Raises:
        HemashiftError: The weights cannot be had.
        MissingExtraError: The extra `train` is not installed.
    """
    from hemashift.model.architectures import build
    from hemashift.model.export import card_of, export
    from hemashift.studies.weights import need_weights
    from hemashift.training.frames import preprocessing_of

    wanted = recipe_of(settings, seed)
    need_weights(wanted, download)
    _seed_torch(seed)
    network = build(
        wanted.architecture, len(CLASSES), pretrained=wanted.weights == "imagenet"
    ).eval()
    card = card_of(
        network,
        name,
        CLASSES,
        preprocessing_of(wanted),
        description="ImageNet weights below a random head; knows no blood cell.",
        provenance={"recipe": wanted.model_dump(mode="json")},
    )
    return export(network, card)


def train_source(
    name: str,
    settings: ModelSettings,
    sources: Sequence[Dataset],
    seed: int,
    download: bool,
    output: Path,
    run_folder: Path,
    tell: StageProgress,
) -> Bundle:
    """Train a model on the source datasets; an interrupted training goes on where it was.

    Raises:
        HemashiftError: No source dataset is here, or the ImageNet weights cannot be had.
        MissingExtraError: The extra `train` is not installed.
    """
    if not sources:
        raise HemashiftError(
            "there is no source dataset to train a model on",
            where=f"models.{name}",
            hint="get one of the source datasets, or name a model folder in the settings",
        )
    from hemashift.studies.weights import need_weights
    from hemashift.training.source import train

    wanted = recipe_of(settings, seed)
    need_weights(wanted, download)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)

    def step(report: Report) -> None:
        tell(f"training model {name}", report.step, report.steps)

    return train(
        [per_class(one.cells, settings.per_class, seed) for one in sources],
        output,
        wanted,
        run_folder=run_folder,
        training_data=[
            TrainingData(
                name=one.name,
                licence=one.reader.licence,
                citation=one.reader.citation,
                url=one.reader.url,
            )
            for one in sources
        ],
        name=name,
        # Several devices are a process each, which a study's callbacks cannot travel to.
        devices=1,
        on_images=of_stage(tell, f"reading images for model {name}"),
        on_step=step,
        on_scored=of_stage(tell, f"scoring model {name}"),
    )


def _seed_torch(seed: int) -> None:
    import torch

    torch.manual_seed(seed)
