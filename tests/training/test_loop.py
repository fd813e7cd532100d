from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.model.architectures import build
from hemashift.training.checkpoint import Checkpoint
from hemashift.training.frames import WideFrame
from hemashift.training.launch import launch
from hemashift.training.loop import finished_network, precision, run
from hemashift.training.memory import keep_freed_memory
from hemashift.training.optimisation import (
    average_into,
    evaluating,
    make_optimiser,
    optimiser_state,
    restore_optimiser,
    start_average,
)
from hemashift.training.progress import Pace, Report
from hemashift.training.recipe import Recipe, recipe
from hemashift.training.scoring import HeldOut
from hemashift.training.split import Split, class_indices, dataset_names
from hemashift.training.store import ImageStore
from hemashift.training.task import TrainingTask


def tiny(**changes: object) -> Recipe:
    small = {
        "architecture": "efficientnet_lite0",
        "weights": "random",
        "size": 32,
        "early_size": 32,
        "epochs": 2,
        "batch_size": 8,
        "precision": "float32",
    }
    return recipe("robust", **{**small, **changes})


@pytest.fixture
def task(tables: list[CellTable], tmp_path: Path) -> TrainingTask:
    cells = CellTable.concat(tables)
    settings = tiny(early_size=32, size=40, early_part=0.5)
    frame = WideFrame.of(settings)
    return TrainingTask(
        images=ImageStore.build(cells, frame, tmp_path / "images").file,
        margin=frame.margin,
        classes=class_indices(cells, cells.classes()),
        datasets=dataset_names(cells),
        n_classes=len(cells.classes()),
        colour=frame.preprocessing.colour,
        recipe=settings,
        folder=tmp_path / "run",
    )


def steps_of(task: TrainingTask) -> int:
    return task.recipe.epochs * (len(task.classes) // task.recipe.batch_size)


def one_device() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def trained(task: TrainingTask, **changes: object) -> Checkpoint:
    task = dataclasses.replace(task, **changes)
    run(one_device(), task)
    return Checkpoint.load(task.checkpoint)


def same(first: Checkpoint, second: Checkpoint) -> bool:
    pairs = [(getattr(first, p), getattr(second, p)) for p in ("network", "average", "optimiser")]
    return all(
        a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a) for a, b in pairs
    )


def test_a_run_that_was_killed_ends_in_the_same_weights(task: TrainingTask, tmp_path: Path) -> None:
    whole = trained(task)
    parts = tmp_path / "in-parts"
    stopped = trained(task, folder=parts, stop_after=3)
    assert (stopped.step, len(stopped.losses)) == (3, 3)
    trained(task, folder=parts, stop_after=6)
    resumed = trained(task, folder=parts)
    assert resumed.step == whole.step == steps_of(task)
    assert same(whole, resumed)
    assert whole.history == resumed.history
    assert [row["epoch"] for row in whole.history] == [1, 2]


def test_the_seed_decides_the_result(task: TrainingTask, tmp_path: Path) -> None:
    first = trained(task, stop_after=2)
    again = trained(task, stop_after=2, folder=tmp_path / "again")
    other = trained(
        task,
        stop_after=2,
        folder=tmp_path / "other",
        recipe=task.recipe.model_copy(update={"seed": 1}),
    )
    assert same(first, again)
    assert not same(first, other)


def test_training_learns_what_it_is_shown(task: TrainingTask) -> None:
    easy = tiny(epochs=6, size=32, augmentation={"rotate": True}, average=0.0, learning_rate=2e-3)
    task = dataclasses.replace(task, recipe=easy)
    history = trained(task).history
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]


def test_a_small_training_part_is_passed_over_more_often(task: TrainingTask) -> None:
    per_epoch = len(task.classes) // task.recipe.batch_size
    settings = tiny(epochs=1, least_steps=2 * per_epoch + 1)
    saved = trained(task, recipe=settings)
    assert saved.step == 3 * per_epoch
    assert [row["epoch"] for row in saved.history] == [1, 2, 3]


