"""A model put to use: prepared images in, class probabilities out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded, Float, Head
from hemashift.model.runtime import Encoder, Precision


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about N images.

    Attributes:
        classes: Names of the K classes.
        probabilities: float32 (N, K), rows summing to 1.
        encoded: Features and embedding.
    """

    classes: tuple[str, ...]
    probabilities: Float
    encoded: Encoded

    @property
    def labels(self) -> list[str]:
        """The most probable class of each image."""
        return [self.classes[index] for index in self.probabilities.argmax(axis=1)]

    @property
    def confidence(self) -> Float:
        """float32 (N,): the probability of the most probable class."""
        highest: Float = self.probabilities.max(axis=1)
        return highest


class Classifier:
    """Encoder and head of a model.

    Args:
        bundle: The model.
        threads: CPU threads; by default those this process may use.
        precision: See `Encoder`.
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, precision: Precision = "auto"
    ) -> None:
        self.bundle = bundle
        self.head: Head = bundle.head
        self.encoder = Encoder(bundle, threads, precision)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""
        return self.head.classes

    def predict(self, images: npt.NDArray[np.uint8]) -> Prediction:
        """Classify images.

        Args:
            images: uint8 (N, S, S, 3), prepared by ``bundle.card.preprocessing``.

        Raises:
            ImageError: Shape or type are not those above.
        """
        encoded = self.encoder.encode(images)
        return Prediction(self.classes, self.head.probabilities(encoded), encoded)
