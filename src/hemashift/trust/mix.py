"""The class mix of the smear at hand: what a model assumes, and what follows from another one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.model.card import Card

Float = npt.NDArray[np.float64]
# `trust` of `estimate_class_mix` where probabilities are not calibrated: prior and cells
# weigh alike.
HALF_WAY = 0.5


def assumed_mix(card: Card) -> Float:
    """Return the class mix that a model assumes by the way it was made.

    That of the labelled cells that it was adapted to, where every class counts half a cell more
    than it has, so that none is impossible; the one that it was adapted to without labels;
    otherwise equal shares, as in training with classes drawn alike.

    Args:
        card: The model's card.

    Returns:
        `(K,)` shares in the order of the classes, above 0.
    """
    adaptation = card.provenance.get("adaptation")
    about = adaptation if isinstance(adaptation, dict) else {}
    counts = _by_class(about.get("labels"), card.classes) + 0.5
    shares = _by_class(about.get("mix"), card.classes)
    wanted = shares if (shares > 0).all() else counts
    mix: Float = wanted / wanted.sum()
    return mix


def _by_class(values: object, classes: tuple[str, ...]) -> Float:
    """Return the number of each class, 0 where there is none."""
    found = [values.get(name) if isinstance(values, dict) else None for name in classes]
    return np.array([value if isinstance(value, int | float) else 0.0 for value in found])


def reweighted(
    probabilities: npt.NDArray[np.floating],
    prior: npt.NDArray[np.floating],
    mix: npt.NDArray[np.floating],
) -> Float:
    """Return the probabilities for another class mix (Saerens et al. 2002).

    Args:
        probabilities: `(N, K)` under the class mix `prior`.
        prior: `(K,)`, above 0.
        mix: `(K,)`.

    Returns:
        `(N, K)`, rows summing to 1; a row that the mix leaves nothing of stays as it is.

    Examples:
        >>> reweighted(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]), np.array([0.9, 0.1]))
        array([[0.9, 0.1]])
    """
    given = np.asarray(probabilities, np.float64)
    ratio = np.asarray(mix, np.float64) / np.maximum(np.asarray(prior, np.float64), 1e-12)
    moved = given * ratio
    total = moved.sum(axis=1, keepdims=True)
    result: Float = np.where(total > 0, moved / np.where(total > 0, total, 1), given)
    return result


def estimate_class_mix(
    probabilities: npt.NDArray[np.floating],
    prior: npt.NDArray[np.floating],
    trust: float = 0.99,
    iterations: int = 1000,
) -> Float:
    """Estimate how common each class is among unlabelled cells (Saerens et al. 2002).

    Expectation maximisation: the probabilities are reweighted by the mix, and the mix is their
    mean. The mix is held near the prior as by `(1 - trust) / trust` N further cells that are
    spread over the classes as the prior is, so that no class falls to 0. With a trust of one half
    and classes that the probabilities tell apart it comes to lie half-way; the less they do, the
    nearer it stays to the prior. The likelihood is
    concave, so that there is one solution wherever the search begins.

    Args:
        probabilities: `(N, K)` calibrated probabilities of unlabelled cells, rows summing to 1.
            Without any, the prior is returned.
        prior: `(K,)` mix of the cells that the classifier learnt from, above 0, sum 1.
        trust: Weight of the cells against the prior, 0 to below 1.
        iterations: Upper limit; it stops earlier when nothing moves by more than 1e-8.

    Returns:
        `(K,)` shares, above 0, sum 1.

    Raises:
        ValueError: A share of the prior is not above 0, or shapes do not fit.

    Examples:
        >>> sure = np.array([[0.99, 0.01]] * 80 + [[0.01, 0.99]] * 20)
        >>> estimate_class_mix(sure, np.array([0.5, 0.5])).round(2)
        array([0.8, 0.2])
    """
    start: Float = np.asarray(prior, np.float64)
    found: Float = np.asarray(probabilities, np.float64)
    if found.ndim != 2 or start.shape != found.shape[1:] or not (start > 0).all():
        raise ValueError(f"a prior {prior} does not fit probabilities of shape {found.shape}")
    if not 0 <= trust < 1:
        raise ValueError(f"trust must be 0 to below 1, found {trust}")
    if not len(found):
        return start.copy()
    mix = start
    for _ in range(iterations):
        weighed = found * (mix / start)
        weighed /= weighed.sum(axis=1, keepdims=True)
        before, mix = mix, trust * weighed.mean(axis=0) + (1 - trust) * start
        if np.abs(mix - before).max() < 1e-8:
            break
    return mix
