"""Which cells of no class are told apart, in laboratories that the model has never seen.

    python benchmarks/outside.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                 [--labels 50] [--strangers 0,5,10,20] [--targets NAME ...]
                                 [--store runs/outside.csv] [--print] [--markdown FILE]

The models are those of `benchmarks/leave_one_out.py`, trained without the laboratory; those that
are not there yet are trained. Cells of no class are `ig` and `platelet` of Barcelona; blasts,
smudge cells and immature granulocytes of Munich 2019; the immature stages of Jin Woo Choi. Before
adaptation they are judged by what the source looks like; after it, by a model that `auto` adapted
to labelled cells of the classes, drawn at random, in each draw, and to so many `--strangers`, cells
of no class that were labelled `outside`. "Of all" is what happens in a laboratory: the labels are
given to cells of the whole folder, drawn at random or chosen by `select`, and those of no class
are labelled `outside`. The unlabelled images are a sample of all others, as they
are in a folder: cells of no class among them in the share that they have in the dataset; or, to
see what these are worth, known cells only. In all cases against the known cells of the half of the
laboratory from which no label came. Strangers that were labelled, and those of their groups, are
not scored; under "of all", only strangers of that half are.

AUROC: the area under the ROC curve. "Accepted at 95 %": the share of the cells of no class below
the score that keeps 95 % of the known cells scored. "Known kept" and "accepted": the shares of
known cells and of cells of no class within the threshold that `classify --outside` uses, found on
labels only. Finished rows are kept, so that an interrupted run goes on. With `--print` nothing is
computed: the rows that are there make the table, such as those of `benchmarks/results/outside.csv`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from common.laboratory import Laboratory, divide, label, visit
from common.left_out import TARGETS, model_of, options_of
from common.rows import Key, append, commit, read_store, shown
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.auto import Auto, out_of_fold
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.preparation import prepare
from hemashift.datasets import load
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.selection import DEFAULT
from hemashift.trust.storage import read_trust

KNOWN_ONLY = "after, none unlabelled"
RANDOM, SELECTED = "after, labels of all at random", "after, labels of all selected"
NAMES = ("barcelona", "munich_2019", "jin_woo_choi")
SCORES = ("AUROC", "accepted at 95 %", "known kept", "accepted")


def strangers(model: Bundle, name: str, root: Path | None) -> tuple[Encoded, np.ndarray]:
    """Encode the labelled cells of a dataset that are of none of the classes; add their groups."""
    table = load(name, root)
    frame = table.frame
    table = table.select((frame["class"].isna() & frame["label"].notna()).to_numpy())
    cells, _, failed = prepare(model, Encoder(model), table.paths(), table.boxes())
    if failed:
        raise SystemExit(f"{name}: {failed[0]}")
    return cells.encoded, table.frame["group"].to_numpy(dtype=str)


def cells_of(encoded: Encoded) -> Cells | None:
    """Return cells without their images, which a frozen encoder does not need again."""
    return Cells(np.zeros((len(encoded), 1, 1, 3), np.uint8), encoded) if len(encoded) else None


def mixed(task: Task, n_known: int, strange: Encoded) -> Encoded:
    """Return unlabelled cells, strangers among them in their share beside all `n_known`."""
    others = n_known - len(task) + len(strange)
    size = min(POOL, others)
    count = round(size * len(strange) / others)
    chosen = np.random.default_rng([task.seed, 11]).permutation(len(strange))[:count]
    kept = task.pool[np.arange(size - count)]
    return Encoded(
        np.concatenate([kept.features, strange[chosen].features]),
        np.concatenate([kept.embedding, strange[chosen].embedding]),
    )


def joined(laboratory: Laboratory, strange: Encoded, groups: np.ndarray) -> Laboratory:
    """Return a laboratory with its cells of no class, of class -1."""
    _, numbers = np.unique(groups, return_inverse=True)
    encoded = laboratory.encoded
    everywhere = np.ones(len(strange), bool)
    return Laboratory(
        np.zeros((len(encoded) + len(strange), 1, 1, 3), np.uint8),  # no method here looks again
        Encoded(
            np.concatenate([encoded.features, strange.features]),
            np.concatenate([encoded.embedding, strange.embedding]),
        ),
        np.concatenate([laboratory.targets, np.full(len(strange), -1)]),
        np.concatenate([laboratory.cells, laboratory.cells.max() + 1 + numbers]),
        np.concatenate([laboratory.halves, laboratory.halves.max() + 1 + numbers]),
        np.concatenate([laboratory.offered, everywhere]),
        np.concatenate([laboratory.scored, everywhere]),
    )


def of_all(
    model: Bundle, everything: Laboratory, how: str, n: int, seed: int
) -> tuple[Bundle, Encoded, Encoded]:
    """Label n of all cells, and adapt; return the model, and the known and other cells to score."""
    offered, scored = divide(everything, seed)
    if how == RANDOM:
        rows = np.random.default_rng([seed, 5]).permutation(offered)[:n]
    else:
        *_, places = label(model, everything, offered, DEFAULT, n, seed)
        rows = offered[places]
    task = everything.task(model, rows, seed)
    known = task.targets >= 0
    strange = cells_of(task.cells.encoded[np.flatnonzero(~known)])
    task = replace(task[np.flatnonzero(known)], strangers=strange, pool_images=None)
    is_known = everything.targets[scored] >= 0
    inner, outer = everything.encoded[scored[is_known]], everything.encoded[scored[~is_known]]
    return adapted(task), inner, outer


def adapted(task: Task) -> Bundle:
    """Adapt as `hemashift adapt` does."""
    with threadpool_limits(limits=1):
        predicted = out_of_fold(Auto(), task)
        return calibrated(Auto().fit(task).bundle(), predicted, task)


def separation(model: Bundle, known: Encoded, strange: Encoded) -> list[float]:
    """Return the `SCORES` of a model's `outside`."""
    judge = read_trust(model).outside
    assert judge is not None
    inner, outer = judge.scores(known), judge.scores(strange)
    truth = np.r_[np.zeros(len(inner)), np.ones(len(outer))]
    area = roc_auc_score(truth, np.r_[inner, outer])
    accepted = (outer <= np.quantile(inner, 0.95)).mean()
    return [float(one) for one in (area, accepted, (inner <= 1).mean(), (outer <= 1).mean())]


