"""How well the cross-validated score of `adapt` tells the score on cells never seen, in one table.

    python benchmarks/promise.py [--data ROOT] [--draws 10] [--methods auto,probe]
                                 [--targets NAME ...] [--markdown FILE]

Targets, labels and draws are those of `benchmarks/targets.py`. For each draw, `adapt` says how
accurate the adapted model is, by cross-validation inside the labels and with limits; then all other
cells are scored. The table gives both means, the mean size of the difference, and in how many draws
the true accuracy lies within the limits that were given. Finished rows are kept in
`runs/promise.csv`, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from targets import TARGETS, append, commit, draws, encode, read_store, task_of

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.registry import make_method
from hemashift.errors import WorseModelError
from hemashift.model.bundle import TWO_SOURCES, load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the targets")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--targets", nargs="*", default=[t.dataset for t in TARGETS])
    parser.add_argument("--store", type=Path, default=Path("runs/promise.csv"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    model = load_model(options.model)
    done = read_store(options.store)
    lines = [
        f"Commit {commit()}, model {model.card.name} ({model.hash[:12]}), {options.draws} draws.",
        "",
        "| target | labels | method | promised | true | mean difference | within limits |",
        "|---|---|---|---|---|---|---|",
    ]
    for target in (t for t in TARGETS if t.dataset in options.targets):
        data = None
        for name in options.methods.split(","):
            rows = []
            for seed in range(options.draws):
                key = (model.hash[:12], target.dataset, name, str(seed), "promise")
                if key not in done:
                    data = data or encode(model, target, options.data)
                    labelled, scored = list(draws(data, target, seed + 1))[seed]
                    task = task_of(model, data, labelled, seed)
                    try:
                        adapted = adapt_task(task, make_method(name))
                    except WorseModelError:  # nothing is handed out, so nothing is promised
                        continue
                    cells = data.cells[scored]
                    answer = adapted.bundle.head.probabilities(cells.encoded).argmax(axis=1)
                    said = adapted.after.overall["accuracy"]
                    true = float((answer == data.targets[scored]).mean())
                    done[key] = (said.estimate, true, float(said.low <= true <= said.high))
                    append(options.store, key, done[key])
                    print(*key[1:4], *(f"{value:.3f}" for value in done[key]), flush=True)
                rows.append(done[key])
            if not rows:
                continue
            promised, true, within = np.array(rows).T
            lines.append(
                f"| {target.dataset} | {target.labels} | {name} | {promised.mean():.3f} "
                f"| {true.mean():.3f} | {np.abs(promised - true).mean():.3f} "
                f"| {int(within.sum())} of {len(rows)} |"
            )
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