def test_the_loop_reports_each_step_and_scores_each_epoch(task: TrainingTask) -> None:
    reports: list[Report] = []
    rows: list[dict[str, float]] = []

    def score(network: torch.nn.Module) -> dict[str, float]:
        assert not network.training
        return {"here/accuracy": 0.5}

    run(one_device(), task, reports.append, rows.append, score)
    steps = steps_of(task)
    assert [report.step for report in reports] == list(range(1, steps + 1))
    assert {report.epoch for report in reports} == {1, 2}
    assert reports[-1].seconds_left == 0
    assert reports[0].seconds_left > 0
    assert all(report.images_per_second > 0 and report.loss > 0 for report in reports)
    assert rows == finished_network(task)[1]
    assert rows[0]["here/accuracy"] == 0.5


def test_scoring_does_not_change_the_training(task: TrainingTask, tmp_path: Path) -> None:
    without = trained(task)
    scored = dataclasses.replace(task, folder=tmp_path / "scored")
    run(one_device(), scored, score=lambda network: {})
    assert same(without, Checkpoint.load(scored.checkpoint))


@pytest.mark.parametrize("change", ["recipe", "labels"])
def test_a_run_of_other_settings_is_not_taken_up(task: TrainingTask, change: str) -> None:
    trained(task, stop_after=1)
    if change == "recipe":
        other = dataclasses.replace(
            task, recipe=task.recipe.model_copy(update={"learning_rate": 0.1})
        )
    else:
        other = dataclasses.replace(task, classes=task.classes[::-1].copy())
    expected = {"recipe": "learning_rate", "labels": "labels"}[change]
    with pytest.raises(HemashiftError, match=f"changed: {expected}"):
        run(one_device(), other)


def test_a_batch_of_one_image_a_device_is_refused(task: TrainingTask) -> None:
    lone = dataclasses.replace(
        task,
        classes=task.classes[:1],
        datasets=task.datasets[:1],
        recipe=tiny(sampling="natural"),
    )
    with pytest.raises(HemashiftError, match="fewer than two images"):
        run(one_device(), lone)


def test_what_a_device_is_sent_is_small(task: TrainingTask, tmp_path: Path) -> None:
    held_out = HeldOut(task.images, task.classes, task.datasets, task.n_classes)
    assert len(pickle.dumps((task, held_out))) < 20_000


def test_a_damaged_checkpoint_is_named(task: TrainingTask) -> None:
    trained(task, stop_after=1)
    data = task.checkpoint.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"\x00" * 100):
        task.checkpoint.write_bytes(damaged)
        with pytest.raises(HemashiftError, match="checkpoint cannot be read") as caught:
            run(one_device(), task)
        assert str(task.checkpoint) in str(caught.value)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Checkpoint(
        step=7,
        settings={"seed": 1, "window": [0.5, 1.0]},
        network={"a.weight": torch.randn(3, 4).t(), "count": torch.tensor(5)},
        average={"a.weight": torch.randn(2)},
        optimiser={"0.step": torch.tensor(7.0)},
        losses=[0.1, 1 / 3],
        history=[{"epoch": 1.0, "loss": 0.7}],
    )
    kept.save(tmp_path / "checkpoint.safetensors")
    read = Checkpoint.load(tmp_path / "checkpoint.safetensors")
    assert same(kept, read)
    assert (read.step, read.settings, read.losses, read.history) == (
        kept.step,
        kept.settings,
        kept.losses,
        kept.history,
    )


def test_an_optimiser_goes_on_as_if_it_had_not_stopped() -> None:
    def step(network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        network(torch.ones(2, 3)).square().sum().backward()
        optimiser.step()

    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    optimiser = make_optimiser(network, tiny())
    step(network, optimiser)
    twin = torch.nn.Linear(3, 2)
    twin.load_state_dict(network.state_dict())
    other = make_optimiser(twin, tiny())
    restore_optimiser(other, optimiser_state(optimiser))
    step(network, optimiser)
    step(twin, other)
    assert torch.equal(network.weight, twin.weight)


def test_weight_decay_spares_biases_and_normalisation() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    groups = make_optimiser(network, tiny(weight_decay=0.1)).param_groups
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(network[0].weight)}


