"""How well what `adapt` says of an adapted model tells the score on cells never seen.

    python benchmarks/promise.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                 [--targets NAME ...] [--labels 30] [--store FILE] [--print]
                                 [--markdown FILE]

Laboratories, models that have never seen them, halves and labels are those of
`benchmarks/leave_one_out.py`. In each draw `auto` is adapted to cells drawn at random, and to cells
chosen by `select`. It says how accurate the model is on the labelled cells, by cross-validation,
and how accurate it is to be expected on all cells; then the test half is scored. For both promises
the table gives the mean, the mean size of the difference from the truth, and in how many draws the
truth lay within the limits. Draws in which `adapt` refuses are left out. Finished rows are kept in
`--store`, so that an interrupted run goes on. With `--print` nothing is computed: the rows that are
there make the table, such as those of `benchmarks/results/promise.csv`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from common.laboratory import Laboratory, divide, label, visit
from common.left_out import TARGETS, model_of, options_of
from common.rows import append, commit, read_store

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.registry import make_method
from hemashift.errors import AdaptationError
from hemashift.model.bundle import Bundle
from hemashift.selection import DEFAULT

CHOSEN = ("random", "selected")
Found = dict[tuple[str, str], list[list[float]]]
"""Rows of all draws, by target and by who chose the cells."""


def promise(
    model: Bundle, laboratory: Laboratory, chosen: str, labels: int, seed: int
) -> list[float]:
    """Return truth, then estimate, lower and upper limit of either promise; NaN if refused."""
    rows, scored = divide(laboratory, seed)
    if chosen == "selected":
        order = list(label(model, laboratory, rows, DEFAULT, labels, seed))[-1]
    else:
        order = np.random.default_rng([seed, 5]).permutation(len(rows))
    task = laboratory.task(model, rows[order[:labels]], seed)
    try:
        adapted = adapt_task(task, make_method("auto"))
    except AdaptationError:  # nothing is handed out, so nothing is promised
        return [np.nan] * 7
    answer = adapted.bundle.head.probabilities(laboratory.encoded[scored]).argmax(axis=1)
    said = (adapted.after.overall["accuracy"], adapted.expected)
    truth = float((answer == laboratory.targets[scored]).mean())
    return [truth, *(value for one in said for value in (one.estimate, one.low, one.high))]


def main() -> None:
    parser = options_of(__doc__, "promise")
    parser.add_argument("--labels", type=int, default=30)
    options = parser.parse_args()
    options.paper_epochs = None
    found = kept(options) if options.print else compute(options)
    text = "\n".join(table(found, options)) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def kept(options: argparse.Namespace) -> Found:
    """Return the rows of the store, whatever models they are of."""
    done = {key[1:]: values for key, values in read_store(options.store).items()}
    found: Found = {}
    for target in options.targets:
        for chosen in CHOSEN:
            keys = [(target, chosen, str(n), str(options.labels)) for n in range(options.draws)]
            rows = [done[key] for key in keys if key in done]
            if rows:
                found[target, chosen] = rows
    return found


def compute(options: argparse.Namespace) -> Found:
    """Return the rows, after adding to the store those that are missing."""
    done = read_store(options.store)
    found: Found = {}
    for target in (t for t in TARGETS if t.dataset in options.targets):
        model = model_of(target.dataset, "robust", options)
        laboratory = None
        for seed in range(options.draws):
            for chosen in CHOSEN:
                key = (model.hash[:12], target.dataset, chosen, str(seed), str(options.labels))
                if key not in done:
                    laboratory = laboratory or visit(model, target, options.data)
                    done[key] = promise(model, laboratory, chosen, options.labels, seed)
                    append(options.store, key, done[key])
                found.setdefault((target.dataset, chosen), []).append(done[key])
    return found


def table(found: Found, options: argparse.Namespace) -> Iterator[str]:
    rows_of = f"rows of {options.store.name}" if options.print else f"commit {commit()}"
    yield f"{options.labels} labels, {options.draws} draws, {rows_of}."
    yield ""
    yield (
        "| target | labels | true | on the labelled cells | off by | within limits "
        "| to expect on all cells | off by | within limits |"
    )
    yield "|---" * 9 + "|"
    everything: dict[str, list[list[float]]] = {chosen: [] for chosen in CHOSEN}
    for (target, chosen), rows in found.items():
        everything[chosen] += rows
        yield line(target, chosen, rows)
    for chosen, rows in everything.items():
        if rows:
            yield line("all", chosen, rows)


def line(target: str, chosen: str, rows: list[list[float]]) -> str:
    values = np.array([row for row in rows if not np.isnan(row[0])]).reshape(-1, 7)
    truth = values[:, 0]
    cells = [target, chosen, f"{truth.mean():.3f}"]
    for estimate, low, high in (values.T[1:4], values.T[4:7]):
        within = int(((low <= truth) & (truth <= high)).sum())
        off = np.abs(estimate - truth).mean()
        cells += [f"{estimate.mean():.3f}", f"{off:.3f}", f"{within} of {len(values)}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
