"""Logistic regression with a ridge, by Newton's method."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
STEPS, CLOSE = 30, 1e-4


def fitted(x: Array, y: Array, ridge: Array, at_least_0: Flags) -> Array:
    """The weights of the columns of `x`.

    `ridge` says how strongly each is held small. One that may not be below 0 and would be is held
    at 0, and the others are fitted again.
    """
    free = np.ones(x.shape[1], dtype=bool)
    while True:
        weights = np.zeros(x.shape[1])
        weights[free] = _newton(x[:, free], y, ridge[free])
        against = at_least_0 & (weights < 0)
        if not against.any():
            return weights
        free &= ~against


def likelihoods(x: Array, weights: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))


def _newton(x: Array, y: Array, ridge: Array) -> Array:
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = likelihoods(x, weights)
        slope = x.T @ (y - p) - ridge * weights
        root = x * np.sqrt(p * (1 - p))[:, None]
        step = np.linalg.solve(root.T @ root + np.diag(ridge), slope)
        weights += step
        if np.abs(step).max() < CLOSE:
            break
    return weights
