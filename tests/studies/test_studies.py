"""The studies of datasets, architectures, targets and ablation on the small world."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score

pytest.importorskip("torch")

from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.studies import networks
from hemashift.studies.draws import draw as draw_labels
from hemashift.studies.outcomes import outcome
from hemashift.studies.running import PAGE, run_studies
from hemashift.studies.settings import DatasetSettings
from hemashift.studies.target_sections import AVERAGE
from hemashift.studies.workspace import Workspace

Again = Callable[..., Workspace]


def table(work: Workspace, study: str, name: str) -> pd.DataFrame:
    one = pd.read_csv(work.folder / study / f"{name}.csv")
    other = pd.read_parquet(work.folder / study / f"{name}.parquet")
    assert one.columns.tolist() == other.columns.tolist() and len(one) == len(other)
    return one


@pytest.fixture(scope="module")
def finished(busy: Workspace) -> Workspace:
    """The four studies, run."""
    records = run_studies(["datasets", "architectures", "targets", "ablation"], busy)
    assert [record for record in records if record.error] == []
    return busy


def test_everything_is_on_one_page(finished: Workspace) -> None:
    page = (finished.folder / PAGE).read_text()
    for text in ("Table 2", "Figure 3", "Networks", "Figure 6", "Table 5", "Table C.1"):
        assert text in page
    assert "http" not in page.split("</style>")[1].replace("http://www.w3.org", "")


def test_every_figure_is_a_file_for_print(finished: Workspace) -> None:
    for name in ("datasets/figure_2", "targets/figure_6", "targets/figure_7", "ablation/ablation"):
        with Image.open(finished.folder / f"{name}.png") as picture:
            assert picture.width > 300
        assert (finished.folder / f"{name}.svg").read_text().lstrip().startswith("<?xml")


def test_the_datasets_are_counted_whole(finished: Workspace) -> None:
    counts = table(finished, "datasets", "counts").set_index(["dataset", "class"])
    assert counts.loc[("gamma", "monocyte"), "found"] == 8
    assert counts["published"].isna().all()
    assert counts["found"].sum() == 32 + 24 + 32 + 24


def test_targets_are_scored_by_each_approach_and_draw(finished: Workspace) -> None:
    scores = table(finished, "targets", "scores")
    assert set(scores["dataset"]) == {"gamma", "delta"}
    assert set(scores["approach"]) == {"workflow", "own"}
    runs = table(finished, "targets", "runs")
    assert sorted(runs["draw"].unique()) == [1, 2] and (runs["labels"] == 9).all()
    gamma = finished.dataset("gamma")
    assert gamma is not None
    accuracies = []
    for draw in finished.draws(gamma):
        predictions = outcome(finished, "own", gamma, draw).predictions
        accuracies.append((predictions["truth"] == predictions["predicted"]).mean())
    chosen = scores[(scores["dataset"] == "gamma") & (scores["approach"] == "own")]
    found = chosen.set_index("metric").loc["accuracy"]
    assert found["value"] == pytest.approx(np.mean(accuracies))
    assert found["low"] <= found["value"] <= found["high"]


def test_areas_are_those_of_scikit_learn(finished: Workspace) -> None:
    areas = table(finished, "targets", "areas")
    gamma = finished.dataset("gamma")
    assert gamma is not None
    found = outcome(finished, "own", gamma, finished.draw(gamma, 0))
    truth = found.predictions["truth"]
    expected = {
        name: average_precision_score(truth == name, found.predictions[f"p_{name}"])
        for name in sorted(set(truth))
    }
    own = areas[(areas["dataset"] == "gamma") & (areas["approach"] == "own") & (areas["draw"] == 1)]
    kept = own.set_index("class")["area"].to_dict()
    assert kept.pop(AVERAGE) == pytest.approx(np.mean(list(expected.values())))
    assert kept == pytest.approx(expected, abs=1e-6)


def test_the_ablation_pairs_the_same_cells(finished: Workspace) -> None:
    scores = table(finished, "ablation", "scores")
    assert len(scores) == 2 * 4 * 2 * 5  # datasets, conditions, draws, metrics
    counts = table(finished, "ablation", "counts")
    truth = counts.groupby(["dataset", "draw", "condition", "truth"])["cells"].sum().unstack()
    for _, part in truth.groupby(level=["dataset", "draw"]):
        assert (part.fillna(0).nunique() == 1).all()
    tests = table(finished, "ablation", "tests")
    successive = tests[tests["family"] == "successive"]
    assert set(zip(successive["first"], successive["second"], strict=True)) == {
        ("no_finetuning", "head_only"),
        ("head_only", "workflow"),
    }
    assert set(tests[tests["family"] == "further"]["second"]) == {"own"}
    averages = table(finished, "ablation", "table_5").groupby(["condition", "metric"])["mean"]
    means = scores[scores["metric"] == "accuracy"].groupby(["condition", "dataset"])["value"].mean()
    assert averages.mean()["own", "accuracy"] == pytest.approx(means["own"].mean())


def test_networks_are_measured(finished: Workspace) -> None:
    [network] = table(finished, "architectures", "summary").to_dict("records")
    assert network["architecture"] == "efficientnet_lite0" and network["weights"] == "imagenet"
    assert 3e6 < network["parameters"] < 5e6
    assert network["milliseconds"] > 0 and network["training_seconds"] > 0
    scores = table(finished, "architectures", "scores")
    assert scores["dataset"].tolist() == ["gamma", "delta"]
    assert network["accuracy"] == pytest.approx(scores["accuracy"].mean())
    assert scores["cells"].tolist() == [8, 4]


def test_a_second_start_computes_nothing(
    finished: Workspace, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Encoder, "encode", lambda *_: pytest.fail("encoded again"))
    monkeypatch.setattr("hemashift.training.source.train", lambda *_, **__: pytest.fail("trained"))
    for name in ("write_drawn", "write_study_page"):
        monkeypatch.setattr(f"hemashift.studies.running.{name}", lambda *_, **__: [])
    records = run_studies(["datasets", "architectures", "targets", "ablation"], again(finished))
    assert not any(record.fresh or record.error for record in records)


def trained_at_once(bundle: Bundle) -> Callable[..., tuple[Bundle, float]]:
    """What `networks._trained` gives, without a training."""
    scores = {"accuracy": 0.5, "macro_f1": 0.4, "cells": 8}
    metrics = {"held_out": {"alpha": scores}, "no_adaptation": {"gamma": scores}}
    made = Bundle(bundle.card.updated(metrics=metrics), bundle.contents)
    return lambda *_: (made, 1.0)


def test_a_network_without_weights_starts_from_random_ones_and_is_marked(
    work: Workspace, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemashift.studies.weights.have_weights", lambda *_, **__: False)
    monkeypatch.setattr(networks, "_trained", trained_at_once(bundle))
    [record] = run_studies(["architectures"], work)
    assert not record.error
    [network] = table(work, "architectures", "summary").to_dict("records")
    assert network["weights"] == "random"
    page = (work.folder / PAGE).read_text()
    assert "efficientnet_lite0 *" in page and "started from random weights" in page


def test_what_fails_in_a_training_is_told_and_tried_again(
    work: Workspace, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> None:
        raise HemashiftError("the ImageNet weights cannot be loaded", hint="connect")

    monkeypatch.setattr(networks, "_trained", offline)
    [record] = run_studies(["architectures"], work)
    assert "cannot be loaded" in record.error
    monkeypatch.setattr(networks, "_trained", trained_at_once(bundle))
    [record] = run_studies(["architectures"], work)
    assert not record.error
    [network] = table(work, "architectures", "summary").to_dict("records")
    assert network["weights"] == "imagenet"


def test_a_target_with_too_few_cells_fails_alone(work: Workspace, again: Again) -> None:
    greedy = {**work.settings.datasets}
    greedy["delta"] = DatasetSettings(folder=greedy["delta"].folder, labels=500)
    options = work.settings.study.model_copy(
        update={"targets": work.settings.study.targets.model_copy(update={"approaches": ("own",)})}
    )
    records = run_studies(["targets"], again(work, datasets=greedy, study=options, draws=1))
    failed = {record.part: record.error for record in records if record.error}
    assert list(failed) == ["delta"] and "too few cells" in failed["delta"]
    assert set(table(work, "targets", "scores")["dataset"]) == {"gamma"}


def test_draws_of_a_study_are_those_of_the_workspace(busy: Workspace) -> None:
    gamma = busy.dataset("gamma")
    assert gamma is not None
    how = busy.settings
    direct = draw_labels(gamma.cells, gamma.settings, how.labelling, 1, how.seed)
    np.testing.assert_array_equal(direct.labelled, busy.draws(gamma)[1].labelled)
