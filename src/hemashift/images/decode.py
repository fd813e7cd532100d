"""Reading an image file into an array, whatever its format, and never trusting it.

Rules that hold for every format:

- The result is always `uint8`, `(height, width, 3)`, red green blue.
- An alpha channel is dropped and never blended: the colour beneath it is what the camera
  saw. (The Munich 2019 images carry one that means nothing.)
- Of 16 bits a channel the upper 8 are kept (value // 256), for grey as for colour.
- Grey, black-and-white, palette, CMYK and YCbCr images are converted to RGB.
- Floating point, 32-bit and CIELAB images are refused: they have no agreed range.
- The EXIF orientation is applied.
- A file with several pages or frames is refused, since none of them is *the* cell. Pages
  marked as reduced-resolution copies (thumbnails) do not count.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from hemashift.errors import ImageError
from hemashift.images import archive
from hemashift.images.limits import DEFAULT_LIMITS, Limits
from hemashift.images.quiet import silence

Pixels = npt.NDArray[np.uint8]

FORMATS = "JPEG, PNG, BMP, TIFF or WebP"

ORIENTATION_TAG = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)  # orientations that exchange width and height
SUBFILE_TYPE_TAG = 254
REDUCED_RESOLUTION = 1


@dataclass(frozen=True)
class _Format:
    """One accepted format: its name and the Pillow reader for it."""

    name: str
    reader: type[ImageFile]


JPEG = _Format("JPEG", JpegImageFile)
PNG = _Format("PNG", PngImageFile)
BMP = _Format("BMP", BmpImageFile)
TIFF = _Format("TIFF", TiffImageFile)
WEBP = _Format("WebP", WebPImageFile)


def read_image(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Read one image as RGB.

    Args:
        path: A JPEG, PNG, BMP, TIFF or WebP file, or one within a zip file, written
            `archive.zip!/inner/name.jpg`. The content decides the format, not the suffix.
        limits: The largest file and image to accept.

    Returns:
        `uint8` array of shape (height, width, 3), values 0 to 255, writable.

    Raises:
        ImageError: The file is missing, unreadable, damaged, too large, not an image of an
            accepted format, or has several pages. The message names the file.

    Examples:
        >>> import tempfile
        >>> from PIL import Image
        >>> file = Path(tempfile.mkdtemp()) / "cell.png"
        >>> Image.new("L", (4, 3), 200).save(file)
        >>> read_image(file).shape
        (3, 4, 3)
        >>> read_image(file).max()
        np.uint8(200)
    """
    return decode(archive.read_bytes(path, limits), where=str(path), limits=limits)


