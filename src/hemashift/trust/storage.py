"""Trust data in a model folder: `trust.safetensors` and what the card says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.errors import ModelFileError
from hemashift.model.bundle import TRUST, Bundle
from hemashift.model.card import TrustSpec
from hemashift.model.tensors import Array
from hemashift.trust.calibration import Calibration
from hemashift.trust.outside import Outside
from hemashift.trust.spread import Spread
from hemashift.trust.undecided import Undecided

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trust:
    """What is known about how far to trust a model.

    Attributes:
        calibration: Out-of-fold predictions of the labelled cells; None before adaptation.
        outside: What known cells look like; None where that was not measured.
        source: Spread within the classes of the source, for an adaptation to come.
        probe: `(K, D)` weights by which the classes of the source are told apart in its own
            laboratories, for an adaptation to come.
        others: `(D,)` weights by which cells of none of the classes are told there.
    """

    calibration: Calibration | None = None
    outside: Outside | None = None
    source: Spread | None = None
    probe: Float | None = None
    others: Float | None = None


def attach(bundle: Bundle, trust: Trust) -> Bundle:
    """Return the model with trust data, in place of what it had."""
    tensors: dict[str, Array] = {}
    if trust.calibration is not None:
        # Weights are those of the smear at hand, not of the model.
        tensors["probabilities"] = trust.calibration.probabilities.astype(np.float32)
        tensors["targets"] = trust.calibration.targets.astype(np.int64)
    if trust.outside is not None:
        tensors["centres"] = trust.outside.centres.astype(np.float32)
        tensors |= _spread_tensors("outside", trust.outside.spread)
        if trust.outside.evidence is not None:
            tensors["outside.evidence"] = trust.outside.evidence.astype(np.float32)
        if trust.outside.undecided is not None:
            tensors["outside.weights"] = trust.outside.undecided.weights.astype(np.float32)
            tensors["outside.biases"] = trust.outside.undecided.biases.astype(np.float32)
    if trust.source is not None:
        tensors |= _spread_tensors("source", trust.source)
    if trust.probe is not None:
        tensors["source.probe"] = trust.probe.astype(np.float32)
    if trust.others is not None:
        tensors["source.others"] = trust.others.astype(np.float32)
    spec = TrustSpec(
        labels=0 if trust.calibration is None else len(trust.calibration),
        outside_threshold=None if trust.outside is None else trust.outside.threshold,
    )
    return bundle.with_trust(spec, tensors)


def read_trust(bundle: Bundle) -> Trust:
    """Return the trust data of a model; all None for a model without.

    Raises:
        ModelFileError: A tensor is missing, or does not fit the model.
    """
    spec = bundle.card.trust
    if spec is None:
        return Trust()
    tensors = bundle.trust_tensors()
    width = bundle.card.n_features
    calibration = outside = source = probe = None

    def direction(name: str) -> Float | None:
        return _tensor(tensors, name, (width,)) if name in tensors else None

    if spec.labels:
        wanted = (spec.labels, len(bundle.card.classes))
        targets = _tensor(tensors, "targets", wanted[:1]).astype(np.int64)
        probabilities = _tensor(tensors, "probabilities", wanted)
        if targets.min() < 0 or targets.max() >= wanted[1]:
            raise _misfit("targets", f"0 to {wanted[1] - 1}", f"{targets.min()}, {targets.max()}")
        calibration = Calibration.of(probabilities, targets)
    if spec.outside_threshold is not None:
        centres = _tensor(tensors, "centres", (None, width))
        spread, evidence = _spread(tensors, "outside", width), direction("outside.evidence")
        undecided = _undecided(tensors, width)
        outside = Outside(centres, spread, spec.outside_threshold, evidence, undecided)
    if "source.directions" in tensors:
        source = _spread(tensors, "source", width)
    if "source.probe" in tensors:
        probe = _tensor(tensors, "source.probe", (None, width))
        if len(probe) > len(bundle.card.classes):
            raise _misfit("source.probe", f"at most {len(bundle.card.classes)}", str(len(probe)))
    return Trust(calibration, outside, source, probe, direction("source.others"))


def _spread_tensors(name: str, spread: Spread) -> dict[str, Array]:
    return {
        f"{name}.directions": spread.directions.astype(np.float32),
        f"{name}.variances": np.append(spread.variances, spread.rest).astype(np.float64),
    }


def _spread(tensors: Mapping[str, Array], name: str, width: int) -> Spread:
    directions = _tensor(tensors, f"{name}.directions", (None, width))
    variances = _tensor(tensors, f"{name}.variances", (len(directions) + 1,))
    if not (variances > 0).all():
        raise _misfit(f"{name}.variances", "variances above 0", str(variances.min()))
    return Spread(directions, variances[:-1], float(variances[-1]))


def _undecided(tensors: Mapping[str, Array], width: int) -> Undecided | None:
    if "outside.weights" not in tensors:
        return None
    weights = _tensor(tensors, "outside.weights", (None, width))
    return Undecided(weights, _tensor(tensors, "outside.biases", (len(weights),)))


def _tensor(tensors: Mapping[str, Array], name: str, shape: tuple[int | None, ...]) -> Float:
    """Return a tensor of that shape, in which None stands for any length, as float64."""
    found = tensors.get(name)
    shown = " x ".join("any" if length is None else str(length) for length in shape)
    if found is None:
        raise _misfit(name, shown, "nothing")
    fits = len(found.shape) == len(shape) and all(
        length in (None, has) for length, has in zip(shape, found.shape, strict=True)
    )
    values = found.astype(np.float64)
    if not fits or not np.isfinite(values).all():
        raise _misfit(name, f"{shown}, finite", f"{found.shape}")
    return values


def _misfit(name: str, expected: str, found: str) -> ModelFileError:
    return ModelFileError(
        f"the trust data do not fit the model: {name}",
        expected=expected,
        found=found,
        where=TRUST,
        hint="adapt the model again",
    )
