"""Adapting in a project: as on the command line, every version kept, and a way back."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from hemashift.adaptation import adapt
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.without_labels import adapt_unlabelled
from hemashift.app import (
    adapting,
    advice,
    audit_trail,
    encodings,
    importing,
    label_files,
    labelling,
    versions,
)
from hemashift.app.adapting import adapt_project
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.app.web.steps import steps
from hemashift.errors import AdaptationError, ModelFileError, WorseModelError
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.model.bundle import Bundle
from hemashift.trust.storage import read_trust

from .conftest import COLOURS, EACH, Label, cells_by_path, draw_cell, event

module = import_module("hemashift.adaptation.registry")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the probe little to choose from."""
    monkeypatch.setitem(module._LIGHT, "probe", lambda: Probe(("features",), (0.01, 0.1)))


def test_the_model_is_that_of_the_command_line(
    encoded: Project, label: Label, shipped: Bundle, tmp_path: Path
) -> None:
    label(encoded)
    label_files.export_labels(encoded, tmp_path / "labels.csv")
    expected = adapt(encoded.images, tmp_path / "labels.csv", model=shipped, method="probe", seed=3)
    made = adapt_project(encoded, by="A", method="probe", seed=3)
    found = Bundle.load(made.folder)
    for name, tensor in expected.bundle.head.to_tensors().items():
        assert np.allclose(found.head.to_tensors()[name], tensor, atol=1e-5)
    assert found.card.temperature == pytest.approx(expected.bundle.card.temperature)
    for key in ("adaptation",):
        assert found.card.provenance[key] == expected.bundle.card.provenance[key]
    assert found.card.metrics == expected.bundle.card.metrics
    assert made.after["accuracy"][0] == pytest.approx(
        expected.after.overall["accuracy"].estimate, abs=1e-4
    )


def test_a_version_says_how_it_was_made(encoded: Project, label: Label) -> None:
    label(encoded)
    told: list[str] = []
    made = adapt_project(
        encoded, by="A", method="probe", told=lambda step, done, total: told.append(step)
    )
    assert (made.number, made.parent, made.origin, made.method) == (2, 1, "adapted", "probe")
    assert {name: made.labels[name] for name in COLOURS} == dict.fromkeys(COLOURS, 6)
    assert made.before["accuracy"][0] < 0.7 < made.after["accuracy"][0]
    value, low, high = made.after["expected"]
    assert low is not None and high is not None and low < value <= high
    assert made.active and made.by == "A"
    assert len(labelled_hashes(Bundle.load(made.folder).card.model_dump())) == 18
    assert "cross-validating" in told


def test_every_version_is_kept_and_starts_from_the_first(encoded: Project, label: Label) -> None:
    label(encoded)
    adapt_project(encoded, by="A", method="probe")
    label(encoded, each=8)
    adapt_project(encoded, by="A", method="probe", seed=1)
    assert [one.parent for one in versions.versions(encoded)] == [None, 1, 1]
    assert [one.number for one in versions.versions(encoded) if one.active] == [3]
    back = versions.activate(encoded, 2, by="B")
    assert back.active and versions.bundle(encoded).hash == back.hash
    with Project.open(encoded.images) as again:
        assert versions.active(again).number == 2
    actions = [one.action for one in audit_trail.entries(encoded)]
    assert actions.count("add model") == 3 and actions[-1] == "activate"
    with pytest.raises(ProjectError):
        versions.activate(encoded, 9, by="A")


