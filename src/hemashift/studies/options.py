"""What each study can be told, one class a study; a table of its name in the settings file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from hemashift.training.recipe import FIXED_SIZES, Recipe, recipe


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetsOptions(_Strict):
    """Study `datasets`.

    Attributes:
        pictures: Cells of each class in a montage.
        transforms: Colour transforms to show.
    """

    pictures: int = Field(8, ge=1, le=50)
    transforms: tuple[str, ...] = ("reinhard", "reinhard-lab", "macenko")


class ArchitecturesOptions(_Strict):
    """Study `architectures`.

    Attributes:
        names: Networks to compare, see `hemashift.model.architectures.ARCHITECTURES`.
        recipe: Fields of the recipe `paper` to change, such as `epochs` and `size`.
        per_class: Most cells of each class and source dataset to train on.
        scored: Most cells of each class and target dataset to score; None for all.
        timed: Images that are timed, one at a time.
    """

    names: tuple[str, ...] = Field(
        (
            "vgg16",
            "resnet101",
            "efficientnet_b0",
            "efficientnet_lite0",
            "vit",
            "inception_v3",
        ),
        min_length=1,
    )
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    per_class: int = Field(100, ge=2)
    scored: int | None = Field(None, ge=1)
    timed: int = Field(20, ge=1)

    def recipe_of(self, name: str, seed: int, **changes: object) -> Recipe:
        """Return the recipe that a network is trained by.

        Args:
            name: The network.
            seed: Seed of the training, unless `recipe` has one.
            **changes: Fields of the recipe that go before all others.

        Raises:
            HemashiftError: A field of the recipe is not known, or a value out of range.
        """
        wanted = {"seed": seed, **self.recipe, **changes, "architecture": name}
        if name in FIXED_SIZES:
            wanted["size"] = FIXED_SIZES[name]
        return recipe("paper", **wanted)


class TargetsOptions(_Strict):
    """Study `targets`.

    Attributes:
        approaches: Ways to adapt, by name; the first is the one that is set beside the paper.
        draws: Times that labels are drawn; by default `Settings.draws`.
    """

    approaches: tuple[str, ...] = Field(("workflow", "own"), min_length=1)
    draws: int | None = Field(None, ge=1)


class AblationOptions(_Strict):
    """Study `ablation`.

    Attributes:
        conditions: The conditions of the paper, in the order in which successive ones are tested
            against each other.
        further: Conditions beside them; each is tested against the last of `conditions`.
        draws: Times that labels are drawn; by default `Settings.draws`.
    """

    conditions: tuple[str, ...] = Field(
        ("no_source", "no_finetuning", "head_only", "mixed", "no_colour", "workflow"),
        min_length=1,
    )
    further: tuple[str, ...] = ()
    draws: int | None = Field(None, ge=1)


class SampleSizeOptions(_Strict):
    """Study `sample_size`.

    Attributes:
        sizes: Numbers of labelled cells.
        approaches: Ways to adapt, by name.
        draws: Times that labels are drawn; by default `Settings.draws`.
        least: Targets with fewer cells than this are left out; the paper takes those with more
            than 1000.
    """

    sizes: tuple[Annotated[int, Field(ge=2)], ...] = Field((30, 45, 60, 75, 90, 100), min_length=1)
    approaches: tuple[str, ...] = Field(("workflow",), min_length=1)
    draws: int | None = Field(None, ge=1)
    least: int = Field(1000, ge=1)


class PicturesOptions(_Strict):
    """Study `pictures`.

    Attributes:
        cells: Cells of each dataset that are shown; the paper shows 200.
        with_transform: Name of a model trained with the colour transform.
        without_transform: Name of a model trained without it.
        approach: Way to adapt whose embedding is shown before and after.
        targets: Targets shown before and after adaptation; all where empty.
        perplexity: Of t-SNE.
    """

    cells: int = Field(200, ge=20)
    with_transform: str = "workflow"
    without_transform: str = "no_colour"
    approach: str = "workflow"
    targets: tuple[str, ...] = ()
    perplexity: float = Field(30.0, gt=1)


class ErrorsOptions(_Strict):
    """Study `errors`.

    Attributes:
        approach: Way to adapt whose errors are looked at.
        targets: Targets to look at; all where empty. The paper looks at Raabin.
        cell_class: Class whose wrongly predicted cells are looked at.
        shown: Wrongly predicted cells of each predicted class that are shown.
    """

    approach: str = "workflow"
    targets: tuple[str, ...] = ()
    cell_class: str = "neutrophil"
    shown: int = Field(12, ge=1)


class StudyOptions(_Strict):
    """The options of all studies; a table `[study.NAME]` of the settings file each."""

    datasets: DatasetsOptions = DatasetsOptions()
    architectures: ArchitecturesOptions = ArchitecturesOptions()
    targets: TargetsOptions = TargetsOptions()
    ablation: AblationOptions = AblationOptions()
    sample_size: SampleSizeOptions = SampleSizeOptions()
    pictures: PicturesOptions = PicturesOptions()
    errors: ErrorsOptions = ErrorsOptions()
