"""Softmax regression with a Gaussian prior on the weights, for few labels and many features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr
from scipy.optimize import minimize

Float = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Loss = Callable[[Float], tuple[float, Float]]

# A class without labels is rare, not impossible. With hardly any prior (0.001) its bias falls so
# low that it is hardly given: macro F1 is then 4 points lower with 10 labels and 2 with 30, at the
# same accuracy (docs/trials-adaptation.md, "Classes without a label").
_BIAS_PENALTY = 0.1


def fit_softmax(
    inputs: npt.NDArray[np.floating],
    targets: Integers,
    n_classes: int,
    penalty: float,
    towards: npt.NDArray[np.floating] | None = None,
    weights: npt.NDArray[np.floating] | None = None,
) -> tuple[Float, Float]:
    """Minimise sum of cross entropies + penalty / 2 * |W - W0|^2 + 0.05 * |b|^2 over W and b.

    With fewer cells than features, give `inputs` in a basis of their span (`span`): the solution
    lies there, and the search is as short as there are cells.

    Args:
        inputs: `(N, D)`.
        targets: `(N,)` class index, 0 to K-1; classes without a cell are allowed.
        n_classes: K.
        penalty: Strength of the prior, above 0.
        towards: W0 `(K, D)`: what is known without these labels; 0 where not given.
        weights: `(N,)` weight of each cell, or `(N, K)` soft targets that replace `targets`.

    Returns:
        W `(K, D)` and b `(K,)`.

    Examples:
        >>> inputs = np.array([[-1.0], [-2.0], [1.0], [2.0]])
        >>> w, b = fit_softmax(inputs, np.array([0, 0, 1, 1]), 2, penalty=0.1)
        >>> bool(w[1, 0] > 0 > w[0, 0])
        True
    """
    inputs = np.asarray(inputs, np.float64)
    count, width = inputs.shape
    wanted = np.zeros((count, n_classes))
    if weights is not None and weights.ndim == 2:
        wanted[:] = weights
    else:
        wanted[np.arange(count), targets] = 1.0 if weights is None else weights
    loss = penalised_cross_entropy(inputs, wanted, penalty, towards)
    start = np.zeros((n_classes, width + 1))
    start[:, :-1] = 0 if towards is None else towards
    return minimise_over(loss, start)


def penalised_cross_entropy(
    inputs: npt.NDArray[np.floating],
    wanted: Float,
    penalty: float,
    towards: npt.NDArray[np.floating] | None = None,
) -> Loss:
    """Return what `fit_softmax` minimises, as a function of W and b.

    Args:
        inputs: `(N, D)`.
        wanted: `(N, K)` soft targets; a row counts as much as it sums to.
        penalty: Strength of the prior.
        towards: W0 `(K, D)`, where the prior has its mean; 0 where not given.

    Returns:
        A function from `(K, D + 1)`, W and then b, to the loss and its gradient of that shape.
    """
    mass = wanted.sum(axis=1, keepdims=True)
    mean = 0.0 if towards is None else np.asarray(towards, np.float64)

    def loss(matrix: Float) -> tuple[float, Float]:
        w, b = matrix[:, :-1], matrix[:, -1]
        # Written out: SciPy's functions take longer than the arithmetic for so few cells.
        logits = inputs @ w.T + b
        logits -= logits.max(axis=1, keepdims=True)
        found = np.exp(logits)
        total = found.sum(axis=1, keepdims=True)
        log_p = logits - np.log(total)
        difference = found * (mass / total) - wanted
        gradient = np.empty_like(matrix)
        gradient[:, :-1] = difference.T @ inputs + penalty * (w - mean)
        gradient[:, -1] = difference.sum(axis=0) + _BIAS_PENALTY * b
        prior = penalty * ((w - mean) ** 2).sum() + _BIAS_PENALTY * (b**2).sum()
        return float(-(wanted * log_p).sum() + 0.5 * prior), gradient

    return loss


def minimise_over(loss: Loss, start: Float) -> tuple[Float, Float]:
    """Minimise a function of W and b by L-BFGS.

    Args:
        loss: From `(K, D + 1)`, W and then b, to a number and its gradient.
        start: `(K, D + 1)`, where the search begins.

    Returns:
        W `(K, D)` and b `(K,)`.
    """

    def flat_loss(flat: Float) -> tuple[float, Float]:
        value, gradient = loss(flat.reshape(start.shape))
        return value, gradient.ravel()

    found = minimize(
        flat_loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200, "gtol": 1e-4},
    )
    matrix = found.x.reshape(start.shape)
    return matrix[:, :-1], matrix[:, -1]


def told_apart(
    known: npt.NDArray[np.floating],
    strange: npt.NDArray[np.floating],
    penalty: float,
    importance: float = 1.0,
) -> Float:
    """Return the `(D,)` weights by which strange vectors are told from known ones.

    Args:
        known: `(N, D)`.
        strange: `(M, D)`.
        penalty: Strength of the prior, above 0.
        importance: What each strange vector counts for; a known one counts for 1.

    Examples:
        >>> known = np.array([[0.1, 0.0], [-0.1, 0.0]])
        >>> bool(told_apart(known, known + [0.0, 1.0], penalty=0.1)[1] > 0)
        True
    """
    sizes = [len(known), len(strange)]
    coordinates, basis = span(np.vstack([known, strange]) - known.mean(axis=0))
    is_strange, weights = np.repeat([0, 1], sizes), np.repeat([1.0, importance], sizes)
    weight, _ = fit_softmax(coordinates, is_strange, 2, penalty, weights=weights)
    found: Float = (weight[1] - weight[0]) @ basis
    return found


def span(inputs: npt.NDArray[np.floating]) -> tuple[Float, Float]:
    """Return the inputs in an orthonormal basis of their span, and that basis.

    Args:
        inputs: `(N, D)`.

    Returns:
        Coordinates `(N, R)` and basis `(R, D)`, R the smaller of N and D; inputs = coordinates @
        basis. Weights `(K, R)` of the coordinates are weights @ basis of the inputs.

    Examples:
        >>> inputs = np.array([[1.0, 2.0, 3.0]])
        >>> coordinates, basis = span(inputs)
        >>> np.allclose(coordinates @ basis, inputs), coordinates.shape
        (True, (1, 1))
    """
    # Any such basis will do, and this one takes a third of the time of singular vectors.
    basis, coordinates = qr(np.asarray(inputs, np.float64).T, mode="economic", check_finite=False)
    return np.asarray(coordinates.T, np.float64), np.asarray(basis.T, np.float64)
