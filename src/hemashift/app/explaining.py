"""Why a cell was called so, as a map over its picture; where PyTorch is installed.

The other answer to that question are the labelled cells that it resembles, see `neighbours`.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from hemashift.app import versions
from hemashift.app.pictures import SIDES, unchanged
from hemashift.app.refusals import ProjectError
from hemashift.errors import ImageError
from hemashift.images import read_image

if TYPE_CHECKING:
    from hemashift.app.project import Project
    from hemashift.model.bundle import Bundle
    from hemashift.model.saliency import Saliency

# The network of the active version, and of the one it is compared with; 15 MB each.
_IN_MEMORY = 2
# Of viridis, which the colour-blind read as well: without the dark end, which looks like a
# nucleus, and without the yellow end, which looks like the ground of some stains.
_COLOURS = (0.35, 0.88)
_MOST_OPAQUE = 0.7
_LOADING = Lock()
# What the network does not see is greyed.
_UNSEEN = (96, 96, 96, 140)


def available() -> bool:
    """Tell whether `why` can be asked: whether the extra `train` is installed."""
    return all(find_spec(name) is not None for name in ("torch", "timm"))


def why(project: Project, cell: int, version: int | None = None) -> bytes:
    """Return where a version of the model found what speaks for the class it gave to a cell.

    Args:
        project: The project.
        cell: Id of the cell.
        version: Version of the model; by default the active one.

    Returns:
        A PNG file with transparency, of the shape of the picture `large`, to be laid over it:
        the stronger the tint, the more it spoke for the class; what the network
        does not see is greyed. See `hemashift.model.saliency`.

    Raises:
        ProjectError: There is no such cell or version, or it has not classified the cell.
        ImageError: The file of the cell is gone, was changed since, or cannot be read.
        MissingExtraError: The extra `train` is not installed.
    """
    number = versions.active(project).number if version is None else version
    row = project.store.row(
        "SELECT path, size, modified, sha256, label FROM cells "
        "JOIN predictions ON cell = id AND version = ? WHERE id = ? AND status = 'ready'",
        number,
        cell,
    )
    if row is None:
        raise ProjectError("this version has not classified such a cell", found=str(cell))
    path = project.images / row["path"]
    if not unchanged(path, row):
        raise ImageError(
            "the image is gone or was changed", where=path, hint="import the folder again"
        )
    model = versions.bundle(project, number)
    pixels = read_image(path)
    found = _network(project, model)(model.card.preprocessing(pixels), row["label"])
    return _overlay(found, model.card.preprocessing.box_of(pixels), pixels.shape[:2])


def _network(project: Project, model: Bundle) -> Saliency:
    """Return the network of a model; loaded once, so that the next cell is there sooner."""
    with _LOADING:  # not the project's lock: this takes seconds, and the page goes on
        from hemashift.model.saliency import Saliency

        kept: dict[str, Saliency] = project.memory.setdefault("saliency", {})
        if model.hash not in kept:
            while len(kept) >= _IN_MEMORY:
                kept.pop(next(iter(kept)))
            kept[model.hash] = Saliency(model)
        return kept[model.hash]


def _overlay(
    found: npt.NDArray[np.float32], box: tuple[int, int, int, int], shape: tuple[int, ...]
) -> bytes:
    """Lay a map (S, S) on the part of an image that it is of; see `why`."""
    whole = Image.new("RGBA", (shape[1], shape[0]), _UNSEEN)
    size = (box[2] - box[0], box[3] - box[1])
    whole.paste(Image.fromarray(_coloured(found)).resize(size), box[:2])
    side = SIDES["large"]
    assert side is not None
    whole.thumbnail((side, side))
    content = io.BytesIO()
    whole.save(content, "PNG")
    return content.getvalue()


def _coloured(found: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    import matplotlib  # late: it takes its time, and only a map needs it

    lowest, highest = _COLOURS
    colours = matplotlib.colormaps["viridis"](lowest + (highest - lowest) * found, bytes=True)
    colours[..., 3] = np.round(255 * _MOST_OPAQUE * found)
    return np.asarray(colours, np.uint8)
