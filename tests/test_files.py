"""Places where nothing can be written are refused before the work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write, check_spares, check_writable, written_together


def test_new_folders_and_files_that_are_replaced_are_allowed(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "newer" / "cells.csv")
    (tmp_path / "cells.csv").write_text("before")
    check_writable(tmp_path / "cells.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cells").write_text("no folder")
    with pytest.raises(HemashiftError, match="cannot be written") as caught:
        check_writable(tmp_path / "cells" / "new" / "cells.csv")
    assert f"{tmp_path / 'cells'} is a file" in str(caught.value)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is allowed to this user"
)
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HemashiftError, match="cannot be written"):
        check_writable(tmp_path / "cells.csv")


def test_an_input_is_not_written_over_by_any_name(tmp_path: Path) -> None:
    labels, other = tmp_path / "labels.csv", tmp_path / "other.csv"
    labels.write_text("path,label\n")
    other.symlink_to(labels)
    for output in (labels, other, tmp_path / "." / "labels.csv"):
        with pytest.raises(HemashiftError, match="overwrite the labels"):
            check_spares(output, [None, tmp_path / "none.csv", labels], "the labels")
    check_spares(tmp_path / "new.csv", [labels])
    check_spares(labels, [None, tmp_path / "none.csv"])


def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, atomic_write(tmp_path / "cells.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "cells.csv")
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for name in ("page.html", "figures/a.png", "notes.txt"):
        (tmp_path / name).write_text("old")

    def write(fail: bool) -> None:
        with written_together(tmp_path) as aside:
            (aside / "figures").mkdir()
            (aside / "figures/a.png").write_text("new")
            if fail:
                raise OSError(errno.ENOSPC, "No space left on device")
            (aside / "page.html").write_text("new")

    def read() -> dict[str, str]:
        files = (one for one in tmp_path.rglob("*") if one.is_file())
        return {one.relative_to(tmp_path).as_posix(): one.read_text() for one in files}

    with pytest.raises(OSError, match="No space") as raised:
        write(fail=True)
    assert raised.value.filename == str(tmp_path)
    assert set(read().values()) == {"old"}
    write(fail=False)
    assert read() == {"page.html": "new", "figures/a.png": "new", "notes.txt": "old"}
    assert len(list(tmp_path.iterdir())) == 3