def main() -> None:
    parser = options_of(__doc__, "outside", NAMES)
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--strangers", default="0,5,10,20", help="labelled cells of no class")
    options = parser.parse_args()
    options.paper_epochs = None
    done = read_store(options.store)
    if not options.print:
        compute(done, options)
    rows: dict[tuple[str, str], list[list[float]]] = {}
    newest = {target: short for short, target, *_ in done}  # of models trained anew
    for (short, target, name, _, labels), scores in done.items():
        if labels == str(options.labels) and short == newest[target]:
            rows.setdefault((target, name), []).append(scores)
    text = "\n".join(table(rows, options)) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def compute(done: dict[Key, list[float]], options: argparse.Namespace) -> None:
    """Add the rows that are missing."""
    counts = [int(count) for count in options.strangers.split(",")]
    for target in (one for one in TARGETS if one.dataset in options.targets):
        model = model_of(target.dataset, "robust", options)
        laboratory = visit(model, target, options.data)
        strange, groups = strangers(model, target.dataset, options.data)
        everything = joined(laboratory, strange, groups)
        for seed in range(options.draws):
            offered, scored = divide(laboratory, seed)
            known = laboratory.encoded[scored]
            labelled = np.random.default_rng([seed, 5]).permutation(offered)[: options.labels]
            order = np.random.default_rng([seed, 7]).permutation(len(strange))
            for when in ("before", KNOWN_ONLY, *counts):
                name = f"after, {when} strangers" if isinstance(when, int) else when
                key = (model.hash[:12], target.dataset, name, str(seed), str(options.labels))
                if key in done:
                    continue
                taught = order[: when if isinstance(when, int) else 0]
                rest = strange[~np.isin(groups, groups[taught])]
                judged = model
                if when != "before":
                    task = laboratory.task(model, labelled, seed)
                    if when != KNOWN_ONLY:
                        pool = mixed(task, len(laboratory.targets), rest)
                        task = replace(task, pool=pool, pool_images=None)
                    judged = adapted(replace(task, strangers=cells_of(strange[taught])))
                done[key] = separation(judged, known, rest)
                append(options.store, key, done[key])
            for how in (RANDOM, SELECTED):
                key = (model.hash[:12], target.dataset, how, str(seed), str(options.labels))
                if key not in done:
                    done[key] = separation(*of_all(model, everything, how, options.labels, seed))
                    append(options.store, key, done[key])


def table(
    rows: dict[tuple[str, str], list[list[float]]], options: argparse.Namespace
) -> Iterator[str]:
    source = f"Rows of {options.store.name}" if options.print else f"Commit {commit()}"
    yield f"{source}, {options.draws} draws, {options.labels} labels."
    yield ""
    yield "| laboratory | adaptation | " + " | ".join(SCORES) + " |"
    yield "|---|---|" + "---|" * len(SCORES)
    for (name, when), found in rows.items():
        values = np.array(found)
        rest = " | ".join(f"{one:.3f}" for one in values.mean(axis=0)[1:])
        yield f"| {name} | {when} | {shown(values[:, 0])} | {rest} |"


if __name__ == "__main__":
    main()
