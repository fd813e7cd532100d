"""What a run of the studies is told: datasets, models, ways to adapt, and budgets; a TOML file.

A preset (`quick`, `paper`) is such a file within the package. A file of one's own changes what it
names and keeps the rest of the preset.

Examples:
    >>> settings = read_settings("quick")
    >>> settings.models["own"].kind
    'shipped'
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from hemashift.errors import HemashiftError
from hemashift.studies.checks import check
from hemashift.studies.options import StudyOptions

PRESETS = ("quick", "paper")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetSettings(_Strict):
    """How one dataset is used; all fields are optional for a published dataset.

    Attributes:
        folder: Where a dataset of one's own lies, in any layout that `hemashift datasets check`
            understands; relative to the settings file. Published datasets are looked for in the
            data root.
        labels: Cells that are labelled; by default 100, or a tenth of a small dataset (the rule
            of the paper, Table 3).
        labelled_in: Subset of the dataset that labels are drawn from; all of it by default.
        scored_in: Subset that is scored; by default all that is not labelled.
    """

    folder: Path | None = None
    labels: int | None = Field(None, ge=2)
    labelled_in: str | None = None
    scored_in: str | None = None


class ModelSettings(_Strict):
    """A model to start from.

    Attributes:
        kind: `shipped` (comes with hemashift and was trained on the paper's sources only, since
            other datasets are targets here), `folder` (a model folder), `trained` (on the source
            datasets, by a recipe), or `untrained` (ImageNet weights below a random head, with the
            preprocessing of the recipe).
        folder: The model folder, relative to the settings file.
        preset: Preset of the recipe, see `hemashift.training.recipe.PRESETS`.
        recipe: Fields of the recipe to change, such as `epochs`.
        per_class: Most cells of each class and source dataset to train on; None for all.
    """

    kind: Literal["shipped", "folder", "trained", "untrained"] = "trained"
    folder: Path | None = None
    preset: Literal["paper", "robust"] = "paper"
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    per_class: int | None = Field(None, ge=2)


class Approach(_Strict):
    """A way to a classifier of a target's cells.

    Attributes:
        title: What tables and figures call it.
        model: Name of the model it starts from, one of `Settings.models`.
        method: `none`, or a method of `hemashift adapt`.
        colour: Colour transform in place of the model's own; None keeps that.
        mixed: Add as many cells of the source datasets to the labelled ones as there are.
        trials: For `finetune`: settings that Optuna tries, 0 for none; by default
            `Settings.trials`.
        learning_rate: For `finetune`: where the search starts, and what is used without one.
        batch_size: As `learning_rate`.
        epochs: As `learning_rate`.
    """

    title: str
    model: str
    method: str
    colour: str | None = None
    mixed: bool = False
    trials: int | None = Field(None, ge=0)
    learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(16, ge=2)
    epochs: int = Field(8, ge=1)


class Settings(_Strict):
    """All that the studies are told.

    Attributes:
        seed: Seed of everything drawn at random.
        sources: Names of the datasets that models are trained on.
        targets: Names of the datasets that models are adapted to.
        draws: Times that labels are drawn anew, unless a study says otherwise.
        labelling: `random` draws the labelled cells blindly, as a laboratory must; `proportional`
            keeps the proportions of the classes, as the paper does, which supposes that they are
            known.
        trials: Settings that Optuna tries for each fine-tuning; 0 takes those of the approach.
        cells: Most cells of a dataset that are used, drawn at random; None for all.
        download: Whether ImageNet weights that are not installed may be downloaded.
        bootstrap: Number of bootstrap draws.
        datasets: How a dataset is used, by name.
        models: Models to start from, by name.
        approaches: Ways to a classifier, by name.
        study: What each study is told, by its name.
    """

    seed: int = Field(0, ge=0, lt=2**32)
    sources: tuple[str, ...] = ("barcelona", "munich_2019")
    targets: tuple[str, ...] = Field(min_length=1)
    draws: int = Field(10, ge=1)
    labelling: Literal["random", "proportional"] = "random"
    trials: int = Field(6, ge=0)
    cells: int | None = Field(None, ge=20)
    download: bool = False
    bootstrap: int = Field(2000, ge=100)
    datasets: dict[str, DatasetSettings] = Field(default_factory=dict)
    models: dict[str, ModelSettings]
    approaches: dict[str, Approach]
    study: StudyOptions = StudyOptions()


def read_settings(preset: str = "quick", file: str | Path | None = None) -> Settings:
    """Read a preset, changed by a settings file.

    Args:
        preset: One of `PRESETS`.
        file: TOML file; its tables are laid over those of the preset, other values replace.

    Raises:
        HemashiftError: The preset is unknown, the file cannot be read, a name or value is not
            known, or the parts do not fit together.
    """
    if preset not in PRESETS:
        raise HemashiftError("unknown preset", expected=" or ".join(PRESETS), found=preset)
    inside = resources.files("hemashift.studies") / "presets" / f"{preset}.toml"
    values = tomllib.loads(inside.read_text(encoding="utf-8"))
    if file is not None:
        values = _laid_over(values, _read(Path(file)))
    where = "preset" if file is None else str(file)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _told(error, where) from error
    check(settings, where)
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HemashiftError(
            "the settings cannot be read",
            expected="a TOML file",
            found=str(error),
            where=file,
        ) from error
    for kind in ("datasets", "models"):
        named = values.get(kind)
        for one in named.values() if isinstance(named, dict) else ():
            if isinstance(one, dict) and isinstance(one.get("folder"), str):
                one["folder"] = str(file.parent / one["folder"])
    return values


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return tables merged; where both are no tables, what is above hides what is below."""
    merged = dict(below)
    for name, value in above.items():
        old = below.get(name)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[name] = _laid_over(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _told(error: ValidationError, where: str) -> HemashiftError:
    """Return the first thing that is wrong, in words."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return HemashiftError("a name in the settings is not known", found=place, where=where)
    return HemashiftError(
        "a value in the settings is not usable",
        expected=first["msg"],
        found=f"{place} = {first['input']!r}",
        where=where,
    )
