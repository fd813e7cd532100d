"""Downloading an archive and unpacking it, without trusting either the network or the archive."""

from __future__ import annotations

import hashlib
import http.client
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hemashift.errors import DownloadError
from hemashift.files import atomic_write

Progress = Callable[[int, int | None], None]

_CHUNK = 1 << 16
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRY_AGAIN = "try again later, or download it with a browser and name its folder with --data"


@dataclass(frozen=True)
class Downloaded:
    """A file that was downloaded whole.

    Attributes:
        path: Where it is.
        size: Its size in bytes.
        sha256: Its SHA-256, 64 hexadecimal digits.
        url: Where it came from in the end, after redirections.
    """

    path: Path
    size: int
    sha256: str
    url: str


def download(
    url: str,
    path: str | Path,
    *,
    max_bytes: int,
    sha256: str | None = None,
    timeout: float = 15.0,
    deadline: float = 120.0,
    progress: Progress | None = None,
) -> Downloaded:
    """Download a file; it appears at `path` only when it is complete and as announced.

    Args:
        url: An https address. Plain http is accepted from this very computer only.
        path: File to write.
        max_bytes: A larger file is refused, if possible before a byte of it is read.
        sha256: The hash that the file must have, if it is known.
        timeout: Seconds to wait for the server at a time.
        deadline: Seconds that the whole download may take.
        progress: Called with the bytes that came and those expected, None if not announced.

    Returns:
        What came, with its hash.

    Raises:
        DownloadError: The server cannot be reached or refuses, or what comes is incomplete,
            too large, too slow, or has another hash.
    """
    _check_address(url)
    request = urllib.request.Request(url, headers={"User-Agent": "hemashift"})
    try:
        with (
            urllib.request.build_opener(_CarefulRedirection).open(
                request, timeout=timeout
            ) as response,
            atomic_write(path) as aside,
        ):
            announced = _announced(response.headers.get("Content-Length"))
            if announced is not None and announced > max_bytes:
                raise _too_large(url, announced, max_bytes)
            size, digest = _receive(
                response, aside, url, announced, max_bytes, time.monotonic() + deadline, progress
            )
            if sha256 is not None and digest != sha256.lower():
                raise DownloadError(
                    "the file is not the one that was announced: its SHA-256 differs",
                    expected=sha256.lower(),
                    found=digest,
                    where=url,
                )
            final = response.url
    except urllib.error.HTTPError as error:
        raise DownloadError(
            "the server does not give the file",
            found=f"{error.code} {error.reason}",
            where=url,
            hint=_TRY_AGAIN,
        ) from None
    except http.client.IncompleteRead as error:
        raise _truncated(url, None, len(error.partial)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadError(
            "the download failed",
            found=str(reason) or type(reason).__name__,
            where=url,
            hint=_TRY_AGAIN,
        ) from None
    return Downloaded(Path(path), size, digest, final)


class _CarefulRedirection(urllib.request.HTTPRedirectHandler):
    """Checks where a redirection leads before it is followed."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(
    response: http.client.HTTPResponse,
    path: Path,
    url: str,
    announced: int | None,
    max_bytes: int,
    end: float,
    progress: Progress | None,
) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        # read1 returns what has come, so that a slow server cannot outlast the deadline.
        while chunk := response.read1(_CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise _too_large(url, size, max_bytes)
            if time.monotonic() > end:
                raise DownloadError(
                    "the download takes too long",
                    found=f"{size:,} bytes so far",
                    where=url,
                    hint=_TRY_AGAIN,
                )
            digest.update(chunk)
            file.write(chunk)
            if progress is not None:
                progress(size, announced)
    if announced is not None and size != announced:
        raise _truncated(url, announced, size)
    return size, digest.hexdigest()


def unpack(
    archive: str | Path, folder: str | Path, names: Iterable[str], *, max_bytes: int
) -> list[Path]:
    """Unpack some members of a zip file, found below its only top folder.

    GitHub puts everything below one folder that is named after the repository and commit.

    Args:
        archive: The zip file.
        folder: Where to; made if missing.
        names: Members wanted, relative to the top folder. Nothing else is unpacked.
        max_bytes: Largest size of all of them together, unpacked.

    Returns:
        The files written, in the order of `names`.

    Raises:
        DownloadError: It is no zip file, is damaged or encrypted, holds a name that leads out
            of the folder, lacks a member, or unpacks to more than `max_bytes`.
    """
    folder = Path(folder)
    written = []
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive)
            left = max_bytes
            for name in names:
                if name not in members:
                    raise DownloadError("the archive lacks a file", expected=name, where=archive)
                # The size on record may be a lie, so no more than what is left is unpacked.
                with opened.open(members[name]) as stream:
                    content = stream.read(left + 1)
                if len(content) > left:
                    raise DownloadError(
                        "the archive unpacks to more than it should",
                        expected=f"at most {max_bytes:,} bytes",
                        where=archive,
                    )
                left -= len(content)
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                written.append(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(
            "this is not a complete zip file", found=str(error), where=archive
        ) from None
    return written


def _members(opened: zipfile.ZipFile, archive: str | Path) -> dict[str, zipfile.ZipInfo]:
    """Return the files of an archive by their name below its top folder."""
    members = {}
    for info in opened.infolist():
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        link = stat.S_ISLNK(info.external_attr >> 16)
        if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or link:
            raise DownloadError(
                "a name in the archive leads out of its folder", found=info.filename, where=archive
            )
        if not info.is_dir():
            members["/".join(parts[1:])] = info
    return members


def _check_address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DownloadError(
            "only https addresses are downloaded from", found=parts.scheme or "none", where=url
        )


def _announced(length: str | None) -> int | None:
    return int(length) if length is not None and length.isdecimal() else None


def _too_large(url: str, found: int, limit: int) -> DownloadError:
    return DownloadError(
        "the file is larger than it should be",
        expected=f"at most {limit:,} bytes",
        found=f"{found:,} bytes or more",
        where=url,
    )


def _truncated(url: str, announced: int | None, size: int) -> DownloadError:
    return DownloadError(
        "the download broke off",
        expected="the whole file" if announced is None else f"{announced:,} bytes",
        found=f"{size:,} bytes",
        where=url,
        hint=_TRY_AGAIN,
    )
