"""Cells that the model has seen are left out; in doubt, too many rather than too few."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from hemashift.errors import TableError
from hemashift.evaluation.exclusion import find_excluded, read_exclusion


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def test_the_same_name_in_another_folder_is_another_cell(tmp_path: Path) -> None:
    make(tmp_path, "adapt/1.png", "test/1.png")
    exclude = {str(tmp_path / "adapt/1.png")}
    roots = (str(tmp_path / "test"), "")
    assert find_excluded([("1.png", "1.png")], exclude, roots) == (set(), 0)
    assert find_excluded([(str(tmp_path / "adapt/1.png"),)], exclude) == ({0}, 0)


def test_in_doubt_a_cell_is_left_out() -> None:
    assert find_excluded([("1.png",), ("a/1.png",), ("a/2.png",)], {"/gone/a/1.png"}) == ({0, 1}, 0)
    assert find_excluded([("a/1.png",), ("b/1.png",), ("11.png",)], {"1.png"}) == ({0, 1}, 0)


def test_a_copy_under_another_name_is_recognised_by_its_hash(tmp_path: Path) -> None:
    make(tmp_path, "copy.png", "other.png")
    digest = hashlib.sha256(b"copy.png").hexdigest()
    cells = [("copy.png",), ("other.png",), ("gone.png",)]
    assert find_excluded(cells, {digest}, (str(tmp_path),)) == ({0}, 1)


def test_images_within_a_zip_file_are_checked_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cells.zip", "w") as archive:
        archive.writestr("a/1.png", b"one")
        archive.writestr("a/2.png", b"two")
    cells = [("cells.zip!/a/1.png",), ("cells.zip!/a/2.png",)]
    digest = hashlib.sha256(b"two").hexdigest()
    assert find_excluded(cells, {digest}, (str(tmp_path),)) == ({1}, 0)


def test_links_are_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    exclude = {str(tmp_path / "link/1.png")}
    assert find_excluded([(str(tmp_path / "real/1.png"),)], exclude) == ({0}, 0)


def test_nothing_to_leave_out_leaves_nothing_out() -> None:
    assert find_excluded([("1.png",)], set()) == (set(), 0)
    assert find_excluded([], {"1.png"}) == (set(), 0)


def test_a_label_file_serves_as_the_list(tmp_path: Path) -> None:
    make(tmp_path, "here.png")
    digest = "ab" * 32
    (tmp_path / "labels.csv").write_text(
        f"path,label,sha256,patient\nhere.png,MO,,7\naway/there.png,LY,{digest},\n"
    )
    found = read_exclusion(tmp_path / "labels.csv")
    assert found.cells == {str(tmp_path / "here.png"), "away/there.png", digest}
    assert found.groups == {"7"}


def test_a_table_without_paths_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\n1.png,MO\n")
    with pytest.raises(TableError, match="neither paths nor hashes"):
        read_exclusion(tmp_path / "labels.csv")


def test_accents_as_a_mac_writes_them(tmp_path: Path) -> None:
    make(tmp_path, "a\u0308.png")
    digest = hashlib.sha256("a\u0308.png".encode()).hexdigest()
    for name in ("a\u0308.png", "\u00e4.png"):
        assert find_excluded([(name,)], {digest}, (str(tmp_path),)) == ({0}, 0)
