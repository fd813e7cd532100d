from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from hemashift.demo import public
from hemashift.demo.public import JIANGXI_TECOM, PublicDataset, cached, contents_hash, fetch
from hemashift.errors import DownloadError

from .conftest import Answer, Site

FILES = {"labels.csv": b"path,label\n", "Dataset 1/001.bmp": b"a picture"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hemashift"


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in files.items():
            opened.writestr(f"repo-HEAD/{name}", content)
    return buffer.getvalue()


@pytest.fixture
def dataset(site: Site, tmp_path: Path) -> PublicDataset:
    """A dataset of two files, on the server of the test."""
    for name, content in FILES.items():
        (tmp_path / "original" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "original" / name).write_bytes(content)
    return PublicDataset(
        name="small",
        url=site.url("/small.zip", Answer(archive({**FILES, "README": b"hello"}))),
        size=1000,
        licence="MIT",
        files=tuple(FILES),
        contents_sha256=contents_hash(tmp_path / "original", tuple(FILES)),
        max_download=10_000,
        max_unpacked=1_000,
    )


def test_a_dataset_is_fetched_once_and_then_found(dataset: PublicDataset, cache: Path) -> None:
    assert cached(dataset) is None
    lines: list[str] = []
    folder = fetch(dataset, tell=lines.append)
    assert folder == cache / "small" == cached(dataset)
    assert {n: (folder / n).read_bytes() for n in FILES} == FILES
    assert not (folder / "README").exists()
    assert [path.name for path in cache.iterdir()] == ["small"]


def test_what_will_be_downloaded_is_said_before_it_is(dataset: PublicDataset, site: Site) -> None:
    before: list[tuple[str, int]] = []
    fetch(dataset, tell=lambda line: before.append((line, len(site.asked))))
    announced = "\n".join(line for line, asked in before if asked == 0)
    for fact in (dataset.url, dataset.licence, dataset.contents_sha256, "0 MB"):
        assert fact in announced


def test_the_record_says_what_came(dataset: PublicDataset, site: Site) -> None:
    folder = fetch(dataset)
    record = json.loads((folder / public.RECORD).read_text())
    body = site.answers["/small.zip"].body
    assert record["archive_bytes"] == len(body)
    assert record["archive_sha256"] == hashlib.sha256(body).hexdigest()
    assert record["contents_sha256"] == dataset.contents_sha256
    assert (record["url"], record["licence"]) == (dataset.url, "MIT")


def test_other_contents_are_refused(dataset: PublicDataset, site: Site, cache: Path) -> None:
    changed = archive({**FILES, "labels.csv": b"path,label\nevil\n"})
    site.answers["/small.zip"] = Answer(changed)
    with pytest.raises(DownloadError, match="SHA-256 of its contents differs"):
        fetch(dataset)
    assert list(cache.iterdir()) == []


def test_a_page_in_place_of_the_archive_is_refused(
    dataset: PublicDataset, site: Site, cache: Path
) -> None:
    site.answers["/small.zip"] = Answer(b"<html>please sign in</html>")
    with pytest.raises(DownloadError, match="not a complete zip file"):
        fetch(dataset)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_damaged_copy_is_fetched_again(dataset: PublicDataset, harm: str) -> None:
    victim = fetch(dataset) / "labels.csv"
    if harm == "changed":
        victim.write_bytes(b"other")
    else:
        victim.unlink()
    assert cached(dataset) is None
    assert (fetch(dataset) / "labels.csv").read_bytes() == FILES["labels.csv"]
    assert cached(dataset) is not None


def test_a_cache_that_cannot_be_written_gives_a_message(
    dataset: PublicDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="cache cannot be written"):
        fetch(dataset)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.cache/hemashift"),
        ("darwin", {}, "home/Library/Caches/hemashift"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/hemashift/Cache"),
        ("win32", {}, "home/AppData/Local/hemashift/Cache"),
        ("win32", {"XDG_CACHE_HOME": "xdg"}, "xdg/hemashift"),
        ("linux", {"XDG_CACHE_HOME": "."}, "home/.cache/hemashift"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_such_things(
    platform: str,
    environment: dict[str, str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value if value == "." else str(tmp_path / value))
    assert public.cache_folder() == tmp_path / expected


def test_the_hash_is_that_of_sha256sum(dataset: PublicDataset, tmp_path: Path) -> None:
    try:
        listing = subprocess.run(
            ["sha256sum", *FILES], cwd=tmp_path / "original", capture_output=True, check=True
        ).stdout
    except OSError:
        pytest.skip("sha256sum is not on this computer")
    assert dataset.contents_sha256 == hashlib.sha256(listing).hexdigest()


def test_the_real_images_are_those_of_the_published_hash(real_data: Path) -> None:
    folder = real_data / "jiangxi_tecom"
    if not folder.is_dir():
        pytest.skip("Jiangxi Tecom is not among the real images")
    assert contents_hash(folder, JIANGXI_TECOM.files) == JIANGXI_TECOM.contents_sha256


def test_the_real_dataset_can_be_fetched_and_read(
    real_data: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hemashift.datasets import load

    folder = real_data / "jiangxi_tecom"
    if not folder.is_dir():
        pytest.skip("Jiangxi Tecom is not among the real images")
    packed = archive({name: (folder / name).read_bytes() for name in JIANGXI_TECOM.files})
    local = dataclasses.replace(JIANGXI_TECOM, url=site.url("/HEAD.zip", Answer(packed)))
    table = load("jiangxi_tecom", fetch(local))
    assert len(table) == 300
    assert os.environ["XDG_CACHE_HOME"] in str(table.root)
