"""How well what `adapt` says of an adapted model tells the score on cells never seen.

    python benchmarks/promise.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                 [--targets NAME ...] [--labels 30] [--markdown FILE]

Laboratories, models that have never seen them, halves and labels are those of
`benchmarks/leave_one_out.py`. In each draw `auto` is adapted to cells drawn at random, and to cells
chosen by `select`. It says how accurate the model is on the labelled cells, by cross-validation,
and how accurate it is to be expected on all cells; then the test half is scored. For both promises
the table gives the mean, the mean size of the difference from the truth, and in how many draws the
truth lay within the limits. Draws in which `adapt` refuses are left out. Finished rows are kept in
`runs/promise.csv`, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from leave_one_out import TARGETS, model_of, task_of
from selection import Laboratory, divide, label, visit
from targets import commit
from trust import append, read_store

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.registry import make_method
from hemashift.errors import AdaptationError
from hemashift.model.bundle import Bundle
from hemashift.selection import DEFAULT

CHOSEN = ("random", "selected")


def promise(
    model: Bundle, laboratory: Laboratory, chosen: str, labels: int, seed: int
) -> list[float]:
    """Return truth, then estimate, lower and upper limit of either promise; NaN if refused."""
    rows, scored = divide(laboratory, seed)
    if chosen == "selected":
        order = list(label(model, laboratory, rows, DEFAULT, labels, seed))[-1]
    else:
        order = np.random.default_rng([seed, 5]).permutation(len(rows))
    task = task_of(model, laboratory, rows[order[:labels]], seed)
    try:
        adapted = adapt_task(task, make_method("auto"))
    except AdaptationError:  # nothing is handed out, so nothing is promised
        return [np.nan] * 7
    answer = adapted.bundle.head.probabilities(laboratory.encoded[scored]).argmax(axis=1)
    said = (adapted.after.overall["accuracy"], adapted.expected)
    truth = float((answer == laboratory.targets[scored]).mean())
    return [truth, *(value for one in said for value in (one.estimate, one.low, one.high))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", type=Path, default=Path("runs/leave_one_out"))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--labels", type=int, default=30)
    parser.add_argument("--targets", nargs="*", default=[t.dataset for t in TARGETS])
    parser.add_argument("--store", type=Path, default=Path("runs/promise.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    options.paper_epochs = None
    done = read_store(options.store)
    found: dict[tuple[str, str], list[list[float]]] = {}
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
    text = "\n".join(table(found, options)) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def table(
    found: dict[tuple[str, str], list[list[float]]], options: argparse.Namespace
) -> Iterator[str]:
    yield f"Commit {commit()}, {options.labels} labels, {options.draws} draws."
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
