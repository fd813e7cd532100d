"""Every dataset as a laboratory never seen, by models that were trained on all the others.

    python benchmarks/leave_one_out.py [--data ROOT] [--models runs/leave_one_out] [--draws 10]
                                       [--approaches source,auto,selected,...]
                                       [--targets NAME ...] [--counts 0,10,20,30,50,100]
                                       [--store FILE] [--print] [--markdown FILE]

For each target, two models are trained on the other datasets, where they are not there yet: one
by the preset `robust`, one by the preset `paper` (EfficientNet-Lite0). BCCD's augmented copies show
the cells of `bccd_cropped`, so that neither is a source for the other. Then, in every draw, a
random half of the target is held out as in `benchmarks/selection.py`, cells of the other half are
labelled, and the test half is scored:

- `auto`: `robust`, adapted by `auto` to cells drawn at random, or without labels (`Unlabelled`);
- `selected`: the same with the cells that `hemashift select` asks for;
- `workflow-30`: the paper's: its preset and colour transform, all weights fine-tuned on cells drawn
  at random, for 30 passes (or as many as it says) in batches of 8;
- `workflow`: the same with settings found by Optuna, which may choose no more than 12 passes;
- `source`: `robust` as it is, without labels only;
- `means`: `Unlabelled` without its mixture, without labels only;
- `stated`, `stated-selected`, `stated-means`, `stated-workflow`: the same, told which classes occur
  (`limited_to`); the cells are chosen by the model that was not told;
- any other method by its name: `robust`, cells drawn at random.

What changes the encoder (the workflow, `finetune`, `student`, `lpft`, `batchnorm`) is scored on up
to 400 cells of the test half.

The paper trains for 15 epochs on four times as many cells, at 224 pixels; `--paper-epochs` and
`--paper-size` shorten that. With `--search-once`, Optuna searches in the first draw of each target
and number of labels, and the other draws take the settings that it found there. They have then seen
more labels than they should, in favour of the workflow.

Mean and 95 % t-interval over the draws; for `auto` also the calibration error of the adapted model,
the error that so few cells show where all probabilities are right, and coverage of 0.9 sets, over
the draws with labels of two classes and of nine cells. The training of the models takes hours on a
CPU, minutes on a GPU. Finished rows are kept in `--store`, so that an interrupted run goes on. With
`--print` nothing is trained or computed: the rows that are there make the table, such as those of
`benchmarks/results/leave_one_out.csv`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from common.laboratory import Laboratory, divide, label, visit
from common.left_out import TARGETS, model_of, options_of
from common.rows import Key, append, commit, read_store, shown
from sklearn.metrics import accuracy_score, f1_score
from threadpoolctl import threadpool_limits

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.contract import Cells, Method, Unadapted
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.registry import make_method
from hemashift.adaptation.unlabelled import Unlabelled
from hemashift.evaluation.calibration import (
    chance_calibration_error,
    expected_calibration_error,
)
from hemashift.model.bundle import Bundle
from hemashift.selection import DEFAULT
from hemashift.trust.conformal import least_probabilities, prediction_sets
from hemashift.trust.storage import read_trust

COVERAGE = 0.9
# These change the encoder, and are scored on so many cells of the test half at most.
TRAINED = ("batchnorm", "lpft", "student", "finetune")
SCORED = 400
SCORES = ("accuracy", "macro F1", "ECE", f"covered at {COVERAGE}", "ECE by chance")


@dataclass(frozen=True)
class Approach:
    """The preset of the model, the method, and who chooses the cells that are labelled.

    Where `stated`, the model is told which classes occur. With `passes`, fine-tuning does not
    search.
    """

    preset: str
    method: str
    chosen_by: str = "random"
    stated: bool = False
    passes: int = 0

    @classmethod
    def of(cls, name: str) -> Approach:
        """Return the approach of that name on the command line."""
        if name.startswith("stated"):
            return replace(cls.of(name.removeprefix("stated").lstrip("-") or "auto"), stated=True)
        if name.startswith("workflow"):
            passes = name.removeprefix("workflow").lstrip("-")
            return cls("paper", "finetune", passes=int(passes or 0))
        if name == "source":
            return cls("robust", "none")
        return cls("robust", "auto", DEFAULT) if name == "selected" else cls("robust", name)


def told(model: Bundle, laboratory: Laboratory) -> tuple[Bundle, Laboratory]:
    """Return the model of those classes that occur, and the laboratory with indices of these."""
    found = np.unique(laboratory.targets)
    limited, _ = limited_to(model, [model.card.classes[place] for place in found])
    return limited, replace(laboratory, targets=np.searchsorted(found, laboratory.targets))


def score(
    model: Bundle,
    laboratory: Laboratory,
    labelled: np.ndarray,
    scored: np.ndarray,
    approach: Approach,
    method: Method,
    seed: int,
) -> list[float]:
    """Return the `SCORES` of one draw; NaN where a figure has no meaning."""
    if approach.stated:
        model, laboratory = told(model, laboratory)
    task = laboratory.task(model, labelled, seed)
    one_class = len(np.unique(task.targets)) == 1  # nothing but that class can be learnt
    fitted = Unadapted().fit(task) if one_class else method.fit(task)
    found = fitted.probabilities(Cells(laboratory.images[scored], laboratory.encoded[scored]))
    truth = laboratory.targets[scored]
    answer = np.full(len(scored), task.targets[0]) if one_class else found.argmax(axis=1)
    macro = f1_score(truth, answer, labels=np.unique(truth), average="macro", zero_division=0.0)
    trust = [np.nan, np.nan, np.nan]
    # Sets of that coverage need nine cells; two pictures of one cell count once.
    if approach.method == "auto" and len(np.unique(task.groups)) >= 9 and not one_class:
        adapted = calibrated(fitted.bundle(), out_of_fold(method, task), task)
        found = adapted.head.probabilities(laboratory.encoded[scored])
        known = read_trust(adapted).calibration
        right = (found.argmax(axis=1) == truth).astype(bool)
        inside = prediction_sets(found, least_probabilities(known, COVERAGE))
        sure = found.max(axis=1).clip(0, 1)
        error = expected_calibration_error(sure, right)
        covered = float(inside[np.arange(len(truth)), truth].mean())
        trust = [error, covered, chance_calibration_error(sure)]
    return [float(accuracy_score(truth, answer)), float(macro), *trust]


class Searches:
    """Makes methods; remembers, in a file beside the store, what searches have found."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.file = options.store.with_suffix(".settings.json")
        self.found = json.loads(self.file.read_text()) if self.file.exists() else {}

    def method(self, approach: Approach, place: str) -> Method:
        """Make a method; one with a search takes what was found in the same place before."""
        method = make_method(approach.method)
        if approach.method == "finetune":
            from hemashift.adaptation.finetune import FinetuneSettings

            method.trials = self.options.trials
            if approach.passes:
                known = {"batch_size": 8, "epochs": approach.passes}
            else:
                known = self.found.get(place) if self.options.search_once else None
            if known:
                method.settings, method.trials = FinetuneSettings(**known), 0
        return method

    def remember(self, method: Method, place: str) -> None:
        """Write down what a search has found."""
        if method.name == "finetune" and method.trials and method.chosen is not None:
            self.found[place] = vars(method.chosen)
            self.file.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")


