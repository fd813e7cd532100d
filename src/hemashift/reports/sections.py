"""The parts that a page is made of. Each is data only; the templates say how it looks."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from hemashift.reports.style import save_bytes

Picture = bytes | Figure | NDArray[np.uint8]
"""An image for a page: an encoded file, a figure, or pixels uint8 (H, W, 3)."""


@dataclass(frozen=True)
class Number:
    """One headline figure.

    Attributes:
        label: What it is.
        value: The value as text, such as "93.1 %".
        note: What stands below in small letters, such as the limits.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Numbers:
    """Headline figures side by side."""

    kind: ClassVar[str] = "numbers"
    title: str
    items: Sequence[Number]
    note: str = ""


@dataclass(frozen=True)
class Notices:
    """Warnings, or other sentences that must not be overlooked.

    Attributes:
        title: Heading.
        items: One sentence each. A section without items is left out of the page.
        serious: Whether they are warnings, or only remarks.
    """

    kind: ClassVar[str] = "notices"
    title: str
    items: Sequence[str]
    serious: bool = True


@dataclass(frozen=True)
class Text:
    """Paragraphs of plain text."""

    kind: ClassVar[str] = "text"
    title: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Names with their values, such as the facts on a model's card."""

    kind: ClassVar[str] = "facts"
    title: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows.

    Attributes:
        title: Heading.
        columns: Column headings.
        rows: Rows as long as `columns`. Numbers are texts already; a column whose entries
            all start with a digit is aligned to the right.
        note: What stands below in small letters.
        colours: First column -> colour of a small square before it, for classes.
    """

    kind: ClassVar[str] = "table"
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    colours: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of the table {self.title!r} is not as long as its heading")

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        empty = ("", "\N{EN DASH}")
        columns = [[row[i] for row in self.rows if row[i] not in empty] for i in range(self.width)]
        return [bool(c) and all(v.lstrip("+-\u2212")[:1].isdigit() for v in c) for c in columns]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)


@dataclass(frozen=True)
class Plate:
    """A picture with its description.

    Attributes:
        picture: The image.
        alt: What it shows, for readers who do not see it.
        caption: What stands below.
    """

    picture: Picture
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Pictures:
    """Figures side by side, as many as fit.

    Attributes:
        title: Heading.
        items: The figures.
        note: What stands below in small letters.
        broad: Whether each has the whole width, as figures of many panels need.
    """

    kind: ClassVar[str] = "pictures"
    title: str
    items: Sequence[Plate]
    note: str = ""
    broad: bool = False


@dataclass(frozen=True)
class Thumbnail:
    """One cell in a gallery.

    Attributes:
        alt: What the picture shows.
        lines: Short lines below it, the first in bold.
        picture: The image, or None where it was not found.
        colour: Colour of the frame, that of the class, or empty.
    """

    alt: str
    lines: Sequence[str]
    picture: Picture | None = None
    colour: str = ""


@dataclass(frozen=True)
class Gallery:
    """Many small pictures of cells."""

    kind: ClassVar[str] = "gallery"
    title: str
    items: Sequence[Thumbnail]
    note: str = ""


Section = Numbers | Notices | Text | Facts | Table | Pictures | Gallery


def data_uri(picture: Picture) -> str:
    """Return an image as text that a page can hold within itself.

    Figures become SVG, pixels JPEG; an encoded file stays as it is.

    Raises:
        ValueError: If bytes are not PNG, JPEG, WebP, GIF or SVG.

    Examples:
        >>> data_uri(np.zeros((4, 4, 3), np.uint8))[:23]
        'data:image/jpeg;base64,'
    """
    if isinstance(picture, Figure):
        content = save_bytes(picture, "svg")
    elif isinstance(picture, bytes):
        content = picture
    else:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=88)
        content = buffer.getvalue()
    return f"data:{_media_type(content)};base64,{base64.b64encode(content).decode()}"


def _media_type(content: bytes) -> str:
    for start, name in (
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
    ):
        if content.startswith(start):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.lstrip().startswith((b"<?xml", b"<svg")):
        return "image/svg+xml"
    raise ValueError("the bytes are no PNG, JPEG, GIF, WebP or SVG image")
