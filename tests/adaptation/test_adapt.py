"""From a folder and a label file to an adapted model, an estimate and the refusals."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.adaptation import adapt
from hemashift.adaptation.adapt import adapt_task, naming
from hemashift.adaptation.adapt import make_task as prepared
from hemashift.adaptation.auto import Auto, goodness, out_of_fold
from hemashift.adaptation.contract import Cells, Fitted, Float, Task
from hemashift.adaptation.folds import folds
from hemashift.adaptation.labels import read_labels
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.registry import make_method
from hemashift.errors import (
    AdaptationError,
    HemashiftError,
    ImageError,
    MissingExtraError,
    WorseModelError,
)
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.trust.storage import read_trust

from .conftest import MakeTask, draw_cell

THREE = ["lymphocyte", "monocyte", "neutrophil"]
module = import_module("hemashift.adaptation.adapt")
registry = import_module("hemashift.adaptation.registry")


def quick_probe() -> Probe:
    return Probe(("features",), (0.01, 0.1))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the probe little to choose from."""
    monkeypatch.setitem(registry._LIGHT, "probe", quick_probe)


def hashes(folder: Path) -> set[str]:
    names = pd.read_csv(folder / "labels.csv")["path"]
    return {hashlib.sha256((folder / "cells" / name).read_bytes()).hexdigest() for name in names}


