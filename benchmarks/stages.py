"""A laboratory's own ten maturation stages, taught to a model of six classes by few labels.

    python benchmarks/stages.py [--data ROOT] [--model lite0-robust] [--draws 10]
                                [--counts 50,100,200] [--method auto] [--store FILE] [--print]

The cells are those of Jin Woo Choi, in the ten stages that were published; the model has not seen
them and knows none of the stages. In each draw a random half is held out, cells of the other half
are labelled at random, and the test half is scored:

- accuracy and macro F1 over the ten stages;
- the share of cells whose stage is right or the one before or after it in the same series;
- accuracy of what the stages roll up to: erythroblast, neutrophil, or none of the six.

Pictures of one cell stay in one half. Mean and 95 % t-interval over the draws. Finished rows are
kept in `--store`, so that an interrupted run goes on. With `--print` nothing is computed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from common.laboratory import Laboratory, divide, visit
from common.rows import append, commit, read_store, shown
from common.targets import Target, task_of
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from hemashift.adaptation.contract import Cells
from hemashift.adaptation.registry import make_method
from hemashift.datasets.jin_woo_choi import STAGES
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.taxonomy import default_taxonomy

TARGET = Target("jin_woo_choi", 100, np.nan)
TAXONOMY = replace(default_taxonomy(), classes=STAGES)
SCORES = ("accuracy", "macro F1", "next to it at most", "rolled up")


def score(
    model: Bundle, laboratory: Laboratory, labelled: np.ndarray, scored: np.ndarray, method: str,
    seed: int,
) -> list[float]:  # fmt: skip
    """Return the `SCORES` of one draw."""
    start = len(model.card.classes)
    classes = (*model.card.classes, *STAGES)
    cells = Cells(laboratory.images, laboratory.encoded)
    groups = laboratory.cells.astype(str)
    task = task_of(model, cells, start + laboratory.targets, groups, labelled, seed, classes)
    found = make_method(method).fit(task).probabilities(cells[scored])
    # Below 0: a class of the six, though no label is one.
    answer, truth = found.argmax(axis=1) - start, laboratory.targets[scored]
    main = np.array([default_taxonomy().main_class(name) or "none" for name in classes])
    series = np.array([(default_taxonomy().stage(name) or ("",))[0] for name in classes])
    near = (abs(answer - truth) <= 1) & (series[answer + start] == series[truth + start])
    return [
        float((answer == truth).mean()),
        float(f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)),
        float(near.mean()),
        float((main[answer + start] == main[truth + start]).mean()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the dataset")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--counts", default="50,100,200", help="numbers of labels")
    parser.add_argument("--store", type=Path, default=Path("runs/stages.csv"))
    parser.add_argument("--print", action="store_true", help="only the table of the store")
    options = parser.parse_args()
    model = load_model(options.model)
    done, laboratory = read_store(options.store), None
    counts = [int(count) for count in options.counts.split(",")]
    keys = {
        (n, seed): (model.hash[:12], TARGET.dataset, options.method, str(seed), str(n))
        for n in counts
        for seed in range(options.draws)
    }
    for (n, seed), key in keys.items():
        if key in done or options.print:
            continue
        laboratory = laboratory or visit(model, TARGET, options.data, TAXONOMY)
        rows, scored = divide(laboratory, seed)
        labelled = rows[np.random.default_rng([seed, 5]).permutation(len(rows))[:n]]
        with threadpool_limits(limits=1):
            done[key] = score(model, laboratory, labelled, scored, options.method, seed)
        append(options.store, key, done[key])
    print(f"{model.card.name}, {options.method}, {options.draws} draws, commit {commit()}.\n")
    print(f"| labels | {' | '.join(SCORES)} |\n|---|{'---|' * len(SCORES)}")
    for n in counts:
        rows = np.array([done[keys[n, s]] for s in range(options.draws) if keys[n, s] in done])
        if len(rows):
            print(f"| {n} | {' | '.join(shown(column) for column in rows.T)} |")


if __name__ == "__main__":
    main()