def without_labels(approach: Approach) -> Method:
    """Return what `hemashift adapt` does without labels; others leave the model as it is."""
    if approach.method == "means":
        return Unlabelled(voices=(1.0, 0.0))
    return Unlabelled() if approach.method == "auto" else Unadapted()


def draw(
    model: Bundle,
    laboratory: Laboratory,
    approach: Approach,
    counts: Sequence[int],
    missing: Sequence[int],
    searches: Searches,
    place: str,
    seed: int,
) -> Iterator[tuple[int, list[float]]]:
    """Yield number of labels and scores, of those counts that are missing."""
    rows, scored = divide(laboratory, seed)
    if approach.method in TRAINED:  # the network runs on each of them
        scored = np.random.default_rng([seed, 6]).permutation(scored)[:SCORED]
    rounds = []
    if approach.chosen_by == DEFAULT and max(counts):
        rounds = list(label(model, laboratory, rows, DEFAULT, max(counts), seed))
    order = np.random.default_rng([seed, 5]).permutation(len(rows))
    for n in missing:
        after = (
            next((one for one in rounds if len(one) >= n), rounds[-1])[:n] if rounds else order[:n]
        )
        method = searches.method(approach, f"{place} {n}") if n else without_labels(approach)
        yield n, score(model, laboratory, rows[after], scored, approach, method, seed)
        searches.remember(method, f"{place} {n}")


