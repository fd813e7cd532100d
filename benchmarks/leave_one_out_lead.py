"""How far approaches of `benchmarks/leave_one_out.py` are ahead of another in the same draws.

    python benchmarks/leave_one_out_lead.py [--of workflow-30] [--approaches auto,selected]
                                            [--targets NAME ...] [--store FILE]

Nothing is computed anew. The draws are those that all approaches have in all targets. Prints the
means of the targets, each target, and by how many points each approach is ahead: the mean over the
targets of the differences, with the 95 % t-interval over the draws. Accuracy and macro F1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common.left_out import RESULTS, TARGETS
from common.rows import read_store

from hemashift.evaluation.intervals import t_interval

Scores = dict[str, np.ndarray]
"""Accuracy and macro F1 of each approach in T targets and N draws (T, N, 2)."""


def by_count(store: Path, names: list[str], targets: list[str]) -> dict[int, Scores]:
    """Return the scores by number of labels, where all approaches have a draw in common."""
    rows = {key[1:]: values[:2] for key, values in read_store(store).items()}
    found = {}
    for count in sorted({int(key[3]) for key in rows}):
        keys = [
            [[(one, name, draw, str(count)) for one in targets] for name in names]
            for draw in sorted({key[2] for key in rows}, key=int)
        ]
        common = [draw for draw in keys if all(key in rows for name in draw for key in name)]
        if common:
            scores = np.array([[[rows[key] for key in name] for name in draw] for draw in common])
            found[count] = {
                name: scores[:, place].swapaxes(0, 1) for place, name in enumerate(names)
            }
    return found


def two(scores: np.ndarray) -> str:
    return f"{scores[0]:.3f} ({scores[1]:.3f})"


def lead(scores: np.ndarray, other: np.ndarray) -> str:
    """Return by how many points the first is ahead, with limits: of accuracy, then of macro F1."""
    found = [t_interval(100 * one) for one in (scores - other).mean(axis=0).T]
    return "; ".join(f"{one.estimate:.1f} ({one.low:.1f} to {one.high:.1f})" for one in found)


def tables(
    found: dict[int, Scores], of: str, names: list[str], targets: list[str]
) -> Iterator[str]:
    ahead = [f"{name}, points ahead" for name in names]
    yield f"| target | labels | draws | {' | '.join([of, *names, *ahead])} |"
    yield "|---|---|---|" + "---|" * (1 + 2 * len(names))
    for count, scores in found.items():
        draws = scores[of].shape[1]
        each = [(slice(place, place + 1), target) for place, target in enumerate(targets)]
        for place, target in [(slice(None), f"mean of {len(targets)}"), *each]:
            here = {name: scores[name][place] for name in scores}
            means = [two(here[name].mean(axis=(0, 1))) for name in (of, *names)]
            leads = [lead(here[name], here[of]) for name in names]
            yield f"| {target} | {count} | {draws} | {' | '.join([*means, *leads])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--of", default="workflow-30")
    parser.add_argument("--approaches", default="auto,selected")
    parser.add_argument("--targets", nargs="+", default=[one.dataset for one in TARGETS])
    parser.add_argument("--store", type=Path, default=RESULTS)
    options = parser.parse_args()
    names = options.approaches.split(",")
    found = by_count(options.store, [options.of, *names], options.targets)
    for line in tables(found, options.of, names, options.targets):
        print(line)


if __name__ == "__main__":
    main()
