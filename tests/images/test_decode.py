"""Whatever the file holds, the decoder gives uint8 RGB or an ImageError, and nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.errors import ImageError
from hemashift.images import Limits, read_image, read_size
from hemashift.images.decode import decode

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WebP")


def picture(height: int = 24, width: int = 32, seed: int = 0) -> np.ndarray:
    """A smooth picture, so that lossy formats keep it nearly."""
    rows, columns = np.mgrid[:height, :width]
    phase = np.random.default_rng(seed).uniform(0, 6, 3)
    waves = np.sin(rows[..., None] / 9 + columns[..., None] / 11 + phase)
    return (127 + 100 * waves).astype(np.uint8)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def read(content: bytes, tmp_path: Path, name: str = "cell.bin") -> np.ndarray:
    path = tmp_path / name
    path.write_bytes(content)
    return read_image(path)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_its_colours(form: str, tmp_path: Path) -> None:
    expected = picture()
    options = {"JPEG": {"quality": 95}, "WebP": {"lossless": True}}.get(form, {})
    image = read(encoded(Image.fromarray(expected), form, **options), tmp_path)
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    tolerance = 12 if form == "JPEG" else 0
    assert np.abs(image.astype(int) - expected).max() <= tolerance
    assert image.flags.writeable
    assert image.flags.c_contiguous


def test_the_content_and_not_the_suffix_decides(tmp_path: Path) -> None:
    image = read(encoded(Image.fromarray(picture()), "PNG"), tmp_path, "cell.jpg")
    assert np.array_equal(image, picture())


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_alpha_is_dropped_and_never_blended(form: str, alpha: int, tmp_path: Path) -> None:
    rgba = np.dstack([picture(), np.full((24, 32), alpha, np.uint8)])
    assert np.array_equal(read(encoded(Image.fromarray(rgba), form), tmp_path), picture())


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_the_upper_byte(form: str, tmp_path: Path) -> None:
    values = np.array([[0, 255, 256, 40_000, 65_535]], np.uint16)
    image = read(encoded(Image.fromarray(values), form), tmp_path)
    assert image[0, :, 0].tolist() == [0, 0, 1, 156, 255]
    assert np.array_equal(image[..., 0], image[..., 2])


def test_sixteen_bit_colour_keeps_the_upper_byte(tmp_path: Path) -> None:
    # Pillow cannot write this kind of PNG, so it is put together here.
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        length, check = len(data), zlib.crc32(kind + data)
        return struct.pack(">I", length) + kind + data + struct.pack(">I", check)

    row = b"\x00" + struct.pack(">6H", 0, 300, 65_535, 256, 40_000, 511)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
    assert read(content, tmp_path).tolist() == [[[0, 1, 255], [1, 156, 1]]]


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "PA", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str, tmp_path: Path) -> None:
    source = Image.fromarray(picture()).convert("RGBA" if mode == "PA" else "RGB").convert(mode)
    form = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    image = read(encoded(source, form), tmp_path)
    expected = np.asarray(source.convert("RGB"))
    assert image.shape == (24, 32, 3)
    assert np.abs(image.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_pixels_without_an_agreed_range_are_refused(mode: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="agreed range"):
        read(encoded(Image.new(mode, (4, 4)), "TIFF"), tmp_path)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG", "WebP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(form: str, orientation: int, tmp_path: Path) -> None:
    marked = np.full((16, 32, 3), 30, np.uint8)
    marked[:8, :8] = 220  # upper left as stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(marked), form, exif=exif.tobytes())
    image = read(content, tmp_path)[..., 0]
    assert image.shape == ((16, 32) if orientation < 5 else (32, 16))
    assert read_size(tmp_path / "cell.bin") == image.shape[::-1]
    # Where the stored upper left corner comes to lie, for orientations 1 to 8.
    corners = [(0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0), (0, -1), (-1, -1), (-1, 0)]
    assert image[corners[orientation - 1]] > 180
    assert (image > 125).sum() == 64


@pytest.mark.parametrize("form", ["TIFF", "WebP", "PNG"])
def test_several_pages_or_frames_are_refused(form: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(seed=seed)) for seed in range(3)]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="several images") as caught:
        read(content, tmp_path)
    assert caught.value.found == "3"


def test_a_thumbnail_page_does_not_count(tmp_path: Path) -> None:
    thumbnail = Image.fromarray(picture(6, 8))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    content = encoded(Image.fromarray(picture()), "TIFF", save_all=True, append_images=[thumbnail])
    assert np.array_equal(read(content, tmp_path), picture())


def test_the_pixel_limit_is_checked_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.new("1", (20_000, 20_000)), "PNG"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="too large") as caught:
            read_image(path)
        assert "400,000,000" in str(caught.value)
    small = tmp_path / "small.png"
    small.write_bytes(encoded(Image.fromarray(picture()), "PNG"))
    with pytest.raises(ImageError, match="too large"):
        read_image(small, limits=Limits(max_pixels=100))
    with pytest.raises(ImageError, match="too large"):
        read_size(small, limits=Limits(max_pixels=100))
    assert read_image(small).shape == (24, 32, 3)


def test_the_byte_limit(tmp_path: Path) -> None:
    path = tmp_path / "cell.bmp"
    path.write_bytes(encoded(Image.fromarray(picture()), "BMP"))
    with pytest.raises(ImageError, match="too large"):
        read_image(path, limits=Limits(max_bytes=100))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not an image of an accepted format"),
        (b"GIF89a" + bytes(50), "not an image of an accepted format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not an image of an accepted format"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"BM", "damaged"),
        (b"II*\x00", "damaged"),
        (b"RIFF\x00\x00\x00\x00WEBP", "damaged"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        read(content, tmp_path, "cell.jpg")
    assert "cell.jpg" in str(caught.value)
    assert caught.value.hint


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError):
        read_image("nul\0byte.png")
    with pytest.raises(ImageError):
        read_image(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_files_are_refused(form: str, tmp_path: Path) -> None:
    content = encoded(Image.fromarray(picture()), form)
    with pytest.raises(ImageError, match="damaged"):
        read(content[: len(content) // 2], tmp_path)


def corrupted(content: bytes, generator: np.random.Generator) -> bytes:
    """Overwrite, cut, insert or zero bytes, mostly in the header, where it hurts most."""
    data = bytearray(content)
    reach = len(data) if generator.random() < 0.5 else min(len(data), 200)
    for _ in range(generator.integers(1, 8)):
        at = int(generator.integers(0, reach))
        kind = generator.integers(0, 4)
        if kind == 0:
            data[at : at + 1] = generator.bytes(1)
        elif kind == 1:
            data[at : at + 4] = b"\xff\xff\xff\x7f"
        elif kind == 2:
            del data[at : at + int(generator.integers(1, 50))]
        else:
            data[at:at] = generator.bytes(int(generator.integers(1, 20)))
        reach = max(1, min(reach, len(data)))
    return bytes(data)


def variants() -> list[bytes]:
    image = Image.fromarray(picture())
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        *(encoded(image, form) for form in FORMATS),
        encoded(image, "JPEG", exif=exif.tobytes(), progressive=True),
        encoded(image.convert("CMYK"), "JPEG"),
        encoded(image, "TIFF", compression="tiff_lzw"),
        encoded(image, "TIFF", compression="tiff_adobe_deflate", exif=exif.tobytes()),
        encoded(image, "TIFF", compression="jpeg"),
        encoded(image.convert("P"), "PNG", exif=exif.tobytes()),
        encoded(image, "WebP", lossless=True),
        encoded(image.convert("P"), "BMP"),
        encoded(Image.fromarray(np.full((9, 9), 5000, np.uint16)), "TIFF"),
    ]


def fuzz(rounds: int) -> int:
    """Decode corrupted files; return how many still gave an image."""
    survived = 0
    generator = np.random.default_rng(7)
    for _ in range(rounds):
        for content in variants():
            try:
                image = decode(
                    corrupted(content, generator), where="x", limits=Limits(max_pixels=10**6)
                )
            except ImageError as error:
                assert error.where == "x"
            else:
                survived += 1
                assert image.dtype == np.uint8
                assert image.ndim == 3
                assert image.shape[2] == 3
    return survived


def test_corrupted_files_give_an_image_or_an_image_error() -> None:
    assert 0 < fuzz(40) < 40 * len(variants())


def test_corrupted_files_print_nothing() -> None:
    # In a process of its own: the libraries in C write to the descriptor, past sys.stderr.
    script = (
        "import importlib.util, sys;"
        "spec = importlib.util.spec_from_file_location('fuzzing', sys.argv[1]);"
        "module = importlib.util.module_from_spec(spec);"
        "spec.loader.exec_module(module);"
        "module.fuzz(25)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script, __file__], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""


def test_threads_leave_the_warning_filters_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "cell.tif"
    path.write_bytes(encoded(Image.fromarray(picture()), "TIFF"))
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(read_image, [path] * 64))
    assert warnings.filters == before
    assert all(np.array_equal(image, picture()) for image in images)


def test_real_files_of_every_dataset(real_data: Path) -> None:
    shapes = {
        "barcelona": ("**/*.jpg", 360),
        "munich_2019": ("**/*.tiff", 400),
        "jiangxi_tecom": ("**/*.bmp", 120),
        "bccd": ("**/*.jpeg", 320),
    }
    for folder, (pattern, width) in shapes.items():
        found = sorted((real_data / folder).glob(pattern))[:3]
        if not (real_data / folder).is_dir():
            continue
        assert found
        for path in found:
            image = read_image(path)
            assert abs(image.shape[1] - width) <= 10
            assert image.std() > 5
