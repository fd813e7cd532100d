"""The changes by which the paper degrades its sharper source, one at a time and at their ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from hemashift.model.extra import train_extra_missing
from hemashift.studies.contract import Pixels


def shown_changes() -> dict[str, dict[str, Any]]:
    """Return the changes to show: name -> fields of `hemashift.training.recipe.Augmentation`.

    They are the bounds of the recipe `paper`.
    """
    from hemashift.training.recipe import PRESETS

    ranges = PRESETS["paper"].augmentation
    closest, sharpest, coarsest = ranges.window[0], ranges.resolution[1], ranges.resolution[0]
    half = (closest + 1) / 2
    coarse = {"resolution": (coarsest, coarsest), "resolution_chance": 1.0}
    return {
        "before": {},
        f"window {half:g}": {"window": (half, half)},
        f"window {closest:g}": {"window": (closest, closest)},
        f"{sharpest:.0f} px": {"resolution": (sharpest, sharpest), "resolution_chance": 1.0},
        f"{coarsest:.0f} px": coarse,
        "both": {"window": (closest, closest), **coarse},
    }


def augmented(image: Pixels, change: str) -> Pixels:
    """Return an image with one of the changes, as training applies it.

    Args:
        image: uint8 (S, S, 3).
        change: A name of `shown_changes`.

    Raises:
        MissingExtraError: The extra `train` is not installed.
    """
    try:
        import torch

        from hemashift.training.augmentation import augment
    except ImportError as error:
        raise train_extra_missing() from error
    from hemashift.training.recipe import Augmentation

    settings = Augmentation(rotate=False, **shown_changes()[change])
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    changed = augment(pixels, image.shape[0], settings, torch.Generator().manual_seed(0))
    return np.asarray((changed[0].permute(1, 2, 0) * 255).round().byte().numpy())
