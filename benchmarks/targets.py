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
import time
from pathlib import Path

import numpy as np
from common.rows import Key, append, commit, read_store, shown
from common.targets import TARGETS, EncodedTarget, draws, encode
from sklearn.metrics import accuracy_score, f1_score

from hemashift.adaptation.contract import Unadapted
from hemashift.adaptation.registry import make_method
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model


def adapt_and_score(
    name: str,
    model: Bundle,
    data: EncodedTarget,
    labelled: np.ndarray,
    scored: np.ndarray,
    seed: int,
    trials: int,
) -> list[float]:
    """Return accuracy, macro F1 and seconds of one draw."""
    task = data.task(model, labelled, seed)
    began = time.perf_counter()
    method = Unadapted() if name == "none" else make_method(name)
    if name == "finetune":
        method.trials = trials
    fitted = method.fit(task)
    seconds = time.perf_counter() - began
    answer = fitted.probabilities(data.cells[scored]).argmax(axis=1)
    truth = data.targets[scored]
    macro = f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)
    return [float(accuracy_score(truth, answer)), float(macro), seconds]


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
    text = table(model, methods, options, done)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def table(
    model: Bundle,
    methods: list[str],
    options: argparse.Namespace,
    done: dict[Key, list[float]],
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


if __name__ == "__main__":
    main()
