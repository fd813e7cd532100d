"""Training recipes: every number that a source training depends on, and the two presets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from hemashift.errors import HemashiftError

# Architectures whose position embedding fits one input size only, and that size.
FIXED_SIZES = {"vit": 224}
LEAST_SIZES = {"inception_v3": 75}


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0 < bounds[0] <= bounds[1]:
        raise ValueError("the lower bound must be above 0 and not above the upper one")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]


class Augmentation(BaseModel):
    """What is done to a batch of images at random; a value of 0 (or equal bounds) switches it off.

    Attributes:
        rotate: Rotate by any angle and mirror.
        window: Width of the part that is cut out, as a fraction of the frame; the frame is what
            classification takes: the whole crop of the cell or, under `Recipe.scale`, the crop
            around the nucleus. Below 1 the cell grows, above 1 it shrinks. Under `scale`, windows
            up to `hemashift.training.frames.MARGIN` show the real surroundings; what lies beyond
            is mirrored, and so is all beyond the frame where the scale is left as it is.
        shift: Largest shift of the window's centre, as a fraction of half the frame.
        aspect: Standard deviation of the logarithm of the aspect ratio.
        stain_mix: Standard deviation of the perturbation of the 3x3 identity that mixes the optical
            densities of red, green and blue.
        stain_gain: Standard deviation of the log of the stain's overall strength.
        stain_offset: Standard deviation of a constant added to the optical density of each
            channel: the tint of the illumination.
        gamma: Standard deviation of the log of the camera's gamma.
        contrast: Standard deviation of the log of the contrast.
        saturation: Standard deviation of the log of the saturation.
        resolution: Side, in pixels of a 224-pixel image, to which the image is reduced and brought
            back.
        resolution_chance: Chance that an image's resolution is reduced.
        noise: Largest standard deviation of the noise added (grey values from 0 to 1).
        only: Datasets whose images `window` and `resolution` apply to; empty means all. The paper
            degrades and zooms its sharper dataset only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotate: bool = True
    window: Range = (1.0, 1.0)
    shift: float = Field(0.0, ge=0, le=1)
    aspect: float = Field(0.0, ge=0)
    stain_mix: float = Field(0.0, ge=0)
    stain_gain: float = Field(0.0, ge=0)
    stain_offset: float = Field(0.0, ge=0)
    gamma: float = Field(0.0, ge=0)
    contrast: float = Field(0.0, ge=0)
    saturation: float = Field(0.0, ge=0)
    resolution: Range = (224.0, 224.0)
    resolution_chance: float = Field(0.0, ge=0, le=1)
    noise: float = Field(0.0, ge=0)
    only: tuple[str, ...] = ()