def main() -> None:
    parser = options_of(__doc__, "leave_one_out")
    parser.add_argument("--approaches", default="source,auto,selected,workflow-30,workflow")
    parser.add_argument("--counts", default="0,10,20,30,50,100", help="numbers of labels")
    parser.add_argument("--trials", type=int, default=3, help="settings that the workflow tries")
    parser.add_argument("--search-once", action="store_true", help="and not anew in each draw")
    parser.add_argument(
        "--paper-epochs", type=int, help="of the model that the workflow starts from"
    )
    parser.add_argument("--paper-size", type=int, help="side of its input, in pixels")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    names = options.approaches.split(",")
    done = read_store(options.store)
    # Of models that were trained anew, old rows are not shown.
    hashes = (
        {(target, name): short for short, target, name, *_ in done}
        if options.print
        else compute(done, names, counts, options)
    )
    rows = {key[1:]: one for key, one in done.items() if hashes.get(key[1:3]) == key[0]}
    text = "\n".join([*table(rows, names, counts, options), "", *aims(rows, names, options)]) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def compute(
    done: dict[Key, list[float]],
    names: list[str],
    counts: list[int],
    options: argparse.Namespace,
) -> dict[tuple[str, str], str]:
    """Add the rows that are missing; return the hash of the model of each target and approach."""
    hashes: dict[tuple[str, str], str] = {}
    searches = Searches(options)
    for target in TARGETS:
        if target.dataset not in options.targets:
            continue
        visited: dict[str, Laboratory] = {}  # by the preset of the model that encodes it
        for name in names:
            approach = Approach.of(name)
            unlabelled = name == "source" or counts == [0]
            wanted = [0] if unlabelled else sorted({*counts, target.labels})
            model = model_of(target.dataset, approach.preset, options)
            hashes[target.dataset, name] = short = model.hash[:12]
            for seed in range(options.draws):
                keys = {n: (short, target.dataset, name, str(seed), str(n)) for n in wanted}
                missing = [n for n in wanted if keys[n] not in done]
                if not missing:
                    continue
                if approach.preset not in visited:
                    visited[approach.preset] = visit(model, target, options.data)
                laboratory = visited[approach.preset]
                # Sums in one thread are always made in the same order; training takes all threads.
                with threadpool_limits(limits=None if approach.method in TRAINED else 1):
                    place = f"{short} {target.dataset}"
                    found = draw(
                        model, laboratory, approach, wanted, missing, searches, place, seed
                    )
                    for n, values in found:
                        done[keys[n]] = values
                        append(options.store, keys[n], values)
    return hashes


def rows_of(done: dict[Key, list[float]], target: str, name: str, n: int, draws: int) -> np.ndarray:
    """Return `(draws, scores)`, without the draws that are not there."""
    keys = [(target, name, str(seed), str(n)) for seed in range(draws)]
    return np.array([done[key] for key in keys if key in done])


def table(
    done: dict[Key, list[float]],
    names: list[str],
    counts: list[int],
    options: argparse.Namespace,
) -> Iterator[str]:
    rows = f"rows of {options.store.name}" if options.print else f"commit {commit()}"
    yield f"{options.draws} draws, {options.trials} Optuna trials a fine-tuning, {rows}."
    yield ""
    yield (
        "| target | labels | approach | accuracy (95 % interval) | " + " | ".join(SCORES[1:]) + " |"
    )
    yield "|---|---|---|---|" + "---|" * len(SCORES[1:])
    for target in TARGETS:
        for n in counts:
            for name in names:
                rows = rows_of(done, target.dataset, name, n, options.draws)
                if not len(rows):
                    continue
                known = [column[~np.isnan(column)] for column in rows.T[2:]]
                rest = [f"{column.mean():.3f}" if len(column) else "" for column in known]
                figures = [shown(rows[:, 0]), shown(rows[:, 1]), *rest]
                yield f"| {target.dataset} | {n} | {name} | {' | '.join(figures)} |"
    yield from means(done, names, counts, options)


def means(
    done: dict[Key, list[float]],
    names: list[str],
    counts: list[int],
    options: argparse.Namespace,
) -> Iterator[str]:
    """Yield the mean of those targets in which all approaches to that many labels are scored."""
    for n in counts:
        here = sorted(
            {key[1] for key in done if key[3] == str(n)}.intersection(names), key=names.index
        )
        found = [
            [rows_of(done, target.dataset, name, n, options.draws) for name in here]
            for target in TARGETS
        ]
        scored = [one for one in found if all(len(rows) == options.draws for rows in one)]
        if len(scored) < 2:
            continue
        for place, name in enumerate(here):
            accuracy, macro = np.mean([one[place].mean(axis=0)[:2] for one in scored], axis=0)
            yield f"| mean of {len(scored)} | {n} | {name} | {accuracy:.3f} | {macro:.3f} | | | |"


def aims(
    done: dict[Key, list[float]], names: list[str], options: argparse.Namespace
) -> Iterator[str]:
    """Yield the accuracy at the number of labels for which there is an aim."""
    yield "| target | labels | aim | " + " | ".join(names) + " |"
    yield "|---|---|---|" + "---|" * len(names)
    for target in TARGETS:
        found = [
            rows_of(done, target.dataset, name, target.labels, options.draws) for name in names
        ]
        figures = [shown(rows[:, 0]) if len(rows) else "" for rows in found]
        aim = "" if np.isnan(target.goal) else f"{target.goal:.2f}"
        yield f"| {target.dataset} | {target.labels} | {aim} | {' | '.join(figures)} |"


if __name__ == "__main__":
    main()
