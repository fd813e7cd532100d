"""What a model learns from its own mistakes, put right by a person, beside other labels.

    python benchmarks/corrections.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                     [--targets NAME ...] [--labels 30] [--more 20] [--store FILE]
                                     [--print] [--markdown FILE]

Laboratories, models that have never seen them, and halves are those of
`benchmarks/leave_one_out.py`. In each draw `blend` learns from cells chosen by `select`, and says
what the others of the half are. Then a person gives it more labels:

    selected    as many again as `--more` says, chosen by `select`
    random      the same number, drawn at random
    doubtful    the twice as many of which the model was least sure, right or wrong
    put right   only those of the doubtful ones that were wrong
    mistakes    up to `--more` cells that were wrong, drawn at random

`blend` learns anew and the test half is scored: accuracy, macro F1, the accuracy to expect that
`adapt` would promise, and the number of labels. Finished rows are kept in `--store`, so that an
interrupted run goes on. With `--print` nothing is computed: the rows that are there make the table,
such as those of `benchmarks/results/corrections.csv`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from common.laboratory import Laboratory, divide, label, visit
from common.left_out import TARGETS, model_of, options_of
from common.rows import append, commit, read_store, shown
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.representation import expected_accuracy
from hemashift.model.bundle import Bundle
from hemashift.selection import DEFAULT

GIVEN = ("as it is", "selected", "random", "doubtful", "put right", "mistakes")
Found = dict[tuple[str, str], list[list[float]]]
"""Rows of all draws, by target and by what was given."""


def labels_of(
    model: Bundle, laboratory: Laboratory, rows: np.ndarray, labels: int, more: int, seed: int
) -> dict[str, np.ndarray]:
    """Return the rows that are labelled in the end, by what the person gave."""
    chosen = rows[list(label(model, laboratory, rows, DEFAULT, labels + more, seed))[-1]]
    first = chosen[:labels]
    fitted = Blend().fit(laboratory.task(model, first, seed))
    # Another picture of a labelled cell is no cell that a person would be shown.
    free = rows[~np.isin(laboratory.cells[rows], laboratory.cells[first])]
    said = fitted.head.probabilities(laboratory.encoded[free])
    wrong = said.argmax(axis=1) != laboratory.targets[free]
    doubtful = np.argsort(said.max(axis=1), kind="stable")[: 2 * more]
    rng = np.random.default_rng([seed, 5])
    given = {
        "selected": chosen[labels:],
        "random": rng.permutation(free)[:more],
        "doubtful": free[doubtful],
        "put right": free[doubtful[wrong[doubtful]]],
        "mistakes": rng.permutation(free[wrong])[:more],
    }
    return {"as it is": first} | {
        name: np.concatenate([first, added]) for name, added in given.items()
    }


def score(
    model: Bundle, laboratory: Laboratory, labelled: np.ndarray, scored: np.ndarray, seed: int
) -> list[float]:
    """Return accuracy and macro F1 on the test half, the promise, and the number of labels."""
    task = laboratory.task(model, labelled, seed)
    answer = Blend().fit(task).head.probabilities(laboratory.encoded[scored]).argmax(axis=1)
    truth = laboratory.targets[scored]
    macro = f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)
    promise = expected_accuracy(out_of_fold(Blend(), task), task).estimate
    return [float((answer == truth).mean()), float(macro), promise, float(len(labelled))]


def main() -> None:
    parser = options_of(__doc__, "corrections")
    parser.add_argument("--labels", type=int, default=30)
    parser.add_argument("--more", type=int, default=20)
    options = parser.parse_args()
    options.paper_epochs = None
    if not options.print:
        compute(options)
    text = "\n".join(table(kept(options), options)) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def count_of(options: argparse.Namespace) -> str:
    return f"{options.labels}+{options.more}"


def compute(options: argparse.Namespace) -> None:
    """Add to the store the rows that are missing."""
    done = read_store(options.store)
    for target in (t for t in TARGETS if t.dataset in options.targets):
        model = model_of(target.dataset, "robust", options)
        laboratory = None
        for seed in range(options.draws):
            keys = {
                name: (model.hash[:12], target.dataset, name, str(seed), count_of(options))
                for name in GIVEN
            }
            if all(key in done for key in keys.values()):
                continue
            laboratory = laboratory or visit(model, target, options.data)
            rows, scored = divide(laboratory, seed)
            with threadpool_limits(limits=1):
                given = labels_of(model, laboratory, rows, options.labels, options.more, seed)
                for name, key in keys.items():
                    if key not in done:
                        done[key] = score(model, laboratory, given[name], scored, seed)
                        append(options.store, key, done[key])


def kept(options: argparse.Namespace) -> Found:
    """Return the rows of the store, whatever models they are of."""
    done = {key[1:]: values for key, values in read_store(options.store).items()}
    found: Found = {}
    for target in options.targets:
        for name in GIVEN:
            keys = [(target, name, str(n), count_of(options)) for n in range(options.draws)]
            rows = [done[key] for key in keys if key in done]
            if rows:
                found[target, name] = rows
    return found


def table(found: Found, options: argparse.Namespace) -> Iterator[str]:
    rows_of = f"rows of {options.store.name}" if options.print else f"commit {commit()}"
    yield f"{options.labels} labels and {options.more} more, {options.draws} draws, {rows_of}."
    yield ""
    yield "| target | given | labels | accuracy (95 % interval) | macro F1 | promised |"
    yield "|---" * 6 + "|"
    for (target, name), rows in found.items():
        accuracy, macro, promise, labels = np.array(rows).T
        yield (
            f"| {target} | {name} | {labels.mean():.0f} | {shown(accuracy)} | {macro.mean():.3f} "
            f"| {promise.mean():.3f} |"
        )
    for name in GIVEN:
        means = [np.mean(rows, axis=0) for (_, given), rows in found.items() if given == name]
        if means:
            accuracy, macro, promise, labels = np.mean(means, axis=0)
            yield (
                f"| mean of {len(means)} | {name} | {labels:.0f} | {accuracy:.3f} | {macro:.3f} "
                f"| {promise:.3f} |"
            )


if __name__ == "__main__":
    main()
