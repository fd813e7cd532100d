"""Which cells of no class are told apart, in laboratories that the model has never seen.

    python benchmarks/outside.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                 [--labels 50] [--targets NAME ...] [--store runs/outside.csv]
                                 [--markdown FILE]

The models are those of `benchmarks/leave_one_out.py`, trained without the laboratory; those that
are not there yet are trained. Cells of no class are `ig` and `platelet` of Barcelona; blasts,
smudge cells and immature granulocytes of Munich 2019; the immature stages of Jin Woo Choi. Before
adaptation they are judged by what the source looks like; after it, by a model that `auto` adapted
to labelled cells of the classes, drawn at random, in each draw. In both cases against the known
cells of the half of the laboratory from which no label came.

AUROC: the area under the ROC curve. "Accepted at 95 %": the share of the cells of no class below
the score that keeps 95 % of the known cells scored. "Known kept" and "accepted": the shares of
known cells and of cells of no class within the threshold that `classify --outside` uses, found on
labels only. Finished rows are kept, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from leave_one_out import TARGETS, model_of, task_of
from selection import divide, visit
from sklearn.metrics import roc_auc_score
from targets import commit, shown
from threadpoolctl import threadpool_limits
from trust import append, read_store

from hemashift.adaptation.auto import Auto, out_of_fold
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.preparation import prepare
from hemashift.datasets import load
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.trust.storage import read_trust

NAMES = ("barcelona", "munich_2019", "jin_woo_choi")
SCORES = ("AUROC", "accepted at 95 %", "known kept", "accepted")


def strangers(model: Bundle, name: str, root: Path | None) -> Encoded:
    """Encode the labelled cells of a dataset that are of none of the classes."""
    table = load(name, root)
    frame = table.frame
    table = table.select((frame["class"].isna() & frame["label"].notna()).to_numpy())
    cells, _, failed = prepare(model, Encoder(model), table.paths(), table.boxes())
    if failed:
        raise SystemExit(f"{name}: {failed[0]}")
    return cells.encoded


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
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path, default=Path("runs/leave_one_out"))
    parser.add_argument("--targets", nargs="*", default=list(NAMES))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--store", type=Path, default=Path("runs/outside.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    options.paper_epochs = None
    done = read_store(options.store)
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for target in (one for one in TARGETS if one.dataset in options.targets):
        model = model_of(target.dataset, "robust", options)
        laboratory = visit(model, target, options.data)
        strange = strangers(model, target.dataset, options.data)
        for seed in range(options.draws):
            offered, scored = divide(laboratory, seed)
            labelled = np.random.default_rng([seed, 5]).permutation(offered)[: options.labels]
            for when in ("before", "after"):
                key = (model.hash[:12], target.dataset, when, str(seed), str(options.labels))
                if key not in done:
                    judged = model
                    if when == "after":
                        task = task_of(model, laboratory, labelled, seed)
                        with threadpool_limits(limits=1):
                            predicted = out_of_fold(Auto(), task)
                            judged = calibrated(Auto().fit(task).bundle(), predicted, task)
                    done[key] = separation(judged, laboratory.encoded[scored], strange)
                    append(options.store, key, done[key])
                rows.setdefault((target.dataset, when), []).append(done[key])
    text = "\n".join(table(rows, options)) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def table(
    rows: dict[tuple[str, str], list[list[float]]], options: argparse.Namespace
) -> Iterator[str]:
    yield f"Commit {commit()}, {options.draws} draws, {options.labels} labels."
    yield ""
    yield "| laboratory | adaptation | " + " | ".join(SCORES) + " |"
    yield "|---|---|" + "---|" * len(SCORES)
    for (name, when), found in rows.items():
        values = np.array(found)
        rest = " | ".join(f"{one:.3f}" for one in values.mean(axis=0)[1:])
        yield f"| {name} | {when} | {shown(values[:, 0])} | {rest} |"


if __name__ == "__main__":
    main()