def test_from_folder_to_model(laboratory: Path, bundle: Bundle, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    adapted = adapt(
        laboratory / "cells", laboratory / "labels.csv", model=bundle, method="probe", seed=3,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert adapted.method == "probe"
    assert adapted.before.overall["accuracy"].estimate < 0.7
    assert adapted.after.overall["accuracy"].estimate > 0.8
    assert adapted.counts == {name: 8 * (name in THREE) for name in bundle.card.classes}
    assert any("basophil, eosinophil, erythroblast" in note for note in adapted.notes)
    assert adapted.cells is not None and len(adapted.cells.unlabelled) == 12
    assert ("reading labelled cells", 24, 24) in told
    begins, ends = told.index(("adapting", 0, 1)), told.index(("adapting", 1, 1))
    assert begins < ends < told.index(("cross-validating", 1, 5))
    assert told[-1] == ("cross-validating", 5, 5)

    card = Bundle.load(adapted.bundle.save(tmp_path / "model")).card
    assert labelled_hashes(card.model_dump()) == hashes(laboratory)
    assert card.provenance["adaptation"]["seed"] == 3  # type: ignore[call-overload, index]
    assert card.metrics["cross_validation"]["after"]["accuracy"][0] == pytest.approx(  # type: ignore[call-overload, index]
        adapted.after.overall["accuracy"].estimate, abs=1e-4
    )
    assert card.metrics["cross_validation"]["expected"]["accuracy"][0] == pytest.approx(  # type: ignore[call-overload, index]
        adapted.expected.estimate, abs=1e-4
    )
    assert adapted.expected.low < adapted.expected.estimate
    assert card.parent == bundle.hash
    assert card.name == f"{bundle.card.name} adapted (probe, 24 labels)"
    assert bundle.card.name in card.description and "classes" not in card.description
    assert naming(adapted.bundle, "again")["name"] == f"{bundle.card.name} adapted (again)"
    assert 0.25 <= card.temperature <= 4
    assert adapted.bundle.head.temperature == card.temperature


def test_the_seed_decides(laboratory: Path, bundle: Bundle) -> None:
    frame = pd.read_csv(laboratory / "labels.csv")
    first, second = (
        adapt(laboratory / "cells", frame, model=bundle, method="probe", seed=5) for _ in range(2)
    )
    assert first.bundle.contents == second.bundle.contents
    assert first.bundle.card.temperature == second.bundle.card.temperature
    np.testing.assert_array_equal(first.after.probabilities, second.after.probabilities)


def test_few_labels_leave_scores_that_a_card_can_hold(laboratory: Path, bundle: Bundle) -> None:
    frame = pd.read_csv(laboratory / "labels.csv").groupby("label").head(2)
    adapted = adapt(laboratory / "cells", frame, model=bundle, method="probe")
    assert "NaN" not in adapted.bundle.card.to_json()
    assert any("Fewer than 5 labelled cells" in note for note in adapted.notes)


def test_adapting_again_keeps_in_mind_what_was_learnt(
    laboratory: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.read_csv(laboratory / "labels.csv")
    first = adapt(laboratory / "cells", frame[frame.index % 8 < 5], model=bundle, method="probe")
    assert not any("already used" in note for note in first.notes)
    # The first model knows some cells by heart and may seem better than it is.
    monkeypatch.setattr(module, "_accuracy", lambda evaluation: 1.0)
    rest = frame[frame.index % 8 >= 4]
    second = adapt(laboratory / "cells", rest, model=first.bundle, method="probe")
    assert labelled_hashes(second.bundle.card.model_dump()) == hashes(laboratory)
    assert any(note.startswith("3 labelled cells were already used") for note in second.notes)
    monkeypatch.setattr(module, "adapt_task", refuse)
    with pytest.raises(WorseModelError, match="12 labelled cells were already used"):
        adapt(laboratory / "cells", rest, model=second.bundle, method="probe")


def refuse(*_: object) -> None:
    raise WorseModelError("worse")


def test_a_labelled_image_that_cannot_be_read(laboratory: Path, bundle: Bundle) -> None:
    (laboratory / "cells" / "a" / "ly1.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match="1 of 24 labelled images cannot be read") as raised:
        adapt(laboratory / "cells", laboratory / "labels.csv", model=bundle, method="probe")
    assert "ly1.png" in str(raised.value)


def test_an_unlabelled_image_that_cannot_be_read(laboratory: Path, bundle: Bundle) -> None:
    (laboratory / "cells" / "new.png").write_bytes(b"no image")
    adapted = adapt(laboratory / "cells", laboratory / "labels.csv", model=bundle, method="probe")
    assert "Unlabelled images passed over, unreadable or masks: 1." in adapted.notes


def test_a_folder_with_nothing_but_labelled_images(laboratory: Path, bundle: Bundle) -> None:
    for i in range(8, 12):
        for path in (laboratory / "cells").rglob(f"*{i}.png"):
            path.unlink()
    adapted = adapt(laboratory / "cells", laboratory / "labels.csv", model=bundle, method="probe")
    assert adapted.cells is not None and not adapted.cells.unlabelled


def test_only_a_sample_of_a_large_folder_is_read(
    laboratory: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POOL", 5)
    told: list[tuple[str, int, int]] = []
    adapt(
        laboratory / "cells", laboratory / "labels.csv", model=bundle, method="probe",
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert [step for step in told if step[0] == "reading unlabelled cells"][-1][1:] == (5, 5)


def test_copies_of_one_image_only(laboratory: Path, bundle: Bundle) -> None:
    """Two classes, but within each fold's fitting part there is only one."""
    cells = laboratory / "copies"
    cells.mkdir()
    for name in ("ly0", "mo0"):
        for copy in range(3):
            shutil.copy(laboratory / "cells" / "b" / f"{name}.png", cells / f"{name}{copy}.png")
    rows = [(f"{n}{c}.png", n[:2]) for n in ("ly0", "mo0") for c in range(3)]
    frame = pd.DataFrame(rows, columns=["path", "label"])
    frame["label"] = frame["label"].map({"ly": "blast", "mo": "smudge"})
    adapted = adapt(cells, frame, model=bundle, method="probe")
    assert adapted.after.overall["accuracy"].estimate == 0


def test_unknown_method(laboratory: Path, bundle: Bundle) -> None:
    with pytest.raises(HemashiftError, match="auto, blend, probe, head, "):
        adapt(laboratory / "cells", laboratory / "labels.csv", model=bundle, method="magic")


def test_finetune_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hemashift.adaptation.finetune", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[train\]'"):
        make_method("finetune")


def test_one_class_or_one_image_is_not_a_task(make_task: MakeTask) -> None:
    with pytest.raises(AdaptationError, match="two classes"):
        adapt_task(make_task(["monocyte"] * 6), quick_probe())


def test_a_worse_model_is_not_handed_out(make_task: MakeTask) -> None:
    """Labels at random: the start model knows them by heart, nothing else can be learnt."""
    targets = np.random.default_rng(0).integers(3, 6, 40)
    task = replace(make_task(["monocyte"] * 40), targets=targets)
    by_heart = Probe(("features",), (1e-4,)).fit(task).bundle()
    task = replace(task, model=by_heart)
    with pytest.raises(WorseModelError, match="worse than the one it started from") as raised:
        adapt_task(task, quick_probe())
    assert isinstance(raised.value, AdaptationError)
    assert "at least the accuracy before, 1.000" in str(raised.value)


def test_a_loss_of_rare_classes_is_told(make_task: MakeTask) -> None:
    """More cells are right than before, and none of the rare class."""
    targets = np.array([3] * 18 + [4] * 18 + [5] * 4)
    task = written(replace(make_task(["monocyte"] * 40), targets=targets))
    known = np.where(np.arange(40) % 18 < 4, 7 - targets, targets)  # some monocytes exchanged
    known[36:] = 5
    start = Probe(("features",), (1e-4,)).fit(replace(task, targets=known)).bundle()
    task = replace(task, model=start)
    blind = adapt_task(task, Spy(needs=99, blind_to=5))
    assert blind.after.overall["accuracy"].estimate == pytest.approx(0.9)
    assert [note for note in blind.notes if note.startswith("Macro F1")]
    seeing = adapt_task(task, Spy())
    assert not [note for note in seeing.notes if note.startswith("Macro F1")]


@dataclass(frozen=True)
class Written:
    """Reads the truth off the corner of an image, up to a class that it takes for the first."""

    model: Bundle
    count: int
    blind_to: int | None

    def probabilities(self, cells: Cells) -> Float:
        said = cells.images[:, 0, 0, 0].astype(int)
        return np.eye(self.count, dtype=np.float32)[np.where(said == self.blind_to, 0, said)]

    def bundle(self) -> Bundle:
        return self.model


@dataclass
class Spy:
    """Notes from which groups it learns; with fewer labels than it needs it is blind to a class."""

    name: str = "spy"
    needs: int = 0
    blind_to: int | None = None
    seen: list[set[str]] = field(default_factory=list)

    def fit(self, task: Task) -> Fitted:
        self.seen.append(set(task.groups.tolist()))
        blind_to = self.blind_to if len(task) < self.needs else None
        return Written(task.model, len(task.classes), blind_to)


def written(task: Task) -> Task:
    """Write the truth into the corner of each image."""
    images = task.cells.images.copy()
    images[:, 0, 0, 0] = task.targets
    return replace(task, cells=Cells(images, task.cells.encoded))


def test_no_cell_is_predicted_by_a_model_that_knew_it_or_its_copies(make_task: MakeTask) -> None:
    groups = np.array([f"group {i // 2}" for i in range(15)])
    task = replace(written(make_task(THREE * 5)), groups=groups)
    spy = Spy()
    found = out_of_fold(spy, task)
    parts = folds(task.targets, groups, 5, task.seed + 1)
    assert len(spy.seen) == len(parts) == 5
    for seen, (fit, held) in zip(spy.seen, parts, strict=True):
        assert seen == set(groups[fit])
        assert not seen & set(groups[held])
    # Each cell's row is its own: nothing was mixed up on the way back.
    np.testing.assert_array_equal(found.argmax(axis=1), task.targets)


def test_without_other_groups_the_start_model_answers(make_task: MakeTask) -> None:
    task = make_task(["monocyte", "neutrophil"])
    alone = replace(task, groups=np.array(["a", "a"]))
    expected = task.model.head.probabilities(task.cells.encoded)
    np.testing.assert_array_equal(out_of_fold(Spy(), alone), expected)


def test_auto_names_the_model_that_is_handed_out(make_task: MakeTask) -> None:
    """Within the folds there are too few labels for `hungry`; with all of them it is the best."""
    task = written(make_task([*THREE, *["lymphocyte"] * 3] * 6))
    hungry = Spy("hungry", needs=22, blind_to=task.classes.index("lymphocyte"))
    steady = Spy("steady", needs=100, blind_to=task.classes.index("monocyte"))
    auto = Auto((hungry, steady))
    adapted = adapt_task(task, auto)
    assert auto.chosen == "steady"  # in the last fold
    assert adapted.method == "hungry"


def test_goodness_tells_equals_apart(make_task: MakeTask) -> None:
    task = make_task(THREE * 2)
    sure = np.eye(6, dtype=np.float32)[task.targets] * 0.8 + 0.2 / 6
    hesitant = np.eye(6, dtype=np.float32)[task.targets] * 0.3 + 0.7 / 6
    wrong = np.roll(sure, 1, axis=1)
    scores = [goodness(one, task).mean() for one in (sure, hesitant, wrong)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


@dataclass(frozen=True, eq=False)
class Answering:
    """Says the same of every cell as its method was told to, right or wrong by turns."""

    task: Task
    wrong: frozenset[int]

    def probabilities(self, cells: Cells) -> Float:
        known = {image.tobytes(): row for row, image in enumerate(self.task.cells.images)}
        rows = [known[image.tobytes()] for image in cells.images]
        answers = self.task.targets[rows].copy()
        answers[[row in self.wrong for row in rows]] = 5
        said: Float = np.full((len(rows), len(self.task.classes)), 0.02, np.float32)
        said[np.arange(len(rows)), answers] = 0.9
        return said

    def bundle(self) -> Bundle:
        return self.task.model


@dataclass
class Told:
    """A method whose mistakes are told to it."""

    name: str
    whole: Task
    wrong: frozenset[int]

    def fit(self, task: Task) -> Answering:
        return Answering(self.whole, self.wrong)


@pytest.mark.parametrize(
    ("of_first", "of_second", "chosen"),
    [({1}, {2}, "first"), ({0, 1}, {2}, "first"), (set(range(12)), set(), "second")],
)
def test_another_method_needs_a_clear_lead(
    of_first: set[int], of_second: set[int], chosen: str, make_task: MakeTask
) -> None:
    task = make_task(["lymphocyte", "monocyte"] * 10)
    candidates = {"first": of_first, "second": of_second}
    auto = Auto([Told(name, task, frozenset(wrong)) for name, wrong in candidates.items()])
    auto.fit(task)
    assert auto.chosen == chosen


def test_cells_labelled_outside_change_no_class_and_teach_what_is_outside(
    laboratory: Path, bundle: Bundle
) -> None:
    labels = laboratory / "labels.csv"
    plain = adapt(laboratory / "cells", labels, model=bundle, method="probe")
    for i in range(6):
        Image.fromarray(draw_cell("smudge", i)).save(laboratory / "cells" / f"odd{i}.png")
    names = [f"odd{i}.png" for i in range(6)]
    labels.write_text(labels.read_text() + "".join(f"{name},outside\n" for name in names[:4]))
    taught = adapt(laboratory / "cells", labels, model=bundle, method="probe")
    assert taught.counts == plain.counts
    assert taught.bundle.card.classes == plain.bundle.card.classes
    about = taught.bundle.card.provenance["adaptation"]
    assert about["strangers"] == 4
    assert hashes(laboratory) <= set(about["labelled_sha256"])  # evaluation leaves them out, too
    known, seen = read_trust(taught.bundle).outside, read_trust(plain.bundle).outside
    assert known is not None and known.evidence is not None
    assert seen is not None and seen.evidence is None
    encode = Encoder(bundle).encode
    odd = encode(np.stack([draw_cell("smudge", i) for i in range(20, 30)]))
    assert (known.scores(odd) > 1).all()
    assert known.scores(odd).mean() > seen.scores(odd).mean()


def test_pictures_of_one_cell_count_together(
    tmp_path: Path, bundle: Bundle, draw_lobes: Callable[[int], np.ndarray]
) -> None:
    """Cell 0 comes once more turned, cell 1 brighter, and cell 2 as the same file."""
    pictures = [draw_lobes(seed) for seed in range(8)]
    again = [np.rot90(pictures[0]), (pictures[1] * 0.9 + 20).astype(np.uint8), pictures[2]]
    for number, image in enumerate([*pictures, *again]):
        Image.fromarray(image).save(tmp_path / f"{number:02d}.png")
    names = [path.name for path in sorted(tmp_path.iterdir())]
    labels = [*["monocyte", "neutrophil"] * 4, "monocyte", "neutrophil", "monocyte"]
    frame = pd.DataFrame({"path": names, "label": labels})
    cells = read_labels(tmp_path, frame, bundle.card.classes)
    task, _ = prepared(bundle, cells, 0)
    assert task.copies is not None
    for found in (task.copies, task.groups):
        assert len(set(found.tolist())) == 8
        assert [found[8], found[9], found[10]] == [found[0], found[1], found[2]]


def test_patients_are_never_divided_and_count_as_one(laboratory: Path, bundle: Bundle) -> None:
    plain = pd.read_csv(laboratory / "labels.csv")
    named = plain.assign(patient=[f"patient {row % 6}" for row in range(len(plain))])
    adapted = adapt(laboratory / "cells", named, model=bundle, method="probe")
    assert adapted.after.groups is not None and len(set(adapted.after.groups)) == 6
    assert any("6 groups" in note for note in adapted.notes)
    trust = read_trust(adapted.bundle)
    assert trust.calibration is not None and len(trust.calibration) == len(plain)
    alone = adapt(laboratory / "cells", plain, model=bundle, method="probe")
    width = [one.expected.high - one.expected.low for one in (alone, adapted)]
    assert width[0] < width[1]
    same = adapt(
        laboratory / "cells", plain.assign(patient=range(len(plain))), model=bundle, method="probe"
    )
    assert same.after.probabilities.tolist() == alone.after.probabilities.tolist()
    assert same.bundle.card.metrics == alone.bundle.card.metrics