def test_the_average_follows_the_network_and_is_lent_for_scoring() -> None:
    network = torch.nn.BatchNorm1d(2)
    average = start_average(network)
    with torch.no_grad():
        network.weight.fill_(3.0)
    network.num_batches_tracked.fill_(9)
    average_into(average, network, decay=0.5, step=1000)
    assert average["weight"].tolist() == [2.0, 2.0]
    assert int(average["num_batches_tracked"]) == 9
    with evaluating(network, average):
        assert network.weight.tolist() == [2.0, 2.0]
        assert not network.training
    assert network.weight.tolist() == [3.0, 3.0]
    assert network.training


def test_the_time_left_counts_pixels() -> None:
    settings = Recipe(size=200, early_size=100, early_part=0.5)
    pace = Pace(settings, 10, 0)
    pace._elapsed = 5.0  # five early steps of a second each
    assert pace.seconds_left(5) == pytest.approx(5 * 4.0)


def test_held_out_cells_are_never_trained_on_and_groups_stay_whole(
    tables: list[CellTable],
) -> None:
    frame = tables[0].frame.assign(group=[f"smear {i // 3}" for i in range(len(tables[0]))])
    split = Split.make([CellTable(frame, tables[0].root), tables[1]], 0.3, seed=0)
    trained_on, held_out = (
        {(str(p)) for p in part.paths()} for part in (split.trained, split.held_out)
    )
    assert not trained_on & held_out
    assert len(trained_on) + len(held_out) == sum(map(len, tables))
    assert not set(split.trained.frame["group"]) & set(split.held_out.frame["group"])
    assert set(dataset_names(split.held_out)) == {"large", "small"}
    assert split.counts()["large"] == {"lymphocyte": 10, "monocyte": 10, "neutrophil": 10}


def test_datasets_of_one_name_are_refused(tables: list[CellTable]) -> None:
    with pytest.raises(HemashiftError, match="told apart"):
        Split.make([tables[0], tables[0]], 0.2, seed=0)


def test_a_dataset_too_small_to_hold_out_is_named(tables: list[CellTable]) -> None:
    one = tables[1].select([0])
    with pytest.raises(HemashiftError, match="too few cells to hold some out") as caught:
        Split.make([tables[0], one], 0.2, seed=0)
    assert "small" in str(caught.value.where)


def test_a_single_class_is_refused(tables: list[CellTable]) -> None:
    one = tables[0].select((tables[0].frame["class"] == "monocyte").to_numpy())
    with pytest.raises(HemashiftError, match="fewer than two classes"):
        Split.make([one], 0.2, seed=0)


def test_two_devices_train_together(task: TrainingTask) -> None:
    task = dataclasses.replace(task, stop_after=steps_of(task) // 2)
    held_out = HeldOut(task.images, task.classes, task.datasets, task.n_classes)
    launch(task, 2, score=held_out)
    saved = Checkpoint.load(task.checkpoint)
    assert saved.step == steps_of(task) // 2
    assert 0 <= saved.history[0]["large/accuracy"] <= 1
    assert all(bool(torch.isfinite(value).all()) for value in saved.network.values())


@pytest.mark.parametrize(("wanted", "name"), [("float32", "32-true"), ("bfloat16", "bf16-mixed")])
def test_the_precision_is_the_one_asked_for(wanted: str, name: str) -> None:
    assert precision(wanted) == name
    assert precision("auto") in ("32-true", "bf16-mixed")


def test_keeping_freed_memory_says_whether_it_could() -> None:
    assert isinstance(keep_freed_memory(), bool)


def test_the_answer_of_a_network_in_training_is_scored(
    tables: list[CellTable], tmp_path: Path, task: TrainingTask
) -> None:
    from hemashift.training.frames import preprocessing_of

    cells = CellTable.concat(tables)
    store = ImageStore.build(cells, preprocessing_of(task.recipe), tmp_path / "held")
    truth = class_indices(cells, cells.classes())
    network = build("efficientnet_lite0", 3, pretrained=False).eval()
    with torch.no_grad():
        network.head.output.bias.copy_(torch.tensor([0.0, 100.0, 0.0]))
    scores = HeldOut(store.file, truth, dataset_names(cells), 6)(network)
    assert scores["large/accuracy"] == pytest.approx(1 / 3)
    assert scores["large/macro_recall"] == pytest.approx(1 / 3)
    assert scores["small/macro_precision"] == pytest.approx(1 / 9)
    assert np.isfinite(list(scores.values())).all()
