"""Images within zip files are read in place, and a hostile zip file does no harm."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.errors import ImageError
from hemashift.images import Limits, read_image


def png(value: int = 90) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 5), (value, 20, 30)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "cells.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for value in range(20):
            member = zipfile.ZipInfo(f"{value % 3}/cell {value}.png")
            # A time stamp as other programs write it: zipfile of Python 3.12 and 3.13 loses its
            # place there when other threads read, too.
            member.extra = b"UT\x05\x00\x01\x00\x00\x00\x00"
            opened.writestr(member, png(value), zipfile.ZIP_DEFLATED)
        opened.writestr("../outside.png", png())
        opened.writestr("zeros.png", bytes(5_000_000))
    return path


def test_a_member_is_read_without_unpacking(archive: Path) -> None:
    image = read_image(f"{archive}!/1/cell 4.png")
    assert image.shape == (5, 6, 3)
    assert image[0, 0].tolist() == [4, 20, 30]
    assert sorted(path.name for path in archive.parent.iterdir()) == ["cells.zip"]


def test_many_threads_read_one_archive(archive: Path) -> None:
    names = [f"{archive}!/{value % 3}/cell {value}.png" for value in range(20)] * 50
    with ThreadPoolExecutor(8) as pool:
        reds = [int(image[0, 0, 0]) for image in pool.map(read_image, names)]
    assert reds == list(range(20)) * 50


def test_a_changed_archive_is_read_anew(archive: Path) -> None:
    assert read_image(f"{archive}!/0/cell 0.png")[0, 0, 0] == 0
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("0/cell 0.png", png(77))
    assert read_image(f"{archive}!/0/cell 0.png")[0, 0, 0] == 77


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("2/none.png", "does not hold"),
        ("../outside.png", "must not lead out"),
        ("/etc/passwd", "must not lead out"),
    ],
)
def test_members_that_are_refused(archive: Path, member: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(f"{archive}!/{member}")


def test_a_zip_bomb_is_refused_before_it_unfolds(archive: Path) -> None:
    with pytest.raises(ImageError, match="too large"):
        read_image(f"{archive}!/zeros.png", limits=Limits(max_bytes=1_000_000))


def test_a_lying_member_size_does_no_harm(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    entry = data.rindex(b"zeros.png") - 46
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    archive.write_bytes(data)
    with pytest.raises(ImageError):
        read_image(f"{archive}!/zeros.png", limits=Limits(max_bytes=1_000_000))


def test_damaged_and_missing_archives(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_image(f"{tmp_path}/none.zip!/a.png")
    (tmp_path / "text.zip").write_text("this is no archive")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(f"{tmp_path}/text.zip!/a.png")


def test_corrupted_archives_give_an_image_or_an_image_error(archive: Path) -> None:
    content = archive.read_bytes()
    content = content[: content.index(b"zeros.png")] + content[content.index(b"zeros.png") :]
    generator = np.random.default_rng(3)
    for _ in range(60):
        data = bytearray(content)
        for at in generator.integers(0, len(data), 30):
            data[at] = generator.integers(0, 256)
        archive.write_bytes(data)
        try:
            image = read_image(f"{archive}!/1/cell 4.png")
        except ImageError as error:
            assert "cells.zip" in str(error)
        else:
            assert image.shape == (5, 6, 3)
