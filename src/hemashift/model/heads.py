"""Heads: from the encoder's output to class probabilities, in numpy.

The head of the paper is `MLPHead`. Adaptation with few labels yields a `LinearHead`, which may go
on listening to the head of the source: a `MixedHead`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from hemashift.errors import ModelFileError
from hemashift.model.card import HeadSpec

Float = npt.NDArray[np.float32]
Tensors = Mapping[str, npt.NDArray[np.floating]]

# PyTorch's default, with which the MLP's batch norm is trained.
BATCH_NORM_EPS = 1e-5
# However sure a source is, it grants as much to every class it knows.
LEAST_PROBABILITY = 1e-6
# Before the names of the tensors of a source, in the file of a mixed head.
SOURCE = "source."

Output = Literal["embedding", "features", "both"]


def unit(vectors: Float) -> Float:
    """Bring each row to length 1; a row of zeros stays as it is.

    Examples:
        >>> unit(np.array([[3.0, 4.0]], np.float32))
        array([[0.6, 0.8]], dtype=float32)
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the encoder says about N images.

    Attributes:
        features: float32 (N, D), layers of the trunk, pooled, each of length 1, joined.
        embedding: float32 (N, E), the embedding of the paper: 128 numbers a network.
    """

    features: Float
    embedding: Float

    def __len__(self) -> int:
        return len(self.embedding)

    def __getitem__(self, rows: slice | npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Encoded:
        return Encoded(self.features[rows], self.embedding[rows])

    def vectors(self, on: Output, l2: bool = False) -> Float:
        """Return float32 (N, D), (N, E) or, for `both`, (N, D + E).

        Args:
            on: Which output.
            l2: Whether each vector (under `both`, each of the two) is brought to length 1.
        """
        parts = {"features": [self.features], "embedding": [self.embedding]}.get(
            on, [self.features, self.embedding]
        )
        return np.hstack([unit(part) if l2 else part for part in parts])


class Head(Protocol):
    """A classifier on top of the encoder."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""
        ...

    @property
    def temperature(self) -> float:
        """Divides the logits; 1 where the head is not calibrated."""
        ...

    @property
    def spec(self) -> HeadSpec:
        """Kind and options of the head, as the card records them."""
        ...

    def logits(self, encoded: Encoded) -> Float:
        """Return float32 (N, K) before temperature and softmax."""
        ...

    def probabilities(self, encoded: Encoded) -> Float:
        """Return float32 (N, K), rows summing to 1."""
        ...

    def to_tensors(self) -> dict[str, Float]:
        """Return what `head_from_tensors` needs, as float32 arrays by name."""
        ...

    def limited(self, kept: Sequence[int]) -> Head:
        """Return the head that gives only some of the classes, the others never.

        Args:
            kept: Rising indices into `classes`.
        """
        ...


