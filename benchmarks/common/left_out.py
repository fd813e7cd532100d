"""Laboratories that a model was not trained on: which, and by which models."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.targets import Target
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
RESULTS = Path("benchmarks/results/leave_one_out.csv")
PAPER = {"architecture": "efficientnet_lite0"}


def options_of(about: str, name: str, targets: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return a parser with what all benchmarks of such laboratories can be told.

    Args:
        about: What the benchmark does; the first line is shown.
        name: Its name, by which the store is called.
        targets: The laboratories; by default `TARGETS`.
    """
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path, default=Path("runs/leave_one_out"))
    parser.add_argument("--draws", type=int, default=10)
    names = list(targets) or [target.dataset for target in TARGETS]
    parser.add_argument("--targets", nargs="*", default=names)
    parser.add_argument("--store", type=Path, default=Path(f"runs/{name}.csv"))
    parser.add_argument("--print", action="store_true", help="only the table of the store")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    return parser


def sources_without(target: str) -> list[str]:
    """Return the datasets that a model for a target is trained on."""
    left_out = {target, "bccd_cropped"} if target == "bccd" else {target}
    return [name for name in SOURCES if name not in left_out]


def model_of(target: str, preset: str, options: argparse.Namespace) -> Bundle:
    """Return the model that has never seen a target; trains it where it is not there yet.

    Raises:
        SystemExit: The paper's model that is there was trained otherwise than the options ask.
    """
    left_out = "bccd_cropped" if target == "bccd" else target
    folder = options.models / preset / left_out
    changes = {}
    if preset == "paper":
        changes = {"epochs": options.paper_epochs, "size": options.paper_size}
    if (folder / "card.json").exists():
        model = Bundle.load(folder)
        made = model.card.provenance["recipe"]
        for name, asked in changes.items():
            if asked not in (None, made[name]):
                raise SystemExit(
                    f"{folder} was trained with {name} = {made[name]}, and {asked} is asked for: "
                    "move it away, or choose another folder by --models"
                )
        return model
    from hemashift.training.recipe import recipe
    from hemashift.training.source import train

    tables = [load(name, options.data) for name in sources_without(left_out)]
    print(f"training {folder} on {', '.join(sources_without(left_out))}", flush=True)
    if preset == "paper":
        changes |= PAPER
    return train(
        tables, folder, recipe(preset, **changes), run_folder=folder.with_name(f"{left_out}.run")
    )
