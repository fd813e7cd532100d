"""COCO: one JSON file of images, categories and boxes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hemashift.cells import Box, Cell
from hemashift.datasets.folders import inside, relative
from hemashift.datasets.formats import FormatReader, with_suffix
from hemashift.errors import DatasetError


class Coco(FormatReader):
    """COCO detection JSON, in the folder of the images or in `annotations/` beside `images/`."""

    name = "coco"
    title = "COCO JSON"
    layout = "a JSON file with images, annotations and categories, beside or above the images"

    def recognises(self, folder: Path) -> bool:
        """Tell whether this is a COCO file or a folder with one."""
        return bool(_files(folder))

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield a cell a box; the group is the image.

        Raises:
            DatasetError: If an entry is not understood or an image is missing.
        """
        root = folder.parent if folder.is_file() else folder
        files = _files(folder)
        for file in files:
            subset = file.stem.removeprefix("instances_") if len(files) > 1 else None
            yield from _read(file, root, subset)


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        candidates = [folder] if folder.suffix.lower() == ".json" else []
    else:
        candidates = with_suffix(folder, ".json") + with_suffix(folder / "annotations", ".json")
        # Roboflow's layout: train/_annotations.coco.json beside the images of the part.
        for part in ("train", "valid", "val", "test"):
            candidates += with_suffix(folder / part, ".json")
    return [path for path in candidates if _content(path) is not None]


def _content(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    wanted = ("images", "annotations", "categories")
    good = isinstance(content, dict) and all(isinstance(content.get(k), list) for k in wanted)
    return content if good else None


def _read(file: Path, root: Path, subset: str | None) -> Iterator[Cell]:
    content = _content(file) or {}
    try:
        images = {image["id"]: str(image["file_name"]) for image in content["images"]}
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
    except (KeyError, TypeError) as error:
        raise DatasetError(
            "an image or category of the COCO file is not understood",
            expected="images with id and file_name, categories with id and name",
            found=f"no {error}",
            where=file,
        ) from None
    paths: dict[str, str] = {}
    for number, item in enumerate(content["annotations"]):
        where = f"{file}, annotation {number}"
        try:
            name, label = images[item["image_id"]], names[item["category_id"]]
            x, y, width, height = (float(value) for value in item["bbox"])
            box = Box(math.floor(x), math.floor(y), math.ceil(x + width), math.ceil(y + height))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DatasetError(
                "an annotation of the COCO file is not understood",
                expected="image_id, category_id and bbox [x, y, width, height]",
                found=str(error),
                where=where,
            ) from None
        if not box.plausible:
            raise DatasetError("a box lies beyond any image", found=str(item["bbox"]), where=where)
        if width <= 0 or height <= 0:
            raise DatasetError("a box is empty", found=str(item["bbox"]), where=where)
        if name not in paths:
            paths[name] = relative(_image(name, file, root, where), root)
        yield Cell(paths[name], label, subset=subset, box=box)


def _image(name: str, file: Path, root: Path, where: str) -> Path:
    part = file.stem.removeprefix("instances_")
    for place in (file.parent, root, root / "images", root / part, root / "images" / part):
        image = inside(name, place, where)
        if image.is_file():
            return image
    raise DatasetError(
        "an image of the COCO file is missing",
        expected=f"{name} beside the file, or in images/ or {part}/ below {root}",
        where=where,
    )
