"""How well each method adapts the shipped model to every target, in one table with the commit.

    python benchmarks/targets.py [--data ROOT] [--draws 10] [--methods none,probe,auto,finetune]
                                 [--trials 3] [--targets NAME ...] [--markdown FILE]

For each target, a number of cells is drawn at random and labelled (no balance between classes, as
nobody knows the classes beforehand); all others are held out for scoring and are seen as
unlabelled images at most. BCCD is labelled in TRAIN and scored on TEST, which share no original
image. Ten draws; mean and 95 % t-interval over the draws. Finished rows are kept in
`runs/targets.csv`, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.contract import Cells, Task, Unadapted
from hemashift.adaptation.preparation import prepare
from hemashift.adaptation.registry import make_method
from hemashift.cells import CellTable
from hemashift.datasets import load
from hemashift.evaluation.intervals import t_interval
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.model.runtime import Encoder


@dataclass(frozen=True)
class Target:
    """A dataset to move to: labels drawn from one part, scores from another or from the rest."""

    dataset: str
    labels: int
    goal: float
    labelled_in: str | None = None
    scored_in: str | None = None


TARGETS = (
    Target("jiangxi_tecom", 30, 0.92),
    Target("jin_woo_choi", 25, 0.93),
    Target("bccd_cropped", 35, 0.82),
    Target("bccd", 100, 0.81, "TRAIN", "TEST"),
)


@dataclass(frozen=True, eq=False)
class Encoded:
    """All known cells of a target, prepared and encoded once."""

    table: CellTable
    cells: Cells
    targets: np.ndarray
    groups: np.ndarray
    subsets: np.ndarray


def encode(model: Bundle, target: Target, root: Path | None) -> Encoded:
    table = load(target.dataset, root).known()
    cells, rows, failed = prepare(model, Encoder(model), table.paths(), table.boxes())
    if failed:
        raise SystemExit(f"{target.dataset}: {failed[0]}")
    frame = table.frame.iloc[rows]
    index = {name: number for number, name in enumerate(model.card.classes)}
    return Encoded(
        table,
        cells,
        frame["class"].map(index).to_numpy(dtype=np.int64),
        # Copies of one original share a group in BCCD's parts as a whole; folds go by cell there.
        np.arange(len(frame)).astype(str)
        if target.labelled_in
        else frame["group"].to_numpy(dtype=str),
        frame["subset"].fillna("").to_numpy(dtype=str),
    )


def draws(data: Encoded, target: Target, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (labelled, scored) rows of each draw; whole groups are never divided."""
    for seed in range(count):
        rng = np.random.default_rng([seed, 2024])
        if target.labelled_in:
            offered = np.flatnonzero(data.subsets == target.labelled_in)
            scored = np.flatnonzero(data.subsets == target.scored_in)
            yield rng.permutation(offered)[: target.labels], scored
            continue
        order = rng.permutation(len(data.targets))
        labelled = order[: target.labels]
        taken = np.isin(data.groups, data.groups[labelled])
        yield labelled, np.flatnonzero(~taken)


def task_of(model: Bundle, data: Encoded, labelled: np.ndarray, seed: int) -> Task:
    """Make the task of one draw: the labelled cells, and up to `POOL` of the others as images."""
    others = np.setdiff1d(np.arange(len(data.targets)), labelled)
    pool = np.random.default_rng([seed, 3]).permutation(others)[:POOL]
    return Task(
        model,
        data.cells[labelled],
        data.targets[labelled],
        data.groups[labelled],
        model.card.classes,
        data.cells.encoded[pool],
        seed,
    )


def adapt_and_score(
    name: str,
    model: Bundle,
    data: Encoded,
    labelled: np.ndarray,
    scored: np.ndarray,
    seed: int,
    trials: int,
) -> tuple[float, float, float]:
    """Return accuracy, macro F1 and seconds of one draw."""
    task = task_of(model, data, labelled, seed)
    began = time.perf_counter()
    method = Unadapted() if name == "none" else make_method(name)
    if name == "finetune":
        method.trials = trials
    fitted = method.fit(task)
    seconds = time.perf_counter() - began
    answer = fitted.probabilities(data.cells[scored]).argmax(axis=1)
    truth = data.targets[scored]
    macro = f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)
    return float(accuracy_score(truth, answer)), float(macro), seconds


def commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the targets")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--methods", default="none,probe,head,auto,finetune")
    parser.add_argument("--targets", nargs="*", default=[t.dataset for t in TARGETS])
    parser.add_argument("--trials", type=int, default=3, help="settings that finetune tries")
    parser.add_argument("--store", type=Path, default=Path("runs/targets.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    model = load_model(options.model)
    methods = options.methods.split(",")
    done = read_store(options.store)
    for target in TARGETS:
        if target.dataset not in options.targets:
            continue
        data = None
        for name in methods:
            for seed in range(options.draws):
                trials = options.trials if name == "finetune" else 0
                key = (model.hash[:12], target.dataset, name, str(seed), str(trials))
                if key in done:
                    continue
                data = data or encode(model, target, options.data)
                labelled, scored = list(draws(data, target, seed + 1))[seed]
                result = adapt_and_score(name, model, data, labelled, scored, seed, trials)
                done[key] = result
                append(options.store, key, result)
                print(*key[1:], *(f"{value:.3f}" for value in result), flush=True)
    text = table(model, methods, options, done)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def read_store(path: Path) -> dict[tuple[str, ...], tuple[float, float, float]]:
    if not path.exists():
        return {}
    with path.open(newline="") as stream:
        return {
            tuple(row[:5]): (float(row[5]), float(row[6]), float(row[7]))
            for row in csv.reader(stream)
        }


def append(path: Path, key: tuple[str, ...], result: tuple[float, float, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as stream:
        csv.writer(stream).writerow([*key, *result])


def table(
    model: Bundle,
    methods: list[str],
    options: argparse.Namespace,
    done: dict[tuple[str, ...], tuple[float, float, float]],
) -> str:
    lines = [
        f"Commit {commit()}, model {model.card.name} ({model.hash[:12]}), {options.draws} draws, "
        f"finetune with {options.trials} Optuna trials.",
        "",
        "| target | labels | method | accuracy (95 % interval) | macro F1 | seconds | aim (auto) |",
        "|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        for name in methods:
            trials = options.trials if name == "finetune" else 0
            rows = [
                done[key]
                for seed in range(options.draws)
                if (key := (model.hash[:12], target.dataset, name, str(seed), str(trials))) in done
            ]
            if not rows:
                continue
            accuracy, macro, seconds = np.array(rows).T
            place = f"{target.dataset} {target.labelled_in or ''}".strip()
            aim = f"{target.goal:.2f}" if name == "auto" else ""
            lines.append(
                f"| {place} | {target.labels if name != 'none' else 0} | {name} "
                f"| {shown(accuracy)} | {shown(macro)} | {np.median(seconds):.1f} | {aim} |"
            )
    return "\n".join(lines) + "\n"


def shown(values: np.ndarray) -> str:
    limits = t_interval(values)
    return f"{limits.estimate:.3f} ({limits.low:.3f} to {limits.high:.3f})"


if __name__ == "__main__":
    main()
