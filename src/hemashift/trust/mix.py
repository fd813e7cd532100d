"""The class mix of the smear at hand: what a model assumes, and what follows from another one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.model.card import Card

Float = npt.NDArray[np.float64]


def assumed_mix(card: Card) -> Float:
    """Return the class mix that a model assumes by the way it was made.

    That of the labelled cells that it was adapted to, where every class counts half a cell more
    than it has, so that none is impossible; otherwise equal shares, as in training with classes
    drawn alike.

    Args:
        card: The model's card.

    Returns:
        `(K,)` shares in the order of the classes, above 0.
    """
    adaptation = card.provenance.get("adaptation")
    labels = adaptation.get("labels") if isinstance(adaptation, dict) else None
    counts = np.zeros(len(card.classes))
    if isinstance(labels, dict):
        for position, name in enumerate(card.classes):
            found = labels.get(name)
            counts[position] = found if isinstance(found, int | float) else 0
    share: Float = (counts + 0.5) / (counts + 0.5).sum()
    return share


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
