"""The model's card: everything about a model that is not a weight, as JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic import model_validator as validator

from hemashift.errors import ModelFileError
from hemashift.model.preprocessing import Preprocessing
from hemashift.taxonomy import class_name_fault

FORMAT_VERSION = 3
"""The newest layout of a model folder that can be read, see `format_version_of`."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Rgb = tuple[float, float, float]
# Fields that the first cards did not have: left out at their default, so that old models keep their
# hash. A field added to `Card` belongs here, too.
_LATER = ("turns", "trust")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Normalisation(_Strict):
    """How the graph scales its input: (x - mean) / std, each channel, in grey levels 0 to 255."""

    mean: Rgb
    std: Rgb


class TrainingData(_Strict):
    """One dataset that went into the weights.

    Attributes:
        name: Name of the dataset.
        counts: Cells of each class.
        licence: Licence of its images.
        citation: How its authors wish to be cited.
        url: Where it is published.
    """

    name: str
    counts: dict[str, int] = Field(default_factory=dict)
    licence: str = ""
    citation: str = ""
    url: str = ""


class HeadSpec(_Strict):
    """Which head reads the encoder's output, and how.

    Attributes:
        kind: ``"mlp"`` is the head of the paper, ``"linear"`` a linear classifier, ``"mixed"``
            (since format 3) a linear classifier that listens to the head of the source.
        on: The output of the encoder that a linear classifier reads; `both` is the features, then
            the embedding.
        l2: Whether each vector (under `both`, each of the two) is brought to length 1 first.
    """

    kind: Literal["mlp", "linear", "mixed"]
    on: Literal["embedding", "features", "both"] = "embedding"
    l2: bool = False


class TrustSpec(_Strict):
    """What the file of trust data holds, see `hemashift.trust`.

    Attributes:
        labels: Labelled cells whose out-of-fold probabilities are kept; 0 where there are none.
        outside_threshold: The distance beyond which a cell counts as outside; None where
            nothing is known about distances.
    """

    labels: int = Field(default=0, ge=0)
    outside_threshold: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def format_version_of(head: HeadSpec, trust: TrustSpec | None) -> int:
    """Return the oldest layout that can hold a model: 2 has trust data, 3 has mixed heads.

    Examples:
        >>> format_version_of(HeadSpec(kind="mlp"), None)
        1
    """
    if head.kind == "mixed":
        return 3
    return 1 if trust is None else 2


class Card(_Strict):
    """What a model is, how images must be prepared for it, and where it comes from.

    Attributes:
        format_version: Version of the model folder's layout.
        name: Short name of the model.
        description: What it is for, in a sentence or two.
        licence: Licence of the weights.
        architecture: Name of the trunk, see `architectures.ARCHITECTURES`.
        classes: Names of the K classes in the order of the output.
        preprocessing: What happens to an image before the graph.
        normalisation: Input scaling inside the graph.
        n_features: Length D of the pooled features.
        n_embedding: Length of the embedding, 128 a network.
        turns: How often the graph looks at an image, each time a quarter turn on; what it gives is
            the mean.
        head: Which head.
        temperature: Logits are divided by it; 1 where the model is not calibrated.
        thresholds: Reserved, always empty.
        training_data: Datasets that went into the weights.
        metrics: Measured results, free in form.
        provenance: How the model was made: settings, seeds, labels given. Free in form.
        versions: Versions of the software that made it.
        created: When, with time zone.
        parent: Hash of the model this one was adapted from.
        trust: What the file of trust data holds; None where the folder has no such file.
        files: SHA-256 of each other file of the folder.

    Examples:
        >>> from datetime import UTC, datetime
        >>> card = Card(name="demo", architecture="efficientnet_lite0", classes=("a", "b"),
        ...             preprocessing=Preprocessing(), n_features=1280,
        ...             normalisation=Normalisation(mean=(127,) * 3, std=(128,) * 3),
        ...             created=datetime(2024, 1, 1, tzinfo=UTC))
        >>> Card.parse(card.to_json()) == card
        True
    """

    format_version: int = 1
    name: str
    description: str = ""
    licence: str = ""
    architecture: str
    classes: tuple[str, ...] = Field(min_length=2)
    preprocessing: Preprocessing
    normalisation: Normalisation
    n_features: int = Field(ge=1)
    n_embedding: int = Field(default=128, ge=1)
    turns: int = Field(default=1, ge=1, le=4)
    head: HeadSpec = HeadSpec(kind="mlp")
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    thresholds: dict[str, float] = Field(default_factory=dict)
    training_data: tuple[TrainingData, ...] = ()
    metrics: dict[str, JsonValue] = Field(default_factory=dict)
    provenance: dict[str, JsonValue] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    created: AwareDatetime
    parent: Sha256 | None = None
    trust: TrustSpec | None = None
    files: dict[str, Sha256] = Field(default_factory=dict)

    @validator(mode="after")
    def _usable_classes(self) -> Card:
        for fault in map(class_name_fault, self.classes):
            if fault is not None:
                raise ValueError(fault)
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("two classes have the same name")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of card.json; as it holds the hashes of all files, it stands for the model."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return the card as JSON text, always the same text for the same card."""
        values = self.model_dump(mode="json")
        for name in _LATER:
            if getattr(self, name) == type(self).model_fields[name].default:
                del values[name]
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def updated(self, **changes: Any) -> Card:
        """Return a card with some fields replaced, checked as a new one is."""
        return Card.model_validate({**dict(self), **changes})

    @classmethod
    def parse(cls, text: str | bytes, *, where: str = "card.json") -> Card:
        """Read a card.

        Raises:
            ModelFileError: It is not JSON, of a newer format, or lacks something.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelFileError(
                "the model's card is not readable", found=str(error), where=where
            ) from error
        version = values.get("format_version") if isinstance(values, dict) else None
        if not isinstance(version, int) or version < 1:
            raise ModelFileError(
                "this is not the card of a hemashift model",
                expected="a format_version",
                found=repr(version),
                where=where,
            )
        if version > FORMAT_VERSION:
            raise ModelFileError(
                "the model was made by a newer hemashift",
                expected=f"format version {FORMAT_VERSION} or below",
                found=str(version),
                where=where,
                hint="pip install --upgrade hemashift",
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            raise ModelFileError(
                "the model's card is not complete or not valid",
                found=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
                where=where,
                hint="get the model again from where it came from",
            ) from error