class Recipe(BaseModel):
    """A source training, from architecture to weight averaging.

    Attributes:
        architecture: A name of `hemashift.model.architectures`. Members of a pair are trained one
            after the other, with seeds one apart.
        colour: Colour transform of every image, in training and ever after (`none`, `reinhard`,
            `reinhard-lab`, `macenko`).
        weights: What the trunk starts from: `imagenet` or `random`.
        scale: Cut each image around the nucleus such that the nucleus has a standard size, in
            training and ever after (`hemashift.images.normalise_scale`).
        size: Side of the input, in pixels.
        early_part: Part of the steps that run at `early_size`, which is faster; 0 for none. The
            last steps must run at `size`, so that batch normalisation settles there.
        early_size: Side of the input in the early part, in pixels; never above `size`.
        epochs: Passes; an epoch draws as many images as the training part has.
        least_steps: A small training part is passed over more often, so that there are at least
            this many steps.
        batch_size: Images a batch, all devices together.
        learning_rate: Peak learning rate.
        optimiser: `adam`, or `adamw` with `weight_decay` on the weights with two or more axes.
        schedule: `constant`, or `one-cycle` (warm up, then a cosine to zero).
        warm_up: Part of the steps in which `one-cycle` climbs to the peak.
        clip_norm: Largest norm of the gradient; 0 for no limit.
        label_smoothing: Weight of the uniform distribution in the target.
        sampling: `natural` draws every training image once an epoch; `balanced` draws a dataset
            by its share, then a class, then an image.
        others: Train on the labelled cells of none of the classes, too; each kind is a class that
            the finished model does not have (`hemashift.training.others`).
        shares: Share of each dataset in a batch under `balanced`; a dataset without an entry gets
            the share of its square-rooted size.
        average: Decay of the exponential average of the weights that becomes the model; 0 for none.
        turns: How often the finished model looks at an image, each time a quarter turn on
            (`hemashift.model.architectures.encode`). In training, turned images are drawn at
            random (`Augmentation.rotate`).
        held_out: Part of each dataset kept for scoring.
        precision: `auto` (bfloat16 where the device is faster with it), `float32`, `bfloat16`.
        seed: Seed of everything drawn at random.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = "efficientnet_lite0"
    colour: str = "none"
    weights: Literal["imagenet", "random"] = "imagenet"
    scale: bool = True
    size: int = Field(224, ge=32, le=1024)
    early_part: float = Field(0.85, ge=0, lt=1)
    early_size: int = Field(160, ge=32, le=1024)
    epochs: int = Field(10, ge=1)
    least_steps: int = Field(0, ge=0)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    optimiser: Literal["adam", "adamw"] = "adamw"
    weight_decay: float = Field(0.02, ge=0)
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    warm_up: float = Field(0.15, ge=0, lt=1)
    clip_norm: float = Field(1.0, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    sampling: Literal["natural", "balanced"] = "balanced"
    others: bool = False
    shares: dict[str, float] = {}
    average: float = Field(0.995, ge=0, lt=1)
    turns: int = Field(1, ge=1, le=4)
    augmentation: Augmentation = Augmentation()
    held_out: float = Field(0.2, gt=0, lt=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _size_fits(self) -> Recipe:
        fixed = FIXED_SIZES.get(self.architecture)
        if fixed not in (None, self.size):
            raise ValueError(f"{self.architecture} takes images of {fixed} pixels only")
        least = LEAST_SIZES.get(self.architecture, 0)
        if self.size < least or (self.early_part > 0 and self.early_size < least):
            raise ValueError(f"{self.architecture} takes images of {least} pixels or more")
        return self

    def of_member(self, number: int) -> Recipe:
        """Return the recipe of a member of the architecture, counted from 0."""
        from hemashift.model.architectures import get_architecture

        member = get_architecture(self.architecture).member
        if member is None:
            return self
        return self.model_copy(update={"architecture": member, "seed": self.seed + number})

    def epochs_of(self, steps_per_epoch: int) -> int:
        """Return how many epochs are trained: `epochs`, or as many as make `least_steps`.

        Examples:
            >>> Recipe(epochs=3, least_steps=500).epochs_of(43)
            12
        """
        return max(self.epochs, -(-self.least_steps // steps_per_epoch))

    def size_at(self, step: int, steps: int) -> int:
        """Return the side of the input, in pixels, in a step (from 0) of so many.

        Examples:
            >>> settings = Recipe(size=224, early_size=160, early_part=0.7)
            >>> settings.size_at(69, 100), settings.size_at(70, 100)
            (160, 224)
        """
        if self.architecture in FIXED_SIZES or step >= round(self.early_part * steps):
            return self.size
        return min(self.early_size, self.size)


PRESETS: dict[str, Recipe] = {
    # Chossegros et al. 2024, "Training strategy" and "Data processing".
    "paper": Recipe(
        architecture="efficientnet_b0",
        colour="reinhard",
        scale=False,
        early_part=0.0,
        epochs=15,
        batch_size=16,
        learning_rate=1e-4,
        optimiser="adam",
        weight_decay=0.0,
        schedule="constant",
        clip_norm=0.0,
        sampling="natural",
        average=0.0,
        augmentation=Augmentation(
            rotate=False,
            window=(0.5, 1.0),
            resolution=(50.0, 200.0),
            resolution_chance=0.5,
            only=("barcelona",),
        ),
    ),
    # Two networks trained for 3 epochs each do as well in new laboratories as one trained for 6
    # with few labels, and a point better with 100 (docs/trials.md, "What makes a source model
    # travel").
    "robust": Recipe(
        architecture="efficientnet_lite0_pair",
        size=160,
        early_part=0.0,
        epochs=3,
        # Four small laboratories make 129 steps in 3 epochs; trained for 516, their model has 2 to
        # 5 points more in one never seen with 10 to 30 selected labels (docs/trials.md).
        least_steps=500,
        others=True,
        turns=2,
        augmentation=Augmentation(
            window=(0.7, 1.35),
            shift=0.12,
            aspect=0.06,
            stain_mix=0.12,
            stain_gain=0.25,
            stain_offset=0.1,
            gamma=0.15,
            contrast=0.2,
            saturation=0.3,
            resolution=(40.0, 200.0),
            resolution_chance=0.5,
            noise=0.03,
        ),
    ),
}


def recipe(preset: str, **changes: object) -> Recipe:
    """Return a preset with some values changed.

    Args:
        preset: `paper` or `robust`.
        **changes: Fields of `Recipe` to replace; None leaves the preset's value. `epochs` alone
            is taken at its word, however few steps that makes.

    Raises:
        HemashiftError: The preset is not known, or a value is out of range.

    Examples:
        >>> recipe("paper", epochs=3).epochs
        3
        >>> recipe("paper").batch_size, recipe("paper").learning_rate
        (16, 0.0001)
    """
    if preset not in PRESETS:
        raise HemashiftError("unknown preset", expected=" or ".join(PRESETS), found=preset)
    wanted = {name: value for name, value in changes.items() if value is not None}
    if "epochs" in wanted:
        wanted.setdefault("least_steps", 0)
    try:
        return Recipe.model_validate(PRESETS[preset].model_dump() | wanted)
    except ValidationError as error:
        first = error.errors()[0]
        raise HemashiftError(
            "the recipe has a value out of range",
            found=first["msg"].removeprefix("Value error, "),
            where=".".join(map(str, first["loc"])) or None,
        ) from error
