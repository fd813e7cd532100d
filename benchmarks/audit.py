"""What the label audit finds on every target: copies, exchanged classes, changed labels.

    python benchmarks/audit.py [--data ROOT] [--draws 20] [--targets NAME ...] [--markdown FILE]

Copies: images that show a cell which another image shows too, and how many cells of BCCD are both
in TRAIN and in TEST, which were made from different originals. Exchanges: the labels of every pair
of classes are exchanged in random parts of a target; how often the pair is named, how often another
one, and how often there is an alarm although nothing was exchanged. Changed labels: 10 % are
replaced by another class; how many are found, and how many others are called wrong. One patient:
six cells of one class are labelled as another, and are one of ten patients; the others are divided
at random. How many of the six are found where the labels name the patients, and where they do not.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from common.laboratory import Laboratory, visit
from common.rows import commit
from common.targets import TARGETS
from threadpoolctl import threadpool_limits

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.grouping import grouped
from hemashift.adaptation.probe import Probe
from hemashift.audit.exchanged import find_exchanges
from hemashift.audit.wrong_labels import find_wrong
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.selection.learning import probe_task

SIZES = (30, 60, 100, 250)
CHANGED = 0.1
PATIENTS, OF_ONE = 10, 6


def copies(laboratory: Laboratory) -> str:
    pictures = np.bincount(laboratory.cells)
    both = [np.unique(laboratory.cells[part]) for part in (laboratory.offered, laboratory.scored)]
    shared = len(np.intersect1d(*both)) if not laboratory.offered.all() else 0
    torn = sum(
        len(np.unique(laboratory.targets[laboratory.cells == cell])) > 1
        for cell in np.flatnonzero(pictures > 1)
    )
    repeated = int(pictures[pictures > 1].sum())
    return f"{len(laboratory.cells)} | {repeated} | {torn} | {shared}"


def exchanges(model: Bundle, laboratory: Laboratory, size: int, draws: int) -> str:
    source = model.head.probabilities(laboratory.encoded)
    named = others = possible = alarms = 0
    for seed in range(draws):
        rows = np.random.default_rng([seed, 31]).permutation(len(source))[:size]
        truth, opinion = laboratory.targets[rows], source[rows]
        counts = np.bincount(truth)
        alarms += bool(find_exchanges(truth, opinion))
        for first, second in combinations(np.flatnonzero(counts >= 3).tolist(), 2):
            labels = truth.copy()
            labels[truth == first], labels[truth == second] = second, first
            found = [(one.first, one.second) for one in find_exchanges(labels, opinion)]
            possible += 1
            named += (first, second) in found
            others += len(set(found) - {(first, second)})
    return f"{size} | {named} of {possible} | {others} | {alarms} of {draws}"


def changed(model: Bundle, laboratory: Laboratory, size: int, draws: int) -> str:
    right = wrong = total = 0
    for seed in range(draws):
        rng = np.random.default_rng([seed, 37])
        rows = rng.permutation(len(laboratory.targets))[:size]
        truth = laboratory.targets[rows]
        present = np.unique(truth)
        labels = truth.copy()
        for place in np.flatnonzero(rng.random(len(rows)) < CHANGED):
            labels[place] = rng.choice(present[present != truth[place]])
        task = probe_task(
            model, laboratory.encoded, laboratory.cells, rows, labels, model.card.classes, seed
        )
        found, _ = find_wrong(labels, out_of_fold(Probe(), task))
        right += (labels != truth)[found].sum()
        wrong += (labels == truth)[found].sum()
        total += (labels != truth).sum()
    return f"{size} | {right} of {total} | {wrong} of {draws * len(rows) - total}"


def one_patient(model: Bundle, laboratory: Laboratory, size: int, draws: int) -> str:
    right, wrong, total = [0, 0], [0, 0], 0
    for seed in range(draws):
        rng = np.random.default_rng([seed, 41])
        rows = rng.permutation(len(laboratory.targets))[:size]
        truth = laboratory.targets[rows]
        counts = np.bincount(truth)
        common = np.flatnonzero(counts >= 2 * OF_ONE)
        if len(common) < 2:
            continue
        first, second = rng.permutation(common)[:2]
        patients = rng.integers(PATIENTS - 1, size=len(rows))
        errors = np.flatnonzero(truth == first)[:OF_ONE]
        labels = truth.copy()
        labels[errors], patients[errors] = second, PATIENTS
        task = probe_task(
            model, laboratory.encoded, laboratory.cells, rows, labels, model.card.classes, seed
        )
        named, _ = grouped(task.groups.tolist(), patients.astype(str), labels.astype(str))
        known = replace(task, groups=np.array(named)) if named else task
        total += len(errors)
        for place, one in enumerate((known, task)):
            found, _ = find_wrong(labels, out_of_fold(Probe(), one))
            right[place] += int(np.isin(found, errors).sum())
            wrong[place] += int((~np.isin(found, errors)).sum())
    return f"{size} | {total} | {right[0]} | {right[1]} | {wrong[0]} | {wrong[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the targets")
    parser.add_argument("--draws", type=int, default=20, help="draws of exchanges")
    parser.add_argument("--changes", type=int, default=4, help="draws of changed labels")
    parser.add_argument("--patients", type=int, default=10, help="draws of one patient's labels")
    parser.add_argument("--targets", nargs="*", default=[t.dataset for t in TARGETS])
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    options = parser.parse_args()
    model = load_model(options.model)
    tables: dict[str, list[str]] = {
        "| target | images | show a cell shown twice | cells with two labels | in both parts |": [],
        "| target | labels | pair named | another pair named | alarm without exchange |": [],
        "| target | labels | changed labels found | others called wrong |": [],
        "| target | labels | changed, of one patient | found, patients named | found, not named "
        "| others, named | others, not named |": [],
    }
    first, second, third, fourth = tables.values()
    for target in TARGETS:
        if target.dataset not in options.targets:
            continue
        laboratory = visit(model, target, options.data)
        with threadpool_limits(limits=1):
            first.append(f"| {target.dataset} | {copies(laboratory)} |")
            for size in SIZES:
                line = exchanges(model, laboratory, size, options.draws)
                second.append(f"| {target.dataset} | {line} |")
            if options.changes:
                line = changed(model, laboratory, 240, options.changes)
                third.append(f"| {target.dataset} | {line} |")
            if options.patients:
                line = one_patient(model, laboratory, 100, options.patients)
                fourth.append(f"| {target.dataset} | {line} |")
    text = f"Commit {commit()}, model {model.card.name} ({model.hash[:12]}).\n"
    for heading, rows in tables.items():
        text += "\n".join(["", heading, "|---" * (heading.count("|") - 1) + "|", *rows, ""])
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
