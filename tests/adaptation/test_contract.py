"""What every method of adaptation must do; a new method joins by one line in `METHODS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hemashift.adaptation.auto import Auto
from hemashift.adaptation.batchnorm import BatchNorm
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.classmix import ClassMix
from hemashift.adaptation.contract import Fitted, Method, Task, Unadapted
from hemashift.adaptation.head import HeadOnly
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.propagation import Propagation
from hemashift.adaptation.prototypes import Prototypes
from hemashift.adaptation.transductive import Transductive
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder

from .conftest import MakeTask


def finetune() -> Method:
    pytest.importorskip("optuna")
    from hemashift.adaptation.finetune import Finetune, FinetuneSettings

    return Finetune(trials=0, settings=FinetuneSettings(learning_rate=1e-5, batch_size=4, epochs=1))


def lpft() -> Method:
    pytest.importorskip("optuna")
    from hemashift.adaptation.finetune import FinetuneSettings
    from hemashift.adaptation.lpft import LPFT

    return LPFT(FinetuneSettings(learning_rate=1e-5, batch_size=4, epochs=1))


def student() -> Method:
    pytest.importorskip("optuna")
    from hemashift.adaptation.finetune import FinetuneSettings
    from hemashift.adaptation.student import Student

    return Student(FinetuneSettings(learning_rate=1e-5, batch_size=4, epochs=1))


METHODS: dict[str, Callable[[], Method]] = {
    "probe": Probe,
    "blend": Blend,
    "prototypes": Prototypes,
    # At one strength there is no choice, so that unlabelled cells do count.
    "propagation": lambda: Propagation(strengths=(0.3,)),
    "transductive": lambda: Transductive(strengths=(0.3,)),
    "classmix": ClassMix,
    "head": HeadOnly,
    "auto": lambda: Auto((Probe(("embedding",), (0.03, 0.3)), HeadOnly(passes=(5, 20)))),
    "batchnorm": BatchNorm,
    "lpft": lpft,
    "student": student,
    "finetune": finetune,
}
# These train in small batches, drawn in the order of the cells.
IN_BATCHES = ("lpft", "student", "finetune")
# These learn little in the few steps that they are given here.
SLOW = (*IN_BATCHES, "batchnorm")
LABELS = {
    "absent classes": ["lymphocyte", "monocyte", "neutrophil"] * 4,
    "one label of a class": ["lymphocyte", "neutrophil"] * 5 + ["basophil"],
    "two classes": ["monocyte", "neutrophil"] * 3,
    "a class beyond the six": ["monocyte", "blast", "neutrophil"] * 4,
    "a single cell": ["monocyte"],
}


FitOnce = Callable[[str, str], tuple[Task, Fitted]]


@pytest.fixture(params=METHODS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fit_once(make_task: MakeTask) -> FitOnce:
    """Fit a method by its name to one of `LABELS`; what was fitted is asked by several tests."""

    @cache
    def fit(name: str, labels: str) -> tuple[Task, Fitted]:
        task = make_task(LABELS[labels])
        return task, METHODS[name]().fit(task)

    return fit


@pytest.mark.parametrize("labels", LABELS)
def test_few_labels_of_any_classes(name: str, labels: str, fit_once: FitOnce) -> None:
    task, fitted = fit_once(name, labels)
    found = fitted.probabilities(task.cells)
    assert found.shape == (len(LABELS[labels]), len(task.classes))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert fitted.bundle().card.classes == task.classes


def test_no_unlabelled_cells(name: str, make_task: MakeTask) -> None:
    task = make_task(LABELS["a class beyond the six"])
    task = replace(task, pool=task.pool[:0])
    found = METHODS[name]().fit(task).probabilities(task.cells)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_the_cells_beside_a_cell_do_not_matter(name: str, fit_once: FitOnce) -> None:
    task, fitted = fit_once(name, "two classes")
    rows = np.array([4, 1])
    alone = fitted.probabilities(task.cells[rows])
    np.testing.assert_allclose(alone, fitted.probabilities(task.cells)[rows], atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(IN_BATCHES)))
def test_the_order_of_the_labels_does_not_matter(name: str, fit_once: FitOnce) -> None:
    task, fitted = fit_once(name, "a class beyond the six")
    mixed = task[np.random.default_rng(0).permutation(len(task))]
    first, second = (one.probabilities(task.cells) for one in (fitted, METHODS[name]().fit(mixed)))
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_the_saved_model_says_the_same(name: str, fit_once: FitOnce, tmp_path: Path) -> None:
    task, fitted = fit_once(name, "a class beyond the six")
    kept = Bundle.load(fitted.bundle().save(tmp_path / "model"))
    again = kept.head.probabilities(Encoder(kept, threads=1).encode(task.cells.images))
    np.testing.assert_allclose(again, fitted.probabilities(task.cells), atol=1e-4)
    assert kept.card.parent == task.model.hash


def test_the_same_seed_gives_the_same_model(
    name: str, fit_once: FitOnce, make_task: MakeTask
) -> None:
    _, first = fit_once(name, "a class beyond the six")
    second = METHODS[name]().fit(make_task(LABELS["a class beyond the six"]))
    assert first.bundle().contents == second.bundle().contents


def test_the_model_started_from_stays_as_it_is(
    name: str, fit_once: FitOnce, bundle: Bundle
) -> None:
    task, fitted = fit_once(name, "two classes")
    assert fitted.bundle().hash != bundle.hash
    assert task.model is bundle
    bundle.check()


def test_an_adapted_model_can_be_adapted_again(
    name: str, fit_once: FitOnce, make_task: MakeTask
) -> None:
    """Its head is linear, where the first model had the head of the paper."""
    linear = fit_once("probe", "a class beyond the six")[1].bundle()
    assert linear.card.head.kind == "linear"
    task = make_task(LABELS["a class beyond the six"], model=linear)
    fitted = METHODS[name]().fit(task)
    right = fitted.probabilities(task.cells).argmax(axis=1) == task.targets
    assert fitted.bundle().card.classes == linear.card.classes
    assert right.mean() > 0.9


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(SLOW)))
def test_learns_colours(name: str, make_task: MakeTask) -> None:
    labels = ["lymphocyte", "eosinophil", "blast"] * 5
    task = make_task(labels)
    new = make_task([*labels, *labels])
    fitted = METHODS[name]().fit(task)
    held_out = new.cells[np.arange(len(labels), 2 * len(labels))]
    right = fitted.probabilities(held_out).argmax(axis=1) == task.targets
    assert right.mean() > 0.6


def test_no_adaptation_gives_new_classes_no_chance(make_task: MakeTask) -> None:
    task = make_task(LABELS["a class beyond the six"])
    found = Unadapted().fit(task).probabilities(task.cells)
    assert task.classes[6] == "blast"
    assert (found[:, 6] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_what_is_found_of_a_task_is_found_once(make_task: MakeTask) -> None:
    task = make_task(LABELS["a class beyond the six"])
    asked: list[int] = []

    def find() -> int:
        asked.append(1)
        return len(asked)

    assert [task.once("a", find), task.once("a", find), task.once("b", find)] == [1, 1, 2]
    some = task[np.arange(len(task) - 1)]
    assert [some.once("a", find), task.once("a", find)] == [3, 1]


def test_a_probe_of_other_settings_is_another(make_task: MakeTask) -> None:
    task = make_task(LABELS["a class beyond the six"])
    first, same, other = Probe(penalties=(0.1,)), Probe(penalties=(0.1,)), Probe(penalties=(1.0,))
    assert first.fit(task) is same.fit(task)
    assert other.fit(task) is not first.fit(task)
    assert (same.chosen, other.chosen) == (("features", 0.1), ("features", 1.0))
