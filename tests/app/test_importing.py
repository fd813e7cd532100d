"""Import, first and later: new, moved, changed, gone and unreadable images."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from hemashift.app import importing, labelling, pictures
from hemashift.app.importing import problems, refresh
from hemashift.app.project import Project
from hemashift.errors import ImageError
from hemashift.model.bundle import Bundle

from .conftest import EACH, cells_by_path, draw_cell, event


def labels(project: Project) -> dict[int, str]:
    return dict(labelling.settled(project).labels)


def test_a_folder_is_imported_with_progress(images: Path, shipped: Bundle) -> None:
    told: list[tuple[str, int, int]] = []
    with Project.open(images) as project:
        found = refresh(project, lambda *step: told.append(step))
        assert (found.new, found.ready, found.problems) == (3 * EACH, 3 * EACH, 0)
        assert told[0] == ("importing", 0, 3 * EACH) and told[-1] == ("importing", 30, 30)
        assert sorted(cells_by_path(project))[0] == "a/lymphocyte-1.png"


def test_only_new_files_are_read_again(
    project: Project, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_cell("monocyte", 99).save(images / "new.png")
    read: list[str] = []

    def watched(path: Path) -> object:
        read.append(path.name)
        return pictures.read_image(path)

    monkeypatch.setattr(importing, "read_cell", watched)
    found = refresh(project)
    assert (found.new, found.ready, read) == (1, 3 * EACH + 1, ["new.png"])
    assert refresh(project).new == 0 and read == ["new.png"]


def test_problems_are_listed_image_by_image(project: Project, images: Path) -> None:
    (images / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (images / "empty.jpg").write_bytes(b"")
    (images / "notes.txt").write_text("no image, not looked at")
    assert refresh(project).problems == 2
    listed = {one.path: one for one in problems(project)}
    assert set(listed) == {"broken.png", "empty.jpg"}
    assert "empty" in listed["empty.jpg"].message and listed["empty.jpg"].hint
    draw_cell("monocyte", 50).save(images / "empty.jpg")
    found = refresh(project)
    assert (found.problems, found.ready) == (1, 3 * EACH + 1)


@pytest.mark.parametrize("step", ["sha256", "read_cell"])
def test_what_could_not_be_read_for_a_while_is_read_again(
    project: Project, images: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    cell = cells_by_path(project)["a/monocyte-1.png"]
    labelling.record(project, reader="A", cell=cell, label="monocyte", event=event())
    os.utime(images / "a" / "monocyte-1.png", ns=(1, 1))
    draw_cell("monocyte", 99).save(images / "new.png")

    def busy(path: Path) -> object:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(importing, step, busy)
        assert refresh(project).problems == 2
    found = refresh(project)
    assert (found.problems, found.ready) == (0, 3 * EACH + 1)
    assert cells_by_path(project)["a/monocyte-1.png"] == cell
    assert labels(project) == {cell: "monocyte"}


def test_a_moved_image_keeps_its_label(project: Project, images: Path) -> None:
    cell = cells_by_path(project)["a/monocyte-1.png"]
    labelling.record(project, reader="A", cell=cell, label="monocyte", event=event())
    (images / "a" / "monocyte-1.png").rename(images / "renamed.png")
    found = refresh(project)
    assert (found.new, found.moved, found.gone) == (0, 1, 0)
    assert cells_by_path(project)["renamed.png"] == cell
    assert labels(project) == {cell: "monocyte"}


def test_a_copy_is_a_cell_of_its_own(project: Project, images: Path) -> None:
    (images / "copy.png").write_bytes((images / "a" / "monocyte-1.png").read_bytes())
    found = refresh(project)
    assert (found.new, found.moved) == (1, 0)


def test_a_changed_image_is_another_cell(project: Project, images: Path) -> None:
    path = images / "a" / "monocyte-1.png"
    cell = cells_by_path(project)["a/monocyte-1.png"]
    labelling.record(project, reader="A", cell=cell, label="monocyte", event=event())
    before = path.read_bytes()
    draw_cell("neutrophil", 77).save(path)
    found = refresh(project)
    assert (found.changed, found.new, found.ready) == (1, 0, 3 * EACH)
    assert cells_by_path(project)["a/monocyte-1.png"] != cell
    assert labels(project) == {}
    path.write_bytes(before)
    refresh(project)
    assert cells_by_path(project)["a/monocyte-1.png"] == cell
    assert labels(project) == {cell: "monocyte"}


def exchange(first: Path, second: Path) -> None:
    """Let two files take each other's name."""
    aside = first.with_name("aside.png")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def test_images_that_exchange_their_names_keep_their_labels(project: Project, images: Path) -> None:
    first, second = (images / "a" / f"monocyte-{number}.png" for number in (1, 3))
    before = cells_by_path(project)
    exchange(first, second)
    refresh(project)
    after = cells_by_path(project)
    assert after["a/monocyte-1.png"] == before["a/monocyte-3.png"]
    assert after["a/monocyte-3.png"] == before["a/monocyte-1.png"]
    assert len(after) == 3 * EACH


