"""Pascal VOC: an XML file an image with a box a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

from hemashift.cells import Box, Cell
from hemashift.datasets.folders import IMAGE_SUFFIXES, inside, natural, relative, subfolders
from hemashift.datasets.formats import FormatReader, with_suffix
from hemashift.errors import DatasetError

_LARGEST = 10_000_000  # bytes; an annotation of a thousand cells has a hundredth of it
_IMAGE_FOLDERS = ("JPEGImages", "images", "Images", "imgs", ".")


class AnnotatedField(NamedTuple):
    """One annotation: its image and the label and box of every object."""

    image: Path
    objects: list[tuple[str, Box]]
    subset: str | None


class Voc(FormatReader):
    """Pascal VOC: `Annotations/*.xml` with `JPEGImages/*`, or XML files beside their images.

    Published boxes are 1-based with both ends inside; here they are 0-based and half-open.
    """

    name = "voc"
    title = "Pascal VOC XML"
    layout = "Annotations/*.xml and JPEGImages/*, or *.xml beside the images"

    def recognises(self, folder: Path) -> bool:
        """Tell whether the folder or its Annotations hold an XML annotation."""
        return folder.is_dir() and any(
            _is_annotation(path) for path in _annotations(folder, limit=1)
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield a cell an object; the group is the image."""
        for field in annotated_objects(folder):
            for label, box in field.objects:
                yield Cell(relative(field.image, folder), label, subset=field.subset, box=box)


def annotated_objects(folder: Path) -> Iterator[AnnotatedField]:
    """Yield the annotations below a folder, in natural order of their names.

    Raises:
        DatasetError: If an annotation is not understood, refused, or its image is missing.
    """
    for path in _annotations(folder):
        root = parse_xml(path)
        if root.tag != "annotation":
            continue
        name = (root.findtext("filename") or "").strip() or path.stem
        objects = [(_label(item, path), _box(item, path)) for item in root.iter("object")]
        base, subset = _place(path, folder)
        yield AnnotatedField(_image(name, path, base, subset), objects, subset)


def parse_xml(path: Path) -> ElementTree.Element:
    """Parse an XML file that may come from anywhere.

    A document type is refused, since entities are declared in it: nested ones swell without
    bound, external ones read other files. No annotation format needs any.

    Raises:
        DatasetError: If the file is too large, not well formed, or declares a document type.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DatasetError("an annotation is far too large", where=path)
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError("an annotation cannot be read", found=str(error), where=path) from None

    def refuse(*_: object) -> None:
        raise DatasetError("an annotation declares a document type and is refused", where=path)

    # Expat meets the declaration before it expands anything, in whatever encoding it is written.
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(data, True)
        return ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise DatasetError("an annotation is no valid XML", found=str(error), where=path) from None


def _annotations(folder: Path, limit: int | None = None) -> Iterator[Path]:
    for place in (folder / "Annotations", folder / "annotations", folder):
        below = [place, *subfolders(place).values()] if place.is_dir() else []
        found = [path for inner in below for path in with_suffix(inner, ".xml")]
        if found:
            # Two spellings of one folder are the same place on some file systems.
            yield from sorted(found, key=lambda p: natural(p.as_posix()))[:limit]
            return


def _is_annotation(path: Path) -> bool:
    try:
        return parse_xml(path).tag == "annotation"
    except DatasetError:
        return True  # an annotation that is broken deserves its own error, not another format


def _place(path: Path, folder: Path) -> tuple[Path, str | None]:
    """Return the folder that the image folders lie in, and the subset, of an annotation."""
    if path.parent == folder:
        return folder, None
    if path.parent.name.lower().startswith("annotation"):
        return path.parent.parent, None
    if path.parent.parent.name.lower().startswith("annotation"):
        return path.parent.parent.parent, path.parent.name
    return path.parent, path.parent.name


def _image(name: str, path: Path, base: Path, subset: str | None) -> Path:
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    places = [base / place / part for place in _IMAGE_FOLDERS for part in (".", subset or ".")]
    for place in places:
        image = inside(bare, place, path)
        if image.is_file():
            return image
    # Labelling tools keep the name of the image at the time; it may since have changed suffix.
    for place in places:
        for suffix in IMAGE_SUFFIXES:
            image = place / f"{path.stem}{suffix}"
            if image.is_file():
                return inside(image.name, place, path)
    raise DatasetError(
        "the image of an annotation is missing",
        expected=f"{bare} in {', '.join(_IMAGE_FOLDERS[:-1])} or beside, in {base}",
        where=path,
    )


def _label(item: ElementTree.Element, path: Path) -> str:
    label = (item.findtext("name") or "").strip()
    if not label:
        raise DatasetError("an object has no name", where=path)
    return label


def _box(item: ElementTree.Element, path: Path) -> Box:
    ends = [item.findtext(f"bndbox/{end}") for end in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x_min, y_min, x_max, y_max = (round(float(end or "")) for end in ends)
    except (ValueError, OverflowError):
        raise DatasetError(
            "an object has no box of four numbers", found=str(ends), where=path
        ) from None
    box = Box(max(x_min - 1, 0), max(y_min - 1, 0), x_max, y_max)
    if not box.plausible:
        raise DatasetError("a box lies beyond any image", found=str(ends), where=path)
    if box.x_min >= box.x_max or box.y_min >= box.y_max:
        raise DatasetError("the box of an object is empty", found=str(ends), where=path)
    return box