def read_size(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Return the width and height that `read_image` gives an image, mostly from its header alone.

    Args:
        path: As for `read_image`.
        limits: The largest file and image to accept.

    Raises:
        ImageError: As for `read_image`; damage behind the header may go unnoticed.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "cell.png"
        >>> Image.new("L", (4, 3), 200).save(file)
        >>> read_size(file)
        (4, 3)
    """
    with _opened(archive.read_bytes(path, limits), str(path), limits) as image:
        width, height = image.size
        # Of a TIFF file, Pillow gives the size as the picture is seen.
        turned = not isinstance(image, TiffImageFile) and _orientation(image) in _ON_ITS_SIDE
        return (height, width) if turned else (width, height)


def decode(content: bytes, *, where: str, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Decode the bytes of an image file as `read_image` does.

    Args:
        content: The bytes of the file.
        where: The name of the file, for the error message.
        limits: The largest image to accept.

    Returns:
        `uint8` array of shape (height, width, 3).

    Raises:
        ImageError: As for `read_image`.
    """
    with _opened(content, where, limits) as image:
        return _to_rgb(image, where)


@contextmanager
def _opened(content: bytes, where: str, limits: Limits) -> Iterator[ImageFile]:
    """Open an image of an accepted format and size; whatever fails meanwhile is an ImageError."""
    form = _sniff(content, where)
    with silence():
        try:
            # The reader is called directly, not through Image.open, because only so the pixel
            # limit is one of this call and not a setting of the whole process.
            with form.reader(io.BytesIO(content)) as image:
                _check_size(image.size, where, limits)
                _check_single(image, where)
                yield image
        except ImageError:
            raise
        except MemoryError as error:
            raise ImageError(
                "the image does not fit into memory",
                where=where,
                hint="crop or shrink the image, or close other programs",
            ) from error
        # A damaged file can raise nearly anything from within a decoder.
        except Exception as error:
            raise ImageError(
                "the image file is damaged",
                expected=f"a complete {form.name} file",
                found=f"{len(content)} bytes that stop decoding with: {error or type(error)}",
                where=where,
                hint="copy or export the image again, or leave it out",
            ) from error


def _sniff(content: bytes, where: str) -> _Format:
    """Tell the format from the first bytes."""
    if not content:
        raise ImageError(
            "the image file is empty",
            expected=f"a {FORMATS} image",
            found="0 bytes",
            where=where,
            hint="copy or export the image again, or leave it out",
        )
    if content[:3] == b"\xff\xd8\xff":
        return JPEG
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return PNG
    if content[:2] == b"BM":
        return BMP
    if content[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return TIFF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    raise ImageError(
        "this is not an image of an accepted format",
        expected=f"a {FORMATS} image",
        found=f"a file that begins with the bytes {content[:8].hex(' ')}",
        where=where,
        hint="export it as PNG or JPEG, or leave it out",
    )


def _check_size(size: tuple[int, int], where: str, limits: Limits) -> None:
    """Refuse empty images and images above the pixel limit, before any pixel is decoded."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError("the image has no pixels", found=f"{width} x {height}", where=where)
    if width * height > limits.max_pixels:
        raise ImageError(
            "the image is too large",
            expected=f"at most {limits.max_pixels:,} pixels",
            found=f"{width} x {height} = {width * height:,} pixels",
            where=where,
            hint="cut the cells out first, or save the image smaller",
        )


def _check_single(image: ImageFile, where: str) -> None:
    """Refuse files with several pages or frames; thumbnails do not count."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and isinstance(image, TiffImageFile):
        frames = 1 + sum(not _is_reduced(image, page) for page in range(1, frames))
        image.seek(0)
    if frames > 1:
        raise ImageError(
            "the file holds several images",
            expected="one page or frame",
            found=f"{frames}",
            where=where,
            hint="export each page or frame as a file of its own",
        )


def _is_reduced(image: TiffImageFile, page: int) -> bool:
    image.seek(page)
    return bool(int(image.tag_v2.get(SUBFILE_TYPE_TAG, 0)) & REDUCED_RESOLUTION)


def _to_rgb(image: ImageFile, where: str) -> Pixels:
    """Decode the pixels, apply the orientation and bring any colour mode to RGB."""
    image.load()
    upright: Image.Image = image
    if _orientation(image) != 1:
        upright = ImageOps.exif_transpose(image)
    mode = upright.mode
    if mode in ("F", "I", "LAB"):
        kinds = {"F": "floating point", "I": "32-bit integers", "LAB": "CIELAB"}
        raise ImageError(
            "the pixels are of a kind without an agreed range",
            expected="8 or 16 bits a channel, grey or RGB",
            found=kinds[mode],
            where=where,
            hint="export the image as 8-bit RGB PNG or TIFF",
        )
    if mode.startswith("I;16"):
        grey = (np.asarray(upright).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if mode != "RGB":
        # Of RGBA this takes the colours as they are stored.
        upright = upright.convert("RGB")
    return np.array(upright)


def _orientation(image: ImageFile) -> int:
    """Return the EXIF orientation, 1 (upright) where none is stored."""
    if isinstance(image, JpegImageFile) and "exif" not in image.info:
        return 1
    value: Any = image.getexif().get(ORIENTATION_TAG, 1)
    return value if isinstance(value, int) else 1