@pytest.mark.skipif(os.name != "posix", reason="only POSIX knows when a file was put in place")
def test_an_exchange_of_equal_size_and_date_is_noticed(images: Path, shipped: Bundle) -> None:
    first, second = (images / "a" / f"monocyte-{number}.png" for number in (1, 3))
    longest = max(path.stat().st_size for path in (first, second))
    for path in (first, second):
        path.write_bytes(path.read_bytes().ljust(longest, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
    with Project.open(images) as project:
        refresh(project)
        before = cells_by_path(project)
        exchange(first, second)
        refresh(project)
        after = cells_by_path(project)
        assert after["a/monocyte-1.png"] == before["a/monocyte-3.png"]
        assert after["a/monocyte-3.png"] == before["a/monocyte-1.png"]


def test_dates_of_an_earlier_hemashift_lose_no_label(project: Project) -> None:
    cell = cells_by_path(project)["a/monocyte-1.png"]
    labelling.record(project, reader="A", cell=cell, label="monocyte", event=event())
    with project.store.writing() as connection:
        connection.execute("UPDATE cells SET modified = 1")
    before = cells_by_path(project)
    assert pictures.picture(project, cell, "as_is", "large")  # its content is the same
    found = refresh(project)
    assert (found.changed, found.new, found.gone) == (0, 0, 0)
    assert cells_by_path(project) == before and labels(project) == {cell: "monocyte"}
    assert project.store.value("SELECT COUNT(*) FROM cells WHERE modified = 1") == 0


def test_a_file_that_was_only_touched_is_the_same_cell(project: Project, images: Path) -> None:
    before = cells_by_path(project)
    os.utime(images / "a" / "monocyte-1.png", ns=(1, 1))
    found = refresh(project)
    assert (found.changed, found.new) == (0, 0)
    assert cells_by_path(project) == before


def test_a_lost_image_comes_back(project: Project, images: Path) -> None:
    path = images / "a" / "monocyte-1.png"
    cell = cells_by_path(project)["a/monocyte-1.png"]
    labelling.record(project, reader="A", cell=cell, label="monocyte", event=event())
    path.rename(images.parent / "kept.png")
    assert refresh(project).gone == 1
    assert cell not in labels(project)
    (images.parent / "kept.png").rename(path)
    assert refresh(project).gone == 0
    assert labels(project) == {cell: "monocyte"}


def test_an_interrupted_import_goes_on(
    images: Path, shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_PORTION", 8)

    def stop(step: str, done: int, total: int) -> None:
        if done > 16:
            raise KeyboardInterrupt

    with Project.open(images) as project:
        with pytest.raises(KeyboardInterrupt):
            refresh(project, stop)
        assert len(cells_by_path(project)) == 16
        assert refresh(project).new == 3 * EACH - 16


def test_a_lost_folder_is_said(project: Project, images: Path) -> None:
    images.rename(images.parent / "moved")
    with pytest.raises(ImageError, match="does not exist"):
        refresh(project)
    (images.parent / "moved").rename(images)
    assert len(cells_by_path(project)) == 3 * EACH


def test_two_windows_import_at_once(images: Path, shipped: Bundle) -> None:
    """Another process that was faster with some files is no reason to stop."""
    with Project.open(images) as one, Project.open(images) as other:

        def meanwhile(step: str, done: int, total: int) -> None:
            if done == 3:
                refresh(other)

        found = refresh(one, meanwhile)
        assert found.ready == 3 * EACH and found.new == 0
        assert len(cells_by_path(one)) == 3 * EACH


def test_two_windows_find_a_moved_image(project: Project, images: Path) -> None:
    """What another process has filed under its new name meanwhile is not gone."""
    before = cells_by_path(project)
    draw_cell("monocyte", 99).save(images / "new.png")
    (images / "a" / "monocyte-1.png").rename(images / "renamed.png")
    with Project.open(images) as other:

        def meanwhile(step: str, done: int, total: int) -> None:
            if done == len(before):
                refresh(other)

        found = refresh(project, meanwhile)
        assert (found.gone, found.ready) == (0, 3 * EACH + 1)
        assert cells_by_path(project)["renamed.png"] == before["a/monocyte-1.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf_8(project: Project, images: Path) -> None:
    before = cells_by_path(project)
    odd = Path(os.fsdecode(os.fsencode(images) + b"/zell\xe9.png"))
    draw_cell("monocyte", 99).save(odd)
    with pytest.raises(ImageError, match="not UTF-8"):
        refresh(project)
    assert cells_by_path(project) == before
    odd.unlink()
    assert refresh(project).new == 0
    folder = Path(os.fsdecode(os.fsencode(images.parent) + b"/B\xfcro"))
    folder.mkdir()
    with pytest.raises(ImageError, match="not UTF-8"):
        Project.open(folder)
