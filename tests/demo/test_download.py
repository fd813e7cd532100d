from __future__ import annotations

import hashlib
import io
import socket
import stat
import threading
import time
import zipfile
from pathlib import Path

import pytest

from hemashift.demo.download import download, unpack
from hemashift.errors import DownloadError

from .conftest import Answer, Site

BODY = bytes(range(256)) * 1000
LIMIT = 1_000_000


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_comes_whole_with_its_hash_and_progress(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    came = download(
        site.url("/a.zip", Answer(BODY)),
        tmp_path / "a.zip",
        max_bytes=LIMIT,
        sha256=hashlib.sha256(BODY).hexdigest().upper(),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (tmp_path / "a.zip").read_bytes() == BODY
    assert (came.size, came.sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_length_that_is_not_announced_is_no_obstacle(site: Site, tmp_path: Path) -> None:
    seen: list[int | None] = []
    url = site.url("/a.zip", Answer(BODY, announced=-1))
    came = download(
        url, tmp_path / "a", max_bytes=LIMIT, progress=lambda done, total: seen.append(total)
    )
    assert came.size == len(BODY)
    assert set(seen) == {None}


def test_redirections_are_followed_and_the_end_is_recorded(site: Site, tmp_path: Path) -> None:
    end = site.url("/end", Answer(BODY))
    start = site.url("/start", Answer(status=302, headers={"Location": end}))
    assert download(start, tmp_path / "a", max_bytes=LIMIT).url == end


@pytest.mark.parametrize(
    ("answer", "limit", "digest", "message"),
    [
        (Answer(b"gone", 404), LIMIT, None, "404"),
        (Answer(b"broken", 500), LIMIT, None, "500"),
        (Answer(BODY), LIMIT, "0" * 64, "SHA-256 differs"),
        (Answer(BODY, announced=len(BODY) + 1), LIMIT, None, "broke off"),
        (Answer(BODY), len(BODY) - 1, None, "larger than it should be"),
        (Answer(BODY, announced=-1), len(BODY) - 1, None, "larger than it should be"),
        (Answer(b"", 302, {"Location": "http://example.com/a"}), LIMIT, None, "https"),
        (Answer(b"", 302, {"Location": "file:///etc/hostname"}), LIMIT, None, "302"),
        (Answer(b"0\r\n", headers={"Transfer-Encoding": "x"}, announced=9), LIMIT, None, "broke"),
    ],
    ids=["404", "500", "hash", "truncated", "announced", "endless", "http", "file", "short"],
)
def test_what_is_not_as_announced_is_refused_and_leaves_nothing(
    site: Site,
    tmp_path: Path,
    answer: Answer,
    limit: int,
    digest: str | None,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _only_loopback)
    url = site.url("/a.zip", answer)
    with pytest.raises(DownloadError, match=message):
        download(url, tmp_path / "a.zip", max_bytes=limit, sha256=digest)
    assert leftovers(tmp_path) == []


def test_an_earlier_file_survives_a_failed_download(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "a.zip"
    kept.write_bytes(b"earlier")
    with pytest.raises(DownloadError):
        download(site.url("/a", Answer(BODY, announced=10**6)), kept, max_bytes=10**7)
    assert kept.read_bytes() == b"earlier"


def test_a_server_that_is_not_there_gives_a_message(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DownloadError, match="the download failed"):
        download(f"http://127.0.0.1:{port}/a", tmp_path / "a", max_bytes=LIMIT)


def test_a_server_that_stops_talking_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        started = time.monotonic()
        with pytest.raises(DownloadError, match="timed out"):
            download(url, tmp_path / "a", max_bytes=LIMIT, timeout=0.2)
        assert time.monotonic() - started < 5


def test_a_server_that_dribbles_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def dribble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                try:
                    for _ in range(200):
                        connection.sendall(b"x")
                        time.sleep(0.02)
                except OSError:
                    return

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a"
        with pytest.raises(DownloadError, match="too long"):
            download(url, tmp_path / "a", max_bytes=LIMIT, deadline=0.3)
        thread.join(5)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("url", ["http://example.com/a", "file:///etc/passwd", "ftp://x/a", "a"])
def test_only_https_is_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="only https"):
        download(url, tmp_path / "a", max_bytes=LIMIT)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def test_only_what_is_wanted_is_unpacked(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "a.zip",
        {"repo-1/labels.csv": b"x", "repo-1/Dataset 1/1.bmp": b"yy", "repo-1/virus.exe": b"z"},
    )
    names = ("labels.csv", "Dataset 1/1.bmp")
    written = unpack(archive, tmp_path / "out", names, max_bytes=3)
    assert written == [tmp_path / "out" / name for name in names]
    assert [path.read_bytes() for path in written] == [b"x", b"yy"]
    assert not list(tmp_path.rglob("virus.exe"))


@pytest.mark.parametrize(
    "name", ["../evil", "repo/../../evil", "/evil", "repo\\..\\..\\evil", "C:\\evil"]
)
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "a.zip", {"repo/labels.csv": b"x", name: b"evil"})
    with pytest.raises(DownloadError, match="leads out"):
        unpack(archive, tmp_path / "out", ["labels.csv"], max_bytes=100)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("repo/labels.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(DownloadError, match="leads out"):
        unpack(tmp_path / "a.zip", tmp_path / "out", ["labels.csv"], max_bytes=100)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"repo/1": bytes(60), "repo/2": bytes(10**7)})
    assert archive.stat().st_size < 20_000
    with pytest.raises(DownloadError, match="unpacks to more"):
        unpack(archive, tmp_path / "out", ["1", "2"], max_bytes=100)
    assert not (tmp_path / "out" / "2").exists()


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"repo/1": b""})
    with pytest.raises(DownloadError, match=r"lacks a file[\s\S]*labels\.csv"):
        unpack(archive, tmp_path / "out", ["labels.csv"], max_bytes=100)


def test_what_is_no_zip_file_gives_a_message(tmp_path: Path) -> None:
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w") as opened:
        opened.writestr("repo/1", bytes(1000))
    damaged = bytearray(good.getvalue())
    damaged[100] ^= 0xFF
    for content in (b"<html>sign in</html>", b"", good.getvalue()[:-30], bytes(damaged)):
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(DownloadError, match="not a complete zip file"):
            unpack(tmp_path / "a.zip", tmp_path / "out", ["1"], max_bytes=10**6)


_real_lookup = socket.getaddrinfo


def _only_loopback(host: str, *args: object, **kwargs: object) -> object:
    if host != "127.0.0.1":
        raise OSError(f"no network in tests: {host}")
    return _real_lookup(host, *args, **kwargs)
