"""The list of a folder's images is complete, sorted, and stays inside the folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hemashift.errors import ImageError
from hemashift.images import list_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "smears"
    for name in ("b/2.JPG", "b/10.tif", "a.png", ".hidden/x.png", "._a.png", ".b.png", "notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_images_are_sorted_and_others_passed_over(folder: Path) -> None:
    found = [path.relative_to(folder).as_posix() for path in list_images(folder)]
    assert found == ["a.png", "b/10.tif", "b/2.JPG"]


def test_links_out_of_the_folder_are_passed_over(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.png").write_bytes(b"x")
    (folder / "out.png").symlink_to(secret / "s.png")
    (folder / "outside").symlink_to(secret, target_is_directory=True)
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "nowhere.png").symlink_to(folder / "missing.png")
    (folder / "inside.png").symlink_to(folder / "b" / "2.JPG")
    names = [path.name for path in list_images(folder)]
    assert names == ["a.png", "10.tif", "2.JPG", "inside.png"]


def test_a_linked_root_is_followed(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    assert len(list_images(link)) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [("none", "does not exist"), ("smears/a.png", "not a folder"), ("empty", "no image")],
)
def test_a_wrong_folder_is_named(folder: Path, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=message) as caught:
        list_images(tmp_path / name)
    assert Path(name).name in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always read names as UTF-8")
def test_a_terminal_that_is_not_utf_8_is_told_from_a_bad_name(folder: Path) -> None:
    (folder / "zelle-ß.png").write_bytes(b"x")
    code = "import sys; from hemashift.images import list_images; list_images(sys.argv[1])"
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        env={**os.environ, **locale},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "set the environment variable PYTHONUTF8=1" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("name", [b"b/zell\xe9.jpg", b"\xfc/zell.jpg"])
def test_a_name_that_is_not_utf_8_is_refused(folder: Path, name: bytes) -> None:
    place = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"x")
    for start in (folder, place.parent):
        with pytest.raises(ImageError, match="not UTF-8") as caught:
            list_images(start)
        str(caught.value).encode()
        assert "rename it" in str(caught.value)
