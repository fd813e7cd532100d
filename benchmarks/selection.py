"""What each strategy of choosing cells to label is worth, on every target, in one table.

    python benchmarks/selection.py [--data ROOT] [--draws 10] [--strategies balanced,random]
                                   [--targets NAME ...] [--counts 10,20,30,50,100]
                                   [--markdown FILE]

In every draw a random half of a target's cells is held out as the test set; pictures of one cell,
and cells of one group, stay together. A strategy chooses from the other half, of which it sees the
images, and the labels only of the cells that it asked for. A probe learns from these and is scored
on the test set. Strategies that learn from labels ask in rounds of 10; `balanced at once` asks for
all cells before it knows any label. BCCD is labelled in half of TRAIN and scored on TEST.

Mean and 95 % t-interval over the draws. Finished rows are kept in `runs/selection.csv`, so that
an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common.laboratory import AT_ONCE, ONE_ROUND, Laboratory, divide, label, visit
from common.rows import Key, append, commit, read_store, shown
from common.targets import TARGETS, Target
from sklearn.metrics import accuracy_score, f1_score
from threadpoolctl import threadpool_limits

from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.selection import DEFAULT
from hemashift.selection.learning import learnt, probe_task


def score(
    model: Bundle,
    laboratory: Laboratory,
    rows: np.ndarray,
    scored: np.ndarray,
    labelled: np.ndarray,
    seed: int,
) -> list[float]:
    """Return accuracy, macro F1 and the number of classes found, of a probe on the test set."""
    targets = laboratory.targets[rows[labelled]]
    task = probe_task(
        model,
        laboratory.encoded[rows],
        laboratory.cells[rows],
        labelled,
        targets,
        model.card.classes,
        seed,
    )
    predicted = learnt(task, laboratory.encoded[scored])
    # From one class only, nothing but that class can be learnt.
    answer = np.full(len(scored), targets[0]) if predicted is None else predicted.argmax(axis=1)
    truth = laboratory.targets[scored]
    macro = f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)
    return [float(accuracy_score(truth, answer)), float(macro), float(len(np.unique(targets)))]


def draw(
    model: Bundle, laboratory: Laboratory, name: str, counts: list[int], seed: int
) -> dict[int, list[float]]:
    """Return the scores of one strategy in one draw, by number of labels."""
    rows, scored = divide(laboratory, seed)
    if name in ONE_ROUND:
        after = {n: list(label(model, laboratory, rows, name, n, seed))[-1] for n in counts}
    else:
        rounds = list(label(model, laboratory, rows, name, max(counts), seed))
        after = {n: next((r for r in rounds if len(r) >= n), rounds[-1])[:n] for n in counts}
    return {n: score(model, laboratory, rows, scored, found, seed) for n, found in after.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the targets")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument(
        "--strategies", default=f"random,typiclust,kcentre,probcover,{AT_ONCE},margin,balanced"
    )
    parser.add_argument("--targets", nargs="*", default=[t.dataset for t in TARGETS])
    parser.add_argument("--counts", default="10,20,30,50,100", help="numbers of labels")
    parser.add_argument("--store", type=Path, default=Path("runs/selection.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    model = load_model(options.model)
    strategies = options.strategies.split(",")
    counts = [int(count) for count in options.counts.split(",")]
    done = read_store(options.store)
    for target in TARGETS:
        if target.dataset not in options.targets:
            continue
        laboratory = None
        for seed in range(options.draws):
            for name in strategies:
                keys = {n: key_of(model, target, name, seed, n) for n in counts}
                if all(key in done for key in keys.values()):
                    continue
                laboratory = laboratory or visit(model, target, options.data)
                with threadpool_limits(limits=1):
                    found = draw(model, laboratory, name, counts, seed)
                for n, result in found.items():
                    done[keys[n]] = result
                    append(options.store, keys[n], result)
    text = table(model, strategies, counts, options, done)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def key_of(model: Bundle, target: Target, name: str, seed: int, n: int) -> Key:
    return model.hash[:12], target.dataset, name, str(seed), str(n)


def table(
    model: Bundle,
    strategies: list[str],
    counts: list[int],
    options: argparse.Namespace,
    done: dict[Key, list[float]],
) -> str:
    lines = [
        f"Commit {commit()}, model {model.card.name} ({model.hash[:12]}), {options.draws} draws.",
        "",
        "| target | labels | strategy | accuracy (95 % interval) | macro F1 | classes found |",
        "|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        for n in counts:
            for name in strategies:
                keys = [key_of(model, target, name, seed, n) for seed in range(options.draws)]
                rows = [done[key] for key in keys if key in done]
                if not rows:
                    continue
                accuracy, macro, classes = np.array(rows).T
                lines.append(
                    f"| {target.dataset} | {n} | {name} | {shown(accuracy)} | {shown(macro)} "
                    f"| {classes.mean():.1f} |"
                )
    return "\n".join([*lines, "", *lead(model, strategies, counts, options, done)]) + "\n"


def lead(
    model: Bundle,
    strategies: list[str],
    counts: list[int],
    options: argparse.Namespace,
    done: dict[Key, list[float]],
) -> Iterator[str]:
    """Yield a table of how much more accurate the default is, draw by draw over all targets."""
    others = [name for name in strategies if name != DEFAULT]
    yield f"| labels | {' | '.join(f'{DEFAULT} - {name}' for name in others)} |"
    yield "|---" * (len(others) + 1) + "|"
    targets = [target for target in TARGETS if target.dataset in options.targets]
    for n in counts:

        def of(name: str, n: int = n) -> np.ndarray:
            """Return (draws, targets) accuracies; NaN where there is none."""
            keys = [
                [key_of(model, target, name, seed, n) for target in targets]
                for seed in range(options.draws)
            ]
            return np.array([[done.get(key, (np.nan,))[0] for key in row] for row in keys])

        cells = []
        for name in others:
            difference = (of(DEFAULT) - of(name)).mean(axis=1)
            cells.append("" if np.isnan(difference).any() else shown(difference))
        yield f"| {n} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
