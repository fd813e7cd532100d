"""What a change of the source training is worth in laboratories never seen, in one table.

    python benchmarks/source_models.py as-it-is: longer:epochs=6 one:architecture=efficientnet_lite0
        stain:augmentation.stain_mix=0.25,augmentation.stain_gain=0.5
        [--data ROOT] [--models runs/source_models] [--sources barcelona,munich_2019]
        [--method blend] [--counts 10,30,100] [--draws 6] [--store FILE] [--markdown FILE]

A variant is a name, and what it changes in the preset `robust`: fields of
`hemashift.training.recipe.Recipe`, and of its augmentation. Each is trained on the sources where it
is not there yet, and kept. Then its model is adapted to cells drawn at random from half of each
dataset that is none of the sources, as in `benchmarks/leave_one_out.py`, and scored on the other
half. Mean accuracy (and macro F1) over those datasets and the draws.

Trainings go on where they were interrupted, and finished rows are kept. A comparison of two
networks by one training each says little about differences below a point.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from common.laboratory import divide, visit
from common.left_out import TARGETS
from common.rows import append, read_store
from leave_one_out import Approach, score
from threadpoolctl import threadpool_limits

from hemashift.adaptation.registry import make_method
from hemashift.datasets import load
from hemashift.model.bundle import Bundle
from hemashift.training.recipe import PRESETS, Recipe, recipe

# BCCD's augmented copies show the cells of `bccd_cropped`.
SAME_CELLS = {"bccd": "bccd_cropped", "bccd_cropped": "bccd"}


def changed(text: str) -> Recipe:
    """Return the preset with `field=value,augmentation.field=value` in it; values as in JSON."""
    fields: dict[str, Any] = {}
    inside: dict[str, Any] = PRESETS["robust"].augmentation.model_dump()
    for one in filter(None, text.split(",")):
        name, _, value = one.partition("=")
        try:
            found = json.loads(value)
        except json.JSONDecodeError:
            found = value
        if name.startswith("augmentation."):
            inside[name.removeprefix("augmentation.")] = found
        else:
            fields[name] = found
    return recipe("robust", **fields, augmentation=inside)


def model_of(name: str, changes: str, options: argparse.Namespace) -> Bundle:
    """Return the model of a variant; trains it where it is not there yet."""
    from hemashift.training.source import train

    folder = options.models / name
    wanted, sources = changed(changes), options.sources.split(",")
    if (folder / "card.json").exists():
        model = Bundle.load(folder)
        made = model.card.provenance["recipe"] == wanted.model_dump(mode="json")
        if not made or {one.name for one in model.card.training_data} != set(sources):
            raise SystemExit(f"{folder} has other settings or sources: give another name")
        return model
    print(f"training {folder}: {changes or 'the preset'}", flush=True)
    tables = [load(one, options.data) for one in sources]
    return train(tables, folder, wanted, run_folder=folder.with_name(f"{name}.run"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="+", metavar="NAME:FIELD=VALUE,...")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path, default=Path("runs/source_models"))
    parser.add_argument("--sources", default="barcelona,munich_2019")
    parser.add_argument("--method", default="blend", help="one that keeps the encoder")
    parser.add_argument("--counts", default="10,30,100")
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--store", type=Path, default=Path("runs/source_models.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    sources = set(options.sources.split(","))
    left = sources | {SAME_CELLS.get(one, one) for one in sources}
    targets = [one for one in TARGETS if one.dataset not in left]
    done = read_store(options.store)
    lines = [
        f"Trained on {options.sources}; {options.method}, mean accuracy (macro F1) over "
        f"{', '.join(one.dataset for one in targets)}; {options.draws} draws.",
        "",
        "| variant | changes | " + " | ".join(map(str, counts)) + " |",
        "|---|---|" + "---|" * len(counts),
    ]
    for variant in options.variants:
        name, _, changes = variant.partition(":")
        model = model_of(name, changes, options)
        found: dict[int, list[list[float]]] = {n: [] for n in counts}
        for target in targets:
            laboratory = None
            for n, seed in product(counts, range(options.draws)):
                key = (model.hash[:12], target.dataset, options.method, str(seed), str(n))
                if key not in done:
                    laboratory = laboratory or visit(model, target, options.data)
                    rows, scored = divide(laboratory, seed)
                    labelled = rows[np.random.default_rng([seed, 5]).permutation(len(rows))[:n]]
                    method = make_method(options.method)
                    approach = Approach("robust", options.method)
                    with threadpool_limits(limits=1):
                        values = score(model, laboratory, labelled, scored, approach, method, seed)
                    done[key] = values[:2]
                    append(options.store, key, done[key])
                found[n].append(done[key])
        means = (np.mean(each, axis=0) for each in found.values())
        cells = [f"{accuracy:.3f} ({macro:.3f})" for accuracy, macro in means]
        lines.append(f"| {name} | {changes or 'none'} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
