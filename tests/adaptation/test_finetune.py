"""Fine-tuning with a search of settings, on a few tiny images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from hemashift.adaptation.adapt import adapt_task
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.finetune import Finetune, FinetuneSettings, predict, tune
from hemashift.model.checkpoint import encoder_tensors, load_network

from .conftest import MakeTask

module = import_module("hemashift.adaptation.finetune")

LABELS = ["lymphocyte", "eosinophil", "blast"] * 2
QUICK = FinetuneSettings(learning_rate=1e-4, batch_size=8, epochs=4)


@pytest.fixture
def small_task(make_task: MakeTask) -> MakeTask:
    """Make a task with images of 32 pixels: fine-tuning looks at these, not at encodings."""

    def make(labels: Sequence[str]) -> Task:
        task = make_task(labels)
        return replace(task, cells=Cells(task.cells.images[:, ::2, ::2], task.cells.encoded))

    return make


def test_the_search_keeps_the_best_settings_and_their_predictions(
    make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of a training: the nearer the learning rate to 1e-3, the surer of the truth."""
    task = make_task(LABELS)
    tried: list[FinetuneSettings] = []
    told: list[tuple[str, int, int]] = []

    def sure(settings: FinetuneSettings) -> float:
        return float(0.9 - 0.2 * abs(np.log10(settings.learning_rate) + 3))

    def stand_in_tune(task: Task, settings: FinetuneSettings) -> FinetuneSettings:
        tried.append(settings)
        return settings

    def stand_in_predict(network: FinetuneSettings, images: np.ndarray) -> np.ndarray:
        found = np.zeros((len(images), 7), np.float32)
        for row, image in enumerate(images):
            truth = next(t for t, own in zip(task.targets, task.cells.images, strict=True)
                         if own is image or np.array_equal(own, image))  # fmt: skip
            found[row] = (1 - sure(network)) / 6
            found[row, truth] = sure(network)
        return found

    monkeypatch.setattr(module, "tune", stand_in_tune)
    monkeypatch.setattr(module, "predict", stand_in_predict)
    runs = [Finetune(trials=6, on_progress=lambda *step: told.append(step)) for _ in range(2)]
    for run in runs:
        run.fit(task)
    first, second = runs
    assert first.chosen == second.chosen
    assert first.chosen == min(tried, key=lambda s: abs(np.log10(s.learning_rate) + 3))
    assert len(set(tried)) == 6
    found = first.out_of_fold
    assert found is not None and first.chosen is not None
    np.testing.assert_allclose(found[np.arange(6), task.targets], sure(first.chosen), atol=1e-6)
    assert told[0] == ("searching", 1, 18)
    assert all(done <= total == 18 for _, done, total in told)


def test_searched_adapted_and_used_again(make_task: MakeTask, small_task: MakeTask) -> None:
    method = Finetune(trials=1, settings=QUICK)
    task = make_task(["smudge", "blast"] * 3)  # of which the start model knows neither
    adapted = adapt_task(task, method)
    assert method.chosen == QUICK  # where the search starts
    assert method.out_of_fold is not None and method.out_of_fold.shape == (6, 8)
    np.testing.assert_allclose(method.out_of_fold.sum(axis=1), 1, atol=1e-5)
    assert adapted.method == "finetune"
    assert adapted.bundle.card.classes == task.classes
    assert any("chosen on the same folds" in note for note in adapted.notes)
    # Where there are too few labels for a search, it forgets the last one.
    method.fit(small_task(["lymphocyte", "blast"]))
    assert method.out_of_fold is None
    assert method.chosen == QUICK


def test_all_weights_move_and_batch_norm_keeps_its_statistics(small_task: MakeTask) -> None:
    task = small_task(LABELS)
    before = encoder_tensors(load_network(task.model))
    after = encoder_tensors(
        tune(task, FinetuneSettings(learning_rate=1e-3, batch_size=4, epochs=2))
    )
    for name, tensor in before.items():
        same = np.array_equal(tensor, after[name])
        assert same == ("running" in name), name


def test_learns(small_task: MakeTask) -> None:
    task = small_task(LABELS)
    rows = np.arange(len(task)), task.targets
    before = predict(tune(task, replace(QUICK, epochs=0)), task.cells.images)
    after = predict(tune(task, FinetuneSettings(5e-4, 6, 12)), task.cells.images)
    assert after[rows].mean() > before[rows].mean() + 0.2


def test_of_a_mixed_head_the_part_learnt_from_labels_is_trained_on(small_task: MakeTask) -> None:
    task = small_task(LABELS)
    mixed = replace(task, model=Blend().fit(task).bundle())
    linear = replace(task, model=Blend(listens=False).fit(task).bundle())
    ours, theirs = (tune(one, QUICK).state_dict() for one in (mixed, linear))
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)
