"""Softmax regression with a Gaussian prior on the weights, for few labels and many features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

Float = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Keeps the bias of a class without labels finite; far weaker than one label.
_BIAS_PENALTY = 1e-3


def fit_softmax(
    inputs: npt.NDArray[np.floating],
    targets: Integers,
    n_classes: int,
    penalty: float,
    offsets: npt.NDArray[np.floating] | None = None,
    weights: npt.NDArray[np.floating] | None = None,
) -> tuple[Float, Float]:
    """Minimise sum of cross entropies + penalty / 2 * |W|^2 over W and b.

    With fewer cells than features, give `inputs` in a basis of their span (`span`): the solution
    lies there, and the search is as short as there are cells.

    Args:
        inputs: `(N, D)`.
        targets: `(N,)` class index, 0 to K-1; classes without a cell are allowed.
        n_classes: K.
        penalty: Strength of the prior, above 0.
        offsets: `(N, K)` logits that are added to the linear ones: what is known without these
            labels. The regression then learns what is left to explain.
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
    mass = wanted.sum(axis=1, keepdims=True)
    known = np.zeros((count, n_classes)) if offsets is None else np.asarray(offsets, np.float64)

    def loss(flat: Float) -> tuple[float, Float]:
        matrix = flat.reshape(n_classes, width + 1)
        w, b = matrix[:, :-1], matrix[:, -1]
        logits = known + inputs @ w.T + b
        log_p = logits - logsumexp(logits, axis=1, keepdims=True)
        difference = np.exp(log_p) * mass - wanted
        gradient = np.empty_like(matrix)
        gradient[:, :-1] = difference.T @ inputs + penalty * w
        gradient[:, -1] = difference.sum(axis=0) + _BIAS_PENALTY * b
        prior = penalty * (w**2).sum() + _BIAS_PENALTY * (b**2).sum()
        return float(-(wanted * log_p).sum() + 0.5 * prior), gradient.ravel()

    start = np.zeros(n_classes * (width + 1))
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": 1e-4}
    )
    matrix = found.x.reshape(n_classes, width + 1)
    return matrix[:, :-1], matrix[:, -1]


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
    left, singular, basis = np.linalg.svd(np.asarray(inputs, np.float64), full_matrices=False)
    return left * singular, basis
