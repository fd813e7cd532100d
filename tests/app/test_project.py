"""Opening a project, what lies beside the folder, classes and settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hemashift.app import audit_trail, recent, versions
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.differential import FlagRule, Subject
from hemashift.errors import ImageError
from hemashift.images import list_images
from hemashift.model.bundle import Bundle

from .conftest import EACH, Label


def test_a_project_lies_beside_its_folder(encoded: Project, images: Path) -> None:
    versions.versions(encoded)
    names = {path.name for path in images.parent.iterdir()}
    assert names >= {"smears", "smears.hemashift", "smears.hemashift-models"}
    assert encoded.file == images.with_name("smears.hemashift")
    # Nothing is put into the folder, and thumbnails are not taken for images of the one above.
    assert all(truth.suffix in (".png", "") for truth in images.rglob("*"))
    assert len(list_images(images.parent)) == len(list_images(images)) == 3 * EACH


def test_a_project_is_opened_again_by_folder_or_file(project: Project, images: Path) -> None:
    project.add_class("blast", by="A")
    for place in (images, images.with_name("smears.hemashift"), images.parent / "." / "smears"):
        with Project.open(place) as again:
            assert "blast" in again.classes()
            assert again.images == images.resolve()


def test_a_project_moves_with_its_folder(project: Project, images: Path) -> None:
    project.close()
    elsewhere = images.parent / "elsewhere"
    elsewhere.mkdir()
    for path in images.parent.glob("*smears*"):
        shutil.move(path, elsewhere / path.name)
    with Project.open(elsewhere / "smears", create=False) as again:
        assert again.summary().ready == 3 * EACH


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        Project.open(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProjectError, match="no project"):
        Project.open(tmp_path / "empty", create=False)
    assert not (tmp_path / "empty.hemashift").exists()


def test_the_summary(project: Project, label: Label) -> None:
    label(project, each=2)
    found = project.summary()
    assert (found.name, found.ready, found.labelled, found.readers) == (
        "smears", 3 * EACH, 6, ("A",)
    )  # fmt: skip
    assert (found.problems, found.gone, found.classified, found.signed) == (0, 0, 0, None)
    assert found.unidentified == 3 * EACH - 6


def test_classes(project: Project, shipped: Bundle) -> None:
    assert project.classes() == shipped.card.classes
    assert project.add_class(" plasma  cell", by="A")[-1] == "plasma cell"
    for taken in ("plasma cell", "Neutrophil", "PMN", "outside", "unidentified", "not a cell", " "):
        with pytest.raises(ProjectError):
            project.add_class(taken, by="A")
    assert project.classes() == (*shipped.card.classes, "plasma cell")


def test_a_class_that_a_flag_is_about_stays(project: Project) -> None:
    project.add_class("blast", by="A")
    project.set_flag_rules((FlagRule("blast", "above", 1),), by="A")
    with pytest.raises(ProjectError, match="cannot be removed") as refused:
        project.remove_class("blast", by="A")
    assert "flag" in str(refused.value.found) and "flags" in str(refused.value.hint)
    project.set_flag_rules((), by="A")
    assert "blast" not in project.remove_class("blast", by="A")


def test_classes_that_do_not_occur(project: Project, shipped: Bundle) -> None:
    everything = shipped.card.classes
    assert project.occurring(everything) is None
    for name in ("erythroblast", "basophil"):
        project.set_occurs(name, False, by="A")
    assert project.absent() == ("basophil", "erythroblast")
    assert project.occurring(everything) == ["eosinophil", "lymphocyte", "monocyte", "neutrophil"]
    assert project.classes() == everything  # one may turn up after all, under the same key
    project.set_occurs("basophil", True, by="A")
    assert project.absent() == ("erythroblast",)
    assert audit_trail.entries(project)[-1].detail["before"] == ["basophil", "erythroblast"]
    with pytest.raises(ProjectError, match="no such class of the model"):
        project.set_occurs("blast", False, by="A")
    for name in everything[:3]:
        project.set_occurs(name, False, by="A")
    project.set_occurs(everything[3], False, by="A")
    with pytest.raises(ProjectError, match="at least two"):
        project.set_occurs(everything[4], False, by="A")
    assert len(project.absent()) == 4


def test_settings_are_kept_and_audited(project: Project) -> None:
    assert project.subject() == Subject() and project.flag_rules() == ()
    project.set_subject(Subject(sample_id="S1"), by="A")
    project.set_flag_rules((FlagRule("erythroblast", "above", 1),), by="B")
    assert project.max_error() == 0.05
    project.set_max_error(0.1, by="A")
    project.set_max_error(0.1, by="A")  # no change, no entry
    with Project.open(project.images) as again:
        assert again.subject().sample_id == "S1"
        assert again.flag_rules() == (FlagRule("erythroblast", "above", 1),)
        assert again.max_error() == 0.1
    changes = [one for one in audit_trail.entries(project) if one.action == "set"]
    assert [(one.by, one.detail["name"]) for one in changes] == [
        ("A", "subject"), ("B", "flag_rules"), ("A", "max_error"),
    ]  # fmt: skip
    for rate in (0, 1, 1.5, -0.1, float("nan")):
        with pytest.raises(ProjectError, match="error rate"):
            project.set_max_error(rate, by="A")


def test_recent_projects(images: Path, shipped: Bundle, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for folder in (images, other, images):
        Project.open(folder).close()
    assert recent.recent_projects() == [images.resolve(), other.resolve()]
    (tmp_path / "other.hemashift").unlink()
    assert recent.recent_projects() == [images.resolve()]
    (tmp_path / "home" / "recent.json").write_text("not JSON")
    assert recent.recent_projects() == []
