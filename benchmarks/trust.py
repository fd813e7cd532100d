"""How honest an adapted model is, and which cells it tells apart as none of its classes.

    python benchmarks/trust.py [--data ROOT] [--model FOLDER] [--method probe] [--draws 10]
                               [--encodings runs/encodings] [--store runs/trust.csv]
                               [--markdown FILE]

First table: targets, labels and draws of `benchmarks/targets.py`. Limits come from out-of-fold
predictions of the labelled cells, the figures from all other cells: expected calibration error of
the adapted model before and after its temperature; coverage and mean size of the sets; error among
the cells that keep a class under `--max-error 0.05`, how many that are, and in how many draws the
rate was promised; area under the risk-coverage curve.

Second table: cells of no class (`ig` and `platelet` of Barcelona; blasts, smudge cells and immature
granulocytes of Munich 2019; the immature stages of Jin Woo Choi) against known cells, and known
cells of the same dataset spoiled: out of focus, or the corner of their image without the cell.
Before adaptation, the scores come from up to 100 cells a class that the model was trained on;
after, from 50 labelled cells of the dataset. The known cells scored were never trained on: in
Barcelona and Munich 2019 they are the held-out fifth, so that the model has seen their laboratory.
Of Munich 2019 the labelled cells are ones that it was trained on, since few were held out.
"Accepted" is the share of outside cells below the score that keeps 95 % of the known cells that
are scored; for `distance`, the score of hemashift, also at its own threshold, found without them.

Encodings and finished rows are kept, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from common.encodings import KINDS, SOURCES, Data
from common.rows import Key, append, commit, read_store, shown
from common.targets import TARGETS, EncodedTarget, Target, draws
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.folds import folds
from hemashift.adaptation.registry import make_method
from hemashift.evaluation.calibration import expected_calibration_error, risk_coverage
from hemashift.model.bundle import TWO_SOURCES, Bundle, load_model
from hemashift.model.heads import Encoded, Head
from hemashift.trust.conformal import least_probabilities, prediction_sets
from hemashift.trust.outside import Outside, vectors_of
from hemashift.trust.storage import read_trust
from hemashift.trust.unidentified import keep_rule

OUTSIDE = (*SOURCES, "jin_woo_choi")
LABELS, MAX_ERROR = 50, 0.05
HONESTY = ("ece before", "ece after", "covered 0.9", "size 0.9", "covered 0.95", "size 0.95",
           "error kept", "kept", "promised", "aurc")  # fmt: skip
SCORES = ("distance", "nearest cell", "top probability", "max logit", "energy")
APART = ("auroc", "accepted at 95 %", "known kept", "accepted")


def target_cells(data: Data, target: Target) -> EncodedTarget:
    """The known cells of a target, as `benchmarks/targets.py` has them."""
    found = data[target.dataset]
    rows = found.known()
    frame = found.table.frame.iloc[rows]
    alone = np.arange(len(rows)).astype(str)
    return EncodedTarget(
        found.table.select(rows),
        data.cells(target.dataset, rows),
        found.targets[rows],
        alone if target.labelled_in else frame["group"].to_numpy(dtype=str),
        frame["subset"].fillna("").to_numpy(dtype=str),
    )


def honesty(
    model: Bundle, cells: EncodedTarget, target: Target, seed: int, method: str
) -> list[float]:
    labelled, scored = list(draws(cells, target, seed + 1))[seed]
    task = cells.task(model, labelled, seed)
    fitted = make_method(method).fit(task).bundle()
    adapted = calibrated(fitted, out_of_fold(make_method(method), task), task)
    known = read_trust(adapted).calibration
    assert known is not None
    truth, encoded = cells.targets[scored], cells.cells[scored].encoded
    found = adapted.head.probabilities(encoded)
    sure, right = found.max(axis=1), found.argmax(axis=1) == truth
    before = fitted.head.probabilities(encoded).max(axis=1)
    values = [expected_calibration_error(one.clip(0, 1), right) for one in (before, sure)]
    for coverage in (0.9, 0.95):
        inside = prediction_sets(found, least_probabilities(known, coverage))
        values += [inside[np.arange(len(truth)), truth].mean(), inside.sum(axis=1).mean()]
    rule = keep_rule(known, MAX_ERROR)
    kept = sure >= rule.threshold
    error = float((~right[kept]).mean()) if kept.any() else 0.0
    values += [error, kept.mean(), rule.promised, risk_coverage(sure, right).area]
    return list(map(float, values))


def separation(data: Data, name: str, seed: int | None) -> dict[tuple[str, str], list[float]]:
    """Score one draw of labels, or without a seed the model before adaptation."""
    found = data[name]
    known, outside = found.known(trained=False), np.flatnonzero(found.targets < 0)
    source, bank = data.source()
    spread, judge, head = source.source, source.outside, data.model.head
    if seed is not None:
        offered = found.known(trained=True) if name == "munich_2019" else known
        rows = np.random.default_rng([seed, 9]).permutation(offered)[:LABELS]
        known = np.setdiff1d(known, rows)
        every = all_cells(data, name)
        task = every.task(data.model, rows, seed)
        head = make_method("probe").fit(task).bundle().head
        parts = folds(task.targets, task.groups, 5, seed)
        judge = Outside.fit(task.cells.encoded, task.targets, parts, spread)
        bank = vectors_of(task.cells.encoded)
    assert judge is not None
    inner = candidates(judge, head, bank, found.encoded[known])
    strange = {kind: data.spoiled(name, kind) for kind in KINDS}
    strange["no class"] = found.encoded[outside]
    result = {}
    for kind, cells in strange.items():
        outer = candidates(judge, head, bank, cells)
        for score, values in inner.items():
            truth = np.r_[np.zeros(len(values)), np.ones(len(cells))]
            area = float(roc_auc_score(truth, np.r_[values, outer[score]]))
            accepted = float((outer[score] <= np.quantile(values, 0.95)).mean())
            own = [float((one[score] <= 1).mean()) for one in (inner, outer)]
            nothing = [np.nan, np.nan]
            result[kind, score] = [area, accepted, *(own if score == "distance" else nothing)]
    return result


def candidates(
    outside: Outside, head: Head, bank: np.ndarray, cells: Encoded
) -> dict[str, np.ndarray]:
    """What could tell outside cells; each higher for them."""
    logits = head.logits(cells)
    return {
        "distance": outside.scores(cells),
        "nearest cell": 1 - (vectors_of(cells) @ bank.T).max(axis=1),
        "top probability": 1 - head.probabilities(cells).max(axis=1),
        "max logit": -logits.max(axis=1),
        "energy": -logsumexp(logits, axis=1),
    }


def all_cells(data: Data, name: str) -> EncodedTarget:
    """All cells of a dataset, those of no class too: as images without a label they are there."""
    found = data[name]
    rows = np.arange(len(found.targets))
    alone = rows.astype(str)
    return EncodedTarget(found.table, data.cells(name, rows), found.targets, alone, alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default=TWO_SOURCES, help="it has not seen the targets")
    parser.add_argument("--method", default="probe")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--encodings", type=Path, default=Path("runs/encodings"))
    parser.add_argument("--store", type=Path, default=Path("runs/trust.csv"))
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    options = parser.parse_args()
    model = load_model(options.model)
    data = Data(model, options.data, options.encodings)
    done = read_store(options.store)
    short = model.hash[:12]
    for target in TARGETS:
        cells = None
        for seed in range(options.draws):
            key = (short, target.dataset, options.method, str(seed), "honesty")
            if key not in done:
                cells = cells or target_cells(data, target)
                done[key] = honesty(model, cells, target, seed, options.method)
                append(options.store, key, done[key])
    for name in OUTSIDE:
        for seed in (None, *range(options.draws)):
            wanted = {(kind, score) for kind in (*KINDS, "no class") for score in SCORES}
            if any((short, name, score, str(seed), kind) not in done for kind, score in wanted):
                for (kind, score), values in separation(data, name, seed).items():
                    key = (short, name, score, str(seed), kind)
                    done[key] = values
                    append(options.store, key, values)
    title = f"Commit {commit()}, model {model.card.name} ({short}), {options.draws} draws."
    text = "\n".join([title, "", *honesty_table(done, short, options), "",
                      *outside_table(done, short, options)]) + "\n"  # fmt: skip
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def honesty_table(
    done: dict[Key, list[float]], short: str, options: argparse.Namespace
) -> Iterator[str]:
    yield "| target | labels | " + " | ".join(HONESTY) + " |"
    yield "|---|---|" + "---|" * len(HONESTY)
    for target in TARGETS:
        draws = [str(seed) for seed in range(options.draws)]
        rows = [done[short, target.dataset, options.method, seed, "honesty"] for seed in draws]
        means = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        yield f"| {target.dataset} | {target.labels} | {means} |"


def outside_table(
    done: dict[Key, list[float]], short: str, options: argparse.Namespace
) -> Iterator[str]:
    yield "| dataset | adapted | outside | score | " + " | ".join(APART) + " |"
    yield "|---|---|---|---|" + "---|" * len(APART)
    after = [str(seed) for seed in range(options.draws)]
    parts = product(OUTSIDE, ((["None"], "no"), (after, f"{LABELS} labels")), ("no class", *KINDS))
    for name, (seeds, adapted), kind in parts:
        for score in SCORES:
            rows = np.array([done[short, name, score, seed, kind] for seed in seeds])
            area = shown(rows[:, 0]) if len(rows) > 1 else f"{rows[0, 0]:.3f}"
            rest = " | ".join("" if np.isnan(one) else f"{one:.3f}" for one in rows.mean(0)[1:])
            yield f"| {name} | {adapted} | {kind} | {score} | {area} | {rest} |"


if __name__ == "__main__":
    main()