def softmax(logits: npt.NDArray[np.floating], temperature: float = 1.0) -> Float:
    """Return the softmax of logits divided by a temperature, along the last axis, as float32.

    Examples:
        >>> softmax(np.array([[0.0, 0.0]]))
        array([[0.5, 0.5]], dtype=float32)
    """
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    np.exp(scaled, out=scaled)
    result: Float = (scaled / scaled.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


@dataclass(frozen=True, eq=False)
class MLPHead:
    """Linear 512, batch norm, ReLU, linear K on the embedding (Chossegros et al. 2024).

    Attributes:
        classes: Names of the K classes.
        tensors: Parameters by their PyTorch names, batch norm not folded, so that training can
            go on from them.
        temperature: Divides the logits.
    """

    classes: tuple[str, ...]
    tensors: Tensors
    temperature: float = 1.0

    def __post_init__(self) -> None:
        hidden = self.tensors.get("hidden.weight", np.empty((0, 0)))
        n_hidden, n_inputs = hidden.shape if hidden.ndim == 2 else (0, 0)
        norm = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (n_hidden,))
        _check_tensors(
            self.tensors,
            {
                "hidden.weight": (n_hidden, n_inputs),
                "hidden.bias": (n_hidden,),
                **{f"norm.{name}": shape for name, shape in norm.items()},
                "output.weight": (len(self.classes), n_hidden),
                "output.bias": (len(self.classes),),
            },
        )

    @cached_property
    def _folded(self) -> tuple[Float, Float]:
        """Weight (inputs, 512) and bias (512,) of the first layer with batch norm folded in."""
        scale = self.tensors["norm.weight"] / np.sqrt(
            self.tensors["norm.running_var"] + BATCH_NORM_EPS
        )
        weight = (self.tensors["hidden.weight"] * scale[:, None]).T
        bias = (self.tensors["hidden.bias"] - self.tensors["norm.running_mean"]) * scale
        return weight.astype(np.float32), (bias + self.tensors["norm.bias"]).astype(np.float32)

    @property
    def spec(self) -> HeadSpec:
        """Kind and options of the head, as the card records them."""
        return HeadSpec(kind="mlp")

    def logits(self, encoded: Encoded) -> Float:
        """Return float32 (N, K) before temperature and softmax."""
        weight, bias = self._folded
        hidden = np.maximum(encoded.embedding @ weight + bias, 0)
        output: Float = hidden @ self.tensors["output.weight"].T + self.tensors["output.bias"]
        return output.astype(np.float32, copy=False)

    def probabilities(self, encoded: Encoded) -> Float:
        """Return float32 (N, K), rows summing to 1."""
        return softmax(self.logits(encoded), self.temperature)

    def to_tensors(self) -> dict[str, Float]:
        """Return the parameters by name."""
        return {name: tensor.astype(np.float32) for name, tensor in self.tensors.items()}

    def limited(self, kept: Sequence[int]) -> MLPHead:
        """Return the head that gives only the classes of rising indices `kept`."""
        outputs = {name: self.tensors[name][kept] for name in ("output.weight", "output.bias")}
        classes = tuple(self.classes[place] for place in kept)
        return MLPHead(classes, {**self.tensors, **outputs}, self.temperature)


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Standardise, then a linear layer and softmax: a logistic regression.

    Attributes:
        classes: Names of the K classes.
        weight: float32 (K, D).
        bias: float32 (K,). Minus infinity is allowed for a class that must never be predicted.
        mean: float32 (D,), taken off each vector.
        scale: float32 (D,), each vector is divided by it.
        on: Which output of the encoder is read.
        l2: Whether each vector is brought to length 1 before it is standardised.
        temperature: Divides the logits.

    Examples:
        >>> head = LinearHead(("a", "b"), np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
        >>> one = np.array([[0, 0]], np.float32)
        >>> head.probabilities(Encoded(features=one, embedding=one))
        array([[0.5, 0.5]], dtype=float32)
    """

    classes: tuple[str, ...]
    weight: Float
    bias: Float
    mean: Float | None = None
    scale: Float | None = None
    on: Output = "embedding"
    l2: bool = False
    temperature: float = 1.0

    def __post_init__(self) -> None:
        n_inputs = self.weight.shape[1] if self.weight.ndim == 2 else 0
        shapes: dict[str, tuple[int, ...]] = {
            "weight": (len(self.classes), n_inputs),
            "bias": (len(self.classes),),
            "mean": (n_inputs,),
            "scale": (n_inputs,),
        }
        _check_tensors(self.to_tensors(), shapes)

    @property
    def spec(self) -> HeadSpec:
        """Kind and options of the head, as the card records them."""
        return HeadSpec(kind="linear", on=self.on, l2=self.l2)

    def logits(self, encoded: Encoded) -> Float:
        """Return float32 (N, K) before temperature and softmax."""
        vectors = encoded.vectors(self.on, self.l2)
        if self.mean is not None:
            vectors = vectors - self.mean
        if self.scale is not None:
            vectors = vectors / self.scale
        return (vectors @ self.weight.T + self.bias).astype(np.float32)

    def probabilities(self, encoded: Encoded) -> Float:
        """Return float32 (N, K), rows summing to 1."""
        return softmax(self.logits(encoded), self.temperature)

    def to_tensors(self) -> dict[str, Float]:
        """Return the parameters by name."""
        n_inputs = self.weight.shape[-1]
        mean = np.zeros(n_inputs) if self.mean is None else self.mean
        scale = np.ones(n_inputs) if self.scale is None else self.scale
        tensors = {"weight": self.weight, "bias": self.bias, "mean": mean, "scale": scale}
        return {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}

    def limited(self, kept: Sequence[int]) -> LinearHead:
        """Return the head that gives only the classes of rising indices `kept`."""
        classes = tuple(self.classes[place] for place in kept)
        return replace(self, classes=classes, weight=self.weight[kept], bias=self.bias[kept])


@dataclass(frozen=True, eq=False)
class MixedHead:
    """A linear head that listens to the head of the source: a logarithmic opinion pool.

    The logits are those of the linear head plus `share` times the logarithm of what the source
    says, relative to all its S classes being equally probable (Genest and Zidek 1986; Heskes
    1998). Of a class that it does not know the source says nothing.

    Attributes:
        linear: The linear head, of all K classes. Its temperature plays no part.
        source: The head of the source, of the first S classes.
        share: How much the source is listened to, 0 (not at all) or more.
        temperature: Divides the logits.
    """

    linear: LinearHead
    source: MLPHead
    share: float
    temperature: float = 1.0

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""
        return self.linear.classes

    @property
    def spec(self) -> HeadSpec:
        """Kind and options of the head, as the card records them."""
        return HeadSpec(kind="mixed", on=self.linear.on, l2=self.linear.l2)

    def logits(self, encoded: Encoded) -> Float:
        """Return float32 (N, K) before temperature and softmax."""
        logits = self.linear.logits(encoded)
        said = np.log(np.maximum(self.source.probabilities(encoded), LEAST_PROBABILITY))
        known = said.shape[1]
        logits[:, :known] += np.float32(self.share) * (said + np.float32(np.log(known)))
        return logits

    def probabilities(self, encoded: Encoded) -> Float:
        """Return float32 (N, K), rows summing to 1."""
        return softmax(self.logits(encoded), self.temperature)

    def to_tensors(self) -> dict[str, Float]:
        """Return the parameters of both heads by name; the source's with its temperature in."""
        source = self.source.to_tensors()
        for name in ("output.weight", "output.bias"):
            source[name] = (source[name] / self.source.temperature).astype(np.float32)
        return {
            **self.linear.to_tensors(),
            "share": np.array([self.share], np.float32),
            **{SOURCE + name: tensor for name, tensor in source.items()},
        }

    def limited(self, kept: Sequence[int]) -> Head:
        """Return the head that gives only the classes of rising indices `kept`.

        It is linear where the source knows none of them.
        """
        linear = self.linear.limited(kept)
        known = [place for place in kept if place < len(self.source.classes)]
        if not known:
            return replace(linear, temperature=self.temperature)
        return replace(self, linear=linear, source=self.source.limited(known))


def head_from_tensors(
    spec: HeadSpec, classes: tuple[str, ...], tensors: Tensors, temperature: float = 1.0
) -> Head:
    """Make the head that a card describes.

    Args:
        spec: Kind and options.
        classes: Names of the K classes.
        tensors: What `Head.to_tensors` returned.
        temperature: Divides the logits.

    Raises:
        ModelFileError: A tensor is missing, superfluous or of another shape.
    """
    if spec.kind == "mlp":
        return MLPHead(classes, dict(tensors), temperature)
    if spec.kind == "mixed":
        return _mixed_from_tensors(spec, classes, tensors, temperature)
    _check_names(tensors, {"weight", "bias", "mean", "scale"})
    arrays = {name: np.asarray(tensor, np.float32) for name, tensor in tensors.items()}
    return LinearHead(classes, **arrays, on=spec.on, l2=spec.l2, temperature=temperature)


def check_widths(head: Head, n_features: int, n_embedding: int) -> None:
    """Check that a head reads vectors as long as those that the encoder gives.

    Args:
        head: The head.
        n_features: Length D of the features.
        n_embedding: Length E of the embedding.

    Raises:
        ModelFileError: It does not.
    """
    lengths = {"features": n_features, "embedding": n_embedding, "both": n_features + n_embedding}
    expected = {
        "weight": lengths[head.spec.on],
        "hidden.weight": n_embedding,
        SOURCE + "hidden.weight": n_embedding,
    }
    tensors = head.to_tensors()
    for name in expected.keys() & tensors.keys():
        if tensors[name].shape[1] != expected[name]:
            raise ModelFileError(
                "the head and the encoder do not belong together",
                expected=f"vectors of {expected[name]} numbers",
                found=f"{tensors[name].shape[1]} in {name}",
                hint="get the model again from where it came from",
            )


def _mixed_from_tensors(
    spec: HeadSpec, classes: tuple[str, ...], tensors: Tensors, temperature: float
) -> MixedHead:
    source = {
        name.removeprefix(SOURCE): tensor
        for name, tensor in tensors.items()
        if name.startswith(SOURCE)
    }
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(SOURCE)}
    share = np.asarray(own.pop("share", np.empty(0)))
    known = len(np.atleast_1d(source.get("output.bias", np.empty(0))))
    if share.shape != (1,) or not 0 <= share[0] < np.inf or not 0 < known <= len(classes):
        raise ModelFileError(
            "the head mixes two heads that do not belong together",
            expected=f"a share of 0 or more, and a source of at most {len(classes)} classes",
            found=f"share {share.tolist()}, source of {known} classes",
        )
    linear = head_from_tensors(HeadSpec(kind="linear", on=spec.on, l2=spec.l2), classes, own)
    assert isinstance(linear, LinearHead)
    return MixedHead(linear, MLPHead(classes[:known], source), float(share[0]), temperature)


def _check_names(tensors: Tensors, expected: set[str]) -> None:
    if set(tensors) != expected:
        raise ModelFileError(
            "the head has other tensors than its kind needs",
            expected=", ".join(sorted(expected)),
            found=", ".join(sorted(tensors)),
        )


def _check_tensors(tensors: Tensors, shapes: dict[str, tuple[int, ...]]) -> None:
    _check_names(tensors, set(shapes))
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ModelFileError(
                f"the tensor {name} of the head has the wrong shape",
                expected=str(shape),
                found=str(tensors[name].shape),
            )
        if not _usable(name, tensors[name]):
            raise ModelFileError(
                f"the tensor {name} of the head holds values that cannot be computed with",
                hint="get the model again from where it came from",
            )


def _usable(name: str, tensor: npt.NDArray[np.floating]) -> bool:
    finite = np.isfinite(tensor)
    if name == "bias":  # of a linear head: minus infinity for a class that is never given
        return bool(finite.any() and (finite | (tensor == -np.inf)).all())
    negative = name.endswith("running_var") and bool((tensor < 0).any())
    return bool(finite.all()) and not negative
