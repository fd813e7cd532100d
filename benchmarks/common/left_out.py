"""Laboratories that a model was not trained on: which, by which models, and what it is given."""

from __future__ import annotations

import argparse

import numpy as np

from common.laboratory import Laboratory
from common.targets import Target
from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.contract import Cells, Task
from hemashift.datasets import load
from hemashift.model.bundle import Bundle

SOURCES = ("barcelona", "munich_2019", "jin_woo_choi", "jiangxi_tecom", "bccd_cropped")
TARGETS = (
    Target("jiangxi_tecom", 30, 0.95),
    Target("jin_woo_choi", 25, 0.96),
    Target("bccd_cropped", 35, 0.90),
    Target("bccd", 100, 0.90, "TRAIN", "TEST"),
    Target("munich_2019", 50, 0.90),
    Target("barcelona", 50, np.nan),
)
PAPER = {"architecture": "efficientnet_lite0"}


def sources_without(target: str) -> list[str]:
    """Return the datasets that a model for a target is trained on."""
    left_out = {target, "bccd_cropped"} if target == "bccd" else {target}
    return [name for name in SOURCES if name not in left_out]


def model_of(target: str, preset: str, options: argparse.Namespace) -> Bundle:
    """Return the model that has never seen a target; trains it where it is not there yet."""
    left_out = "bccd_cropped" if target == "bccd" else target
    folder = options.models / preset / left_out
    if (folder / "card.json").exists():
        return Bundle.load(folder)
    from hemashift.training.recipe import recipe
    from hemashift.training.source import train

    tables = [load(name, options.data) for name in sources_without(left_out)]
    print(f"training {folder} on {', '.join(sources_without(left_out))}", flush=True)
    changes = {**PAPER, "epochs": options.paper_epochs} if preset == "paper" else {}
    return train(
        tables, folder, recipe(preset, **changes), run_folder=folder.with_name(f"{left_out}.run")
    )


def task_of(model: Bundle, laboratory: Laboratory, labelled: np.ndarray, seed: int) -> Task:
    """Make the task of one draw: the labelled cells, and up to `POOL` of the others as images."""
    others = np.setdiff1d(np.arange(len(laboratory.targets)), labelled)
    pool = np.random.default_rng([seed, 3]).permutation(others)[:POOL]
    return Task(
        model,
        Cells(laboratory.images[labelled], laboratory.encoded[labelled]),
        laboratory.targets[labelled],
        laboratory.cells[labelled].astype(str),
        model.card.classes,
        laboratory.encoded[pool],
        seed,
        laboratory.images[pool],
    )
