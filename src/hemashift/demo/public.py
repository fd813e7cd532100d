"""The public dataset of the demonstration: Jiangxi Tecom, from its repository on GitHub."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hemashift.demo.download import Progress, download, unpack
from hemashift.errors import DownloadError
from hemashift.files import sha256

RECORD = "source.json"

_LABELS = "Class Labels of Dataset 1.csv"
_IMAGES = tuple(f"Dataset 1/{number:03d}.bmp" for number in range(1, 301))


@dataclass(frozen=True)
class PublicDataset:
    """An archive on the web, and what of it is wanted.

    GitHub makes archives on request and does not promise that their bytes stay the same, so it
    is the contents that are known by hash: every file wanted is as in the copy that this package
    was developed with, whatever commit it comes from.

    Attributes:
        name: Name of the reader, and of the folder in the cache.
        url: Archive of the repository.
        size: Its size in bytes, roughly; GitHub does not announce it.
        licence: Licence of the repository.
        files: The files wanted, by name in the repository.
        contents_sha256: `contents_hash` of these files.
        max_download: Refused if the archive is larger, in bytes.
        max_unpacked: Refused if the files wanted are larger together, in bytes.
    """

    name: str
    url: str
    size: int
    licence: str
    files: tuple[str, ...]
    contents_sha256: str
    max_download: int = 100_000_000
    max_unpacked: int = 50_000_000


JIANGXI_TECOM = PublicDataset(
    name="jiangxi_tecom",
    url="https://github.com/zxaoyou/segmentation_WBC/archive/HEAD.zip",
    size=25_000_000,
    licence="GPL-3.0",
    files=(_LABELS, *_IMAGES),
    contents_sha256="aa64df541983aa75470278a94f141b03c63912fa2686424feaa519f2842fbeca",
)


def cache_folder() -> Path:
    """Return the folder for what can be downloaded again, by the custom of the platform.

    `XDG_CACHE_HOME` wins everywhere. The folder need not exist.
    """
    named = os.environ.get("XDG_CACHE_HOME")
    if named and Path(named).is_absolute():
        return Path(named) / "hemashift"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or Path.home() / "AppData" / "Local") / "hemashift" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hemashift"
    return Path.home() / ".cache" / "hemashift"


def contents_hash(folder: str | Path, names: tuple[str, ...]) -> str:
    """Return one hash for several files: that of what `sha256sum` prints for them.

    Args:
        folder: Folder of the files.
        names: Their names in it, in the order in which they count.

    Raises:
        OSError: If a file is missing.
    """
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{sha256(Path(folder) / name)}  {name}\n".encode())
    return digest.hexdigest()


def cached(dataset: PublicDataset = JIANGXI_TECOM) -> Path | None:
    """Return the folder of a dataset that was downloaded before and is as it was, or None."""
    folder = cache_folder() / dataset.name
    try:
        intact = contents_hash(folder, dataset.files) == dataset.contents_sha256
    except OSError:
        return None
    return folder if intact else None


def fetch(
    dataset: PublicDataset = JIANGXI_TECOM,
    *,
    tell: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download a dataset into the cache, and say before what will be downloaded.

    Beside the files a record is left of where they came from and when, with the hash of the
    archive as it came.

    Args:
        dataset: Which dataset.
        tell: Called with lines to show.
        progress: See `hemashift.demo.download.download`.

    Returns:
        Its folder in the cache.

    Raises:
        DownloadError: It cannot be had, or is not what it was.
    """
    show = tell or (lambda line: None)
    for line in (
        f"download: {dataset.url}",
        f"size:     about {dataset.size / 1e6:.0f} MB (at most {dataset.max_download / 1e6:.0f})",
        f"licence:  {dataset.licence}",
        f"contents: SHA-256 {dataset.contents_sha256}",
        f"cache:    {cache_folder() / dataset.name}",
    ):
        show(line)
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=cache_folder()) as aside:
            return _fetch_aside(dataset, Path(aside), show, progress)
    except OSError as error:
        raise DownloadError(
            "the cache cannot be written", found=str(error), where=cache_folder()
        ) from error


def _fetch_aside(
    dataset: PublicDataset, aside: Path, show: Callable[[str], None], progress: Progress | None
) -> Path:
    came = download(
        dataset.url, aside / "archive.zip", max_bytes=dataset.max_download, progress=progress
    )
    fresh = aside / dataset.name
    unpack(came.path, fresh, dataset.files, max_bytes=dataset.max_unpacked)
    found = contents_hash(fresh, dataset.files)
    if found != dataset.contents_sha256:
        raise DownloadError(
            "the dataset is not what it was: the SHA-256 of its contents differs",
            expected=dataset.contents_sha256,
            found=found,
            where=dataset.url,
        )
    show(f"archive:  {came.size / 1e6:.1f} MB, SHA-256 {came.sha256}")
    record = {
        "url": dataset.url,
        "final_url": came.url,
        "downloaded": datetime.now(UTC).isoformat(timespec="seconds"),
        "licence": dataset.licence,
        "archive_bytes": came.size,
        "archive_sha256": came.sha256,
        "contents_sha256": found,
        "note": "The contents were checked against the hash in hemashift. The hash of the archive "
        "is recorded as it came: GitHub may pack the same files differently.",
    }
    (fresh / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    folder = cache_folder() / dataset.name
    if folder.exists():
        # Only a damaged copy comes here; it makes way as a whole.
        folder.rename(aside / "damaged")
    fresh.rename(folder)
    shutil.rmtree(aside / "damaged", ignore_errors=True)
    return folder