def test_a_worse_model_is_refused(
    encoded: Project, label: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise WorseModelError("the adapted model would be worse")

    label(encoded)
    monkeypatch.setattr(adapting, "adapt_task", refuse)
    job = encoded.jobs.start("adapt", lambda told: adapt_project(encoded, by="A", told=told))
    last = job.wait(600)
    assert last.state == "failed" and "would be worse" in str(last.error)
    assert [one.number for one in versions.versions(encoded)] == [1]
    assert versions.active(encoded).number == 1


def test_too_few_labels_are_refused(encoded: Project, label: Label) -> None:
    with pytest.raises(AdaptationError):
        adapt_project(encoded, by="A")
    label(encoded, each=1)
    with pytest.raises(AdaptationError):
        adapt_project(encoded, by="A")


def more_cells(project: Project) -> None:
    """Bring thirty further cells into the folder and encode all."""
    for name in COLOURS:
        for number in range(EACH, 2 * EACH):
            draw_cell(name, number).save(project.images / f"{name}-{number}.png")
    importing.refresh(project)
    encodings.encode_all(project)


def test_without_labels_it_learns_from_the_images(
    encoded: Project, label: Label, shipped: Bundle
) -> None:
    more_cells(encoded)
    made = adapt_project(encoded, by="A", seed=2)
    expected = adapt_unlabelled(encoded.images, model=shipped, seed=2)
    found = Bundle.load(made.folder)
    for name, tensor in expected.bundle.head.to_tensors().items():
        assert np.allclose(found.head.to_tensors()[name], tensor, atol=1e-5)
    assert found.card.provenance["adaptation"] == expected.bundle.card.provenance["adaptation"]
    assert (made.method, made.after, made.active) == ("unlabelled", {}, True)
    assert made.notes[:3] == tuple(str(expected).splitlines())
    assert advice.advice(encoded).curve == ()
    assert [step.done for step in steps(encoded, encoded.summary()) if step.slug == "adapt"] == [
        False
    ]
    # Labels start from the shipped model again.
    label(encoded)
    after = adapt_project(encoded, by="A", method="probe")
    assert after.parent == 1
    assert len(advice.advice(encoded).curve) == 1


def test_a_class_that_does_not_occur_is_never_given(
    encoded: Project, label: Label, shipped: Bundle, tmp_path: Path
) -> None:
    for name in ("basophil", "lymphocyte"):
        encoded.set_occurs(name, False, by="A")
    more_cells(encoded)
    looked = adapt_project(encoded, by="A")
    assert looked.classes == ("eosinophil", "erythroblast", "monocyte", "neutrophil")
    assert encoded.classes() == shipped.card.classes
    assert Bundle.load(looked.folder).card.parent == shipped.hash
    # Lymphocytes are labelled, so there are some.
    label(encoded)
    label_files.export_labels(encoded, tmp_path / "labels.csv")
    made = adapt_project(encoded, by="A", method="probe")
    expected = adapt(
        encoded.images, tmp_path / "labels.csv", model=shipped, method="probe", only=looked.classes
    )
    found = Bundle.load(made.folder)
    assert found.card.classes == expected.bundle.card.classes == made.classes
    assert "lymphocyte" in made.classes and "basophil" not in made.classes
    assert found.card.parent == shipped.hash
    assert any(note.startswith("lymphocyte is not among the classes") for note in made.notes)


def test_what_is_no_cell_teaches_what_is_outside(
    encoded: Project, label: Label, shipped: Bundle, tmp_path: Path
) -> None:
    label(encoded)
    odd = cells_by_path(encoded)
    cell = next(number for path, number in odd.items() if path.endswith("monocyte-9.png"))
    labelling.record(encoded, reader="A", cell=cell, verdict="not_a_cell", event=event())
    label_files.export_labels(encoded, tmp_path / "labels.csv")
    expected = adapt(encoded.images, tmp_path / "labels.csv", model=shipped, method="probe")
    made = adapt_project(encoded, by="A", method="probe")
    found = Bundle.load(made.folder)
    assert found.card.provenance["adaptation"] == expected.bundle.card.provenance["adaptation"]
    assert found.card.provenance["adaptation"]["strangers"] == 1
    ours, theirs = (read_trust(one).outside for one in (found, expected.bundle))
    assert ours is not None and theirs is not None and ours.evidence is not None
    assert ours.threshold == pytest.approx(theirs.threshold, rel=1e-3)
    assert sum(made.labels.values()) == len(labelling.settled(encoded).labels)


def test_disputed_cells_are_left_out(encoded: Project, label: Label) -> None:
    label(encoded, "A")
    label(encoded, "B", monocyte_1="lymphocyte")
    made = adapt_project(encoded, by="A", method="probe")
    assert made.labels["monocyte"] == 5
    assert any("readers disagree" in note for note in made.notes)


def test_patients_are_kept_together(encoded: Project, label: Label) -> None:
    label(encoded)
    labelled = sorted(labelling.settled(encoded).labels)
    encoded.set_groups({cell: str(n % 6) for n, cell in enumerate(labelled)}, by="A")
    version = adapt_project(encoded, by="A")
    assert any("6 groups" in note for note in version.notes)


def test_a_wrong_label_is_found(encoded: Project, label: Label) -> None:
    label(encoded, each=9, monocyte_3="neutrophil")
    adapt_project(encoded, by="A", method="probe")
    cell = cells_by_path(encoded)["a/monocyte-3.png"]
    found = advice.findings(encoded)
    assert found[0].cell == cell
    assert (found[0].label, found[0].suggested) == ("neutrophil", "monocyte")
    assert 0 < found[0].probability <= 1
    encoded.keep_label(cell, by="A")
    with Project.open(encoded.images) as again:
        assert cell not in [one.cell for one in advice.findings(again)]
    for label_now, shown in (("monocyte", False), ("neutrophil", False)):
        labelling.record(encoded, reader="A", cell=cell, label=label_now, event=event())
        assert (cell in [one.cell for one in advice.findings(encoded)]) == shown


def test_a_model_of_the_command_line_is_used(
    encoded: Project, label: Label, shipped: Bundle, tmp_path: Path
) -> None:
    label(encoded)
    label_files.export_labels(encoded, tmp_path / "labels.csv")
    ours = adapt(encoded.images, tmp_path / "labels.csv", model=shipped, method="probe")
    ours.bundle.save(tmp_path / "ours")
    added = versions.go_on_with(encoded, Bundle.load(tmp_path / "ours"), by="A")
    assert (added.number, added.origin, added.active) == (2, "added", True)
    assert added.hash == ours.bundle.hash
    assert versions.active(encoded).number == 2


def test_a_folder_with_another_model_is_noticed(encoded: Project, shipped: Bundle) -> None:
    version = versions.active(encoded)
    shipped.with_head(shipped.head, name="other").save(version.folder)
    encoded.memory.clear()
    with pytest.raises(ModelFileError, match="another model"):
        versions.bundle(encoded)


def test_advice(encoded: Project, label: Label) -> None:
    first = advice.advice(encoded)
    assert not first.enough and "20 more" in first.sentence and first.curve == ()
    label(encoded)
    adapt_project(encoded, by="A", method="probe")
    second = advice.advice(encoded)
    assert [point.labels for point in second.curve] == [18]
    assert not second.enough and "too early" in second.sentence and second.within == ()
    label(encoded, each=9)
    assert "27 now: adapt again" in advice.advice(encoded).details[-1]
    adapt_project(encoded, by="A", method="probe")
    third = advice.advice(encoded)
    assert [point.labels for point in third.curve] == [18, 27]
    sizes = [size for size, _ in third.within]
    assert len(sizes) == 4 and sizes == sorted(sizes) and sizes[-1] < 27
    assert all(0 <= accuracy <= 1 for _, accuracy in third.within)
    assert "10 more labels" in " ".join([*third.details, third.sentence])


def test_a_thin_class_comes_first(encoded: Project, label: Label) -> None:
    label(encoded)
    for path, cell in list(cells_by_path(encoded).items()):
        if "monocyte" in path and path not in ("a/monocyte-1.png", "a/monocyte-3.png"):
            labelling.record(encoded, reader="A", cell=cell, verdict="unsure", event=event())
    adapt_project(encoded, by="A", method="probe")
    found = advice.advice(encoded)
    assert (found.enough, found.label) == (False, "monocyte")


def test_a_labelled_image_that_was_changed_is_named(encoded: Project, label: Label) -> None:
    label(encoded)
    one, other = (encoded.images / "a" / f"monocyte-{number}.png" for number in (1, 3))
    kept = one.read_bytes()
    draw_cell("monocyte", 99).save(one)
    with pytest.raises(AdaptationError, match="1 of 18 labelled images were changed") as refused:
        adapt_project(encoded, by="A", method="probe")
    assert "a/monocyte-1.png" in str(refused.value) and "import the folder" in str(refused.value)
    # Nor does one get the label of the other, whose picture is known as well.
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    with pytest.raises(AdaptationError, match="2 of 18 labelled images were changed"):
        adapt_project(encoded, by="A", method="probe")
    importing.refresh(encoded)
    assert adapt_project(encoded, by="A", method="probe").number == 2


def test_a_copy_with_other_dates_is_adapted(encoded: Project, label: Label, tmp_path: Path) -> None:
    label(encoded)
    copy = tmp_path / "elsewhere" / "smears"
    for path in encoded.images.rglob("*.png"):
        (copy / path.relative_to(encoded.images)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(encoded.images)).write_bytes(path.read_bytes())
    shutil.copy(encoded.file, copy.with_name(encoded.file.name))
    shutil.copytree(encoded.models, copy.with_name(encoded.models.name))
    with Project.open(copy) as moved:
        assert len(labelling.settled(moved).labels) == 18
        assert adapt_project(moved, by="A", method="probe").number == 2
