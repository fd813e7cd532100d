"""YOLO: a text file an image, a line a box."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Box, Cell
from hemashift.datasets.folders import images_below, relative
from hemashift.datasets.formats import FormatReader
from hemashift.errors import DatasetError
from hemashift.images import read_size

_YAML_FILES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")
_PARTS = ("train", "val", "valid", "test")


class Yolo(FormatReader):
    """YOLO text labels with class names in `data.yaml` or `classes.txt`.

    The labels of `images/a.jpg` are in `labels/a.txt` (also `images/train` and `labels/train`, or
    `train/images` and `train/labels`), or in `a.txt` beside the image. Lines with a polygon
    instead of a box give the box around it.
    """

    name = "yolo"
    title = "YOLO text labels"
    layout = "data.yaml or classes.txt, images/*.jpg and labels/*.txt (or *.txt beside the images)"

    def recognises(self, folder: Path) -> bool:
        """Tell whether the class names are there and at least one image has a label file."""
        if not folder.is_dir() or _names_file(folder) is None:
            return False
        return any(_label_file(image, folder) for image in images_below(folder))

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield a cell a box; the group is the image.

        Raises:
            DatasetError: If names or a line are not understood.
            ImageError: If an image cannot be read.
        """
        file = _names_file(folder)
        names = read_names(file) if file else []
        for image in images_below(folder):
            labels = _label_file(image, folder)
            if labels is None:
                continue
            name = relative(image, folder)
            subset = next((part for part in Path(name).parts[:-1] if part in _PARTS), None)
            lines = labels.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            size = read_size(image) if any(line.strip() for line in lines) else (0, 0)
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    label, box = _parse(line, names, size, f"{labels}, line {number}")
                    yield Cell(name, label, subset=subset, box=box)


def read_names(path: Path) -> list[str]:
    """Return the class names in order.

    Of YAML only the key `names` is understood, as a list or a table of numbers: that is all that
    these files hold for us, and it saves a YAML parser.

    Raises:
        DatasetError: If there are no names.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix.lower() not in (".yaml", ".yml"):
        names = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        names = _yaml_names(text)
    if not names:
        raise DatasetError("no class names", expected="names: [basophil, ...]", where=path)
    return names


def _yaml_names(text: str) -> list[str]:
    text = re.sub(r"(^|\s)#[^\n]*", "", text)
    inline = re.search(r"^names\s*:\s*([\[{])(.*?)[\]}]", text, re.M | re.S)
    if inline:
        items = [item.strip() for item in inline[2].split(",") if item.strip()]
    else:
        block = re.search(r"^names\s*:[ \t]*\n((?:[ \t]*(?:-|\d+\s*:)[^\n]*\n?)+)", text, re.M)
        items = [line.strip() for line in block[1].splitlines()] if block else []
    numbered: dict[int, str] = {}
    for place, item in enumerate(items):
        given = re.fullmatch(r"(?:-\s*)?(?:[\"']?(\d+)[\"']?\s*:\s*)?(.*)", item)
        assert given is not None  # every text matches
        numbered[int(given[1]) if given[1] else place] = given[2].strip().strip("\"'")
    if sorted(numbered) != list(range(len(numbered))):
        return []
    return [numbered[i] for i in range(len(numbered))]


def _names_file(folder: Path) -> Path | None:
    return next((folder / n for n in (*_YAML_FILES, *_NAME_FILES) if (folder / n).is_file()), None)


def _label_file(image: Path, folder: Path) -> Path | None:
    parts = list(image.relative_to(folder).parts)
    places = [image.with_suffix(".txt")]
    if "images" in parts[:-1]:
        at = len(parts) - 2 - parts[-2::-1].index("images")
        parts[at] = "labels"
        places.insert(0, folder.joinpath(*parts).with_suffix(".txt"))
    return next((p for p in places if p.is_file() and p.name not in _NAME_FILES), None)


def _parse(line: str, names: list[str], size: tuple[int, int], where: str) -> tuple[str, Box]:
    try:
        first, *rest = line.split()
        number, values = int(first), [float(value) for value in rest]
        polygon = len(values) >= 6 and len(values) % 2 == 0
        if not polygon and len(values) not in (4, 5):  # a fifth one is a detector's confidence
            raise ValueError
    except ValueError:
        raise DatasetError(
            "a label line is not understood",
            expected="class x_centre y_centre width height",
            found=line[:80],
            where=where,
        ) from None
    if not 0 <= number < len(names):
        raise DatasetError(
            "a label line has a class without a name",
            expected=f"0 to {len(names) - 1}",
            found=first,
            where=where,
        )
    if polygon:
        left, right = min(values[0::2]), max(values[0::2])
        top, bottom = min(values[1::2]), max(values[1::2])
    else:
        x, y, width, height = values[:4]
        left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if not (-1 <= left < right <= 2 and -1 <= top < bottom <= 2):
        raise DatasetError(
            "a box is empty or not given as fractions of the image", found=line[:80], where=where
        )
    box = Box(
        round(left * size[0]), round(top * size[1]), round(right * size[0]), round(bottom * size[1])
    )
    # A box thinner than half a pixel still is one pixel.
    return names[number], box._replace(
        x_max=max(box.x_max, box.x_min + 1), y_max=max(box.y_max, box.y_min + 1)
    )
