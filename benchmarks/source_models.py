"""What a change of the source training is worth in laboratories never seen, in one table.

    python benchmarks/source_models.py as-it-is: longer:epochs=6 one:architecture=efficientnet_lite0
        stain:augmentation.stain_mix=0.25,augmentation.stain_gain=0.5
        [--data ROOT] [--models runs/source_models] [--sources barcelona,munich_2019]
        [--method blend] [--chosen-by random] [--counts 0,10,30,100] [--draws 6] [--store FILE]
        [--markdown FILE]

A variant is a name, and what it changes in the preset `robust`: fields of
`hemashift.training.recipe.Recipe`, and of its augmentation. Each is trained on the sources where it
is not there yet, and kept. Then its model is adapted to cells drawn at random (or, under
`--chosen-by balanced`, selected) from half of each dataset that is none of the sources, as in
`benchmarks/leave_one_out.py`, and scored on the other half; with 0 labels, as it comes (under
`auto`, adapted to the images). Mean accuracy (and macro F1) over those datasets and the draws.

Trainings go on where they were interrupted, and finished rows are kept. A comparison of two
networks by one training each says little about differences of a few points (`docs/trials.md`,
"Steps of a small source").
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common.laboratory import visit
from common.left_out import TARGETS
from common.rows import Key, append, read_store
from common.targets import Target
from leave_one_out import TRAINED, Approach, Searches, draw
from threadpoolctl import threadpool_limits

from hemashift.adaptation.registry import METHODS
from hemashift.datasets import load
from hemashift.model.bundle import Bundle
from hemashift.selection import DEFAULT
from hemashift.training.recipe import PRESETS, Recipe, recipe

# BCCD's augmented copies show the cells of `bccd_cropped`.
SAME_CELLS = {"bccd": "bccd_cropped", "bccd_cropped": "bccd"}
KEEPING = [name for name in METHODS if name not in TRAINED]  # methods that keep the encoder


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


def named(options: argparse.Namespace) -> str:
    """Return the method, and who chooses the cells if that is not chance."""
    by = options.chosen_by
    return options.method if by == "random" else f"{options.method}-{by}"


def scores(
    name: str,
    model: Bundle,
    target: Target,
    counts: Sequence[int],
    done: dict[Key, list[float]],
    options: argparse.Namespace,
) -> list[list[list[float]]]:
    """Return accuracy and macro F1, by draw and number of labels; computes what is not done."""
    approach = Approach("robust", options.method, options.chosen_by)
    searches = Searches(options)
    laboratory, found = None, []
    for seed in range(options.draws):
        keys = {
            n: (model.hash[:12], target.dataset, named(options), str(seed), str(n)) for n in counts
        }
        missing = [n for n in counts if keys[n] not in done]
        if missing:
            laboratory = laboratory or visit(model, target, options.data)
            with threadpool_limits(limits=1):
                for n, values in draw(
                    model, laboratory, approach, counts, missing, searches, name, seed
                ):
                    done[keys[n]] = values[:2]
                    append(options.store, keys[n], done[keys[n]])
        found.append([done[keys[n]] for n in counts])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="+", metavar="NAME:FIELD=VALUE,...")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path, default=Path("runs/source_models"))
    parser.add_argument("--sources", default="barcelona,munich_2019")
    parser.add_argument(
        "--method", default="blend", choices=KEEPING, help="one that keeps the encoder"
    )
    parser.add_argument("--chosen-by", default="random", choices=["random", DEFAULT])
    parser.add_argument("--counts", default="0,10,30,100")
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
        f"Trained on {options.sources}; {named(options)}, mean accuracy (macro F1) over "
        f"{', '.join(one.dataset for one in targets)}; {options.draws} draws.",
        "",
        "| variant | changes | " + " | ".join(map(str, counts)) + " |",
        "|---|---|" + "---|" * len(counts),
    ]
    for variant in options.variants:
        name, _, changes = variant.partition(":")
        model = model_of(name, changes, options)
        found = [scores(name, model, target, counts, done, options) for target in targets]
        means = np.mean(found, axis=(0, 1))
        cells = [f"{accuracy:.3f} ({macro:.3f})" for accuracy, macro in means]
        lines.append(f"| {name} | {changes or 'none'} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
