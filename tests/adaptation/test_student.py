"""The student of `blend`: what is trained, what stays, and what the teacher is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.finetune import FinetuneSettings
from hemashift.adaptation.student import Student
from hemashift.model.checkpoint import encoder_tensors, load_network
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder

from .conftest import Draw, MakeTask

LABELS = ["lymphocyte", "eosinophil", "blast"] * 2
FEW = FinetuneSettings(learning_rate=1e-4, batch_size=6, epochs=2)


@pytest.fixture
def task(make_task: MakeTask, draw: Draw, encoder: Encoder) -> Task:
    """Six labelled cells of three classes, and unlabelled ones of these and two more."""
    names = [*LABELS, "monocyte", "basophil"] * 3
    images = np.stack([draw(name, 50 + i) for i, name in enumerate(names)])
    return replace(make_task(LABELS), pool=encoder.encode(images), pool_images=images)


def test_the_upper_half_is_trained_and_the_lower_stays(task: Task) -> None:
    before = encoder_tensors(load_network(task.model))
    after = encoder_tensors(Student(FEW).fit(task).network)
    moved = {name for name, tensor in before.items() if not np.array_equal(tensor, after[name])}
    assert {"trunk.conv_head.weight", "trunk.blocks.6.0.conv_pw.weight"} <= moved
    lower = ("trunk.conv_stem", "trunk.bn1", *(f"trunk.blocks.{stage}." for stage in range(5)))
    assert not [name for name in moved if name.startswith(lower) or "running" in name]


@dataclass(frozen=True)
class Stubborn:
    """A teacher who takes every cell for a monocyte."""

    head: Stubborn | None = None

    def fit(self, task: Task) -> Stubborn:
        return Stubborn(self)

    def probabilities(self, encoded: Encoded) -> np.ndarray:
        said = np.zeros((len(encoded), 7))
        said[:, MONOCYTE] = 1
        return said


MONOCYTE = 4


def test_of_unlabelled_cells_it_learns_what_its_teacher_says(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert task.pool_images is not None
    assert task.classes[MONOCYTE] == "monocyte" and len(task.classes) == 7
    monkeypatch.setattr("hemashift.adaptation.student.Blend", Stubborn)
    settings = FinetuneSettings(learning_rate=1e-3, batch_size=6, epochs=10)
    unlabelled = Cells(task.pool_images, task.pool)
    taught, untaught = (
        Student(settings).fit(one).probabilities(unlabelled)[:, MONOCYTE].mean()
        for one in (task, replace(task, pool_images=None))
    )
    assert taught > untaught + 0.05


def test_what_the_lower_half_said_in_one_fold_holds_in_the_next(task: Task) -> None:
    method = Student(FEW)
    method.fit(task)
    rows = np.array([0, 2, 4, 5])
    again = method.fit(task[rows]).probabilities(task.cells)
    np.testing.assert_array_equal(again, Student(FEW).fit(task[rows]).probabilities(task.cells))
