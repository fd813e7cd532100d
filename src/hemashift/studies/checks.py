"""Names and values of the settings that stand for nothing, refused before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from hemashift.adaptation.registry import METHODS
from hemashift.colour import TRANSFORMS
from hemashift.datasets import published
from hemashift.errors import HemashiftError, MissingExtraError
from hemashift.training.recipe import Recipe, recipe

if TYPE_CHECKING:
    from hemashift.studies.settings import Settings


def check(settings: Settings, where: str) -> None:
    """Refuse names that stand for nothing, before hours of work and not after them.

    Args:
        settings: The settings.
        where: Where they come from, for the message.

    Raises:
        HemashiftError: A name or a recipe is not known, or the parts do not fit together.
    """
    _check_datasets(settings, where)
    _check_approaches(settings, where)
    _check_models(settings, where)
    transforms = settings.study.datasets.transforms
    _known(transforms, TRANSFORMS, "colour transform", f"{where}, study.datasets")


def _check_datasets(settings: Settings, where: str) -> None:
    owned = {name for name, one in settings.datasets.items() if one.folder is not None}
    used = {*settings.sources, *settings.targets}
    known = (*published(), *sorted(owned))
    _known((*settings.sources, *settings.targets, *settings.datasets), known, "dataset", where)
    _known(owned, used, "dataset of your own in sources or targets", where)
    looked_at = (*settings.study.pictures.targets, *settings.study.errors.targets)
    _known(looked_at, settings.targets, "target", where)
    both = sorted(set(settings.sources) & set(settings.targets))
    if both:
        raise HemashiftError(
            "a dataset is both a source and a target", found=", ".join(both), where=where
        )


def _check_approaches(settings: Settings, where: str) -> None:
    study = settings.study
    asked = (
        *study.targets.approaches,
        *study.ablation.conditions,
        *study.ablation.further,
        *study.sample_size.approaches,
        study.pictures.approach,
        study.errors.approach,
    )
    _known(asked, settings.approaches, "approach", where)
    for name, one in settings.approaches.items():
        place = f"{where}, approaches.{name}"
        _known([one.model], settings.models, "model", place)
        _known([one.method], ("none", *METHODS), "method", place)
        if one.colour is not None:
            _known([one.colour], TRANSFORMS, "colour transform", place)


def _check_models(settings: Settings, where: str) -> None:
    study = settings.study
    shown = (study.pictures.with_transform, study.pictures.without_transform)
    _known(shown, settings.models, "model", where)
    for name, one in settings.models.items():
        place = f"{where}, models.{name}"
        if (one.kind == "folder") != (one.folder is not None):
            raise HemashiftError(
                "the folder of a model does not go with its kind",
                expected="a folder where kind is folder, and nowhere else",
                found=f"kind is {one.kind}, folder is {one.folder or 'not given'}",
                where=place,
            )
        if one.folder is not None and not one.folder.is_dir():
            raise HemashiftError("there is no such model", found=str(one.folder), where=place)
        _check_recipe(one.recipe, partial(recipe, one.preset, **one.recipe), place)
    place, networks = f"{where}, study.architectures", study.architectures
    for name in networks.names:
        _check_recipe(networks.recipe, partial(networks.recipe_of, name, settings.seed), place)


def _check_recipe(changes: Iterable[str], make: Callable[[], Recipe], place: str) -> None:
    """Refuse a recipe with a field, value, colour transform or network that is not known."""
    _known(changes, Recipe.model_fields, "field of a recipe", place)
    try:
        made = make()
    except HemashiftError as error:
        found = ": ".join(text for text in (error.where, error.found) if text)
        raise HemashiftError(error.message, found=found, where=place) from error
    _known([made.colour], TRANSFORMS, "colour transform", place)
    try:
        from hemashift.model.architectures import ARCHITECTURES
    except MissingExtraError:
        return  # nothing can be trained here
    _known([made.architecture], ARCHITECTURES, "architecture", place)


def _known(names: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    known = tuple(known)
    for name in names:
        if name not in known:
            raise HemashiftError(
                f"the settings name an unknown {what}",
                expected=", ".join(known),
                found=name,
                where=where,
            )
