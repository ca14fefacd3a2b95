"""A preview of permutation p-values from the first three moments of the reference distribution.

The sum over a region's neighbours is a linear permutation statistic, Σ a_j x_π(j), whose mean, variance and third
moment are known in closed form; a Pearson type III (shifted gamma) curve with those moments gives p at once. It is a
preview: right in the middle, rough in the far tail of skewed data with few neighbours. Never a substitute, and
always named as what it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.links import Weights

Floats = NDArray[np.float64]


def pearson_probabilities(values: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """(variable, region) probabilities of a lag at least, and at most, the observed one.

    values (variable, region). With N = n − 1 others, centred weights a and values x:

        mean = k̄ x̄,  variance = Σa² Σx² / (N − 1),  third moment = N Σa³ Σx³ / ((N − 1)(N − 2))
    """
    others = weights.n - 1
    sums = np.stack([np.add.reduceat(np.append(weights.values**power, 0.0), _starts(weights)) for power in (1, 2, 3)])
    sums[:, weights.cardinalities == 0] = 0.0
    first, second, third = sums
    level = first / others
    squares = second - others * level**2
    cubes = third - 3 * level * second + 3 * level**2 * first - others * level**3
    lags = (weights.matrix() @ values.T).T
    mean, x2, x3 = _moments_of_others(values)
    variance = squares * x2 / (others - 1)
    third_moment = others * cubes * x3 / ((others - 1) * max(others - 2, 1))
    return _pearson_tails(lags, first * mean, variance, third_moment)


def _starts(weights: Weights) -> NDArray[np.int64]:
    return weights.indptr[:-1]


def _moments_of_others(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, and sums of squares and cubes about it, of all regions but the one in question."""
    n = values.shape[1]
    power = [values.sum(axis=1, keepdims=True) - values]
    power += [(values**p).sum(axis=1, keepdims=True) - values**p for p in (2, 3)]
    mean = power[0] / (n - 1)
    squares = power[1] - (n - 1) * mean**2
    cubes = power[2] - 3 * mean * power[1] + 3 * mean**2 * power[0] - (n - 1) * mean**3
    return mean, squares, cubes


def _pearson_tails(lags: Floats, mean: Floats, variance: Floats, third: Floats) -> tuple[Floats, Floats]:
    from scipy.special import gammainc, gammaincc, ndtr

    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        spread = np.sqrt(variance)
        score = (lags - mean) / spread
        skew = third / spread**3
        shape = 4 / skew**2
        point = np.maximum(shape + 2 * score / skew, 0.0)
        upper = np.where(skew > 0, gammaincc(shape, point), gammainc(shape, point))
        upper = np.where(np.abs(skew) < 1e-3, ndtr(-score), upper)
        upper = np.where(variance > 1e-18, upper, 1.0)
        lower = np.where(variance > 1e-18, 1.0 - upper, 1.0)
    return upper, lower
